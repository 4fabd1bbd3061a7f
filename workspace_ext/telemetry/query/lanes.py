"""Lanes: how many queries of a kind run at once, and who is next; and how much work a query is.

A plain semaphore is unfair (a thread was seen to starve for seconds), so waiting is by ticket, and
the ticket says when it should be somebody's turn: earliest deadline first.
"""

from __future__ import annotations

import itertools
import threading
import time
from bisect import insort
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workspace_ext.telemetry.query.threads import processor_seconds
from workspace_ext.telemetry.query.watch import Watch

_LOOK_SECONDS = 0.05
_SLOWER = 10.0
"""So many times as long as it needs, a query may wait in fairness: who needs a second less goes
before who came up to so many seconds earlier, and nobody waits for later ones without end."""

_Ticket = tuple[bool, float, int, threading.Event]
_UNKNOWN: tuple[tuple[float, ...], bool] = ((), False)


class Lane:
    """At most ``width`` turns at once."""

    def __init__(self, width: int, name: str = "") -> None:
        self.name = name
        self._free = width
        self._lock = threading.Lock()
        self._waiting: list[_Ticket] = []  # who is next comes first
        self._tickets = itertools.count()

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

    def enter(self, watch: Watch, *, needed: float = 0.0, begun: bool = False) -> None:
        """Waits for a turn; `leave` gives it back. Raises as `turn` does.

        Args:
            watch: Tells when waiting is over.
            needed: Seconds of work, as far as is known.
            begun: Whether it has had a turn: it holds memory until it ends, so it goes before all
                that have not.
        """
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            came = threading.Event()
            until = time.monotonic() + _SLOWER * needed
            ticket = (not begun, until, next(self._tickets), came)
            insort(self._waiting, ticket)
        while not came.wait(_LOOK_SECONDS):
            if watch.look():
                self._give_up(ticket)
                watch.check()

    def push_in(self) -> None:
        """Takes a turn though there may be none: one more has to end before the next begins."""
        with self._lock:
            self._free -= 1

    def leave(self) -> None:
        """Gives the turn to who is next."""
        with self._lock:
            self._free += 1
            if self._free > 0 and self._waiting:
                self._free -= 1
                *_, came = self._waiting.pop(0)
                came.set()

    def _give_up(self, ticket: _Ticket) -> None:
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                return
        self.leave()  # the turn came meanwhile: pass it on


class Effort:
    """What pieces of work cost of the processors, those of the engine's own threads included.

    Nobody tells for whom those work. They take from all pieces by turns, so what the process works
    beside the threads of the pieces is shared evenly among those that run meanwhile.

    Args:
        processors: How many can work for one piece.
    """

    def __init__(self, processors: int) -> None:
        self._processors = processors
        self._lock = threading.Lock()
        self._running: list[_Piece] = []
        self._process = 0.0

    @contextmanager
    def of_this(self, add: Callable[[float], None]) -> Iterator[None]:
        """Measures the piece that the calling thread does in the context.

        Args:
            add: Gets the seconds.
        """
        piece = _Piece(threading.get_ident())
        with self._lock:
            self._share()
            self._running.append(piece)
        try:
            yield
        finally:
            with self._lock:
                self._share()
                self._running.remove(piece)
            helpers = self._processors - 1
            add(piece.own + min(piece.helped, piece.own * helpers))

    def _share(self) -> None:
        process = time.process_time()
        helped, self._process = process - self._process, process
        for piece in self._running:
            helped -= piece.go_on()
        for piece in self._running:
            piece.helped += max(helped, 0.0) / len(self._running)


class _Piece:
    """A piece of work that a thread is at.

    Attributes:
        own: Seconds that the thread worked.
        helped: Seconds that others did for it.
    """

    def __init__(self, thread: int) -> None:
        self._thread = thread
        self._worked = processor_seconds(thread)
        self.own = 0.0
        self.helped = 0.0

    def go_on(self) -> float:
        """What the thread worked since it was last asked."""
        now = processor_seconds(self._thread)
        more, self._worked = now - self._worked, now
        self.own += more
        return more


class Pace:
    """How long a text takes, and whether its answer is large, by how it went.

    What counts is the time that it was worked on, not the time that passed: short queries do not
    become long because they stood in line. Beside others, who take memory and caches from it, the
    same query is more work, so the least of the last times is taken.
    """

    _TIMES = 5
    _REMEMBERED = 1000

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[float, ...], bool]] = {}
        self._lock = threading.Lock()

    def seconds(self, sql: str) -> float:
        """What it needs; nothing when it is unknown."""
        return min(self._known.get(sql, _UNKNOWN)[0], default=0.0)

    def is_large(self, sql: str) -> bool:
        """Whether it had many rows; unknown ones have not."""
        return self._known.get(sql, _UNKNOWN)[1]

    def took(self, sql: str, seconds: float, *, large: bool) -> None:
        """Remembers how it went, and how many seconds it was worked on."""
        with self._lock:
            before, _ = self._known.pop(sql, _UNKNOWN)
            self._known[sql] = ((*before, seconds)[-self._TIMES :], large)
            if len(self._known) > self._REMEMBERED:
                del self._known[next(iter(self._known))]

    def ended(self, sql: str, seconds: float) -> None:
        """Remembers that it was ended before its first rows, which says that it needs more.

        So what was cancelled while it stood in line does not become short.
        """
        if seconds > self.seconds(sql):
            self.took(sql, seconds, large=self.is_large(sql))
