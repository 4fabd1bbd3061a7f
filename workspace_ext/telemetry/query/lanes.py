"""Lanes: how many queries of a kind run at once, first in, first out.

A plain semaphore is unfair (a thread was seen to starve for seconds), so waiting is by ticket.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from workspace_ext.telemetry.query.watch import Watch

_LOOK_SECONDS = 0.05


class Lane:
    """At most ``width`` turns at once."""

    def __init__(self, width: int) -> None:
        self._free = width
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def turn(self, watch: Watch) -> Iterator[None]:
        """Waits for a turn and holds it while the context lasts.

        Raises:
            LimitExceeded: The query's time ran out while it waited.
            Cancelled: Whoever asked has gone.
        """
        self.enter(watch)
        try:
            yield
        finally:
            self.leave()

    def enter(self, watch: Watch) -> None:
        """Waits for a turn; `leave` gives it back. Raises as `turn` does."""
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                return
            ticket = threading.Event()
            self._waiting.append(ticket)
        while not ticket.wait(_LOOK_SECONDS):
            if watch.look():
                self._give_up(ticket)
                watch.check()

    def leave(self) -> None:
        """Gives the turn to whoever waits longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1

    def _give_up(self, ticket: threading.Event) -> None:
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return
        self.leave()  # the turn came meanwhile: pass it on


class Pace:
    """Which lane a query belongs in, by how long the same text took the last time."""

    _HEAVY_SECONDS = 1.0
    _REMEMBERED = 1000

    def __init__(self) -> None:
        self._slow: dict[str, None] = {}
        self._lock = threading.Lock()

    def is_heavy(self, sql: str) -> bool:
        """Whether it was slow the last time; unknown ones are not."""
        return sql in self._slow

    def took(self, sql: str, seconds: float) -> None:
        """Remembers how long it took."""
        with self._lock:
            self._slow.pop(sql, None)
            if seconds > self._HEAVY_SECONDS:
                self._slow[sql] = None
                if len(self._slow) > self._REMEMBERED:
                    del self._slow[next(iter(self._slow))]
