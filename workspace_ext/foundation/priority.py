"""Who goes first when there is more to do than processors."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NICE = 5

PATIENCE = 3.0
"""So many times as long as it used the processor, a piece of work pauses at most: a quarter of one
is left to it."""


def yield_to_others(thread: int | None = None, *, nice: int = _NICE) -> None:
    """Lets all other threads go before a thread, for as long as it lives.

    On Linux only: elsewhere a thread has no priority that is not its whole process's.

    Args:
        thread: Its native id; the calling thread when None.
        nice: How much it yields, 1 to 19.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            chosen = thread or threading.get_native_id()
            usual = os.getpriority(os.PRIO_PROCESS, chosen)
            os.setpriority(os.PRIO_PROCESS, chosen, usual + nice)


def yield_with_all_threads(*, nice: int = _NICE) -> None:
    """Lets all others go before this process, and those that it starts from now on.

    Args:
        nice: How much it yields, 1 to 19.
    """
    if sys.platform == "linux":
        for thread in Path("/proc/self/task").iterdir():
            yield_to_others(int(thread.name), nice=nice)
    else:
        os.nice(nice)


class Precedence:
    """Lets those who wait for an answer go before work that comes in pieces and can wait.

    Priorities do not do that: Python's threads take turns at its one lock whatever theirs are.

    Args:
        patience: See `PATIENCE`.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._changed = threading.Condition()
        self._asking = 0

    @contextmanager
    def asking(self) -> Iterator[None]:
        """For as long as somebody waits for an answer."""
        with self._changed:
            self._asking += 1
        try:
            yield
        finally:
            with self._changed:
                self._asking -= 1
                if not self._asking:
                    self._changed.notify_all()

    @contextmanager
    def piece(self) -> Iterator[None]:
        """A piece of work of this thread, and then a pause for as long as somebody asks.

        But for no longer than `PATIENCE` allows: the work goes on, however much is asked.
        """
        started = time.thread_time()
        try:
            yield
        finally:
            used = time.thread_time() - started
            with self._changed:
                self._changed.wait_for(lambda: not self._asking, self._patience * used)
