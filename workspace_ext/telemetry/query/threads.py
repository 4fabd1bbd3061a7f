"""The threads that library SQL is worked on in, each kept for the next piece of work.

A thread's first gigabyte costs: what the engine allocates thread by thread comes from the system
page by page, which took an hour's question a sixth of its processor time when each had a thread of
its own. A thread may be told to yield to others and can never be told otherwise, so those of each
priority are kept apart.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from typing import TypeVar

from workspace_ext.foundation.priority import yield_to_others

T = TypeVar("T")

_MOST_IDLE = 4
"""Of each priority."""

_LOOK_SECONDS = 0.01


def processor_seconds(thread: int) -> float:
    """What a thread had of the processor; seconds of the clock where that is not told.

    Args:
        thread: The ``ident`` of one that lives.
    """
    if sys.platform != "linux":
        return time.monotonic()
    return time.clock_gettime(time.pthread_getcpuclockid(thread))


class KeptThread:
    """One thread; it does a piece of work after the other.

    Attributes:
        nice: How much it yields to others.
    """

    def __init__(self) -> None:
        self.nice = 0
        self._wanted: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="query-work", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Begins a piece of work; the future has what comes of it, or what it raised."""
        done: Future[T] = Future()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as error:
                done.set_exception(error)

        self._wanted.put(run)
        return done

    def is_done(self, done: Future[T], within: float) -> bool:
        """Waits for a piece of work, until the thread has worked at it for so many seconds.

        It is not the clock that counts: who has to wait for others has not worked for long.
        """
        end = self._worked() + within
        while (left := end - self._worked()) > 0:
            wait([done], timeout=max(left, _LOOK_SECONDS))
            if done.done():
                return True
        return False

    def slow(self, nice: int) -> None:
        """Lets others go first from now on; never less than before."""
        if nice > self.nice:
            yield_to_others(self._thread.native_id, nice=nice - self.nice)
            self.nice = nice

    def end(self) -> None:
        """Lets the thread end after its work."""
        self._wanted.put(None)

    def _worked(self) -> float:
        assert self._thread.ident is not None
        return processor_seconds(self._thread.ident)

    def _run(self) -> None:
        while (run := self._wanted.get()) is not None:
            run()
            del run  # and with it what came of the work


class KeptThreads:
    """Those that are idle. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[int, list[KeptThread]] = {}
        self._closed = False

    def take(self, nice: int) -> KeptThread:
        """One that yields so much; a new one when none is idle."""
        with self._lock:
            idle = self._idle.get(nice)
            if idle:
                return idle.pop()
        thread = KeptThread()
        thread.slow(nice)
        return thread

    def give_back(self, thread: KeptThread) -> None:
        """It has done its work."""
        with self._lock:
            idle = self._idle.setdefault(thread.nice, [])
            if not self._closed and len(idle) < _MOST_IDLE:
                idle.append(thread)
                return
        thread.end()

    def close(self) -> None:
        """Lets them end."""
        with self._lock:
            self._closed = True
            threads = [thread for idle in self._idle.values() for thread in idle]
            self._idle.clear()
        for thread in threads:
            thread.end()
