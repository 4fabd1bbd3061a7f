"""What a question looks at: windows of signals, and the services that it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from workspace_ext.inquiry.templates.quality import Part
from workspace_ext.telemetry.catalog.cautions import Look
from workspace_ext.telemetry.query.model import Scan

if TYPE_CHECKING:
    from workspace_ext.inquiry.queries.question import Question

_SCANNED = "scanned window"


def looks_of_parts(parts: Sequence[Part], question: Question) -> list[Look]:
    """What a template looks at: what it requires, for the services that it was given."""
    if question.template is None:
        return []
    params = question.template.params.values()
    given = [question.arguments.get(param.name) for param in params if param.type == "service"]
    services = frozenset(name for name in given if isinstance(name, str)) or None
    return [Look(part.signal, part.span, part.window, services) for part in parts]


def looks_of_scans(
    scans: Sequence[Scan], question: Question, known: Callable[[], list[str]]
) -> list[Look]:
    """What free SQL looked at, where its plan shows bounds.

    It is about the services whose names it holds as values, or else about all.

    Args:
        scans: What was scanned.
        question: The query.
        known: Tells the names of services.
    """
    bounded = [scan for scan in scans if scan.window is not None]
    if not bounded:
        return []
    said = set(_values(question))
    services = frozenset(name for name in known() if name in said or f"'{name}'" in question.sql)
    return list(
        dict.fromkeys(
            Look(scan.table, scan.window, _SCANNED, services or None)
            for scan in bounded
            if scan.window is not None
        )
    )


def _values(question: Question) -> Iterator[object]:
    for value in question.values.values():
        yield from value if isinstance(value, list) else [value]
