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

    def __init__(self, width: int, name: str = "") -> None:
        self.name = name
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
    """How to run a text, by how it went the last time.

    What counts is the time that it was worked on, not the time that passed: short queries do not
    become heavy because they stood in line.
    """

    _HEAVY_SECONDS = 0.8  # alone on two processors, a third of a second or so
    _REMEMBERED = 1000

    def __init__(self) -> None:
        self._known: dict[str, tuple[bool, bool]] = {}
        self._lock = threading.Lock()

    def is_heavy(self, sql: str) -> bool:
        """Whether it was slow; unknown ones are not."""
        return self._known.get(sql, (False, False))[0]

    def is_large(self, sql: str) -> bool:
        """Whether it had many rows; unknown ones have not."""
        return self._known.get(sql, (False, False))[1]

    def took(self, sql: str, seconds: float, *, large: bool) -> None:
        """Remembers how it went, and how many seconds it was worked on."""
        with self._lock:
            self._known.pop(sql, None)
            self._known[sql] = (seconds > self._HEAVY_SECONDS, large)
            if len(self._known) > self._REMEMBERED:
                del self._known[next(iter(self._known))]
