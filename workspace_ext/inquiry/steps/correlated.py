"""The step of ``metrics.correlated``: series that move with a symptom."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workspace_ext.inquiry.steps.ranks import Floats, tail_of_student

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST = 8
"""Series with fewer common points are not compared."""

_MOST = 200
_RARE = 0.1
"""The share of values on either side that is clipped. Ranks would not do: two levels and noise
on them have a rank correlation of at most 0.7 when one lasts a fifth of the time."""

_USUAL = 1.4826
_LEAST_DEVIATION = 0.05


@dataclass(frozen=True)
class Correlation:
    """How two series move together.

    Attributes:
        lag: How many steps the first is ahead of the second where they agree best.
        value: The correlation there: Pearson's, of values whose rare ones are clipped.
        at_once: The same without any lag; NaN with too few common points.
        p: How likely one as large is without any relation, over all lags.
        points: The common points.
    """

    lag: int
    value: float
    at_once: float
    p: float
    points: int


def correlate(first: Sequence[float], second: Sequence[float], max_lag: int) -> Correlation | None:
    """The lag at which two evenly spaced series agree best; NaN where there is no value.

    Returns:
        None when no lag leaves enough common points, or one of them never moves.
    """
    ahead, behind = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    found = {lag: _at(ahead, behind, lag) for lag in range(-max_lag, max_lag + 1)}
    known = {lag: each for lag, each in found.items() if each is not None}
    if not known:
        return None
    # Nothing is gained by a lag that agrees as well: the smallest one is told.
    lag = min(known, key=lambda lag: (-round(abs(known[lag][0]), 3), abs(lag), lag))
    value, points, effective = known[lag]
    at_once = known[0][0] if 0 in known else math.nan
    return Correlation(lag, value, at_once, min(1.0, _p(value, effective) * len(known)), points)


def _at(ahead: Floats, behind: Floats, lag: int) -> tuple[float, int, float] | None:
    """Correlation, points, and independent points, with one of them moved."""
    x = ahead[: len(ahead) - lag] if lag >= 0 else ahead[-lag:]
    y = behind[lag:] if lag >= 0 else behind[: len(behind) + lag]
    there = np.isfinite(x) & np.isfinite(y)
    n = int(there.sum())
    if n < FEWEST:
        return None
    a, b = _clipped(x[there]), _clipped(y[there])
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    if not size:
        return None
    memory = _memory(a) * _memory(b)
    effective = max(4.0, n * (1 - memory) / (1 + memory))
    return float(a @ b) / size, n, effective


def _clipped(values: Floats) -> Floats:
    """Wild values made as large as those that are not rare."""
    ordered = np.sort(values)
    clipped: Floats = np.clip(values, _quantile(ordered, _RARE), _quantile(ordered, 1 - _RARE))
    return clipped


def _quantile(ordered: Floats, share: float) -> float:
    """To the last bit what `numpy.quantile` gives, which takes ten times as long for so few."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    low, high = ordered[below], ordered[min(below + 1, len(ordered) - 1)]
    part = place - below
    return float(high - (high - low) * (1 - part) if part >= 0.5 else low + (high - low) * part)


def _memory(values: Floats) -> float:
    return min(max(float(values[1:] @ values[:-1]) / float(values @ values), 0.0), 0.95)


def _p(value: float, points: float) -> float:
    bounded = min(abs(value), 0.999999)
    return tail_of_student(bounded * math.sqrt((points - 2) / (1 - bounded**2)), points - 2)


def correlated(table: pa.Table, params: Mapping[str, Any]) -> pa.Table:
    """Compares each metric with the symptom.

    Args:
        table: Rows of ``part`` (symptom, metric): ``bucket`` from 0 and ``value``; of a metric its
            ``service``, ``pod``, ``name``, and whether the bucket is in the window.
        params: ``bucket`` in seconds, ``max_lag``, ``min_shift``.
    """
    import pyarrow as pa

    points: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for row in table.to_pylist():
        key = None if row["part"] == "symptom" else (row["service"], row["pod"], row["name"])
        points[key].append(row)
    symptom = points.pop(None, [])
    length = 1 + max(
        (row["bucket"] for each in (symptom, *points.values()) for row in each), default=0
    )
    series = _series(symptom, length)
    rows = []
    for key, each in points.items():
        rows.append(
            _row(key, each, correlate(_series(each, length), series, params["max_lag"]), params)
        )
    _adjust(rows)
    rows.sort(key=lambda row: _order(row, params))
    return pa.table({name: [row[name] for row in rows[:_MOST]] for name in _COLUMNS})


_COLUMNS = (
    *("service", "pod", "metric", "correlation", "lead_seconds", "at_once", "q", "points"),
    *("before", "during", "shift", "label"),
)


def _series(points: list[dict[str, Any]], length: int) -> list[float]:
    values = [math.nan] * length
    for point in points:
        values[point["bucket"]] = math.nan if point["value"] is None else point["value"]
    return values


def _row(
    key: tuple[Any, Any, Any],
    points: list[dict[str, Any]],
    found: Correlation | None,
    params: Mapping[str, Any],
) -> dict[str, Any]:
    service, pod, metric = key
    label = " ".join(part for part in (pod or service, metric) if part)
    about = dict.fromkeys(_COLUMNS) | {"service": service, "pod": pod, "metric": metric}
    about |= {"label": label, "p": None}
    now = [point["value"] for point in points if point["is_now"] and point["value"] is not None]
    then = [
        point["value"] for point in points if not point["is_now"] and point["value"] is not None
    ]
    if now and then:
        before, during = float(np.median(then)), float(np.median(now))
        usual = _USUAL * float(np.median(np.abs(np.asarray(then) - before)))
        usual = max(usual, _LEAST_DEVIATION * abs(before), 1e-9)
        about |= {"before": before, "during": during, "shift": abs(during - before) / usual}
    if found is not None:
        about |= {
            "correlation": found.value,
            "lead_seconds": found.lag * params["bucket"],
            "at_once": None if math.isnan(found.at_once) else found.at_once,
            "p": found.p,
            "points": found.points,
        }
    return about


def _adjust(rows: list[dict[str, Any]]) -> None:
    """Benjamini and Hochberg's q over all series."""
    judged = sorted((row for row in rows if row["p"] is not None), key=lambda row: -row["p"])
    least = 1.0
    for place, row in enumerate(judged):
        least = min(least, row["p"] * len(judged) / (len(judged) - place))
        row["q"] = least


def _order(row: dict[str, Any], params: Mapping[str, Any]) -> tuple[Any, ...]:
    moved = row["shift"] is not None and row["shift"] >= params["min_shift"]
    strength = abs(row["correlation"]) if row["correlation"] is not None else -1.0
    names = (str(row[name] or "") for name in ("service", "pod", "metric"))
    return (not moved, -round(strength, 9), *names)
