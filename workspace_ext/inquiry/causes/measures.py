"""Resources that one instance suddenly uses more of than it ever did, and others do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from workspace_ext.inquiry.causes.roles import Role, role_of

_PARTS = {"%": 100.0, "percent": 100.0, "1": 1.0}
"""Units that are parts of a limit, and the limit."""


@dataclass(frozen=True)
class Rise:
    """A resource of an instance.

    Attributes:
        service: Whose.
        pod: Which instance; empty when the metric does not tell.
        metric: Name of the metric.
        usual: Median before.
        now: Mean since the onset.
        strength: 0 to 1: how much of the limit (without one: of itself and what the busiest
            instance uses) it rose above its own high values, squared, times its part in the
            rise of all instances.
    """

    service: str
    pod: str
    metric: str
    usual: float
    now: float
    strength: float


def rises(
    usual: pa.Table,
    recent: pa.Table,
    onset_ns: int,
    *,
    load: Mapping[str, float] | None = None,
    unnamed: bool = False,
) -> list[Rise]:
    """The resources that rose, strongest first.

    Args:
        usual: service, pod, name, unit, median and high (a high quantile) of each series before.
        recent: service, pod, name, time_ns and value in the window.
        onset_ns: When it began.
        load: Service → how many times more it is asked than before; what that explains is no rise.
        unnamed: Also of metrics whose names do not tell what they measure.
    """
    wanted = {Role.RESOURCE, *([Role.UNKNOWN] if unnamed else [])}
    since: dict[tuple[str, str, str], list[float]] = {}
    columns = (recent.column(n).to_pylist() for n in ("service", "pod", "name", "time_ns", "value"))
    for service, pod, name, time, value in zip(*columns, strict=True):
        if time >= onset_ns and role_of(name) in wanted:
            since.setdefault((service, pod, name), []).append(value)
    by_metric: dict[str, list[tuple[float, float, Rise]]] = {}
    names = ("service", "pod", "name", "unit", "median", "high")
    for service, pod, name, unit, median, high in zip(
        *(usual.column(n).to_pylist() for n in names), strict=True
    ):
        values = since.get((service, pod, name))
        if values and high is not None:
            now = float(np.mean(values))
            limit = _PARTS.get(unit or "", 0.0)
            expected = high * max((load or {}).get(service or "", 1.0), 1.0)
            rise = Rise(service or "", pod or "", name, median, now, max(now - expected, 0.0))
            by_metric.setdefault(name, []).append((limit, high, rise))
    found = []
    for series in by_metric.values():
        scale = max(limit for limit, _, _ in series)
        total = sum(rise.strength for _, _, rise in series)
        busiest = max(high for _, high, _ in series)
        for _, _, rise in series:
            grown = rise.strength
            if grown > 0:
                of_limit = min(grown / scale, 1.0) if scale else grown / (grown + abs(busiest))
                # squared, as the completeness of a change in behaviour is
                strength = of_limit**2 * grown / total
                found.append(replace(rise, strength=strength))
    return sorted(found, key=lambda rise: (-rise.strength, rise.service, rise.pod, rise.metric))
