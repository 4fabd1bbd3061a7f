"""Ends queries: at their deadline, or when whoever asked has gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Literal

from workspace_ext.foundation.errors import InvestigationError, LimitExceeded

_TICK_SECONDS = 0.05

Reason = Literal["deadline", "cancelled"]


class Cancelled(InvestigationError):
    """Whoever asked has gone, so the query was ended; nobody sees this but the record."""

    code = "cancelled"
    status = 499

    def __init__(self) -> None:
        super().__init__("the query was cancelled", hint="ask again")


class Watch:
    """One query's deadline and its way to be ended. Make it with `Watchdog.watch`."""

    def __init__(self, seconds: float, cancelled: threading.Event, on_end: Callable[[], None]):
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.reason: Reason | None = None
        self._cancelled = cancelled
        self._on_end = on_end

    def look(self) -> bool:
        """Whether it is over; ends the query if so."""
        if self.reason is None:
            if self._cancelled.is_set():
                self.reason = "cancelled"
            elif time.monotonic() >= self.deadline:
                self.reason = "deadline"
        if self.reason is not None:
            self._on_end()
        return self.reason is not None

    def error(self) -> InvestigationError | None:
        """Why it was ended; None when it was not."""
        if self.reason == "cancelled":
            return Cancelled()
        if self.reason == "deadline":
            return LimitExceeded(
                f"the query took longer than {self.seconds:g} s",
                hint="narrow the time window, ask for fewer services, or aggregate earlier",
                code="time_limit",
            )
        return None

    def check(self) -> None:
        """Raises the error when it is over."""
        self.look()
        error = self.error()
        if error is not None:
            raise error


class Watchdog:
    """One thread that looks after all running queries; it rests while there are none.

    Looking again and again, rather than once at the deadline, is what makes ending reliable:
    an interrupt between two statements is forgotten by DuckDB.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._watches: set[Watch] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    def watch(
        self, seconds: float, cancelled: threading.Event, on_end: Callable[[], None]
    ) -> Watch:
        """Starts to look after a query.

        Args:
            seconds: Its deadline, from now.
            cancelled: Set by whoever asked.
            on_end: Called from the watchdog's thread, more than once, until `forget`.
        """
        watch = Watch(seconds, cancelled, on_end)
        with self._changed:
            self._watches.add(watch)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="query-watch", daemon=True)
                self._thread.start()
            self._changed.notify()
        return watch

    def forget(self, watch: Watch) -> None:
        """The query is over; after this returns, its ``on_end`` is not called any more."""
        with self._changed:
            self._watches.discard(watch)

    def close(self) -> None:
        """Stops the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                for watch in self._watches:
                    watch.look()
                self._changed.wait(_TICK_SECONDS if self._watches else None)
