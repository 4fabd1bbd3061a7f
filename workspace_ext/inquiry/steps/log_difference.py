"""The step of ``logs.pattern_difference``: masked texts → patterns that came, went or changed."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workspace_ext.inquiry.steps.log_patterns import Pattern, settle

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

_COLUMNS = (
    *("service", "change", "severity", "gist", "pattern", "pattern_id", "operation", "lines"),
    *("baseline_lines", "rate", "baseline_rate", "per", "ratio", "z", "needed_z"),
    *("traces", "example", "example_trace"),
)
_MOST = 200
_GIST = 140
_FEWEST_CALLS = 5
_GRAVE = frozenset(("ERROR", "FATAL", "CRITICAL"))
_NOTABLE = _GRAVE | {"WARN", "WARNING"}
_EXCEPTION = re.compile(r".*\b([A-Za-z_][\w.$]*(?:Exception|Error): .*)")
"""The innermost exception says more than what the framework wraps around it."""


def pattern_difference(table: pa.Table, params: Mapping[str, Any]) -> pa.Table:
    """Judges each pattern of each operation.

    Args:
        table: Masked texts by service, operation and severity, with their lines in window and
            baseline, how many others each line is together with in its trace, summed up, and what
            there was to write about: calls of the operation, and minutes.
        params: ``min_lines``, ``min_ratio``, ``min_z``.
    """
    import pyarrow as pa

    # Recorded questions find the text that they used: before version 4 it does not tell of traces.
    told = [{"together": 0} | row for row in table.to_pylist()]
    rows = [_measured(row, params) for row in _merged(told)]
    judged = sum(row["judged"] for row in rows)
    needed = math.sqrt(params["min_z"] ** 2 + 2 * math.log(max(judged, 1)))
    for row in rows:
        row["needed_z"] = needed
        row["change"] = _change(row, params)
    rows.sort(key=_rank)
    columns = {name: [row[name] for row in rows[:_MOST]] for name in _COLUMNS}
    return pa.table(columns)


def patterns_by_service(rows: Iterable[Row], text: str) -> dict[tuple[Any, str], Pattern]:
    """The pattern of each masked text, settled among the lines of its service."""
    texts: dict[Any, set[str]] = defaultdict(set)
    for row in rows:
        texts[row["service"]].add(row[text])
    return {
        (service, masked): pattern
        for service, each in texts.items()
        for masked, pattern in zip(each, settle(list(each)), strict=True)
    }


def _merged(rows: list[Row]) -> list[Row]:
    """One row a pattern of an operation."""
    patterns = patterns_by_service(rows, "masked")
    counts = ("lines", "baseline_lines", "traces", "together")
    found: dict[tuple[Any, ...], Row] = {}
    # The commonest text comes first: it gives the example.
    for row in sorted(rows, key=lambda row: (-row["lines"], -row["baseline_lines"], row["masked"])):
        pattern = patterns[row["service"], row["masked"]]
        key = (row["service"], row["operation"], row["severity"], pattern.id)
        if key not in found:
            found[key] = {**row, "pattern": pattern.text, "pattern_id": pattern.id}
        else:
            found[key] |= {name: found[key][name] + row[name] for name in counts}
    for row in found.values():
        row["traces"] = min(row["traces"], row["lines"])
    return list(found.values())


def _measured(row: Row, params: Mapping[str, Any]) -> Row:
    by_call = min(row["calls1"] or 0, row["calls0"] or 0) >= _FEWEST_CALLS
    now, then = (row["calls1"], row["calls0"]) if by_call else (row["minutes1"], row["minutes0"])
    scale = 100.0 if by_call else 1.0
    now, then = now / scale, then / scale
    lines, before, known = row["lines"], row["baseline_lines"], row["n0"] > 0
    rate, usual = lines / now, before / then
    ratio = ((lines + 0.5) / now) / ((before + 0.5) / then) if known else None
    # Lines of one trace are not independent: the variance is larger by the design effect.
    clustered = 1 + row["together"] / (lines + before)
    error = math.sqrt((1 / now + 1 / then) * clustered)
    z = 2 * (math.sqrt(rate) - math.sqrt(usual)) / error if known else None
    judged = max(lines, before) >= params["min_lines"] and (
        by_call or row["operation"] is None or row["severity"] in _NOTABLE
    )
    inner = _EXCEPTION.match(row["pattern"])
    return row | {
        "judged": judged and known,
        "gist": (inner[1] if inner else row["pattern"])[:_GIST],
        "rate": rate,
        "baseline_rate": usual,
        "per": "100 calls" if by_call else "minute",
        "ratio": ratio,
        "z": z,
    }


def _change(row: Row, params: Mapping[str, Any]) -> str | None:
    if not row["judged"]:
        return None
    z, ratio = row["z"], row["ratio"]
    if abs(z) < row["needed_z"] or max(ratio, 1 / ratio) < params["min_ratio"]:
        return "as before"
    if not row["baseline_lines"]:
        return "new"
    if not row["lines"]:
        return "gone"
    return "more frequent" if z > 0 else "rarer"


def _rank(row: Row) -> tuple[Any, ...]:
    """Changes first; more of what is grave before less of it; then by how certain it is."""
    z, grave = row["z"] or 0.0, row["severity"] in _GRAVE
    order = 3
    if z > 0 and grave:
        order = 1
    elif z > 0 and row["severity"] in _NOTABLE:
        order = 2
    elif row["change"] == "gone" and grave:
        order = 4
    changed = row["change"] not in (None, "as before")
    names = (str(row[name] or "") for name in ("service", "severity", "pattern", "operation"))
    return (not changed, order, -abs(z), *names)
