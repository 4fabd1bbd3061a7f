"""Services that ceased to tell how they are, while others go on: what died sends no symptom.

Only what comes from the instance itself counts, as what it uses: who is not asked any more leaves
no spans, lines and times either. Silence is longer than chance when it lasts twice as long as any
pause that was there before.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.inquiry.causes.roles import Role, role_of
from workspace_ext.inquiry.steps.columns import flags, ints, named

ENOUGH = 5
"""Of fewer pauses nobody knows how long they usually are."""
LONGER = 2.0
"""So many times the longest pause before is silence."""


@dataclass(frozen=True)
class Silence:
    """What a service does not send any more.

    Attributes:
        service: Its name.
        ceased: Which of its metrics.
        known: How many there were.
        since_ns: When the last of them came.
        strength: Square of the share that ceased, 0 to 1.
    """

    service: str
    ceased: tuple[str, ...]
    known: int
    since_ns: int
    strength: float


def silences(metrics: pa.Table) -> list[Silence]:
    """Who fell silent, strongest first.

    Args:
        metrics: service, pod, name, is_now and time_ns; those of an instance, or of what it uses,
            are looked at.
    """
    names = metrics.column("name").combine_chunks().dictionary_encode()
    uses = [role_of(name) is Role.RESOURCE for name in names.dictionary.to_pylist()]
    own = pc.or_(
        pc.greater(pc.fill_null(pc.utf8_length(metrics.column("pod")), 0), 0),
        pa.array(uses, pa.bool_()).take(names.indices),
    )
    ended: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    known: defaultdict[str, int] = defaultdict(int)
    for service, name, last, silent in _pauses(metrics.filter(own)):
        known[service] += 1
        if silent:
            ended[service].append((name, last))
    found = [
        Silence(
            service,
            tuple(sorted(name for name, _ in of)),
            known[service],
            max(last for _, last in of),
            (len(of) / known[service]) ** 2,
        )
        for service, of in ended.items()
    ]
    return sorted(found, key=lambda one: (-one.strength, one.service))


def _pauses(rows: pa.Table) -> list[tuple[str, str, int, bool]]:
    """Service and name of each series whose pauses are known, when it last came, and if it ended.

    What ended at half of those who have it, ended at nobody.
    """
    service, name = named(rows.column("service")), named(rows.column("name"))
    time, now = ints(rows.column("time_ns")), flags(rows.column("is_now"))
    if not now.any():
        return []
    series = name.number * len(service.names) + service.number
    order = np.lexsort((time, series))
    series, time, now = series[order], time[order], now[order]
    fresh = np.diff(series, prepend=-1) != 0
    begin, of = np.flatnonzero(fresh), np.cumsum(fresh) - 1
    what, who = np.divmod(series[begin], len(service.names))
    pause = np.diff(time, prepend=0)
    within = ~fresh & (np.diff(now, prepend=now[0]) == 0) & (pause > 0)
    count = np.bincount(of[within], minlength=len(begin))
    longest = np.zeros(len(begin), dtype=np.int64)
    np.maximum.at(longest, of[within], pause[within])
    last = time[np.append(begin[1:], len(time)) - 1]
    end = np.zeros(len(name.names), dtype=np.int64)
    np.maximum.at(end, what, last)
    patience = LONGER * longest
    silent = end[what] - last > patience
    # what ended long before the window has nothing to do with it
    judged = (count >= ENOUGH) & (int(time[now].min()) - last <= patience)
    judged &= np.array(service.names)[who] != ""
    alike = np.bincount(what[judged], minlength=len(name.names))
    quiet = np.bincount(what[judged & silent], minlength=len(name.names))
    silent &= (2 * quiet < alike)[what]
    return [
        (service.names[who[at]], name.names[what[at]], int(last[at]), bool(silent[at]))
        for at in np.flatnonzero(judged).tolist()
    ]
