"""What was deployed, configured or switched shortly before the trouble: a reason to look there.

A change is no symptom. What it tells is in its time: the nearer it lies before the onset, and the
fewer changes there are, the less likely that is an accident. So it makes what else is held against
a service count more (at most twice), and alone makes nobody a suspect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class Changed:
    """The change of a service that lies nearest before the onset.

    Attributes:
        service: Which was changed.
        kind: deploy, change or flag.
        title: As its sender called it.
        before_s: Seconds before the onset; negative when after it, within the slack.
        chance: That some change lies as near by accident.
    """

    service: str
    kind: str
    title: str
    before_s: float
    chance: float


def changed(events: pa.Table, onset_ns: int, *, slack: float, history: float) -> list[Changed]:
    """The nearest change of each service, least accidental first.

    Args:
        events: service, name (the kind), text (the title), time_ns.
        onset_ns: When the trouble began.
        slack: How many seconds the onset may be off.
        history: Seconds before the onset that the events cover.
    """
    columns = (events.column(name).to_pylist() for name in ("service", "name", "text", "time_ns"))
    told = {
        (service, kind or "", title or "", (onset_ns - time) / 1e9)
        for service, kind, title, time in zip(*columns, strict=True)
        if service and -slack <= (onset_ns - time) / 1e9 <= history
    }
    nearest: dict[str, Changed] = {}
    for service, kind, title, before in sorted(told, key=lambda one: (abs(one[3]), one)):
        # a Poisson process at the rate of all the others, half a change more so none is not never
        rate = (len(told) - 0.5) / max(history, 1.0)
        chance = 1 - math.exp(-rate * (abs(before) + slack))
        nearest.setdefault(service, Changed(service, kind, title, before, chance))
    return sorted(nearest.values(), key=lambda one: (one.chance, one.service))
