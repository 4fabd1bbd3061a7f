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
    STANDING = "standing"
    """What is left or there is of a resource, and since when: more of it is no use of it."""
    UNKNOWN = "unknown"


_USED = (
    *("cpu", "memory", "heap", "disk", "filesystem", "iops", "thread", "throttl", "syscall"),
    *("swap", "socket", "pool", "usage", "connections", "goroutine", "file.?descriptor"),
    *("(mem|memstats|fs|io|rss|fds?|gc)(?![a-z])", "load.?(?:average|avg|[0-9])"),
)
_STANDING = (
    *("free", "idle", "available", "remaining", "limits?", "quota", "capacity"),
    *("(?:start|boot|up).?time", "last.?seen", "timestamp", "created"),
)
_WORDS = (
    (Role.STANDING, f"(?:{'|'.join(_STANDING)})(?![a-z])"),
    (Role.UNKNOWN, r"active.?(?:request|call)|in.?flight"),
    (Role.RESOURCE, "|".join(_USED)),
    (Role.TIME, r"success\w*[ _.-]?(?:latenc|duration)"),
    (
        Role.BAD,
        r"err|fail|fault|exception|[45]xx|timeout|reject|drop|loss|retrans|un.?(?:health|avail)",
    ),
    (Role.GOOD, r"availab|success|apdex"),
    (
        Role.TIME,
        r"latenc|duration|elapsed|delay|rtt|handling.?seconds|(?:mrt|p[59][0-9])(?![a-z0-9])",
    ),
    (Role.TIME, r"(?:resp|response|service|round.?trip|wait|queue|rq).?time"),
    (Role.UNKNOWN, r"(?:request|response|req)s?.?(?:bytes|size)"),
    (Role.VOLUME, r"request|rq|req|call|invocation|count|throughput|workload|rps|qps|tps|cpm|hits"),
    (Role.VOLUME, r"handled|load(?![a-z0-9])"),
)
"""The first that fits: `request_errors` are errors, `request_duration` is a time."""
_FINDERS = [(role, re.compile(rf"(?<![a-z])(?:{words})")) for role, words in _WORDS]
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
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
