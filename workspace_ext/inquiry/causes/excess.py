"""How much more trouble a series of a metric tells than is usual, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from math import lgamma, log, sqrt

import numpy as np
import pyarrow as pa

from workspace_ext.inquiry.causes.roles import Role, role_of
from workspace_ext.inquiry.steps.columns import Floats, Ints, ints, named

DECILES_APART = 2.56
"""Of a normal distribution, the 10 % and the 90 % quantile lie so many deviations apart."""
FINEST = 0.01
"""A level is not known better than to this part of itself, however still the baseline was."""


class Sort(Enum):
    """How a metric shows trouble."""

    LONGER = "longer"
    """It grows, for each request: a time."""
    FEWER = "fewer"
    """It falls from all there is: a share that goes well."""
    MORE = "more"
    """It is a number of failures, which grows with the number of requests, too."""


@dataclass(frozen=True)
class Series:
    """One metric of one service: its samples in the window, and what was usual before."""

    time_ns: Ints
    value: Floats
    median: float
    mean: float
    spread: float
    points: int


Key = tuple[str, str]
"""Service and name of a metric."""


@dataclass(frozen=True)
class Excess:
    """What is more than usual since the onset.

    Attributes:
        more: In failed requests, or in seconds spent (in the metric's own unit of time).
        errors: How many standard errors that is.
        new: Which part of what is seen now that is, 0 to 1.
        usual: Level before.
        now: Mean since.
    """

    more: float
    errors: float
    new: float
    usual: float
    now: float


def read_series(usual: pa.Table, recent: pa.Table) -> dict[Key, Series]:
    """Series by service and metric name; counts of its instances are added, the rest averaged.

    Args:
        usual: service, name, points, median, mean, low and high (10 % and 90 % quantiles) before.
        recent: service, name, time_ns, value in the window.
    """
    service, name = named(recent.column("service")), named(recent.column("name"))
    time, value = ints(recent.column("time_ns")), recent.column("value").to_numpy()
    series = service.number * len(name.names) + name.number
    order = np.lexsort((time, series))
    fresh = np.flatnonzero(
        np.diff(series[order], prepend=-1) | (np.diff(time[order], prepend=-1) != 0)
    )
    series, time = series[order[fresh]], time[order[fresh]]
    total = np.add.reduceat(value[order], fresh) if len(fresh) else value
    mean = total / np.diff(fresh, append=len(order))
    samples: dict[Key, slice] = {}
    first = np.flatnonzero(np.diff(series, prepend=-1)).tolist()
    for begin, end in pairwise([*first, len(series)]):
        who, what = divmod(int(series[begin]), len(name.names))
        samples[service.names[who], name.names[what]] = slice(begin, end)
    before: defaultdict[Key, list[tuple[float, ...]]] = defaultdict(list)
    levels = ("service", "name", "points", "median", "mean", "low", "high")
    for who, what, *level in zip(*(usual.column(n).to_pylist() for n in levels), strict=True):
        before[who or "", what].append(tuple(level))
    found = {}
    for key in sorted(before.keys() & samples.keys()):
        added = role_of(key[1]) in {Role.VOLUME, Role.BAD}
        points, *_ = np.max(before[key], axis=0).tolist()
        _, median, usual_mean, low, high = (np.sum if added else np.mean)(
            before[key], axis=0
        ).tolist()
        at = samples[key]
        spread = (high - low) / DECILES_APART
        values = (total if added else mean)[at]
        found[key] = Series(time[at], values, median, usual_mean, spread, int(points))
    return found


def sorts_of(symptom: str, series: Iterable[Series]) -> list[Sort]:
    """How a metric may show trouble: one sort, or where its name does not tell, the likely ones."""
    role = role_of(symptom)
    values = _values(series)
    if role is Role.GOOD:
        return [Sort.FEWER]
    if role is Role.TIME:
        return [Sort.LONGER]
    counted = _whole(values) or (role is Role.BAD and values.max(initial=0.0) > 1)
    if role is Role.BAD or counted:
        return [Sort.MORE if counted else Sort.LONGER]
    return [Sort.LONGER, Sort.FEWER]


def busier(series: Mapping[Key, Series], onset: int) -> dict[str, float]:
    """Service → how many times its usual requests it gets since the onset, where counted."""
    counted = volume_of(series)
    if role_of(counted) is not Role.VOLUME:  # what is but taken for it may be the trouble itself
        return {}
    found = {}
    for (service, name), one in series.items():
        since = one.value[one.time_ns >= onset]
        if name == counted and len(since) and one.mean > 0:
            found[service] = float(since.mean()) / one.mean
    return found


def volume_of(series: Mapping[Key, Series], symptom: str = "") -> str:
    """The metric that counts requests: by name, of most services, or else the largest numbers.

    Args:
        series: All there are.
        symptom: Which of them is none.
    """
    alike: defaultdict[str, list[Series]] = defaultdict(list)
    for (_, name), one in series.items():
        alike[name].append(one)
    values = {name: _values(of) for name, of in sorted(alike.items())}
    told = [name for name in values if role_of(name) is Role.VOLUME]
    most = max((len(alike[name]) for name in told), default=0)
    told = [name for name in told if len(alike[name]) == most]
    counts = [name for name in values if name != symptom and _whole(values[name])]
    return told[0] if told else max(counts, key=lambda name: values[name].sum(), default="")


def _values(series: Iterable[Series]) -> Floats:
    return np.concatenate([np.zeros(0), *(one.value for one in series)])


def _whole(values: Floats) -> bool:
    return bool(((values >= 0) & (values == np.floor(values))).all())


def excess(one: Series, volume: Series | None, sort: Sort, onset: int) -> Excess:
    """What a series tells.

    What is seen after the onset is taken for one observation as uncertain as any single one before:
    neighbours in a series are alike, so more of them make nothing surer.

    Args:
        one: The series.
        volume: How much was asked of the same service; None where unknown.
        sort: How it shows trouble.
        onset: When it began (ns); a sample that reaches over it counts as after.
    """
    times, values = one.time_ns, one.value
    step = int(np.median(np.diff(times))) if len(times) > 1 else 0
    before = times + step <= onset
    if before.all():
        return Excess(0.0, 0.0, 0.0, one.median, float(values[-1]))
    level = float(np.median(values[before])) if before.any() else one.median
    asked = _asked(volume, times)
    since, weight, n = values[~before], asked[~before], int((~before).sum())
    now = float(since.mean())
    if sort is Sort.MORE:
        quiet = float(np.median(asked[before])) if before.any() else _level(volume)
        busier = float(weight.mean()) / quiet if quiet > 0 else 1.0
        expected = n * max(level, one.mean) * busier
        more, chance, wander = n * now - expected, expected + n, n * one.spread * busier
        new = more / max(n * now, 1e-12)
    elif sort is Sort.FEWER:
        top = max(one.median, level, now, 1e-12)
        # a share of what is asked, where the values keep below all of it
        full = next((whole for whole in (1.0, 100.0) if top <= whole), top)
        lost = (level - since) / full
        more, new = float((lost * weight).sum()), float(lost.mean())
        chance = float(((full - one.mean) / full * weight).sum()) + n if volume else 0.0
        wander = max(one.spread, 0.0 if volume else FINEST * full) / full * float(weight.sum())
    else:
        now = _steady(since)
        lost = since - level
        more, new = n * _steady(lost * weight), (now - level) / max(now, 1e-12)
        chance = 0.0
        wander = max(one.spread, FINEST * abs(one.median)) * float(weight.sum())
    errors = more / max(float(np.sqrt(max(chance, 0.0) + wander**2)), 1e-12)
    errors = min(errors, _surest(one.points + int(before.sum()), n))
    return Excess(more, errors, min(max(new, 0.0), 1.0), level, now)


def by_chance(compared: int) -> float:
    """Standard errors that may be chance: two for one series, and what the largest of many adds."""
    return sqrt(4 + 2 * log(max(compared, 1)))


def _surest(before: int, since: int) -> float:
    """Standard errors that so few samples can be worth, however far apart they are.

    Were they all alike, one order of them in so many had the last ones on top.
    """
    orders = lgamma(before + since + 1) - lgamma(before + 1) - lgamma(since + 1)
    return sqrt(2 * orders)


def _steady(values: Floats) -> float:
    """The mean of the middle eight of ten: one wild time makes no level."""
    wild = len(values) // 10
    return float(np.sort(values)[wild : len(values) - wild].mean())


def _asked(volume: Series | None, times: Ints) -> Floats:
    if volume is None:
        return np.ones(len(times))
    known = dict(zip(volume.time_ns.tolist(), volume.value.tolist(), strict=True))
    return np.array([known.get(time, volume.median) for time in times.tolist()], dtype=np.float64)


def _level(volume: Series | None) -> float:
    return volume.median if volume else 1.0
