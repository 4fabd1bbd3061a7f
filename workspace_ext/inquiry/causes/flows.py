"""Where trouble enters a call graph of which only metrics are known.

Trouble is counted in what callers and callees share: failed requests, or seconds spent. What a
service has of it beyond what its callees have is its own. Counting, instead of comparing each
metric with its own spread, weighs a service that serves many above one that few call, and a view of
a service from one of its callers below the service itself.
The alert's service, metric and time as the starting point: M. Hardt et al., "The PetShop Dataset",
CLeaR 2024.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from workspace_ext.inquiry.steps.onset import find_onset

LATENCY = re.compile(r"latency|duration|response.?time|elapsed", re.IGNORECASE)
GOOD = re.compile(r"availab|success", re.IGNORECASE)
BAD = re.compile(r"error|fail|fault|5xx", re.IGNORECASE)
VOLUME = re.compile(r"^(requests?|calls?|invocations?|count|throughput)", re.IGNORECASE)


@dataclass(frozen=True)
class Series:
    """One metric of one service: its samples in the window, and what was usual before."""

    time_ns: tuple[int, ...]
    value: tuple[float, ...]
    median: float
    mean: float
    spread: float


@dataclass(frozen=True)
class Trouble:
    """What a service has of it.

    Attributes:
        service: Whose.
        metric: Of what.
        usual: Level before the onset.
        now: Mean since.
        excess: Failed requests or seconds more than usual, since the onset.
        own: The same without what its callees have.
        errors: How many standard errors of the usual the excess is.
        strength: 0 to 1: its own part of what the alert's service has, when it is beyond chance.
    """

    service: str
    metric: str
    usual: float
    now: float
    excess: float
    own: float
    errors: float
    strength: float


def read_series(usual: pa.Table, recent: pa.Table) -> dict[tuple[str, str], Series]:
    """Series by service and metric name.

    Args:
        usual: service, name, median, mean, low and high (10 % and 90 % quantiles) before.
        recent: service, name, time_ns, value in the window.
    """
    samples: defaultdict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
    columns = (recent.column(n).to_pylist() for n in ("service", "name", "time_ns", "value"))
    for service, name, time, value in zip(*columns, strict=True):
        samples[service or "", name].append((time, value))
    found = {}
    names = ("service", "name", "median", "mean", "low", "high")
    for service, name, median, mean, low, high in zip(
        *(usual.column(n).to_pylist() for n in names), strict=True
    ):
        seen = sorted(samples.get((service or "", name), ()))
        if seen:
            times, values = zip(*seen, strict=True)
            # of a normal distribution, the 10 % and 90 % quantiles lie 2.56 deviations apart
            found[service or "", name] = Series(times, values, median, mean, (high - low) / 2.56)
    return found


def onset_ns(series: Mapping[tuple[str, str], Series], service: str, symptom: str) -> int | None:
    """When the symptom left its level, as `series.onset` dates it.

    Of fewer samples than that looks at, the one from which on the symptom is worst, judged by those
    before it.
    """
    own = series.get((service, symptom))
    if own is None or len(own.time_ns) < 2:
        return None
    if (found := find_onset(own.value)) is not None:
        return own.time_ns[found.start]
    bad = -np.array(own.value) if GOOD.search(symptom) else np.array(own.value)
    gain = [
        (bad[split:].mean() - np.median(bad[:split])) * np.sqrt(len(bad) - split)
        for split in range(1, len(bad))
    ]
    return own.time_ns[1 + int(np.argmax(gain))]


def troubles(
    series: Mapping[tuple[str, str], Series],
    edges: Iterable[tuple[str, str]],
    onset: int,
    *,
    service: str | None,
    symptom: str,
) -> list[Trouble]:
    """Who has how much of the trouble, strongest first.

    Args:
        series: See `read_series`.
        edges: Caller and callee.
        onset: When it began (ns); a sample that reaches over it counts as after.
        service: Where it hurts; None looks at all services alike.
        symptom: The metric that shows it; others are compared in the metric of that name.
    """
    callees: defaultdict[str, set[str]] = defaultdict(set)
    for caller, callee in edges:
        if caller != callee:
            callees[caller].add(callee)
    volume = sorted({name for _, name in series if VOLUME.search(name)})
    excess = {
        who: _excess(one, series.get((who, volume[0])) if volume else None, symptom, onset)
        for (who, name), one in series.items()
        if name == symptom
    }
    known = service is not None and callees.get(service)
    reached = _below(callees, service or "") if known else set(excess)
    whole = max(excess[service][0] if service in excess else 0.0, 0.0)
    whole = whole or max((e[0] for who, e in excess.items() if who in reached), default=0.0)
    found = []
    for who in sorted(reached & excess.keys()):
        more, errors, usual, now = excess[who]
        below = sum(max(excess[callee][0], 0.0) for callee in callees[who] if callee in excess)
        own = max(more, 0.0) - below
        part = min(max(own, 0.0) / whole, 1.0) if whole > 0 else 0.0
        # half at two standard errors, where chance alone is left behind
        sure = errors**2 / (errors**2 + 4) if errors > 0 else 0.0
        found.append(Trouble(who, symptom, usual, now, more, own, errors, part * sure))
    return sorted(found, key=lambda one: (-one.strength, -one.errors, one.service))


def symptoms(series: Mapping[tuple[str, str], Series], service: str | None) -> list[str]:
    """Metrics that can show trouble: those of the service where it hurts, or of all."""
    return sorted(
        {
            name
            for who, name in series
            if (service is None or who == service)
            and (LATENCY.search(name) or GOOD.search(name) or BAD.search(name))
        }
    )


def _excess(
    one: Series, volume: Series | None, symptom: str, onset: int
) -> tuple[float, float, float, float]:
    """Excess, its standard errors, and the levels before and now."""
    times, values = np.array(one.time_ns), np.array(one.value)
    step = int(np.median(np.diff(times))) if len(times) > 1 else 0
    before = times + step <= onset
    after = ~before
    if not after.any():
        return 0.0, 0.0, one.median, float(values[-1])
    usual = float(np.median(values[before])) if before.any() else one.median
    now = float(values[after].mean())
    weight = _weight(volume, times)[after]
    if GOOD.search(symptom):
        full = 100.0 if max(one.median, usual, now) > 1.5 else 1.0
        more = float(((usual - values[after]) / full * weight).sum())
        expected = float(((full - one.mean) / full * weight).sum())
        return more, more / np.sqrt(max(expected, 0.0) + len(weight)), usual, now
    more = float(((values[after] - usual) * weight).sum())
    noise = max(one.spread, 1e-2 * abs(one.median), 1e-12) * np.sqrt(float((weight**2).sum()))
    return more, more / max(noise, 1e-12), usual, now


def _weight(volume: Series | None, times: np.ndarray) -> np.ndarray:
    if volume is None:
        return np.ones(len(times))
    known = dict(zip(volume.time_ns, volume.value, strict=True))
    return np.array([known.get(int(time), volume.median) for time in times], dtype=np.float64)


def _below(callees: Mapping[str, set[str]], service: str) -> set[str]:
    reached, waiting = {service}, [service]
    while waiting:
        for callee in callees.get(waiting.pop(), ()):
            if callee not in reached:
                reached.add(callee)
                waiting.append(callee)
    return reached
