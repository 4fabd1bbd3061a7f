"""The contract of a step: rows in, rows of the declared columns out."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import BadInput, InvestigationError
from workspace_ext.inquiry.steps.registry import Step

if TYPE_CHECKING:
    import pyarrow as pa


def apply(
    step: Step, table: pa.Table, params: Mapping[str, Any], returns: pa.Schema, *, of: str
) -> pa.Table:
    """Runs a step here and holds it to its template's declaration.

    Args:
        step: The step.
        table: The rows of the SQL.
        params: The value of every parameter.
        returns: The columns that must come out, with their types.
        of: The template, for the message when it fails.

    Raises:
        BadInput: The step failed, or gave something else than it had to.
        MemoryError: It needed more memory than there is.
    """
    about = f"{of}: its step {step.name}"
    try:
        result = step.function(table, params)
    except MemoryError:
        raise
    except InvestigationError as error:
        error.message = f"{about}: {error.message}"
        raise
    except Exception as error:
        raise _failed(f"{about} failed{_place(error)}: {type(error).__name__}: {error}") from error
    return _declared(result, returns, about)


def _declared(result: Any, returns: pa.Schema, about: str) -> pa.Table:
    import pyarrow as pa

    if not isinstance(result, pa.Table):
        raise _failed(f"{about} gave {type(result).__name__}, not a table")
    if sorted(result.column_names) != sorted(returns.names):
        there = ", ".join(result.column_names)
        raise _failed(f"{about} gave the columns {there}, not {', '.join(returns.names)}")
    columns = []
    for field in returns:
        try:
            columns.append(result.column(field.name).cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            told = f"{result.schema.field(field.name).type}, which is no {field.type}"
            raise _failed(f"{about} gave {field.name} as {told}") from error
    return pa.Table.from_arrays(columns, schema=returns)


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f" in {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""


def _failed(message: str) -> BadInput:
    return BadInput(
        message,
        hint="this is a fault of the step or of what its SQL gave it; tell who wrote the template",
        code="step_failed",
    )
