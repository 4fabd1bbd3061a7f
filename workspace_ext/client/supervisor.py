"""Keeps a folder's broker running for as long as a Jupyter server wants it."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import Connection, connect
from workspace_ext.foundation.errors import InvestigationError, Unavailable

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 15.0
_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class BrokerState:
    """How the broker is; ``message`` says why it is not ready, with a hint."""

    status: Literal["starting", "ready", "unavailable"]
    message: str = ""


class Supervisor:
    """Connects to a folder's broker, starting one when none runs, and again when it dies.

    All work is done in a thread of its own: `start` returns at once.

    Args:
        folder: The store.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._changed = threading.Condition()
        self._state = BrokerState("starting")
        self._error: InvestigationError | None = None
        self._connection: Connection | None = None
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> BrokerState:
        """How the broker is now."""
        return self._state

    def start(self) -> None:
        """Begins; calling it again changes nothing."""
        with self._changed:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="broker", daemon=True)
                self._thread.start()

    def hurry(self) -> None:
        """Tries again at once where the last try failed: it may have been mended."""
        with self._changed:
            if self._thread is None or self._state.status != "unavailable":
                return
            self._state, self._error = BrokerState("starting"), None
            self._wake.set()

    def client(self, seconds: float = 60.0) -> BrokerClient:
        """The broker's client, as soon as it is ready. Blocks: not for an event loop's thread.

        Raises:
            InvestigationError: Why there is none.
        """
        self.start()
        with self._changed:
            self._changed.wait_for(lambda: self._state.status != "starting", seconds)
            if self._connection is not None:
                return self._connection.client
            if self._error is not None:
                raise self._error
        raise Unavailable(
            f"the broker of {self._folder} is not ready",
            hint="wait a moment, or see logs/broker.log in the store folder",
            code="broker_starting",
        )

    def stop(self) -> None:
        """Gives the broker up; one that nobody else uses leaves. Waits for it, bounded."""
        with self._changed:
            self._stopping.set()
            self._wake.set()
            connection, thread = self._connection, self._thread
        if connection is not None:
            connection.close()
        if thread is not None:
            thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            try:
                connection = connect(self._folder)
            except InvestigationError as error:
                self._become(BrokerState("unavailable", _sentence(error)), error=error)
            else:
                if self._use(connection):
                    pause = _FIRST_PAUSE_SECONDS
            asked = self._wake.wait(pause)
            self._wake.clear()
            pause = _FIRST_PAUSE_SECONDS if asked else min(pause * 2, _LONGEST_PAUSE_SECONDS)
        self._become(BrokerState("unavailable", "the broker was given up"))

    def _use(self, connection: Connection) -> bool:
        """Holds a connection until its broker is gone; False when that was at once."""
        with self._changed:
            if self._stopping.is_set():
                connection.close()
                return False
            self._become(BrokerState("ready"), connection=connection)  # from here on `stop` sees it
        began = time.monotonic()
        connection.lease.wait()
        if not self._stopping.is_set():
            _log.warning("the broker of %s is gone; starting another", self._folder)
            self._become(BrokerState("starting", "the broker is gone and is being restarted"))
            connection.lease.close()
            connection.client.close()
            if connection.started is not None:
                connection.started.process.poll()  # leaves no zombie behind
        return time.monotonic() - began > _LONGEST_PAUSE_SECONDS

    def _become(
        self,
        state: BrokerState,
        *,
        connection: Connection | None = None,
        error: InvestigationError | None = None,
    ) -> None:
        with self._changed:
            self._state, self._connection, self._error = state, connection, error
            self._changed.notify_all()


def _sentence(error: InvestigationError) -> str:
    return f"{error.message} ({error.hint})" if error.hint else error.message
