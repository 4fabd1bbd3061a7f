"""Canonical bytes and their digests: equal values have equal digests, on every machine.

Canonical JSON here is UTF-8, keys sorted, no white space, no NaN, and integers instead of
floats wherever a chain is computed over it: shortest float text differs between writers,
integers do not (RFC 8785 and ``sort_keys`` agree as long as no float occurs).

A result's digest is taken column by column (`ColumnHasher`); see there for the bytes.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from workspace_ext.foundation.errors import BadInput

Buffer = bytes | bytearray | memoryview
PREFIX = "sha256:"

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical_json(value: Any, *, floats: bool = True) -> bytes:
    """The canonical JSON bytes of a value.

    Args:
        value: Anything JSON can say.
        floats: Whether a float is allowed; ledger headers allow none.

    Raises:
        BadInput: The value holds something JSON cannot say, or a float where none may be.
    """
    if not floats:
        _refuse_floats(value, "$")
    try:
        return _ENCODER.encode(value).encode()
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"not representable as JSON: {error}",
            hint="use text, whole numbers, true/false, lists and maps",
            code="bad_json",
        ) from error


def _refuse_floats(value: Any, where: str) -> None:
    if isinstance(value, float):
        raise BadInput(
            f"{where} is a float ({value})",
            hint="headers of the ledger hold integers and text only",
            code="float_in_header",
        )
    if isinstance(value, dict):
        for key, item in value.items():
            if item is not None and not isinstance(item, (str, int)):
                _refuse_floats(item, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _refuse_floats(item, f"{where}[{index}]")


def digest_bytes(content: bytes) -> str:
    """``sha256:`` and the hexadecimal SHA-256 of the content."""
    return PREFIX + hashlib.sha256(content).hexdigest()


def digest_json(value: Any) -> str:
    """The digest of a value's canonical JSON."""
    return digest_bytes(canonical_json(value))


def digest_text(text: str) -> str:
    """The digest of a text's UTF-8 bytes; of a cell's source, for instance."""
    return digest_bytes(text.encode())


class ColumnHasher:
    """The digest of one column of a result, fed in pieces of any size.

    The bytes: name, NUL, logical type, NUL; then three streams, hashed apart and joined at
    the end, so that how a result was cut into batches does not matter: the null mask (one
    byte a row, 1 = present), the values (fixed width, little endian, nulls as zero; for text
    and bytes their lengths in bytes as 64-bit integers), and the content of text and bytes.
    """

    def __init__(self, name: str, logical_type: str) -> None:
        self._head = hashlib.sha256(f"{name}\0{logical_type}\0".encode())
        self._streams = (hashlib.sha256(), hashlib.sha256(), hashlib.sha256())

    def update(self, mask: Buffer, values: Buffer, content: Buffer = b"") -> None:
        """Feeds some rows, in order."""
        for stream, part in zip(self._streams, (mask, values, content), strict=True):
            stream.update(part)

    def digest(self) -> bytes:
        """32 bytes for the whole column so far."""
        whole = self._head.copy()
        for stream in self._streams:
            whole.update(stream.digest())
        return whole.digest()


def combine(rows: int, columns: list[bytes]) -> str:
    """A result's digest: number of rows (8 bytes, little endian), then each column's digest."""
    whole = hashlib.sha256(rows.to_bytes(8, "little"))
    for column in columns:
        whole.update(column)
    return PREFIX + whole.hexdigest()
