"""The step of ``logs.rate_spike``: which fields, values and patterns the added lines carry."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean, variance
from typing import TYPE_CHECKING, Any

from workspace_ext.inquiry.steps.log_difference import patterns_by_service

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]

_MOST = 100
_FEWEST_MINUTES = 5
_COLUMNS = (
    *("field", "value", "lines", "baseline_lines", "rate", "baseline_rate", "share_of_excess"),
    *("share_before", "z", "p", "total_rate", "total_baseline_rate", "total_z", "example"),
)


def rate_spike(table: pa.Table, _params: Mapping[str, Any]) -> pa.Table:
    """Explains more lines a minute than before by the values whose share grew.

    Lines come in bursts, so standard errors are widened by how much more the minutes of the
    baseline vary than independent lines would. ``p`` is Bonferroni's over all values looked at.

    Args:
        table: Rows of ``part``: ``minute`` (is_now, lines of one minute that has any) and
            ``value`` (field, value, lines, baseline_lines, example; for patterns the masked text,
            with its service).
    """
    import pyarrow as pa

    rows = table.to_pylist()
    minutes: dict[bool, list[int]] = {True: [], False: []}
    for row in rows:
        if row["part"] == "minute":
            minutes[row["is_now"]].append(row["lines"])
    values = _merged([row for row in rows if row["part"] == "value"])
    found: list[Row] = []
    if minutes[True]:
        found = _explained(values, minutes[True], minutes[False])
    return pa.table({name: [row[name] for row in found[:_MOST]] for name in _COLUMNS})


def _merged(rows: list[Row]) -> list[Row]:
    """The rows with masked texts put together to patterns."""
    texts = [row for row in rows if row["field"] == "pattern"]
    patterns = patterns_by_service(texts, "value")
    together: dict[str, Row] = {}
    for row in sorted(texts, key=lambda row: (-row["lines"], row["value"], str(row["service"]))):
        said = patterns[row["service"], row["value"]].text
        first = together.setdefault(said, {**row, "value": said, "lines": 0, "baseline_lines": 0})
        for name in ("lines", "baseline_lines"):
            first[name] += row[name]
    return [row for row in rows if row["field"] != "pattern"] + list(together.values())


def _explained(values: list[Row], now: list[int], then: list[int]) -> list[Row]:
    lines, before = sum(now), sum(then)
    rate, usual = fmean(now), fmean(then) if then else None
    spread = _spread(then)
    total_z = _z(lines, before, len(now), len(then), spread)
    excess = rate - usual if usual is not None else None
    known = [_row(row, len(now), len(then), spread, len(values)) for row in values]
    for row in known:
        row |= {"total_rate": rate, "total_baseline_rate": usual, "total_z": total_z}
        row["share_before"] = row["baseline_lines"] / before if before else None
        row["share_of_excess"] = (
            (row["rate"] - row["baseline_rate"]) / excess if excess and excess > 0 else None
        )
    # A value that everything has explains nothing: it is what it adds to its share that counts.
    known.sort(key=lambda row: (-_lift(row), -(row["z"] or 0), row["field"], str(row["value"])))
    return known


def _lift(row: Row) -> float:
    if row["share_of_excess"] is None:
        return 0.0
    lift: float = row["share_of_excess"] - row["share_before"]
    return lift


def _row(row: Row, now: int, then: int, spread: float, tried: int) -> Row:
    z = _z(row["lines"], row["baseline_lines"], now, then, spread)
    return {
        **row,
        "rate": row["lines"] / now,
        "baseline_rate": row["baseline_lines"] / then if then else None,
        "z": z,
        "p": min(1.0, tried * math.erfc(abs(z) / math.sqrt(2))) if z is not None else None,
    }


def _spread(minutes: list[int]) -> float:
    """How much more the lines of a minute vary than independent lines would: at least 1."""
    if len(minutes) < _FEWEST_MINUTES:
        return 1.0
    return max(1.0, variance(minutes) / max(fmean(minutes), 1.0))


def _z(lines: int, before: int, now: int, then: int, spread: float) -> float | None:
    """Two rates after the square root transform; None without a baseline."""
    if not then:
        return None
    apart = 2 * (math.sqrt(lines / now) - math.sqrt(before / then))
    return apart / math.sqrt(spread * (1 / now + 1 / then))
