"""Cuts a large protobuf message into pieces that each are a message of the same kind.

A field of two bytes may become an object of two hundred. What a message costs is therefore bounded
before it is parsed: many small records become several pieces, which are parsed one after another,
and one record of very many parts is not parsed at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from workspace_ext.telemetry.ingest.adapter import too_many_records
from workspace_ext.telemetry.ingest.adapters.wire_format import bytes_field, fields
from workspace_ext.telemetry.ingest.limits import MOST_PARTS, MOST_RECORDS, PIECE_BYTES

Spine = Mapping[str, "Spine"]
"""The fields that lead to a message's records, by name; a record has none itself."""


class TooManyParts(ValueError):
    """A record, or what several have in common, is made of more messages than may be parsed."""

    def __init__(self) -> None:
        super().__init__(f"it has more than {MOST_PARTS:,} attributes and other parts")


def pieces(content: bytes, kind: Descriptor, spine: Spine) -> Iterator[bytes | TooManyParts]:
    """A message as several, which together have its records in their order.

    What the records share, such as their resource, is in each piece. A message that is small comes
    back as it is, without being looked at.

    Args:
        content: The message.
        kind: What it is.
        spine: Where its records are.

    Yields:
        A piece, or why what would be one is not to be parsed.

    Raises:
        DecodeError: It is no message.
        BadInput: It has more records than a request may have.
    """
    if len(content) > PIECE_BYTES and _more_than(MOST_RECORDS, content, kind, spine):
        raise too_many_records()
    yield from _pieces(content, kind, spine)


def _pieces(content: bytes, kind: Descriptor, spine: Spine) -> Iterator[bytes | TooManyParts]:
    if len(content) <= PIECE_BYTES:
        yield content
    elif spine:
        yield from _cut(content, kind, spine)
    elif _more_than(MOST_PARTS, content, kind, None):
        yield TooManyParts()
    else:
        yield content


def _cut(content: bytes, kind: Descriptor, spine: Spine) -> Iterator[bytes | TooManyParts]:
    inner = {kind.fields_by_name[name].number: name for name in spine}
    head = b"".join(
        content[start:end] for number, start, _, end in fields(content) if number not in inner
    )
    for piece in _pieces(head, kind, {}):
        if isinstance(piece, TooManyParts):
            yield piece
            return
    # The head comes with each piece: where it is large, so are they.
    room = max(PIECE_BYTES, len(head))
    waiting, size = [head], 0
    for part in _parts(content, kind, spine, inner):
        if isinstance(part, TooManyParts):
            yield part
            continue
        if size and size + len(part) > room:
            yield b"".join(waiting)
            waiting, size = [head], 0
        waiting.append(part)
        size += len(part)
    yield b"".join(waiting)


def _parts(
    content: bytes, kind: Descriptor, spine: Spine, inner: Mapping[int, str]
) -> Iterator[bytes | TooManyParts]:
    """The fields that lead to records; for a large one several."""
    for number, start, begin, end in fields(content):
        name = inner.get(number)
        if name is None:
            continue
        if end - begin <= PIECE_BYTES:
            yield content[start:end]
            continue
        below = kind.fields_by_name[name].message_type
        for piece in _pieces(content[begin:end], below, spine[name]):
            yield piece if isinstance(piece, TooManyParts) else bytes_field(number, piece)


def _more_than(most: int, content: bytes, kind: Descriptor, spine: Spine | None) -> bool:
    """Whether a message has more messages within than that; without a spine, of any kind."""
    count = 0
    waiting = [(content, kind, spine)]
    while waiting:
        content, kind, spine = waiting.pop()
        inner = _messages(kind)
        for number, _, begin, end in fields(content):
            found = inner.get(number)
            if found is None or (spine is not None and found.name not in spine):
                continue
            count += 1
            if count > most:
                return True
            below = None if spine is None else spine[found.name]
            if below or below is None:
                waiting.append((content[begin:end], found.message_type, below))
    return False


@cache
def _messages(kind: Descriptor) -> Mapping[int, FieldDescriptor]:
    """The fields that are messages, by number."""
    return {
        field.number: field for field in kind.fields if field.type == FieldDescriptor.TYPE_MESSAGE
    }
