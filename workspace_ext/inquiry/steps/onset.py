"""When a series changed: the stretch in which it was on another level, and how sure its begin is.

The values become ranks, so that neither their unit nor a few wild ones matter. Of all stretches
``[start, end)`` that one is taken whose mean rank differs most from the rest, in standard errors:
the scan statistic of circular binary segmentation (Olshen et al., Biostatistics 2004) without
recursion. Its p-value is Bonferroni's over all stretches, with the number of independent values
that the series' own memory leaves (lag-1 autocorrelation around the two levels). A begin is as
likely as the squared error that it leaves says: those within a likelihood ratio that holds 95 % of
planted begins are its interval.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from workspace_ext.inquiry.steps.ranks import Floats, ranks_of, tail_of_student

if TYPE_CHECKING:
    import pyarrow as pa

_ENDS = 4.0
"""What an end within the series must explain, in doubled log-likelihood over the logarithm of the
number of points: twice what the Bayesian criterion asks of a parameter."""

FEWEST = 8
"""A series with fewer points is not looked at."""

_SHORTEST = 2
_MOST_POINTS = 720
_DROP = 8.0
"""How far the doubled log-likelihood may fall below its peak; from 400 planted onsets a setting
(shifts of 2 to 4 deviations, white and autocorrelated): 95 % of them lie within."""


@dataclass(frozen=True)
class Onset:
    """Where a series left its level.

    Attributes:
        start: The first point on the new level.
        earliest: The first point that it may have begun at, 95 times of 100.
        latest: The last such point.
        end: The first point after it; the number of points when it lasts.
        before: The median of the points outside, as far as known.
        during: The median of the points inside.
        z: How many standard errors the two levels are apart, in ranks.
        p: How likely that is anywhere in such a series without any change, at most.
    """

    start: int
    earliest: int
    latest: int
    end: int
    before: float
    during: float
    z: float
    p: float


def find_onset(values: Sequence[float]) -> Onset | None:
    """The change of level in a series; whether to believe it, ``p`` says.

    Args:
        values: Evenly spaced in time; NaN where there is none.

    Returns:
        None when there are too few points, or all are the same.
    """
    series = np.asarray(values, dtype=float)
    there = np.flatnonzero(np.isfinite(series))
    if len(there) < FEWEST or len(there) > _MOST_POINTS:
        return None
    known = series[there]
    ranks = ranks_of(known)
    if not np.ptp(ranks):
        return None
    gain = _gains(ranks)
    if not np.isfinite(gain).any():
        return None
    start, end = _stretch(ranks, gain)
    inside = np.zeros(len(ranks), dtype=bool)
    inside[start:end] = True
    left = np.where(inside, ranks - ranks[inside].mean(), ranks - ranks[~inside].mean())
    memory = _memory(left)
    n, m = len(ranks), end - start
    deviation = math.sqrt(max(float(left @ left) / max(n - 2, 1), 1e-12))
    away = abs(ranks[inside].mean() - ranks[~inside].mean())
    z = away / (deviation * math.sqrt(memory * (1 / m + 1 / (n - m))))
    earliest, latest = _interval(ranks, gain[:, end], memory)
    return Onset(
        start=int(there[start]),
        earliest=int(there[earliest]),
        latest=int(there[latest]),
        end=int(there[end]) if end < n else len(series),
        before=float(np.median(known[~inside])),
        during=float(np.median(known[inside])),
        z=z,
        p=min(1.0, tail_of_student(z, n - 2) * n * (n - 1) / 2),
    )


def _gains(ranks: Floats) -> Floats:
    """How much squared error each stretch [start, end) explains; -inf where none is allowed."""
    n = len(ranks)
    total = np.concatenate([[0.0], np.cumsum(ranks - ranks.mean())])
    start, end = np.arange(n)[:, None], np.arange(n + 1)[None, :]
    length = end - start
    allowed = (length >= _SHORTEST) & (n - length >= _SHORTEST) & (start >= 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = (total[end] - total[start]) ** 2 * n / (length * (n - length))
    return np.where(allowed, gain, -np.inf)


def _stretch(ranks: Floats, gain: Floats) -> tuple[int, int]:
    """The best stretch; one that lasts to the end, unless one that ends explains much more."""
    n = len(ranks)
    lasting = int(np.argmax(gain[:, n]))
    start, end = (int(place) for place in np.unravel_index(np.argmax(gain), gain.shape))
    total = float(((ranks - ranks.mean()) ** 2).sum())
    error = np.maximum(total - np.array([gain[lasting, n], gain[start, end]]), total * 1e-9)
    if not np.isfinite(error[0]) or n * math.log(error[0] / error[1]) > _ENDS * math.log(n):
        return start, end
    return lasting, n


def _memory(left: Floats) -> float:
    """By how much a series' memory inflates the variance of a mean."""
    power = float(left @ left)
    along = float(left[1:] @ left[:-1]) / power if power else 0.0
    along += (1 + 4 * along) / len(left)  # what fitting two levels took away (Kendall, 1954)
    along = min(max(along, 0.0), 0.95)
    return (1 + along) / (1 - along)


def _interval(ranks: Floats, gains: Floats, memory: float) -> tuple[int, int]:
    """The begins that explain the series nearly as well as the best one, to the same end."""
    n = len(ranks)
    total = float(((ranks - ranks.mean()) ** 2).sum())
    error = np.maximum(total - gains, total * 1e-9)
    drop = n / memory * np.log(error / error.min())
    likely = np.flatnonzero(drop <= _DROP)
    return int(likely.min()), int(likely.max())


def onsets(table: pa.Table, params: Mapping[str, Any]) -> pa.Table:
    """The step of ``series.onset``: one row a series, the earliest certain one first.

    ``p`` is over all series: of fifty, one would else leave its level by chance every other time.

    Args:
        table: ``series``, ``service``, ``bucket`` (from 0), ``time`` and ``value``, in that order.
        params: ``max_p`` and ``min_change``, which order the rows, and ``bucket`` in seconds.
    """
    import pyarrow as pa

    points: dict[tuple[Any, Any], list[dict[str, Any]]] = defaultdict(list)
    for row in table.to_pylist():
        points[row["service"], row["series"]].append(row)
    rows = [_row(service, series, each) for (service, series), each in points.items()]
    looked_at = sum(row["p"] is not None for row in rows)
    for row in rows:
        row["p"] = None if row["p"] is None else min(1.0, row["p"] * looked_at)
    rows.sort(key=lambda row: _order(row, params))
    return pa.table({name: [row[name] for row in rows] for name in _COLUMNS})


_COLUMNS = (
    *("service", "series", "direction", "onset", "earliest", "latest", "recovered", "before"),
    *("during", "change", "z", "p", "points"),
)


def _row(service: Any, series: Any, points: list[dict[str, Any]]) -> dict[str, Any]:
    last = max(point["bucket"] for point in points)
    times = {point["bucket"]: point["time"] for point in points}
    values = [math.nan] * (last + 1)
    for point in points:
        values[point["bucket"]] = math.nan if point["value"] is None else point["value"]
    known = sum(not math.isnan(value) for value in values)
    nothing = dict.fromkeys(_COLUMNS)
    found = find_onset(values)
    about = nothing | {"service": service, "series": series, "points": known}
    if found is None:
        return about
    scale = max(abs(found.before), 1e-12)
    return about | {
        "direction": "up" if found.during > found.before else "down",
        "onset": times.get(found.start),
        "earliest": times.get(found.earliest),
        "latest": times.get(found.latest),
        "recovered": times.get(found.end),
        "before": found.before,
        "during": found.during,
        "change": (found.during - found.before) / scale if found.before else None,
        "z": found.z,
        "p": found.p,
    }


def _order(row: dict[str, Any], params: Mapping[str, Any]) -> tuple[Any, ...]:
    certain = row["p"] is not None and row["p"] <= params["max_p"]
    large = row["change"] is None or abs(row["change"]) >= params["min_change"]
    when = row["onset"].timestamp() if row["onset"] is not None else math.inf
    return (not (certain and large), when, -(row["z"] or 0), str(row["service"]), row["series"])
