"""What receivers share: room for a request, decoding, and the wait for the disk."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from workspace_ext.broker import tracing
from workspace_ext.foundation.errors import InvestigationError, Unavailable
from workspace_ext.foundation.priority import Precedence
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.live.decoding import Decoded, decode, decode_together
from workspace_ext.telemetry.ingest.live.request import MOST_BODY_BYTES, Request, too_large
from workspace_ext.telemetry.ingest.live.service import LiveIngest
from workspace_ext.telemetry.ingest.model import Parsed

__all__ = ["MOST_BODY_BYTES", "Intake", "Request", "too_large"]

_log = logging.getLogger(__name__)

_MOST_IN_FLIGHT_BYTES = 128 << 20
_GATHER_SECONDS = 0.01
_GATHERED = 8
"""A request waits no longer for others to be decoded with, and for no more of them: what a piece of
work costs however small it is, two milliseconds, is little for each of so many."""

_TOGETHER_BYTES = 4 << 20
"""So many bytes of bodies are decoded at once; more would let the first ones wait for the last."""


@dataclass(frozen=True)
class _Asked:
    """A request, and where its sender waits."""

    request: Request
    answer: Future[Parsed] = field(default_factory=Future)


class _Lane:
    """A thread that takes what waits, several at once up to a size.

    Where several cost little more than one, work begins when as many wait as were lately under way
    at once, or a moment later: senders who were told yes by one sync send their next request at
    about the same time. Who sends alone never waits.

    Args:
        name: Of the thread.
        together: The most bytes of bodies that are taken at once; at least one request is.
        precedence: Of others over this.
        work: What is done with them; it must not raise.
    """

    def __init__(
        self,
        name: str,
        together: int,
        precedence: Precedence,
        work: Callable[[list[_Asked]], None],
    ) -> None:
        self._together = together
        self._precedence = precedence
        self._work = work
        self._waiting: deque[_Asked] = deque()
        self._under_way = self._at_once = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, asked: _Asked) -> None:
        """Has it done, after what waits already."""
        with self._changed:
            self._waiting.append(asked)
            self._under_way += 1
            self._changed.notify()
        asked.answer.add_done_callback(self._answered)

    def close(self) -> None:
        """Ends the thread, after what waits."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while taken := self._take():
            with self._precedence.piece():
                self._work(taken)
            del taken  # it must not be held while this waits for the next

    def _answered(self, _answer: Future[Parsed]) -> None:
        with self._changed:
            self._under_way -= 1

    def _take(self) -> list[_Asked]:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if self._together:
                self._gather()
            taken: list[_Asked] = []
            size = 0
            while self._waiting and (not taken or size < self._together):
                taken.append(self._waiting.popleft())
                size += len(taken[-1].request.body)
            return taken

    def _gather(self) -> None:
        self._at_once = min(max(self._under_way, self._at_once - 1), _GATHERED)
        self._changed.wait_for(
            lambda: len(self._waiting) >= self._at_once or self._closed, _GATHER_SECONDS
        )


class Intake:
    """Takes requests, as many at once as there is room for. Lives on the event loop's thread.

    Two threads decode: one takes together whatever waits in formats that can be read so, the other
    takes everything else, one by one, so that what is slow to read delays only its like.

    Args:
        live: Where they go.
        precedence: Of those who ask over those who send.
    """

    def __init__(self, live: LiveIngest, precedence: Precedence) -> None:
        self._live = live
        self._one_by_one = _Lane("decode one", 0, precedence, self._decode)
        self._together = _Lane("decode many", _TOGETHER_BYTES, precedence, self._decode_together)
        self.in_flight_bytes = 0

    def reserve(self, size: int) -> None:
        """Takes room for a body, or a part of one; `release` gives it back, or `receive`.

        Raises:
            Unavailable: There is none now.
        """
        self._live.check_room()
        if self.in_flight_bytes and self.in_flight_bytes + size > _MOST_IN_FLIGHT_BYTES:
            self._live.totals.refused["in_flight"] += 1
            raise Unavailable(
                "more requests come in at once than can be read",
                hint="send it again a little later",
                code="ingest_busy",
            )
        self.in_flight_bytes += size

    def release(self, size: int) -> None:
        """The counterpart of `reserve`."""
        self.in_flight_bytes -= size

    async def receive(self, request: Request) -> Parsed:
        """Decodes a request and keeps its records; when this returns they are on disk.

        Gives back the room that was reserved for its body: once it is done with, although its
        sender may leave before.

        Raises:
            BadInput: Nothing in it can be read, now or ever.
            Unavailable: It cannot be kept now.
        """
        if tracing.is_own(request.headers):
            return await self._receive(replace(request, source=tracing.OWN))
        with tracing.span("ingest", request.headers, adapter=request.format) as work:
            parsed = await self._receive(request)
            rows = sum(table.num_rows for table in parsed.tables.values())
            work.tell(rows=rows, rejected=parsed.rejected)
            return parsed

    async def _receive(self, request: Request) -> Parsed:
        asked = _Asked(request)
        answer = asyncio.wrap_future(asked.answer)
        answer.add_done_callback(lambda _: self.release(len(request.body)))
        try:
            quick = registry.reads_together(request.format)
        except InvestigationError as error:
            _answer(asked, error)
        else:
            (self._together if quick else self._one_by_one).put(asked)
        return await asyncio.shield(answer)

    def close(self) -> None:
        """Ends the threads: first the one that hands on to the other."""
        self._together.close()
        self._one_by_one.close()

    def _decode_together(self, taken: list[_Asked]) -> None:
        try:
            with self._live.totals.stage("decode together"):
                made = decode_together([asked.request for asked in taken])
        except BaseException:  # a thread of which everybody has need must not end
            _log.exception("%s requests cannot be decoded together", len(taken))
            made = [None] * len(taken)
        for asked, found in zip(taken, made, strict=True):
            if found is None:
                self._one_by_one.put(asked)
            else:
                self._keep(asked, found)

    def _decode(self, taken: list[_Asked]) -> None:
        for asked in taken:
            try:
                with self._live.totals.stage("decode"):
                    made = decode(asked.request)
            except BaseException as error:  # the sender is told, whatever it is
                _answer(asked, error)
            else:
                self._keep(asked, made)

    def _keep(self, asked: _Asked, found: Decoded | InvestigationError) -> None:
        if isinstance(found, InvestigationError):
            _answer(asked, found)
        elif not found.delivery.tables and not found.delivery.rejected:
            _answer(asked, found.parsed)
        else:
            try:
                kept = self._live.accept(asked.request, found.delivery)
            except BaseException as error:  # the sender is told, whatever it is
                _answer(asked, error)
            else:
                parsed = found.parsed
                kept.add_done_callback(lambda kept: _answer(asked, kept.exception() or parsed))


def _answer(asked: _Asked, outcome: Parsed | BaseException) -> None:
    """Lets the sender know, unless it is gone."""
    if not asked.answer.set_running_or_notify_cancel():
        return
    if isinstance(outcome, BaseException):
        asked.answer.set_exception(outcome)
    else:
        asked.answer.set_result(outcome)
