"""Protobuf's fields as they stand on the wire, for where no whole message is to be parsed or made.

The format is described at https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator

from google.protobuf.message import DecodeError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED_SIZES = {_FIXED64: 8, _FIXED32: 4}
_MOST_VARINT_BYTES = 10


def fields(content: bytes) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message as they stand on the wire.

    Yields:
        A field's number, where it begins, where its content begins, and where it ends.

    Raises:
        DecodeError: It is cut off, or is no message.
    """
    at, size = 0, len(content)
    while at < size:
        start = at
        tag, begin = read_varint(content, at)
        kind = tag & 7
        if kind == _BYTES:
            length, begin = read_varint(content, begin)
            at = begin + length
        elif kind == _VARINT:
            _, at = read_varint(content, begin)
        elif kind in _FIXED_SIZES:
            at = begin + _FIXED_SIZES[kind]
        else:
            raise DecodeError(f"a field of the unknown wire type {kind}")
        if at > size:
            raise DecodeError("it is cut off")
        yield tag >> 3, start, begin, at


def read_varint(content: bytes, at: int) -> tuple[int, int]:
    """The number that stands there, and where it ends.

    Raises:
        DecodeError: There is none.
    """
    value = shift = 0
    for end, byte in enumerate(content[at : at + _MOST_VARINT_BYTES], at + 1):
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, end
        shift += 7
    raise DecodeError("a number is cut off")


def number_field(number: int, value: int) -> bytes:
    """A field of a number, 0 or above, as it stands on the wire."""
    return _varint(number << 3 | _VARINT) + _varint(value)


def bytes_field(number: int, content: bytes) -> bytes:
    """A field of bytes, a text or a message, as it stands on the wire."""
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)
