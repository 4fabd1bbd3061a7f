"""A template's Python step: what it must give, and how it is run where no broker is."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from workspace_ext.inquiry.steps.contract import apply
from workspace_ext.inquiry.steps.registry import find
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.inquiry.templates.sandbox import bare_cursor

if TYPE_CHECKING:
    import pyarrow as pa

_REMEMBERED = 500


def columns_of(template: Template) -> pa.Schema:
    """The columns that a template declares, as Arrow has them."""
    return _columns(tuple(template.returns.items()))


def after(template: Template, table: pa.Table, arguments: Mapping[str, Any]) -> pa.Table:
    """A template's answer: the rows of its SQL, put through its step if it has one.

    In this process: for checks and tests. The broker runs steps in another.

    Raises:
        NotFound: The step is not installed.
        BadInput: It failed.
    """
    if not template.step:
        return table
    step = find(template.step)
    return apply(step, table, arguments, columns_of(template), of=template.id)


@lru_cache(_REMEMBERED)
def _columns(returns: tuple[tuple[str, str], ...]) -> pa.Schema:
    listed = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in returns)
    cursor = bare_cursor()
    try:
        # Names and types have passed the header's patterns.
        return cursor.sql(f"SELECT {listed} LIMIT 0").to_arrow_table().schema
    finally:
        cursor.close()
