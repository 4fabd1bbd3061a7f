"""Gaps: minutes in which a service sent nothing although it usually does.

A service with a steady rate of *r* records a minute sends none for *k* minutes with probability
exp(-r k) (Poisson); where records come in bursts, with exp(-r k / d), *d* being the variance of the
counts over their mean (quasi-Poisson: McCullagh and Nelder, Generalized Linear Models, 6.2.3). That
is taken for a gap when it is below exp(-10), about 1 in 20,000. The usual rate is the median over
the minutes, which up to half of them being empty does not break; a service that is silent in
most minutes has no usual rate, and no gaps are claimed of it, nor of only a few minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from workspace_ext.foundation.clock import Window, to_rfc3339

MINUTE_NS = 60_000_000_000
STEADY = ("spans", "logs", "metrics")
"""Signals in which silence can be told; events come when they come."""

MOST_MINUTES = 31 * 24 * 60
"""Of a window that is looked at."""

MOST_SERVICES = 2_000
"""So many services of a window are looked at one by one, the largest."""

_SURE = 10.0
_LEAST_MINUTES = 5
_SHORTEST = {"spans": 1, "logs": 1, "metrics": 2}
"""In minutes: a metric that is read once a minute may just miss one."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Gap:
    """A silence.

    Attributes:
        service: Whose; None for records without one.
        start_ns: The beginning of its first minute, since the epoch.
        minutes: How long.
        usual: Records a minute.
        alone: Whether other services had records in each of these minutes.
    """

    service: str | None
    start_ns: int
    minutes: int
    usual: float
    alone: bool

    def to_dict(self) -> dict[str, Any]:
        """The form that travels."""
        return {
            "start": to_rfc3339(self.start_ns),
            "minutes": self.minutes,
            "usual_per_minute": self.usual,
            "only_this_service": self.alone,
        }


@dataclass(frozen=True)
class Profile:
    """Records by service and minute, in the minutes that a window touches.

    Attributes:
        signal: Of what.
        services: For each service its minutes that have records, ascending, and how many each;
            beyond the `MOST_SERVICES` largest, all others are one more without a name.
    """

    signal: str
    services: Mapping[str | None, tuple[Numbers, Numbers]]

    @property
    def total(self) -> int:
        """All records."""
        return sum(int(counts.sum()) for _, counts in self.services.values())

    def gaps(self) -> list[Gap]:
        """All gaps, by service, then by time.

        The first and the last minute with any record are left out: a window, or the data, may
        begin or end within them.
        """
        if not self.services:
            return []
        every = np.concatenate([minutes for minutes, _ in self.services.values()])
        first, last = int(every.min()) + 1, int(every.max()) - 1
        if last - first + 1 < _LEAST_MINUTES:
            return []
        active = np.bincount(every - every.min(), minlength=last - first + 3)
        found = []
        for service, (minutes, counts) in self.services.items():
            inside = counts[(minutes >= first) & (minutes <= last)]
            usual = _usual(inside, last - first + 1)
            if not usual:
                continue
            least = max(_SURE * _bursts(inside) / usual, _SHORTEST[self.signal])
            for start, length in _silences(minutes, first, last):
                if length >= least:
                    others = active[start - first + 1 : start - first + 1 + length]
                    alone = bool(others.min() > 0)
                    found.append(Gap(service, start * MINUTE_NS, length, usual, alone))
        return sorted(found, key=lambda gap: (gap.service or "", gap.start_ns))


def profile_sql(signal: str) -> str:
    """Asks for a profile; bind ``$first`` and ``$end``, in minutes since the epoch."""
    return f"""
        WITH counted AS (
            SELECT service, epoch_us(time) // 60000000 AS minute, count(*) AS n FROM {signal}
            WHERE time >= make_timestamptz($first::BIGINT * 60000000)
              AND time < make_timestamptz($end::BIGINT * 60000000) GROUP BY ALL
        ), largest AS (
            SELECT service FROM counted WHERE service IS NOT NULL
            GROUP BY service ORDER BY sum(n) DESC, service LIMIT {MOST_SERVICES}
        )
        SELECT largest.service, minute, sum(n)::BIGINT AS n
        FROM counted LEFT JOIN largest USING (service) GROUP BY ALL ORDER BY ALL
    """  # noqa: S608 - the name of a table


def minutes_of(window: Window) -> tuple[int, int]:
    """The minutes that a window touches, the second one exclusive, since the epoch."""
    return window.start_ns // MINUTE_NS, -(-window.end_ns // MINUTE_NS)


def profile_of(signal: str, rows: Iterable[Mapping[str, Any]]) -> Profile:
    """The answer to `profile_sql`."""
    found: dict[str | None, tuple[list[int], list[int]]] = {}
    for row in rows:
        minutes, counts = found.setdefault(row["service"], ([], []))
        minutes.append(row["minute"])
        counts.append(row["n"])
    services = {
        service: (np.array(minutes, np.int64), np.array(counts, np.int64))
        for service, (minutes, counts) in found.items()
    }
    return Profile(signal, services)


def _usual(counts: Numbers, minutes: int) -> float:
    """The median over all minutes, the empty ones too."""
    empty = minutes - len(counts)
    if empty >= len(counts):
        return 0.0
    return float(np.median(np.concatenate((np.zeros(empty, np.int64), counts))))


def _bursts(counts: Numbers) -> float:
    """Variance over mean of the minutes that are not empty; 1 at least, as of a steady rate."""
    return max(1.0, float(counts.var() / counts.mean()))


def _silences(minutes: Numbers, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Where there is nothing from ``first`` to ``last``: first minute, and how many."""
    inside = minutes[(minutes >= first) & (minutes <= last)]
    edges = np.concatenate(([first - 1], inside, [last + 1]))
    for place in np.flatnonzero(np.diff(edges) > 1):
        yield int(edges[place]) + 1, int(edges[place + 1] - edges[place]) - 1
