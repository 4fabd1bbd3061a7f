"""Where trouble enters a system of which only metrics are known, along its call graph if that is.

Trouble is counted in what callers and callees share: failed requests, or seconds spent. What a
service has of it beyond what its callees have is its own. Counting, instead of comparing each
metric with its own spread, weighs a service that serves many above one that few call, and a view of
a service from one of its callers below the service itself.
The alert's service, metric and time as the starting point: M. Hardt et al., "The PetShop Dataset",
CLeaR 2024.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from workspace_ext.inquiry.causes.calls import reached as reached_by
from workspace_ext.inquiry.causes.excess import (
    Excess,
    Key,
    Series,
    Sort,
    by_chance,
    excess,
    sorts_of,
    volume_of,
)
from workspace_ext.inquiry.causes.roles import Role, role_of
from workspace_ext.inquiry.steps.onset import Onset, find_onset

TELLING = frozenset((Role.TIME, Role.GOOD, Role.BAD))
"""What metrics measure that can show trouble."""
CERTAIN = 0.05
"""A likelier accident is no onset."""


@dataclass(frozen=True)
class Trouble:
    """What a service has of it.

    Attributes:
        service: Whose.
        metric: Of what.
        excess: What is more than usual there.
        own: How much of it its callees do not have.
        strength: 0 to 1: its own part of what the alert's service has, when it is beyond chance.
    """

    service: str
    metric: str
    excess: Excess
    own: float
    strength: float


def onset_ns(series: Mapping[Key, Series], service: str | None, symptom: str) -> int | None:
    """When the symptom left its level, as `series.onset` dates it; at any service if none is named.

    Of fewer samples than that looks at, the one from which on the symptom is worst, judged by those
    before it.
    """
    alike = [
        one
        for (who, name), one in series.items()
        if name == symptom and service in {None, who} and len(one.time_ns) > 1
    ]
    dated = [(found, one) for one in alike if (found := find_onset(one.value.tolist())) is not None]
    if dated:

        def surest(pair: tuple[Onset, Series]) -> tuple[float, float]:
            return pair[0].p, -abs(pair[0].z)

        found, one = min(dated, key=surest)
        if service is not None or found.p * len(dated) <= CERTAIN:
            return int(one.time_ns[found.start])
        return None
    if service is None or not alike:
        return None
    value = alike[0].value
    gain = [
        (value[split:].mean() - np.median(value[:split])) * np.sqrt(len(value) - split)
        for split in range(1, len(value))
    ]
    sorts = sorts_of(symptom, alike)
    turn = np.abs if len(sorts) > 1 else np.negative if sorts == [Sort.FEWER] else np.positive
    return int(alike[0].time_ns[1 + int(np.argmax(turn(gain)))])


def troubles(
    series: Mapping[Key, Series],
    edges: Iterable[tuple[str, str]],
    onset: int,
    *,
    service: str | None,
    symptom: str,
) -> list[Trouble]:
    """Who has how much of the trouble, strongest first.

    Where nobody is known to call another, the service where it hurts may call all of them, and the
    nearer a service is to the source of lost time, the less of its usual work dilutes that: then it
    counts by how much of its time is new, too. So it does where nobody was told to be hurt: a few
    percent more may be certain, and are no trouble.

    Args:
        series: See `read_series`.
        edges: Caller and callee.
        onset: When it began (ns).
        service: Where it hurts; None looks at all services alike.
        symptom: The metric that shows it; others are compared in the metric of that name.
    """
    callees: defaultdict[str, set[str]] = defaultdict(set)
    for caller, callee in edges:
        if caller != callee:
            callees[caller].add(callee)
    sort, of = _excesses(series, onset, service, symptom)
    known = service is not None and callees.get(service)
    reached = sorted(of.keys() & reached_by(callees, service)) if known and service else sorted(of)
    whole = max(of[service].more if service in of else 0.0, 0.0)
    whole = whole or max((of[who].more for who in reached), default=0.0)
    chance = by_chance(len(reached))
    found = []
    for who in reached:
        one = of[who]
        below = [max(of[callee].more, 0.0) for callee in callees.get(who, ()) if callee in of]
        if not callees and who == service:
            below = [max((of[other].more for other in reached if other != who), default=0.0)]
        own = max(one.more, 0.0) - sum(below)
        part = min(max(own, 0.0) / whole, 1.0) if whole > 0 else 0.0
        beyond = max(one.errors, 0.0)
        strength = part * beyond**2 / (beyond**2 + chance**2)
        if sort is Sort.LONGER and (not callees or service is None):
            strength *= one.new
        found.append(Trouble(who, symptom, one, own, strength))
    return sorted(found, key=lambda one: (-one.strength, -one.excess.errors, one.service))


def _excesses(
    series: Mapping[Key, Series], onset: int, service: str | None, symptom: str
) -> tuple[Sort, dict[str, Excess]]:
    """How the metric shows trouble, and that: of several ways, the worst where it hurts."""
    volume = volume_of(series, symptom)
    alike = {who: one for (who, name), one in series.items() if name == symptom}

    def worst(of: tuple[Sort, dict[str, Excess]]) -> float:
        where = [of[1][service]] if service in of[1] else of[1].values()
        return max((one.errors for one in where), default=0.0)

    return max(
        (
            (
                sort,
                {
                    who: excess(one, series.get((who, volume)), sort, onset)
                    for who, one in alike.items()
                },
            )
            for sort in sorts_of(symptom, alike.values())
        ),
        key=worst,
    )


def symptoms(series: Mapping[Key, Series], service: str | None) -> list[str]:
    """Metrics that by their names can show trouble: of the service where it hurts, or of all."""
    return sorted(
        {
            name
            for who, name in series
            if (service is None or who == service) and role_of(name) in TELLING
        }
    )
