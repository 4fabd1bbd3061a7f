"""The ladder: how far two results of the same query agree.

``exact → equal, unordered → equal within tolerance → same shape only → different``. A digest
decides the first cheaply. It cannot decide the others: rows come in another order, and parallel
sums of floats differ in their last bits, from run to run; so small results are kept as values
and compared as such. Of large ones there are aggregates (`telemetry.query.aggregates`): a bag
tells equal values in any order, and sums tell floats that drifted from those that did not. A
single float among very many may move them by less than the tolerance, and the reason says so.

Which rung is good enough is set when the query is captured, never when it is replayed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workspace_ext.inquiry.archive import difference
from workspace_ext.inquiry.archive.model import Comparison, Rung
from workspace_ext.telemetry.query.digest import logical_type

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.protocol.messages import Compare

TOLERANCE = 1e-9
"""Relative; the drift of parallel float aggregates measured 1.4e-14 at most."""

_ENOUGH: dict[str, set[Rung]] = {
    "ordered": {"exact"},
    "unordered": {"exact", "unordered"},
    "tolerance": {"exact", "unordered", "tolerance"},
    "shape": {"exact", "unordered", "tolerance", "shape"},
}


_EQUAL: set[Rung] = {"exact", "unordered", "tolerance"}
_FLOATS = re.compile(r"\b(halffloat|float|double)\b")
"""In Arrow's name of a type, at any depth."""


@dataclass(frozen=True)
class Result:
    """A result as it was kept: its digest always, its values when it is small, else aggregates."""

    rows: int
    digest: str
    table: pa.Table | None
    aggregates: Mapping[str, Any] | None = None


def compare(then: Result, now: Result, mode: Compare) -> Comparison:
    """Climbs down the ladder until a rung holds.

    Args:
        then: As captured.
        now: As replayed.
        mode: How this query may be compared, as set at capture.
    """
    if mode["mode"] == "none":
        return Comparison("not compared", None, mode["reason"])
    rung, reason, drift = _rung(then, now)
    lines = () if rung in _EQUAL else _lines(then.table, now.table)
    if rung == "not compared" and mode["mode"] == "ordered":
        return Comparison("different", same=False, reason=f"{reason}: {mode['reason']}")
    if rung == "not compared" and mode["mode"] == "shape" and then.aggregates and now.aggregates:
        return Comparison("shape", same=True, reason=reason)
    if rung == "not compared":
        return Comparison(rung, None, reason)
    same = rung in _ENOUGH[mode["mode"]]
    if not same and rung in ("unordered", "tolerance"):
        reason = f"{reason}: not enough, since {mode['reason']}"
    return Comparison(rung, same, reason, drift, () if same else lines)


def _rung(then: Result, now: Result) -> tuple[Rung, str, float | None]:
    if then.digest == now.digest:
        return "exact", "equal to the last bit", 0.0
    if then.rows != now.rows:
        return "different", f"{then.rows:,} rows then, {now.rows:,} now", None
    if then.aggregates and now.aggregates:
        return _by_aggregates(then.aggregates, now.aggregates)
    if then.table is None or now.table is None:
        return "not compared", "digests differ and the result was too large to keep", None
    other = _other_columns(then.table.schema, now.table.schema)
    if other:
        return "different", other, None
    return _by_value(_named(then.table), _named(now.table))


def _other_columns(then: pa.Schema, now: pa.Schema) -> str:
    """How the columns differ; empty when they do not."""
    if then.names != now.names:
        return "other columns"
    for old, new in zip(then, now, strict=True):
        was, is_ = logical_type(old.type), logical_type(new.type)
        if was != is_:
            return f"column {old.name}: {was} then, {is_} now"
    return ""


def _lines(then: pa.Table | None, now: pa.Table | None) -> tuple[str, ...]:
    """What differs, row by row, where values were kept and the columns are the same."""
    if then is None or now is None or then.schema.names != now.schema.names:
        return ()
    then, now = _named(then), _named(now)
    names = then.schema.names
    keys = [field.name for field in then.schema if not _has_floats(field.type)]

    def alike(old: object, new: object) -> bool:
        return apart(old, new) <= TOLERANCE

    return difference.of_tables(names, _rows(then), _rows(now), keys=keys, alike=alike)


def _named(table: pa.Table) -> pa.Table:
    """The same with a name of its own for each column: in SQL, two may have one."""
    names = table.schema.names
    if len({*names}) == len(names):
        return table
    return table.rename_columns([f"{place}: {name}" for place, name in enumerate(names, start=1)])


def _rows(table: pa.Table) -> list[dict[str, object]]:
    """Its rows; times as numbers where Python has none that late, as for SQL's infinity."""
    import pyarrow as pa

    try:
        rows: list[dict[str, object]] = table.to_pylist()
    except (OverflowError, ValueError):
        columns = [
            column.cast(pa.int32() if pa.types.is_date32(column.type) else pa.int64())
            if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
            else column
            for column in table.itercolumns()
        ]
        rows = pa.table(columns, table.schema.names).to_pylist()
    return rows


def _by_value(then: pa.Table, now: pa.Table) -> tuple[Rung, str, float | None]:
    names = then.schema.names
    drift = 0.0
    for old, new in zip(_sorted_rows(then), _sorted_rows(now), strict=True):
        for name in names:
            moved = apart(old[name], new[name])
            if moved > TOLERANCE:
                return "shape", _told(name, old[name], new[name]), None
            drift = max(drift, moved)
    if drift == 0:
        return "unordered", "the same rows in another order", 0.0
    return "tolerance", f"equal within {TOLERANCE:g}; largest drift {drift:.2g}", drift


def _by_aggregates(
    then: Mapping[str, Any], now: Mapping[str, Any]
) -> tuple[Rung, str, float | None]:
    """What the aggregates of two large results say; where they say nothing, which columns differ.

    The digests of the results differ, their numbers of rows do not.
    """
    pairs = list(zip(then["columns"], now["columns"], strict=False))
    kinds = ([(each["name"], each["type"]) for each in told["columns"]] for told in (then, now))
    if next(kinds) != next(kinds):
        return "different", "other columns", None
    unlike = [(old, new) for old, new in pairs if old["digest"] != new["digest"]]
    named = ", ".join(old["name"] for old, _ in unlike)
    for old, new in unlike:
        told = _differs(old, new) if "bag" in old and "bag" in new else ""
        if told:
            return "shape", f"column {old['name']}: {told}", None
    if "rows" not in then or "rows" not in now or any("bag" not in old for old, _ in unlike):
        return "not compared", f"column {named} differs; too many rows to keep them", None
    if then["rows"] == now["rows"]:
        return "unordered", "the same rows in another order, by their hashes", 0.0
    drift = max(
        (_moved(old, new, name) for old, new in unlike for name in _SUMS if name in old),
        default=0.0,
    )
    if then["exact"] != now["exact"] or drift > TOLERANCE:
        return "shape", f"column {named}: the values belong to other rows", None
    return "tolerance", f"{_WITHIN}; largest drift {drift:.2g}", drift


_SUMS = ("sum", "weighed")
_WITHIN = (
    f"equal within {TOLERANCE:g} by the sums of its columns, having too many rows to keep them"
)


def _differs(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What differs between two columns beyond order and drift; empty when nothing does."""
    if old["nulls"] != new["nulls"]:
        return f"{old['nulls']:,} nulls then, {new['nulls']:,} now"
    if old["bag"] == new["bag"]:
        return ""
    if "sum" not in old or "sum" not in new:
        return "other values"
    if old["infinite"] != new["infinite"]:
        return f"{old['infinite']:,} infinite values then, {new['infinite']:,} now"
    for name, what in (("min", "smallest"), ("max", "largest")):
        if apart(float(old[name]), float(new[name])) > TOLERANCE:
            return f"{what} {old[name]} then, {new[name]} now"
    moved = _moved(old, new, "sum") > TOLERANCE
    return f"sum {old['sum']} then, {new['sum']} now" if moved else ""


def _moved(old: Mapping[str, Any], new: Mapping[str, Any], name: str) -> float:
    """How far a sum moved, beside the sum of all sizes: terms may cancel each other."""
    size = max(float(old["size"]), float(new["size"]))
    return abs(float(old[name]) - float(new[name])) / size if size else 0.0


def _has_floats(kind: pa.DataType) -> bool:
    return _FLOATS.search(str(kind)) is not None


def _sorted_rows(table: pa.Table) -> list[dict[str, object]]:
    """Rows in an order that two runs share: exact columns decide, then floats but for drift."""
    exact = [field.name for field in table.schema if not _has_floats(field.type)]
    floats = [field.name for field in table.schema if _has_floats(field.type)]
    return sorted(
        _rows(table),
        key=lambda row: (
            [repr(row[name]) for name in exact],
            [_about(row[name]) for name in floats],
            [repr(row[name]) for name in floats],
        ),
    )


def _about(value: object) -> str:
    """A value in words, its floats rounded."""
    if isinstance(value, float):
        return f"{value:.9g}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_about, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_about(each)}' for key, each in value.items())}}}"
    return repr(value)


def apart(old: object, new: object) -> float:
    """The relative difference of two numbers, also inside lists and maps; else 0 or infinity."""
    if isinstance(old, float) and isinstance(new, float):
        if old == new or (math.isnan(old) and math.isnan(new)):
            return 0.0
        scale = max(abs(old), abs(new))
        return abs(old - new) / scale if math.isfinite(scale) else math.inf
    if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
        return max((apart(old[key], new[key]) for key in old), default=0.0)
    if isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        return max(map(apart, old, new), default=0.0)
    return 0.0 if old == new else math.inf


def _told(name: str, old: object, new: object) -> str:
    return f"column {name}: {old!r} then, {new!r} now (first of the differences)"
