"""The step of ``metrics.correlated``: series that move with a symptom."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workspace_ext.inquiry.steps.ranks import Floats, tail_of_student

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.inquiry.steps.columns import Flags, Ints

FEWEST = 8
"""Series with fewer common points are not compared."""

_MOST = 200
_RARE = 0.1
"""The share of values on either side that is clipped. Ranks would not do: two levels and noise
on them have a rank correlation of at most 0.7 when one lasts a fifth of the time."""

_USUAL = 1.4826
_NINE_IN_TEN = 1.645
"""So many deviations nine in ten values of a normal distribution keep to."""
_LEAST_DEVIATION = 0.05


@dataclass(frozen=True)
class Correlation:
    """How series move together with one other: an entry each, NaN where that cannot be said.

    Attributes:
        lag: How many steps the series is ahead of the other where they agree best.
        value: The correlation there: Pearson's, of values whose rare ones are clipped.
        at_once: The same without any lag.
        p: How likely one as large is without any relation, over all lags.
        points: The common points.
    """

    lag: Ints
    value: Floats
    at_once: Floats
    p: Floats
    points: Ints


def correlate(series: Floats, other: Floats, max_lag: int) -> Correlation:
    """The lag at which evenly spaced series agree best with another.

    Args:
        series: A row each; NaN where there is no value.
        other: One series of the same steps.
        max_lag: How many steps either may be ahead.

    Returns:
        No value where no lag leaves enough common points, or one of both never moves.
    """
    # Nothing is gained by a lag that agrees as well: the smallest one is told.
    lags = sorted(range(-max_lag, max_lag + 1), key=lambda lag: (abs(lag), lag))
    each = [_at(series, other, lag) for lag in lags]
    value, points, effective = (np.stack(of) for of in zip(*each, strict=True))
    known = ~np.isnan(value)
    best = np.argmax(np.where(known, np.round(np.abs(value), 3), -1.0), axis=0)[None]
    found, there, independent = (
        np.take_along_axis(of, best, axis=0)[0] for of in (value, points, effective)
    )
    p = np.array([_p(*of) for of in zip(found.tolist(), independent.tolist(), strict=True)])
    p = np.minimum(p * known.sum(axis=0), 1.0)
    return Correlation(np.array(lags)[best[0]], found, value[0], p, there)


def _at(series: Floats, other: Floats, lag: int) -> tuple[Floats, Ints, Floats]:
    """Correlation, points, and independent points, with one of them moved."""
    length = max(len(other) - abs(lag), 0)
    x = series[:, max(-lag, 0) :][:, :length]
    y = np.broadcast_to(other[max(lag, 0) :][:length], x.shape)
    there = np.isfinite(x) & np.isfinite(y)
    n = there.sum(axis=1)
    # the points that are common come first in each row, in their order
    place = np.argsort(~there, axis=1, kind="stable")
    common = np.arange(length) < n[:, None]
    a, b = (
        _centred(np.where(common, np.take_along_axis(of, place, axis=1), np.nan), n)
        for of in (x, y)
    )
    size = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    judged = (size > 0) & (n >= FEWEST)
    value = np.where(judged, (a * b).sum(axis=1) / np.where(judged, size, 1.0), np.nan)
    memory = _memory(a) * _memory(b)
    return value, n, np.maximum(4.0, n * (1 - memory) / (1 + memory))


def _centred(values: Floats, points: Ints) -> Floats:
    """Rows around their means, wild values made as large as those that are not rare; else 0."""
    ordered = np.sort(values, axis=1)
    low, high = (quantile(ordered, points, share)[:, None] for share in (_RARE, 1 - _RARE))
    clipped = np.clip(values, low, high)
    mean = np.nansum(clipped, axis=1) / np.maximum(points, 1)
    return np.where(low < high, np.nan_to_num(clipped - mean[:, None]), 0.0)


def quantile(ordered: Floats, points: Ints, share: float) -> Floats:
    """To the last bit what `numpy.quantile` gives of each row's first points; NaN without any.

    Args:
        ordered: Rows that grow, NaN at their ends.
        points: How many there are in each.
        share: Of the points, 0 to 1.
    """
    if not ordered.shape[1]:
        return np.full(len(ordered), np.nan)
    last = np.maximum(points - 1, 0)
    place = share * last
    below = np.floor(place).astype(np.int64)
    low = np.take_along_axis(ordered, below[:, None], axis=1)[:, 0]
    high = np.take_along_axis(ordered, np.minimum(below + 1, last)[:, None], axis=1)[:, 0]
    part = place - below
    above, beneath = high - (high - low) * (1 - part), low + (high - low) * part
    return np.where(part >= 0.5, above, beneath)


def _memory(values: Floats) -> Floats:
    power = (values * values).sum(axis=1)
    along = (values[:, 1:] * values[:, :-1]).sum(axis=1)
    memory: Floats = np.clip(along / np.where(power > 0, power, 1.0), 0.0, 0.95)
    return memory


def _p(value: float, points: float) -> float:
    if math.isnan(value):
        return math.nan
    bounded = min(abs(value), 0.999999)
    return tail_of_student(bounded * math.sqrt((points - 2) / (1 - bounded**2)), points - 2)


def correlated(table: pa.Table, params: Mapping[str, Any]) -> pa.Table:
    """Compares each metric with the symptom.

    Args:
        table: Rows of ``part`` (symptom, metric): ``bucket`` from 0 and ``value``; of a metric its
            ``service``, ``pod``, ``place`` (pod or host, and container), ``name``, and whether the
            bucket is in the window.
        params: ``bucket`` in seconds, ``max_lag``, ``min_shift``.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from workspace_ext.inquiry.steps.columns import distinct, flags, floats, ints, named

    length = 1 + (pc.max(table.column("bucket")).as_py() or 0)
    if "place" not in table.column_names:
        # Recorded questions find the text that they used: before version 4 it tells of pods alone.
        table = table.append_column("place", table.column("pod"))
    symptom, metrics = (
        table.filter(pc.equal(table.column("part"), part)) for part in ("symptom", "metric")
    )
    keys = np.zeros(metrics.num_rows, dtype=np.int64)
    for column in ("service", "pod", "place", "name"):
        of = named(metrics.column(column))
        keys = keys * (len(of.names) + 1) + of.number
    keys = np.searchsorted(distinct(keys), keys)
    _, first = np.unique(keys, return_index=True)
    bucket, now = ints(metrics.column("bucket")), np.zeros(length, dtype=bool)
    now[bucket[flags(metrics.column("is_now"))]] = True
    series, other = np.full((len(first), length), np.nan), np.full(length, np.nan)
    series[keys, bucket] = floats(metrics.column("value"))
    other[ints(symptom.column("bucket"))] = floats(symptom.column("value"))
    before, during, shift = _shifts(series, now)
    found = correlate(series, other, params["max_lag"])
    about = metrics.select(["service", "pod", "place", "name"]).take(pa.array(first)).to_pylist()
    known = ~np.isnan(found.value)
    columns = {
        "service": [of["service"] for of in about],
        "pod": [of["pod"] for of in about],
        "metric": [of["name"] for of in about],
        "correlation": _told(found.value),
        "lead_seconds": _told(np.where(known, found.lag * params["bucket"], np.nan)),
        "at_once": _told(found.at_once),
        "q": _told(_adjusted(found.p)),
        "points": [
            n if there else None
            for n, there in zip(found.points.tolist(), known.tolist(), strict=True)
        ],
        "before": _told(before),
        "during": _told(during),
        "shift": _told(shift),
        "label": [
            " ".join(part for part in (of["place"] or of["service"], of["name"]) if part)
            for of in about
        ],
    }
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    rows.sort(key=lambda row: _order(row, params))
    return pa.table({name: [row[name] for row in rows[:_MOST]] for name in columns})


def _told(values: Floats) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def _shifts(series: Floats, now: Flags) -> tuple[Floats, Floats, Floats]:
    """Of each series: the median in and outside the window, and usual deviations between them."""

    def median(values: Floats) -> Floats:
        return quantile(np.sort(values, axis=1), np.isfinite(values).sum(axis=1), 0.5)

    then, during = series[:, ~now], median(series[:, now])
    before = median(then)
    away = np.sort(np.abs(then - before[:, None]), axis=1)
    points = np.isfinite(away).sum(axis=1)
    usual = _USUAL * quantile(away, points, 0.5)
    # Where more than half of the values are the same, as of what counts seldom, the others tell.
    usual = np.where(usual == 0, quantile(away, points, 0.9) / _NINE_IN_TEN, usual)
    usual = np.fmax(usual, 1e-9)
    usual = np.fmax(usual, _LEAST_DEVIATION * np.abs(before))
    shift = np.abs(during - before) / usual
    unknown = np.isnan(shift)
    before[unknown], during[unknown] = np.nan, np.nan
    return before, during, shift


def _adjusted(p: Floats) -> Floats:
    """Benjamini and Hochberg's q over all series."""
    judged = np.flatnonzero(~np.isnan(p))
    order = judged[np.argsort(-p[judged], kind="stable")]
    q = np.full(len(p), np.nan)
    q[order] = np.minimum.accumulate(p[order] * len(order) / np.arange(len(order), 0, -1))
    return np.fmin(q, 1.0) if len(order) else q


def _order(row: dict[str, Any], params: Mapping[str, Any]) -> tuple[Any, ...]:
    moved = row["shift"] is not None and row["shift"] >= params["min_shift"]
    strength = abs(row["correlation"]) if row["correlation"] is not None else -1.0
    names = (str(row[name] or "") for name in ("service", "pod", "metric", "label"))
    return (not moved, -round(strength, 9), *names)
