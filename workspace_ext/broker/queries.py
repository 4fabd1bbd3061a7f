"""Answers to queries: small ones on the kept connection, large ones straight from the thread.

A small answer (most are) goes out like any other. A large one takes the connection's socket
away from the event loop, and the thread that runs the query writes to it, blocking: no chunk
is copied or queued, and a slow reader slows the query instead of filling memory.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
from tornado.ioloop import IOLoop

from workspace_ext.broker import tracing
from workspace_ext.broker.handlers import BaseHandler
from workspace_ext.foundation.errors import BadInput, from_dict
from workspace_ext.inquiry.queries.asked import Asked
from workspace_ext.protocol.messages import ANSWER_KEY, ARROW_STREAM, Answer, QueryRequest

_log = logging.getLogger(__name__)

_SMALL_BYTES = 1 << 20
_BUFFER_BYTES = 256 << 10
_STALLED_SECONDS = 300.0
_HEAD = (
    f"HTTP/1.1 200 OK\r\nContent-Type: {ARROW_STREAM}\r\nCache-Control: no-store\r\n"
    "Connection: close\r\n\r\n"
).encode()


class Delivery:
    """One answer on its way, worked on by one thread at a time."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._batches: Iterator[pa.RecordBatch] = iter(asked)
        self._held: list[pa.RecordBatch] = []
        self._sent = False

    def small(self) -> bytes | None:
        """The whole answer when it is small, else None; what was read is kept.

        Raises:
            InvestigationError: The query failed.
        """
        size = 0
        for batch in self._batches:
            self._held.append(batch)
            size += batch.nbytes
            if size > _SMALL_BYTES:
                return None
        error = self._asked.answer["error"]
        if error is not None:
            raise from_dict(error)  # nothing is sent yet, so it can be an answer of its own
        sink = pa.BufferOutputStream()
        self._write(sink)
        content: bytes = sink.getvalue().to_pybytes()
        return content

    def send(self, connection: socket.socket) -> None:
        """Writes the whole answer; an error half-way stands in it. Ends the query in any case."""
        try:
            with connection.makefile("wb", buffering=_BUFFER_BYTES) as file:
                file.write(_HEAD)
                self._write(file)
                self._sent = True
        finally:
            self.close()

    @property
    def answer(self) -> Answer | None:
        """What went with the rows; None before their end."""
        return self._asked.answer if self._sent else None

    def close(self) -> None:
        """Ends the query, wherever it is."""
        self._asked.close()

    def _write(self, sink: IO[bytes] | pa.NativeFile) -> None:
        schema = self._asked.schema
        with pa.ipc.new_stream(sink, schema) as writer:
            while self._held:
                writer.write_batch(self._held.pop(0))
            for batch in self._batches:
                writer.write_batch(batch)
            nothing = [pa.nulls(0, kind) for kind in schema.types]  # `pa.array` imports pandas
            last = pa.RecordBatch.from_arrays(nothing, schema=schema)
            answer = json.dumps(self._asked.answer)
            writer.write_batch(last, custom_metadata={ANSWER_KEY: answer})


class QueryHandler(BaseHandler):
    """POST /v1/queries: an Arrow IPC stream."""

    _cancelled: threading.Event | None = None
    _work: tracing.Span | None = None

    async def post(self) -> None:
        """Asks and answers. A caller that goes away cancels its query."""
        self.allow("query.ask")
        request = self.json()
        if not isinstance(request, dict):
            raise BadInput("the body must be a query", hint='as in {"template": "triage.overview"}')
        unknown = sorted(request.keys() - QueryRequest.__annotations__.keys())
        if unknown:
            known = ", ".join(QueryRequest.__annotations__)
            raise BadInput(f"a query has no {unknown[0]!r}", hint=f"there is: {known}")
        runtime = self.runtime
        headers = {name.lower(): value for name, value in self.request.headers.items()}
        with (
            tracing.span("query", headers) as self._work,
            runtime.metrics.query("template" if request.get("template") else "sql"),
            runtime.presence.request(),
            runtime.cancellable() as self._cancelled,
        ):
            with runtime.precedence.asking():
                begun = await runtime.query(self._begin, request, self._cancelled)
            if isinstance(begun, bytes):
                self.set_header("Content-Type", ARROW_STREAM)
                self.finish(begun)
            else:
                await self._send(begun, self._cancelled)

    def on_connection_close(self) -> None:
        """The caller is gone."""
        super().on_connection_close()
        if self._cancelled is not None:
            self._cancelled.set()

    def _begin(self, request: Any, cancelled: threading.Event) -> bytes | Delivery:
        assert self._work is not None
        self._work.tell(kind="template" if request.get("template") else "sql")
        self._work.tell(template=request.get("template"))  # and no value of it
        asked = self.runtime.services.queries.ask(request, self.principal, cancelled)
        self._work.tell(query=asked.query_id, lane=asked.lane)
        delivery = Delivery(asked)
        try:
            content = delivery.small()
            if content is None:
                return delivery
            self._work.tell(rows=asked.answer["rows"], pin=asked.answer["pin"])
            return content
        except BaseException:
            delivery.close()
            raise

    async def _send(self, delivery: Delivery, cancelled: threading.Event) -> None:
        if cancelled.is_set():
            await self.runtime.query(delivery.close)
            return
        stream = self.detach()
        connection = socket.socket(fileno=os.dup(stream.socket.fileno()))
        stream.close()  # its copy; the connection lives on in ours
        connection.settimeout(_STALLED_SECONDS)
        loop = IOLoop.current()

        def readable(descriptor: Any, _events: int) -> None:
            # nothing is to come but the end, which means that the caller is gone
            cancelled.set()
            loop.remove_handler(descriptor)

        loop.add_handler(connection, readable, IOLoop.READ)
        try:
            await self.runtime.query(delivery.send, connection)
            answer = delivery.answer
            if self._work is not None and answer is not None:
                self._work.tell(rows=answer["rows"], pin=answer["pin"])
        except OSError as error:
            _log.debug("a caller went away: %s", error)
        finally:
            loop.remove_handler(connection)
            connection.close()
