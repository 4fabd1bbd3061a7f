"""A request as it came: what the journal keeps, and what everything else is made from.

The evidence is the body itself. A crash loses what was decoded, never what was sent; the next start
decodes it again, with the time at which it was received.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from workspace_ext.foundation.clock import now_ns
from workspace_ext.foundation.errors import BadInput, Damaged
from workspace_ext.telemetry.ingest.adapter import Context

MOST_BODY_BYTES = 32 << 20
"""Of one request, before and after decompression."""

_LENGTH_BYTES = 4
_ENCODINGS = ("gzip", "zstd", "deflate")
_SECRET = ("authorization", "proxy-authorization", "cookie")


@dataclass(frozen=True)
class Request:
    """A request, whole.

    Attributes:
        format: The adapter's name.
        signal: What the route says it holds; empty when the body tells.
        source: Where it came from, as a user should read it.
        encoding: What the body is compressed with, which is undone here; empty for none.
        headers: With names in lower case, for the adapter; secrets do not reach it.
        body: As it came.
        received_ns: When its last byte was there.
    """

    format: str
    signal: str
    source: str
    encoding: str
    headers: Mapping[str, str]
    body: bytes
    received_ns: int = field(default_factory=now_ns)

    @cached_property
    def context(self) -> Context:
        """What the adapter is told."""
        headers = {name: text for name, text in self.headers.items() if name not in _SECRET}
        return Context(now_ns=self.received_ns, headers=headers, signal=self.signal)


def pack(request: Request) -> bytes:
    """The form that the journal keeps: the length of a head, the head as JSON, the body."""
    head = json.dumps(
        {
            "format": request.format,
            "signal": request.signal,
            "source": request.source,
            "encoding": request.encoding,
            "headers": request.context.headers,
            "received_ns": request.received_ns,
        }
    ).encode()
    return b"".join((len(head).to_bytes(_LENGTH_BYTES, "little"), head, request.body))


def unpack(content: bytes) -> Request:
    """What `pack` made.

    Raises:
        Damaged: It is something else.
    """
    start = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    try:
        return Request(**json.loads(content[_LENGTH_BYTES:start]), body=content[start:])
    except (ValueError, TypeError) as error:
        raise Damaged(
            f"an entry of the journal has no head that is known here: {error}",
            hint="it may come from another version",
        ) from error


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
        inflating = zlib.decompressobj()
        inflated = inflating.decompress(body, most)
        if not inflating.eof and len(inflated) < most:
            raise zlib.error("incomplete stream")
        return inflated
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
