"""What receivers share: room for a request, decompression, decoding, and the wait for the disk."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.foundation.clock import now_ns
from workspace_ext.foundation.errors import BadInput, Unavailable
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context
from workspace_ext.telemetry.ingest.live.delivery import REJECTS_KEPT, Delivery
from workspace_ext.telemetry.ingest.live.service import LiveIngest
from workspace_ext.telemetry.ingest.model import Parsed

MOST_BODY_BYTES = 32 << 20
"""Of one request, before and after decompression."""

_MOST_IN_FLIGHT_BYTES = 128 << 20
_DECODERS = 2
_ENCODINGS = ("gzip", "zstd", "deflate")


@dataclass(frozen=True)
class Request:
    """A request, whole.

    Attributes:
        format: The adapter's name.
        signal: What the route says it holds; empty when the body tells.
        source: Where it came from, as a user should read it.
        encoding: What the body is compressed with, which is undone here; empty for none.
        headers: With names in lower case, for the adapter.
        body: As it came.
    """

    format: str
    signal: str
    source: str
    encoding: str
    headers: Mapping[str, str]
    body: bytes


class Intake:
    """Takes requests, as many at once as there is room for. Lives on the event loop's thread.

    Args:
        live: Where they go.
    """

    def __init__(self, live: LiveIngest) -> None:
        self._live = live
        self._decoders = ThreadPoolExecutor(_DECODERS, thread_name_prefix="decode")
        self.in_flight_bytes = 0

    def reserve(self, size: int) -> None:
        """Takes room for a body, or a part of one; `release` gives it back.

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

        Raises:
            BadInput: Nothing in it can be read, now or ever.
            Unavailable: It cannot be kept now.
        """
        loop = asyncio.get_running_loop()
        parsed, kept = await loop.run_in_executor(self._decoders, self._take, request)
        if kept is not None:
            await asyncio.wrap_future(kept)
        return parsed

    def close(self) -> None:
        """Lets the threads end."""
        self._decoders.shutdown(wait=False, cancel_futures=True)

    def _take(self, request: Request) -> tuple[Parsed, Future[None] | None]:
        body = undo(request.body, request.encoding)
        received = now_ns()
        context = Context(now_ns=received, headers=request.headers, signal=request.signal)
        parsed = registry.decode(request.format, body, context)
        delivery = Delivery(
            adapter=request.format,
            version=registry.find(request.format).version,
            source=request.source,
            received_ns=received,
            digest=digest_bytes(body),
            size=len(body),
            tables={name: table for name, table in parsed.tables.items() if table.num_rows},
            rejected=parsed.rejected,
            rejects=parsed.rejects[:REJECTS_KEPT],
        )
        if not delivery.tables and not delivery.rejected:
            return parsed, None
        return parsed, self._live.accept(delivery)


def undo(body: bytes, encoding: str) -> bytes:
    """The body without its compression.

    Raises:
        BadInput: It is broken, of an unknown kind, or too large.
    """
    if not encoding or encoding == "identity":
        return body
    if encoding not in _ENCODINGS:
        raise BadInput(
            f"the content encoding {encoding[:40]!r} is not known here",
            hint=f"use one of: {', '.join(_ENCODINGS)}",
            code="bad_encoding",
        )
    try:
        content = _inflated(body, encoding)
    except (pa.ArrowException, OSError, zlib.error) as error:
        raise BadInput(
            f"the body is not {encoding}: {str(error).splitlines()[0][:200]}",
            hint="it may be cut off, or not compressed at all",
            code="bad_compression",
        ) from error
    if len(content) > MOST_BODY_BYTES:
        raise too_large()
    return content


def _inflated(body: bytes, encoding: str) -> bytes:
    """The first bytes of it, one more than there may be."""
    most = MOST_BODY_BYTES + 1
    if encoding == "deflate":
        return zlib.decompressobj().decompress(body, most)
    with pa.CompressedInputStream(pa.py_buffer(body), encoding) as stream:
        content: bytes = stream.read(most)
    return content


def too_large() -> BadInput:
    """The error for a body beyond the limit."""
    return BadInput(
        f"the request is larger than {MOST_BODY_BYTES >> 20} MB",
        hint="send fewer records at once",
        code="too_large",
    )
