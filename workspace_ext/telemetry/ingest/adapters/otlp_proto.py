"""OTLP as protobuf: a single request as it goes over the wire, or a file of the Collector.

The Collector's file exporter writes each message after its length: four bytes, big-endian. A
message does not say which signal it holds, all three begin with field 1, so it is found out from
what is in it: only a span has ids of 16 and 8 bytes, only a metric has data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import IO, Any

from google.protobuf.message import DecodeError, Message

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapter import (
    BY_SHAPE,
    NO,
    Adapter,
    Context,
    Head,
    everything,
    is_text,
)
from workspace_ext.telemetry.ingest.adapters.otlp_proto_records import KINDS, Kind
from workspace_ext.telemetry.ingest.adapters.otlp_span_columns import spans_together
from workspace_ext.telemetry.ingest.adapters.pieces import TooManyParts, pieces
from workspace_ext.telemetry.ingest.adapters.utf8 import repaired
from workspace_ext.telemetry.ingest.adapters.wire_format import read_varint
from workspace_ext.telemetry.ingest.limits import WHOLE_BYTES
from workspace_ext.telemetry.ingest.model import Parsed, Together
from workspace_ext.telemetry.ingest.rows import BadRecord, Rows

_FIRST_FIELD = b"\n"
_IN_A_GROUP = b"\n\x12\x1a"
"""How what a resource sent may begin: the resource, its scopes, or the URL of its schema."""
REPAIRED = "texts that are not UTF-8 were repaired"
"""Told of a request with such a text; one bad text costs nothing else."""


def _recognise(head: Head) -> int:
    content = head.content
    single = _begins_request(content) and not is_text(content)
    return BY_SHAPE if single or _framed(content) else NO


def _framed(content: bytes) -> bool:
    """Whether it starts with a length and a message whose first field is number 1."""
    small = len(content) > 5 and content[0] < _FIRST_FIELD[0]
    return small and content[4:5] == _FIRST_FIELD and not is_text(content[:4])


def _begins_request(content: bytes) -> bool:
    """Whether it begins as a request does: one byte alone begins every 256th file of noise, too."""
    if content[:1] != _FIRST_FIELD:
        return False
    with suppress(DecodeError):
        size, group = read_varint(content, 1)
        if content[group + size :][:1] not in (b"", _FIRST_FIELD):
            return False
        if not size:
            return True
        inner_size, inside = read_varint(content, group + 1)
        fits = inside - group + inner_size <= size
        return fits and content[group : group + 1] in _IN_A_GROUP
    return False


def _read(stream: IO[bytes], context: Context) -> Iterator[Parsed]:
    """The records; of a request whose signal is known, the body must be one message."""
    rows = Rows()
    if context.signal:
        _body(rows, stream, context)
    else:
        for number, message in _messages(stream, rows, context):
            rows.size += len(message)
            _request(rows, number, message)
            if rows.full:
                yield rows.hand_on()
    yield rows.hand_on()


def _body(rows: Rows, stream: IO[bytes], context: Context) -> None:
    kind = KINDS[context.signal]
    content = everything(stream, context)
    try:
        _convert(rows, 1, content, kind)
    except DecodeError as error:
        raise BadInput(
            f"{context.name} holds no {context.signal} as OTLP protobuf: {error}",
            hint="send an export request of that signal",
            code="bad_request_body",
        ) from None


def _together(bodies: Sequence[bytes], signal: str) -> Together | None:
    return spans_together(bodies) if signal == "spans" else None


def _messages(stream: IO[bytes], rows: Rows, context: Context) -> Iterator[tuple[int, bytes]]:
    head = stream.read(5)
    if head[:1] == _FIRST_FIELD:
        yield 1, head + everything(stream, context)
        return
    number = 0
    while head:
        number += 1
        size = int.from_bytes(head[:4], "big")
        if len(head) < 4 or size > WHOLE_BYTES:
            rows.reject(number, "not a length followed by a message", head.hex())
            return
        if size == 0:
            head = head[4:] + stream.read(4)
            continue
        body = head[4:5] + stream.read(size - len(head[4:5]))
        if len(body) < size:
            rows.reject(number, f"cut off after {len(body)} of {size} bytes", body[:64].hex())
            return
        yield number, body
        head = stream.read(5)


def _request(rows: Rows, number: int, content: bytes) -> None:
    with rows.guard(number, content[:64].hex()):
        kind = next((kind for kind in KINDS.values() if _holds(content, kind)), None)
        if kind is None:
            raise BadRecord("not a request with spans, logs or metrics")
        try:
            _convert(rows, number, content, kind)
        except DecodeError as error:
            raise BadRecord(f"a part of it is damaged: {error}") from None


def _holds(content: bytes, kind: Kind) -> bool:
    try:
        return any(kind.holds(groups) for groups in _groups(Rows(), content, kind, 0))
    except DecodeError:
        return False


def _convert(rows: Rows, number: int, content: bytes, kind: Kind) -> None:
    for groups in _groups(rows, content, kind, number):
        kind.convert(rows, number, groups)


def _groups(rows: Rows, content: bytes, kind: Kind, number: int) -> Iterator[Any]:
    """What each resource sent; of a large request in pieces, for the memory's sake."""
    for piece in pieces(content, kind.message.DESCRIPTOR, kind.spine):
        if isinstance(piece, TooManyParts):
            rows.reject(number, str(piece), b"")
        elif fields := _parsed(rows, kind.message, piece).ListFields():
            yield fields[0][1]


def _parsed(rows: Rows, kind: type[Message], content: bytes) -> Message:
    message = kind()
    try:
        message.ParseFromString(content)
    except DecodeError:
        message = kind()
        message.ParseFromString(repaired(kind, content))
        rows.warn(REPAIRED)
    return message


ADAPTER = Adapter(
    "OTLP as protobuf, with lengths or one request", _read, _recognise, together=_together
)
