"""Repairs a protobuf message with a text in it that is not UTF-8.

Protobuf refuses the whole message then, and one bad attribute would cost all records of a request.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

_TEXT, _BYTES = FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES


def repaired(kind: Any, content: bytes) -> bytes:
    """The message with replacement characters in the place of what is not UTF-8.

    Raises:
        DecodeError: Its bytes are no such message, whatever its texts are.
    """
    loose = _loose(kind)()
    loose.ParseFromString(content)
    _repair(loose, kind.DESCRIPTOR)
    try:
        return bytes(loose.SerializeToString())
    except ValueError as error:
        raise DecodeError(str(error)) from None


@cache
def _loose(kind: Any) -> Any:
    """The same message with bytes in the place of texts."""
    pool = descriptor_pool.DescriptorPool()
    _add(pool, kind.DESCRIPTOR.file, set())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(kind.DESCRIPTOR.full_name))


def _add(pool: Any, file: Any, done: set[str]) -> None:
    if file.name in done:
        return
    done.add(file.name)
    for other in file.dependencies:
        _add(pool, other, done)
    written = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(written)
    waiting = list(written.message_type)
    while waiting:
        message = waiting.pop()
        waiting += message.nested_type
        for field in message.field:
            if field.type == _TEXT:
                field.type = _BYTES
    pool.Add(written)


def _repair(message: Any, strict: Any) -> None:
    for field, value in message.ListFields():
        meant = strict.fields_by_number[field.number]
        if meant.type == FieldDescriptor.TYPE_MESSAGE:
            for part in value if meant.is_repeated else (value,):
                _repair(part, meant.message_type)
        elif meant.type == _TEXT and meant.is_repeated:
            value[:] = [_valid(text) for text in value]
        elif meant.type == _TEXT:
            setattr(message, field.name, _valid(value))


def _valid(text: bytes) -> bytes:
    return text.decode("utf-8", "replace").encode()
