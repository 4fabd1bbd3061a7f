"""Captured events on their way to the broker, in a thread of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import cast

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import BadInput, Conflict, InvestigationError, Unavailable
from workspace_ext.inquiry.capture.spool import Entry, Spool
from workspace_ext.protocol.messages import EventIn, VersionIn

_log = logging.getLogger(__name__)

OPENED = "investigation.opened"
"""An event of this type opens its investigation under the uid it names; its data are what
`BrokerClient.open_investigation` takes."""

SAVED = "notebook.saved"
"""An event of this type is a saved notebook; its data are what `BrokerClient.save_version`
takes."""

BATCH_EVENTS = 200
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_STOP_SECONDS = 3.0


class Reporter:
    """Hands events to the broker in the order they came, as soon as it takes them.

    Args:
        folder: Where the spool lives.
        client: Gives the broker's client, or raises why there is none; may block.
        refused: Told, in the reporter's thread, of each event that the broker will never take:
            the investigation, the event, and the error's code.
    """

    def __init__(
        self,
        folder: Path,
        client: Callable[[], BrokerClient],
        refused: Callable[[str, EventIn, str], None] = lambda *_: None,
    ) -> None:
        self._folder = folder
        self._told_refused = refused
        self._client = client
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._refused = False  # the last try failed
        self._spool: Spool | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins, with what earlier servers left; calling it again changes nothing."""
        with self._changed:
            if self._thread is not None or self._stopping.is_set():
                return
            try:
                self._spool = Spool(self._folder)
            except Unavailable as error:
                _log.error("gap in the record: %s (%s)", error.message, error.hint)
                return
            self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)
            self._thread.start()

    def report(self, investigation: str, events: Sequence[EventIn]) -> None:
        """Takes events; never blocks on the broker and never raises."""
        if not events:
            return
        self.start()
        with self._changed:
            if self._spool is None:
                _log.error("gap in the record of %s: %s", investigation, _names(events))
                return
            try:
                self._spool.append(investigation, events)
            except Unavailable as error:
                _log.error("%s (%s); kept in memory only", error.message, error.hint)
            self._changed.notify_all()

    def flush(self, seconds: float) -> bool:
        """Waits until the broker has everything, but not for one that cannot take it now.

        Returns:
            Whether it has everything.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._spool or self._refused, seconds)
            return not self._spool

    def stop(self) -> None:
        """Ends; what the broker has not taken by then stays in the spool for the next server."""
        self.flush(_STOP_SECONDS)
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
        with self._changed:
            if self._spool is not None:
                self._spool.close()
                self._spool = None

    def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        spool = self._spool
        assert spool is not None
        while not self._stopping.is_set():
            batch = spool.oldest(BATCH_EVENTS)
            if not batch:
                with self._changed:
                    self._changed.wait_for(lambda: len(spool) > 0 or self._stopping.is_set())
                continue
            taken = self._send(batch)
            self._note(spool, taken)
            if taken:
                pause = _FIRST_PAUSE_SECONDS
            else:
                self._stopping.wait(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    def _send(self, batch: list[Entry]) -> int:
        """How many of the oldest events are settled now."""
        try:
            client = self._client()
            try:
                return _report(client, batch)
            except (BadInput, Conflict):
                return self._send_singly(client, batch)
        except InvestigationError as error:
            if not self._refused:
                _log.warning("captured runs wait for the broker: %s", error.message)
            return 0
        except Exception:
            _log.exception("events could not be sent; trying again")
            return 0

    def _send_singly(self, client: BrokerClient, batch: list[Entry]) -> int:
        """One bad event must hold up no other."""
        for number, (investigation, event, _) in enumerate(batch):
            try:
                _report(client, [batch[number]])
            except (BadInput, Conflict) as error:
                _log.error(
                    "gap in the record of %s: the broker refused %s: %s",
                    investigation,
                    _names([event]),
                    error.message,
                )
                self._told_refused(investigation, event, error.code)
            except InvestigationError:
                return number
        return len(batch)

    def _note(self, spool: Spool, taken: int) -> None:
        with self._changed:
            if self._spool is not spool:  # stopped meanwhile: the next server sends it once more
                return
            self._refused = taken == 0
            try:
                spool.done(taken)
            except Unavailable as error:
                _log.error("%s (%s)", error.message, error.hint)
            self._changed.notify_all()


def _report(client: BrokerClient, batch: Sequence[Entry]) -> int:
    """Hands over the oldest events; how many."""
    investigation, first, _ = batch[0]
    if first["type"] == OPENED:
        client.open_investigation(**first["data"], actor=first.get("actor"))
        return 1
    if first["type"] == SAVED:
        client.save_version(investigation, cast(VersionIn, first["data"]))
        return 1
    events = list(
        takewhile(lambda event: event["type"] not in (OPENED, SAVED), (e.event for e in batch))
    )
    client.report(investigation, events)
    return len(events)


def _names(events: Sequence[EventIn]) -> str:
    return ", ".join(f"{event['type']} {event['subject']}" for event in events)
