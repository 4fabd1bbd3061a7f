"""Small protobuf messages, declared by hand, and the compressed blocks they come in.

Texts are declared as bytes: protobuf refuses a whole message for one text that is not UTF-8, and
one bad label must not cost the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cramjam
import pyarrow as pa
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapter import too_large
from workspace_ext.telemetry.ingest.adapters.pieces import Spine, TooManyParts, pieces
from workspace_ext.telemetry.ingest.limits import WHOLE_BYTES
from workspace_ext.telemetry.ingest.rows import Rows

_FIELD = descriptor_pb2.FieldDescriptorProto


def declare(package: str, messages: Mapping[str, str]) -> dict[str, Any]:
    """Makes message classes.

    Args:
        package: A name of its own.
        messages: For each message its fields, as in ``"1 name bytes, 2 samples Sample*"``; a star
            is for a field that may come several times.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}.proto", package=package, syntax="proto3"
    )
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for text in fields.split(","):
            number, field, kind = text.split()
            many, kind = kind.endswith("*"), kind.rstrip("*")
            made = message.field.add(name=field, number=int(number))
            made.label = _FIELD.LABEL_REPEATED if many else _FIELD.LABEL_OPTIONAL
            if kind in messages:
                made.type, made.type_name = _FIELD.TYPE_MESSAGE, f".{package}.{kind}"
            else:
                made.type = _FIELD.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
        for name in messages
    }


def parse(
    rows: Rows, kind: Any, spine: Spine, body: bytes, name: str, what: str, encoding: str = ""
) -> Iterator[Any]:
    """A message out of a compressed block; a large one in pieces.

    Args:
        rows: Told of what is not to be parsed.
        kind: The message's class.
        spine: Where its records are.
        body: The block.
        name: What it is called in errors.
        what: What it should be.
        encoding: "zstd" as VictoriaMetrics' agents send it; snappy, as the protocols have it, else.

    Yields:
        Messages with some of the records each, and with all that they share.

    Raises:
        BadInput: It is no such block, no such message, or too large.
    """
    try:
        content = _content(body, encoding)
        if len(content) > WHOLE_BYTES:
            raise too_large(f"{name}, decompressed,", WHOLE_BYTES)
        for piece in pieces(content, kind.DESCRIPTOR, spine):
            if isinstance(piece, TooManyParts):
                rows.reject(None, str(piece), b"")
            else:
                yield kind.FromString(piece)
    except (cramjam.DecompressionError, OSError) as error:
        how = encoding or "snappy"
        raise _unreadable(name, what, f"it is not compressed with {how}: {error}") from None
    except DecodeError as error:
        raise _unreadable(name, what, str(error)) from None


def _content(body: bytes, encoding: str) -> bytes:
    """The block's content, or at least one byte more than there may be."""
    if encoding == "zstd":
        with pa.CompressedInputStream(pa.py_buffer(body), "zstd") as stream:
            content: bytes = stream.read(WHOLE_BYTES + 1)
            return content
    if cramjam.snappy.decompress_raw_len(body) > WHOLE_BYTES:
        return bytes(WHOLE_BYTES + 1)
    return bytes(cramjam.snappy.decompress_raw(body))


def _unreadable(name: str, what: str, why: str) -> BadInput:
    return BadInput(
        f"{name} is no {what}: {why}"[:300].replace("\n", " "),
        hint="send protobuf in a snappy block, as the protocol has it",
        code="bad_request_body",
    )


def text(value: bytes) -> str:
    """A text; what is not UTF-8 in it becomes replacement characters."""
    return value.decode("utf-8", "replace")
