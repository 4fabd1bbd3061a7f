"""What waits to be merged, how long it may, and how much of it a merge takes.

DuckDB compresses and writes a row group at once when a transaction brings it whole. What is over
goes to its log first, and makes a small row group that is written again later, with those beside
it: twice the processor's time, and four times as much written to the disk that acknowledgements
wait for. So a merge takes exactly as many records as fill row groups, and the rest waits for the
next one; unless somebody wants to see it, or too little comes in.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from workspace_ext.telemetry.ingest.live.delivery import Delivery
from workspace_ext.telemetry.ingest.live.merge import ROW_GROUP_ROWS


@dataclass(frozen=True)
class LiveLimits:
    """Beyond these a sender is told to come again.

    Attributes:
        held_bytes: Of records that are not merged yet, in memory and in the journal.
        waiting: Requests that wait for the disk.
        group_bytes: A journal file ends, and a merge begins, when it holds this much,
        group_rows: or so many records of one signal: a row group of DuckDB.
        merge_seconds: How long a record waits for its merge to begin,
        patience_seconds: and the longest that it waits when a row group fills up meanwhile.
    """

    held_bytes: int = 192 << 20
    waiting: int = 512
    group_bytes: int = 96 << 20
    group_rows: int = ROW_GROUP_ROWS
    merge_seconds: float = 1.0
    patience_seconds: float = 6.0


@dataclass
class Group:
    """What one file of the journal holds, as far as it is not merged.

    Attributes:
        number: Of the file.
        deliveries: What is in it; None when it must be read first.
        whole: Whether all of the file could be read.
        held_bytes: About how much memory it takes.
        rows: Its records by signal.
        sequence: The number of its last delivery.
        since: When the first of it came, on the monotonic clock.
    """

    number: int
    deliveries: list[Delivery] | None
    whole: bool = True
    held_bytes: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    sequence: int = 0
    since: float = field(default_factory=time.monotonic)

    def count(self, deliveries: Sequence[Delivery]) -> None:
        """Takes deliveries in."""
        assert self.deliveries is not None
        self.deliveries += deliveries
        for delivery in deliveries:
            self.held_bytes += delivery.held_bytes
            for signal, records in delivery.tables.items():
                self.rows[signal] += records.num_rows

    def keep(self, later: Sequence[Delivery]) -> int:
        """Forgets all but these, for which the time begins anew; how many bytes that frees."""
        before = self.held_bytes
        self.deliveries, self.held_bytes, self.since = [], 0, time.monotonic()
        self.rows.clear()
        self.count(later)
        return before - self.held_bytes

    def is_full(self, limits: LiveLimits) -> bool:
        """Whether it must not grow."""
        return _is_full([self], limits)


def _is_full(groups: Sequence[Group], limits: LiveLimits) -> bool:
    return _most_rows(groups) >= limits.group_rows or (
        sum(group.held_bytes for group in groups) >= limits.group_bytes
    )


def _most_rows(groups: Sequence[Group]) -> int:
    rows = sum((group.rows for group in groups), Counter[str]())
    return max(rows.values(), default=0)


def left_seconds(groups: Sequence[Group], limits: LiveLimits) -> float:
    """For how long they may still wait; more, when at their pace they fill a row group soon."""
    if _is_full(groups, limits) or any(group.deliveries is None for group in groups):
        return 0.0
    fills = _most_rows(groups) * limits.patience_seconds
    until = limits.merge_seconds
    if fills >= limits.group_rows * limits.merge_seconds:
        until = limits.patience_seconds
    return groups[0].since + until - time.monotonic()


def take(groups: deque[Group], limits: LiveLimits) -> list[Group]:
    """The oldest groups, until they are enough for one merge."""
    taken: list[Group] = []
    for group in groups:
        taken.append(group)
        if group.deliveries is None or _is_full(taken, limits):
            break  # of what must be read first nobody knows how much memory it takes
    return taken


def split(groups: Sequence[Group], unit: int) -> tuple[list[Delivery], list[Delivery]]:
    """What to merge now, and the end of the last group, which is for later.

    Args:
        groups: Whose deliveries have been read.
        unit: So many records of the largest signal, or a multiple, are merged now; 0 for all.
    """
    deliveries = [delivery for group in groups for delivery in group.deliveries or ()]
    rows: Counter[str] = Counter()
    for delivery in deliveries:
        rows.update({signal: table.num_rows for signal, table in delivery.tables.items()})
    if not unit or not rows:
        return deliveries, []
    signal, most = rows.most_common(1)[0]
    left = most // unit * unit
    in_last = sum(_rows(delivery, signal) for delivery in groups[-1].deliveries or ())
    if not left or most - left >= in_last:  # what is over would be more than the last group
        return deliveries, []
    place = 0
    while (size := _rows(deliveries[place], signal)) < left:
        left -= size
        place += 1
    now, later = _cut(deliveries[place], signal, left)
    return [*deliveries[:place], now], [*later, *deliveries[place + 1 :]]


def _rows(delivery: Delivery, signal: str) -> int:
    table = delivery.tables.get(signal)
    rows: int = 0 if table is None else table.num_rows
    return rows


def _cut(delivery: Delivery, signal: str, rows: int) -> tuple[Delivery, list[Delivery]]:
    """A delivery in two; what is not of its records stays with the first part."""
    table = delivery.tables[signal]
    if table.num_rows == rows:
        return delivery, []
    now = replace(delivery, tables={**delivery.tables, signal: table.slice(0, rows)})
    later = replace(
        delivery,
        tables={signal: table.slice(rows)},
        size=0,
        rejected=0,
        rejects=(),
        warnings=(),
    )
    return now, [later]
