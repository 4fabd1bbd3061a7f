"""What metrics said at each moment, however their sender counts: levels before and since.

A counter says how much it grew since it was read before, a histogram how long a call took and how
many there were, and both how many of those failed, where an attribute tells. Many senders do not
say that a number only counts up; then its values do.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.inquiry.causes.roles import CALLS, ERRORS
from workspace_ext.inquiry.steps.columns import (
    Flags,
    Floats,
    Ints,
    distinct,
    flags,
    floats,
    ints,
    named,
)

ENOUGH = 12
"""Fewer points may grow by chance, also between two times that a process began anew."""
MOSTLY = 0.9
"""So many of those who have a counter send it without a flaw."""
_PARTS = ("_sum", "_count", "_bucket")
"""Of a histogram, as Prometheus names its series."""
_LEVEL = ["service", "pod", "name", "unit", "is_now", "time_ns", "value"]
_COUNTERS = (*_PARTS, "_total")


def readings(rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The usual levels of each series, and those in the window.

    Args:
        rows: service, pod, name, unit, is_now, time_ns, value, count and sum. Text is ``counts``
            for what counts up, and ``delta`` for what says how much it counted since; span_id tells
            apart series of one name, failed those of failures.

    Returns:
        Tables of service, pod, name, unit, low, median, high (10 %, 50 % and 90 % quantiles), mean
        and points (how many there were); and of service, pod, name, time_ns and value.
    """
    levels = _levels(rows)
    return _usual(levels), levels.filter(levels.column("is_now"))


def _levels(rows: pa.Table) -> pa.Table:
    names = named(rows.column("name"))
    owner = _numbered(
        named(rows.column("service")).number, named(rows.column("pod")).number, names.number
    )
    series = _numbered(owner, named(rows.column("span_id")).number)
    order = np.lexsort((ints(rows.column("time_ns")), series))
    rows, owner, series = rows.take(pa.array(order)), owner[order], series[order]
    value = floats(rows.column("value"))
    fresh = flags(pc.equal(rows.column("text"), "delta"))
    counts = flags(pc.equal(rows.column("text"), "counts"))
    counts |= ~fresh & ~np.isnan(value) & _climbs(value, series, names.number[order], names.names)
    kept = counts | fresh
    plain = rows.filter(pa.array(~kept & ~np.isnan(value))).select(_LEVEL)
    if not kept.any():
        return plain
    counted = rows.filter(pa.array(kept))
    grown = _grown(counted, owner[kept], series[kept], fresh[kept])
    return pa.concat_tables([plain, *_calls(counted, *grown)])


def _grown(rows: pa.Table, owner: Ints, series: Ints, fresh: Flags) -> list[Floats]:
    """How much more value, count and sum are than at the reading before; NaN where none was.

    As if the time between two readings were always the same. What first comes when its owner was
    read before, as a first failure does, counted from 0.

    Args:
        rows: By series and time.
        owner: Whose instance and metric each is.
        series: The number of its series.
        fresh: Whether it says how much it counted since.
    """
    time = ints(rows.column("time_ns"))
    opened = np.full(int(owner.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(opened, owner, time)
    first = np.diff(series, prepend=-1) != 0
    begins, alone = first | fresh, first & (time <= opened[owner]) & ~fresh
    seconds = np.maximum(np.diff(time, prepend=0) / 1e9, 1e-9)
    scale = np.ones(len(time))
    scale[~begins] = np.median(seconds[~begins]) / seconds[~begins] if (~begins).any() else 1.0
    grown = []
    for column in ("value", "count", "sum"):
        values = floats(rows.column(column))
        more = np.where(begins, values, np.diff(values, prepend=0.0))
        more = np.where(more < 0, values, more)  # it began anew
        grown.append(np.where(alone, np.nan, more * scale))
    return grown


def _calls(rows: pa.Table, value: Floats, count: Floats, total: Floats) -> list[pa.Table]:
    """Levels of what counts, of each instance: how many calls, how many failed, how long they took.

    Args:
        rows: One a series and moment.
        value: By how much it grew; ``count`` and ``total`` the same of histograms.
        count: See ``value``.
        total: See ``value``.
    """
    names = rows.column("name").combine_chunks().dictionary_encode()
    told = set(names.dictionary.to_pylist())
    bases, parts = [], []
    for name in names.dictionary.to_pylist():
        part = next((part for part in _PARTS if name.endswith(part)), "")
        base = name.removesuffix(part)
        whole = bool(part) and {base + "_sum", base + "_count"} <= told
        bases.append(base if whole else name)
        parts.append(_PARTS.index(part) if whole else -1)
    part = np.array(parts)[names.indices.to_numpy()]
    calls = np.where(np.isnan(count), np.where((part == -1) | (part == 1), value, np.nan), count)
    took = np.where(np.isnan(total), np.where(part == 0, value, np.nan), total)
    failed = flags(rows.column("failed"))
    keys = ["service", "pod", "name", "unit", "is_now", "time_ns"]
    summed = (
        rows.select(keys)
        .set_column(2, "name", pa.array(bases, pa.string()).take(names.indices))
        .append_column("calls", pa.array(calls, from_pandas=True))
        .append_column("took", pa.array(took, from_pandas=True))
        .append_column("failures", pa.array(np.where(failed, calls, 0.0), from_pandas=True))
        .append_column("failed", pa.array(failed))
        .group_by(keys, use_threads=False)
        .aggregate([("calls", "sum"), ("took", "sum"), ("failures", "sum"), ("failed", "max")])
    )
    summed = summed.filter(pc.is_valid(summed.column("calls_sum")))
    mean = pc.divide(summed.column("took_sum"), summed.column("calls_sum"))
    summed = summed.append_column("mean", mean)
    timed, failing = (
        pc.is_in(summed.column("name"), value_set=pc.unique(summed.filter(which).column("name")))
        for which in (pc.is_valid(summed.column("took_sum")), summed.column("failed_max"))
    )
    known = pc.and_(pc.is_valid(mean), pc.greater(summed.column("calls_sum"), 0))
    return [
        _told(summed.filter(pc.invert(timed)), "calls_sum", ""),
        _told(summed.filter(timed), "calls_sum", CALLS),
        _told(summed.filter(known), "mean", ""),
        _told(summed.filter(failing), "failures_sum", ERRORS),
    ]


def _told(summed: pa.Table, column: str, what: str) -> pa.Table:
    names = pc.binary_join_element_wise(summed.column("name"), what, "")
    unit = summed.column("unit") if not what else pa.nulls(summed.num_rows, pa.string())
    return pa.table(
        {
            **{each: summed.column(each) for each in ("service", "pod")},
            "name": names,
            "unit": unit,
            **{each: summed.column(each) for each in ("is_now", "time_ns")},
            "value": pc.round(summed.column(column), 9),
        }
    )


def _climbs(value: Floats, series: Ints, name: Ints, names: list[str]) -> Flags:
    """Whether a metric only grows at nearly all who have it, but for when a process began anew."""
    if not len(series):
        return np.zeros(0, dtype=bool)
    begin = np.flatnonzero(np.diff(series, prepend=-1))
    step = np.diff(value, prepend=0.0)
    step[begin] = 0.0
    anew = (step < 0) & (value < np.roll(value, 1) / 2) & (value >= 0)

    def times(what: Flags) -> Ints:
        return np.add.reduceat(what.astype(np.int64), begin)

    points, rises, resets = np.diff(begin, append=len(series)), times(step > 0), times(anew)
    grows = (times(~(step >= 0) & ~anew) == 0) & (resets * ENOUGH <= points)
    of, size = name[begin], len(names)
    moving = np.bincount(of, (rises > 0) | ~grows, size)
    mostly = np.bincount(of, (rises > 0) & grows, size) >= MOSTLY * np.maximum(moving, 1)
    surely = (
        np.bincount(of, grows & (points >= ENOUGH * (1 + resets)) & (2 * rises > points), size) > 0
    )
    surely |= np.array([each.endswith(_COUNTERS) for each in names], dtype=bool)
    return np.repeat(grows & (mostly & surely)[of], points)


def _usual(levels: pa.Table) -> pa.Table:
    before = levels.filter(pc.invert(levels.column("is_now"))).combine_chunks()
    keys = [named(before.column(each)).number for each in ("service", "pod", "name")]
    series, value = _numbered(*keys), floats(before.column("value"))
    order = np.lexsort((value, series))
    series, value = series[order], value[order]
    begin = np.flatnonzero(np.diff(series, prepend=-1))
    points = np.diff(begin, append=len(series))
    about = before.select(["service", "pod", "name", "unit"]).take(pa.array(order[begin]))
    for name, share in (("low", 0.1), ("median", 0.5), ("high", 0.9)):
        place = share * (points - 1)
        below = np.floor(place).astype(np.int64)
        low, high = value[begin + below], value[begin + np.minimum(below + 1, points - 1)]
        about = about.append_column(name, pa.array(low + (high - low) * (place - below)))
    mean = np.add.reduceat(value, begin) / points if len(begin) else value
    return about.append_column("mean", pa.array(mean)).append_column("points", pa.array(points))


def _numbered(*columns: Ints) -> Ints:
    """A number for each combination."""
    number = columns[0]
    for column in columns[1:]:
        keys = number * (int(column.max(initial=0)) + 1) + column
        number = np.searchsorted(distinct(keys), keys)
    return number
