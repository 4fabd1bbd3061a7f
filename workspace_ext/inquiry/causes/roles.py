"""What a metric measures, by the words and the unit that are usual for such.

The words are those of OpenTelemetry's semantic conventions, of Prometheus exporters (cAdvisor,
Istio) and of the usual shorthands. A metric that no word betrays has no role; what it then may
tell is for its values to say.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache


class Role(Enum):
    """What sort of measure it is."""

    RESOURCE = "resource"
    """What an instance uses."""
    BAD = "bad"
    """How much went wrong."""
    GOOD = "good"
    """How much went well."""
    TIME = "time"
    """How long it took."""
    VOLUME = "volume"
    """How much was asked."""
    UNKNOWN = "unknown"


_USED = (
    *("cpu", "memory", "heap", "disk", "filesystem", "iops", "thread", "throttl", "syscall"),
    *("swap", "socket", "pool", "usage", "connections", "(mem|fs|io|rss|fd|gc)(?![a-z])"),
)
_WORDS = (
    (Role.RESOURCE, "|".join(_USED)),
    (Role.BAD, r"err|fail|fault|exception|[45]xx|timeout|reject|drop|loss|retrans"),
    (Role.GOOD, r"availab|success|apdex"),
    (Role.TIME, r"latenc|duration|elapsed|delay|rtt|(response|service|round.?trip).?time"),
    (Role.VOLUME, r"request|req|call|invocation|count|throughput|workload|rps|qps|tps|hits"),
)
"""The first that fits: `request_errors` are errors, `request_duration` is a time."""
_FINDERS = [(role, re.compile(rf"(?<![a-z])(?:{words})")) for role, words in _WORDS]
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_TIMES = frozenset(("ns", "us", "ms", "s", "milliseconds", "seconds"))


CALLS, ERRORS = " calls", " errors"
"""What is counted of a metric, after its name (see `readings`)."""

_COUNTED = ((CALLS, Role.VOLUME), (ERRORS, Role.BAD))


@lru_cache(10_000)
def role_of(name: str, unit: str | None = None) -> Role:
    """The role of a metric.

    Args:
        name: As its sender calls it.
        unit: As in UCUM, where it is known.
    """
    counted = next((role for end, role in _COUNTED if name.endswith(end)), None)
    if counted is not None:
        calls = role_of(name.rpartition(" ")[0]) in {Role.TIME, Role.VOLUME}
        return counted if calls else Role.UNKNOWN
    text = _HUMP.sub("_", name).lower()
    for role, finder in _FINDERS:
        if finder.search(text):
            return role
    return Role.TIME if unit in _TIMES else Role.UNKNOWN
