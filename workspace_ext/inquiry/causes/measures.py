"""Resources that one instance suddenly uses more of than it ever did, and others do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from statistics import median_low

import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.inquiry.causes.excess import DECILES_APART, FINEST, by_chance
from workspace_ext.inquiry.causes.roles import Role, role_of

FEWEST = 3
"""Of fewer services, none can be told from the rest."""
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
            rise of all instances, and less the nearer that is to chance.
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
        usual: service, pod, name, unit, low, median and high (10 % and 90 % quantiles) of each
            series before.
        recent: service, pod, name, time_ns and value in the window.
        onset_ns: When it began.
        load: Service → how many times more it is asked than before; what that explains is no rise.
        unnamed: Also of metrics whose names do not tell what they measure.
    """
    wanted = {Role.RESOURCE, *([Role.UNKNOWN] if unnamed else [])}
    names = recent.column("name").combine_chunks().dictionary_encode()
    telling = [role_of(name) in wanted for name in names.dictionary.to_pylist()]
    late = pc.greater_equal(recent.column("time_ns"), onset_ns)
    since = (
        recent.filter(pc.and_(late, pa.array(telling, pa.bool_()).take(names.indices)))
        .group_by(["service", "pod", "name"], use_threads=False)
        .aggregate([("value", "mean")])
    )
    columns = (since.column(each).to_pylist() for each in ("service", "pod", "name"))
    levels = dict(zip(zip(*columns, strict=True), since["value_mean"].to_pylist(), strict=True))
    by_metric: dict[str, list[tuple[float, float, float, Rise]]] = {}
    described = ("service", "pod", "name", "unit", "low", "median", "high")
    for service, pod, name, unit, low, median, high in zip(
        *(usual.column(each).to_pylist() for each in described), strict=True
    ):
        now = levels.get((service, pod, name))
        if now is not None and high is not None:
            limit = _PARTS.get(unit or "", 0.0)
            rise = Rise(service or "", pod or "", name, median, now, 0.0)
            spread = max((high - low) / DECILES_APART, FINEST * abs(median), 1e-12)
            by_metric.setdefault(name, []).append((limit, high, spread, rise))
    chance = by_chance(sum(len(series) for series in by_metric.values()))
    found = []
    for series in by_metric.values():
        everywhere = _everywhere([rise for *_, rise in series])
        scale = max(limit for limit, *_ in series)
        busiest = max(high for _, high, *_ in series)
        busier = [max((load or {}).get(rise.service, 1.0), everywhere) for *_, rise in series]
        grown = [
            max(rise.now - high * times, 0.0)
            for (_, high, _, rise), times in zip(series, busier, strict=True)
        ]
        for (_, _, spread, rise), more, times in zip(series, grown, busier, strict=True):
            if more > 0:
                of_limit = min(more / scale, 1.0) if scale else more / (more + abs(busiest))
                sure = 1 / (1 + (chance * spread * times / more) ** 2)
                # squared, as the completeness of a change in behaviour is
                found.append(replace(rise, strength=of_limit**2 * sure * more / sum(grown)))
    return sorted(found, key=lambda rise: (-rise.strength, rise.service, rise.pod, rise.metric))


def _everywhere(rises: list[Rise]) -> float:
    """How many times its usual level a metric has at half of its instances: that is nobody's."""
    if len({rise.service for rise in rises}) < FEWEST:
        return 1.0
    return max(
        median_low([rise.now / rise.usual if rise.usual > 0 else 1.0 for rise in rises]), 1.0
    )
