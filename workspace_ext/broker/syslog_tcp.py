"""Syslog (RFC 5424) over TCP, by the framings of RFC 6587.

Syslog knows no acknowledgement: what a sender has written into its socket it takes for delivered.
So this reads no further before what it read is on disk; a sender that must wait is held by TCP.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from contextlib import suppress
from time import perf_counter

from workspace_ext.broker.intake import Request
from workspace_ext.broker.listening import address_of
from workspace_ext.broker.receiving import SYSLOG, Door, Receiving
from workspace_ext.foundation.errors import InvestigationError, Unavailable

_log = logging.getLogger(__name__)

MOST_MESSAGE_BYTES = 1 << 20
"""What is longer is cut."""

_READ_BYTES = 256 << 10
_MOST_CONNECTIONS = 256
_AGAIN_SECONDS = 0.5
_GRACE_SECONDS = 5.0
_COUNT_BYTES = 10  # of a length and its space, at most
_COUNTED = re.compile(rb"(\d{1,8}) <")
_COUNT_BEGUN = re.compile(rb"\d{1,8} ?\Z")


class Frames:
    """Cuts what comes over a connection where a message ends. Holds one message at most."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._skip_bytes = 0
        self._skip_line = False

    def feed(self, data: bytes) -> bytes:
        """The whole messages in what was held and what comes now, as they were framed."""
        self._held += data
        made: list[bytes] = []
        start = 0
        while start < len(self._held):
            if self._skip_bytes or self._skip_line:
                start = self._skipped(start)
                continue
            end = self._end(start)
            if end is None:
                break
            if end > start:
                made.append(bytes(self._held[start:end]))
                start = end
            else:
                made.append(self._cut(start))
        del self._held[:start]
        return b"".join(made)

    def rest(self) -> bytes:
        """What the connection ended with: a last line without its end, or a torn message."""
        rest = bytes(self._held)
        self._held.clear()
        return rest

    def _end(self, start: int) -> int | None:
        """Where the message ends; ``start`` when it is too long, None when more must come."""
        have = len(self._held) - start
        if counted := _COUNTED.match(self._held, start):
            end = counted.end() - 1 + int(counted[1])
            if end <= len(self._held):
                return end if int(counted[1]) <= MOST_MESSAGE_BYTES else start
        elif _COUNT_BEGUN.match(self._held, start):
            return None
        elif (found := self._held.find(b"\n", start)) >= 0:
            return found + 1 if found - start <= MOST_MESSAGE_BYTES else start
        return start if have > MOST_MESSAGE_BYTES + _COUNT_BYTES else None

    def _cut(self, start: int) -> bytes:
        """The beginning of a message that is too long; the rest will be skipped."""
        if counted := _COUNTED.match(self._held, start):
            begin = counted.end() - 1
            self._skip_bytes = begin - start + int(counted[1])
            content = bytes(self._held[begin : begin + MOST_MESSAGE_BYTES])
            return b"%d %b" % (MOST_MESSAGE_BYTES, content)
        self._skip_line = True
        return bytes(self._held[start : start + MOST_MESSAGE_BYTES]) + b"\n"

    def _skipped(self, start: int) -> int:
        if self._skip_line:
            found = self._held.find(b"\n", start)
            self._skip_line = found < 0
            return len(self._held) if found < 0 else found + 1
        gone = min(self._skip_bytes, len(self._held) - start)
        self._skip_bytes -= gone
        return start + gone


class SyslogListener:
    """The server. Lives on the event loop's thread.

    Args:
        receive: Where.

    Raises:
        InvestigationError: The port cannot be had.
    """

    def __init__(self, receive: Receiving) -> None:
        self.receive = receive
        self._sockets = receive.bind()
        self.address = address_of(self._sockets[0], "tcp")
        self._servers: list[asyncio.Server] = []
        self._open: dict[asyncio.Task[None], tuple[asyncio.StreamReader, asyncio.Transport]] = {}
        self._stopping = asyncio.Event()

    async def serve(self, door: Door) -> None:
        """Begins to take connections."""
        self._door = door
        for each in self._sockets:
            self._servers.append(
                await asyncio.start_server(self._connected, sock=each, limit=_READ_BYTES)
            )

    def stop(self) -> None:
        """Reads no more; what was read is still kept."""
        self._stopping.set()
        for server in self._servers:
            server.close()
        for reader, transport in self._open.values():
            if not transport.is_closing():
                transport.pause_reading()
                reader.feed_eof()

    async def close(self) -> None:
        """Ends what is still open."""
        if self._open:
            _, left = await asyncio.wait(self._open, timeout=_GRACE_SECONDS)
            for task in left:
                task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task, transport = asyncio.current_task(), writer.transport
        assert task is not None
        assert isinstance(transport, asyncio.Transport)
        try:
            if len(self._open) >= _MOST_CONNECTIONS or self._stopping.is_set():
                self._door.metrics.refused(SYSLOG, "connections")
                return
            self._open[task] = reader, transport
            await self._read(reader, writer)
        finally:
            self._open.pop(task, None)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        source = f"syslog from {writer.get_extra_info('peername')[0]}"
        frames = Frames()
        with suppress(ConnectionError, TimeoutError):
            while data := await reader.read(_READ_BYTES):
                await self._keep(frames.feed(data), source)
        await self._keep(frames.rest(), source)

    async def _keep(self, body: bytes, source: str) -> None:
        """Ends when the messages are on disk, or can never be."""
        if not body:
            return
        started = perf_counter()
        request = Request(SYSLOG, "logs", source, encoding="", headers={}, body=body)
        while True:
            try:
                await self._receive(request)
            except Unavailable as error:
                self._door.metrics.refused(SYSLOG, error.code)
                if self._stopping.is_set():
                    _log.error("%s bytes of %s are lost: %s", len(body), source, error)
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), _AGAIN_SECONDS)
            except InvestigationError as error:
                self._door.metrics.refused(SYSLOG, error.code)
                _log.warning("%s bytes of %s cannot be read: %s", len(body), source, error)
                return
            else:
                self._door.metrics.acknowledged(SYSLOG, perf_counter() - started)
                return

    async def _receive(self, request: Request) -> None:
        self._door.intake.reserve(len(request.body))
        with self._door.presence.request():
            await self._door.intake.receive(request)
