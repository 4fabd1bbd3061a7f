"""A result's digest: over canonical columns, so that equal results have equal digests.

Taken from Arrow, before pandas, and independent of how the rows were cut into batches.
`logical_type` gives each column its type; whatever writes the digest into a document relies
on these names, so they are never changed. A nested column is several columns: its own lengths,
and those below it, under dotted names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.foundation.canonical import Buffer, ColumnHasher, combine

_KEY = "key"
_VALUE = "value"
_ITEM = "item"


def logical_type(kind: pa.DataType) -> str:
    """The type under which a column is digested: one name for all types of equal values."""
    for test, name in _LOGICAL:
        if test(kind):
            return name
    if pa.types.is_dictionary(kind):
        return logical_type(kind.value_type)
    if pa.types.is_timestamp(kind):
        unit = "ns" if kind.unit == "ns" else "us"
        return f"timestamp[{unit}{',utc' if kind.tz else ''}]"
    return "text"


_LOGICAL = (
    (pa.types.is_boolean, "bool"),
    (pa.types.is_uint64, "decimal"),
    (pa.types.is_integer, "i64"),
    (pa.types.is_floating, "f64"),
    (pa.types.is_decimal, "decimal"),
    (pa.types.is_string, "text"),
    (pa.types.is_large_string, "text"),
    (pa.types.is_string_view, "text"),
    (pa.types.is_binary, "bytes"),
    (pa.types.is_large_binary, "bytes"),
    (pa.types.is_fixed_size_binary, "bytes"),
    (pa.types.is_date, "date"),
    (pa.types.is_time, "time[us]"),
    (pa.types.is_duration, "duration[us]"),
    (pa.types.is_struct, "struct"),
    (pa.types.is_map, "map"),
    (pa.types.is_list, "list"),
    (pa.types.is_large_list, "list"),
    (pa.types.is_fixed_size_list, "list"),
)


_OFFSETS = {pa.string(): "i4", pa.binary(): "i4", pa.large_string(): "i8", pa.large_binary(): "i8"}
"""How wide the offsets into the content are."""


class Hasher(Protocol):
    """What takes a column's canonical bytes: see `ColumnHasher.update`."""

    def update(self, mask: Buffer, values: Buffer, content: Buffer = b"") -> None:
        """Takes some rows, in order."""


class ResultDigest:
    """Digests a result batch by batch; `rows` counts along."""

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = 0
        self._columns = [_Column(field.name, field.type) for field in schema]

    def update(self, batch: pa.RecordBatch) -> None:
        """Adds the rows of a batch."""
        self.rows += batch.num_rows
        for column, values in zip(self._columns, batch.columns, strict=True):
            column.update(values)

    def digest(self) -> str:
        """The digest of all rows so far."""
        parts = [part for column in self._columns for part in column.digests()]
        return combine(self.rows, parts)

    def columns(self) -> list[tuple[str, str, str]]:
        """Name, logical type and digest of each column so far."""
        return [
            (column.name, column.logical, combine(self.rows, list(column.digests())))
            for column in self._columns
        ]


def unordered_digest(table: pa.Table) -> str:
    """The digest of a small table's rows in canonical order, whatever order they came in."""
    digest = ResultDigest(table.schema)
    for rows in table.combine_chunks().to_batches():
        keys = [_sort_key(column) for column in rows.columns]
        names = [str(index) for index in range(len(keys))]
        order = pc.sort_indices(
            pa.RecordBatch.from_arrays(keys, names), [(name, "ascending") for name in names]
        )
        digest.update(rows.take(order))
    return digest.digest()


def _sort_key(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_floating(kind):
        return _ranks(_numbers(column))
    if pa.types.is_dictionary(kind):
        return column.dictionary_decode()
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_nested(kind) or not _castable(kind) or isinstance(kind, pa.BaseExtensionType):
        return _ranks(np.array([repr(value) for value in column.to_pylist()]))
    return column


def _ranks(values: np.ndarray[Any, Any]) -> pa.Array:
    """The place of each value in their order; equal values have equal places, NaN the last."""
    _, places = np.unique(values, return_inverse=True)
    whole = places.astype(np.int64)
    return pa.Array.from_buffers(pa.int64(), len(whole), [None, pa.py_buffer(whole)])


class _Column:
    """One column, with the columns below it when it is nested."""

    def __init__(self, name: str, kind: pa.DataType) -> None:
        self.name, self.logical = name, logical_type(kind)
        self._hasher = ColumnHasher(name, self.logical)
        self._below = [_Column(f"{name}.{part}", below) for part, below in _below(kind)]

    def digests(self) -> Iterator[bytes]:
        yield self._hasher.digest()
        for column in self._below:
            yield from column.digests()

    def update(self, values: pa.Array) -> None:
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        feed(self.logical, self._hasher, values)
        for column, part in zip(self._below, _parts(values), strict=True):
            column.update(part)


def feed(logical: str, hasher: Hasher, values: pa.Array) -> None:
    """Gives the canonical bytes of some plain values to what takes them, in one piece."""
    _FEED.get(logical, _feed_timestamp)(hasher, values)


def _below(kind: pa.DataType) -> list[tuple[str, pa.DataType]]:
    if pa.types.is_map(kind):
        return [(_KEY, kind.key_type), (_VALUE, kind.item_type)]
    if pa.types.is_struct(kind):
        return [(field.name, field.type) for field in kind]
    if logical_type(kind) == "list":
        return [(_ITEM, kind.value_type)]
    return []


def _parts(values: pa.Array) -> list[pa.Array]:
    """The values below, without those that a null hides."""
    kind = values.type
    if pa.types.is_map(kind):
        entries = values.drop_null() if values.null_count else values
        start, end = _bounds(entries)
        return [entries.keys[start:end], entries.items[start:end]]
    if pa.types.is_struct(kind):
        return list(values.flatten())
    return [values.flatten()] if logical_type(kind) == "list" else []


def _bounds(entries: pa.MapArray) -> tuple[int, int]:
    offsets = entries.offsets
    return offsets[0].as_py() or 0, offsets[len(offsets) - 1].as_py() or 0


def _view(values: pa.Array, kind: str) -> np.ndarray[Any, Any]:
    """A fixed-width array's own memory; `to_numpy` would import pandas for it."""
    buffer = values.buffers()[1]
    if buffer is None:
        return np.zeros(len(values), kind)
    return np.frombuffer(buffer, kind)[values.offset : values.offset + len(values)]


def _present(values: pa.Array) -> np.ndarray[Any, Any]:
    """A byte for each value, 1 where there is one.

    Read off the bits: Arrow's own way takes as long as all the rest of a small column.
    """
    validity = values.buffers()[0]
    if validity is None:
        return np.full(len(values), values.null_count == 0, "u1")
    begin, end = values.offset, values.offset + len(values)
    held = np.frombuffer(validity, "u1")[begin // 8 : (end + 7) // 8]
    return np.unpackbits(held, bitorder="little")[begin % 8 : begin % 8 + len(values)]


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Values of another type; `cast` itself takes its time even when there is nothing to do."""
    return values if values.type == kind else values.cast(kind)


def _mask(values: pa.Array) -> bytes | memoryview:
    return b"\x01" * len(values) if values.null_count == 0 else _bytes(_present(values))


def _bytes(array: np.ndarray[Any, Any]) -> memoryview:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).data.cast("B")


def _integers(values: pa.Array) -> memoryview:
    whole = _view(_cast(values, pa.int64()), "i8")
    return _bytes(np.where(_present(values), whole, 0) if values.null_count else whole)


def _numbers(values: pa.Array) -> np.ndarray[Any, Any]:
    """Floats as 64 bits: no -0.0, and NaN for null."""
    numbers = _view(_cast(values, pa.float64()), "f8") + 0.0
    return np.where(_present(values), numbers, np.nan) if values.null_count else numbers


def _feed_integers(hasher: Hasher, values: pa.Array) -> None:
    hasher.update(_mask(values), _integers(values))


def _feed_bool(hasher: Hasher, values: pa.Array) -> None:
    _feed_integers(hasher, values.cast(pa.int8()))


def _feed_floats(hasher: Hasher, values: pa.Array) -> None:
    numbers = _numbers(values)
    present = ~np.isnan(numbers)
    if not present.all():
        numbers = np.where(present, numbers, 0.0)
    hasher.update(_bytes(present.astype("u1")), _bytes(numbers))


def _feed_bytes(hasher: Hasher, values: pa.Array) -> None:
    count = len(values)
    if count == 0:
        return None
    width = _OFFSETS.get(values.type)
    plain = values if width else values.cast(pa.large_binary())
    _, offsets_buffer, content = plain.buffers()
    every = np.frombuffer(offsets_buffer, width or "i8")
    offsets = every[plain.offset : plain.offset + count + 1]
    lengths = np.diff(offsets).astype("i8", copy=False)
    if plain.null_count and lengths[_present(plain) == 0].any():
        return _feed_parts(hasher, plain.to_pylist())  # a null with bytes of its own
    view = memoryview(content)[offsets[0] : offsets[-1]] if content else b""
    hasher.update(_mask(values), _bytes(lengths), view)
    return None


def _feed_parts(hasher: Hasher, parts: list[bytes | None]) -> None:
    present = np.array([part is not None for part in parts], "u1")
    lengths = np.array([len(part or b"") for part in parts], "i8")
    hasher.update(_bytes(present), _bytes(lengths), b"".join(part or b"" for part in parts))


def _feed_text(hasher: Hasher, values: pa.Array) -> None:
    if logical_type(values.type) == "text" and not _castable(values.type):
        texts = [None if value is None else str(value) for value in values.to_pylist()]
        _feed_parts(hasher, [None if text is None else text.encode() for text in texts])
    else:
        _feed_bytes(hasher, values if values.type in _OFFSETS else values.cast(pa.large_string()))


def _castable(kind: pa.DataType) -> bool:
    return not (pa.types.is_interval(kind) or pa.types.is_union(kind))


def _feed_decimal(hasher: Hasher, values: pa.Array) -> None:
    if pa.types.is_decimal(values.type) and values.type.scale:
        decimals = values.to_pylist()
        _feed_parts(hasher, [None if v is None else _plain(v).encode() for v in decimals])
    else:
        _feed_bytes(hasher, values.cast(pa.string()))


def _plain(value: Any) -> str:
    """A decimal without the zeros that only its scale put there."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _feed_date(hasher: Hasher, values: pa.Array) -> None:
    days = values.cast(pa.date32()).cast(pa.int32())
    hasher.update(_mask(values), _integers(days))


def _feed_time(hasher: Hasher, values: pa.Array) -> None:
    moments = values.cast(pa.time64("us"), safe=False).cast(pa.int64())
    hasher.update(_mask(values), _integers(moments))


def _feed_duration(hasher: Hasher, values: pa.Array) -> None:
    spans = values.cast(pa.duration("us"), safe=False).cast(pa.int64())
    hasher.update(_mask(values), _integers(spans))


def _feed_timestamp(hasher: Hasher, values: pa.Array) -> None:
    kind = values.type
    unit = "ns" if kind.unit == "ns" else "us"
    moments = _cast(values, pa.timestamp(unit, kind.tz)).view(pa.int64())
    hasher.update(_mask(values), _integers(moments))


def _feed_lengths(hasher: Hasher, values: pa.Array) -> None:
    if pa.types.is_map(values.type):
        lengths = np.diff(_view(values.offsets, "i4")).astype("i8")
        if values.null_count:
            lengths = np.where(_present(values), lengths, 0)
        hasher.update(_mask(values), _bytes(lengths))
        return
    hasher.update(_mask(values), _integers(pc.list_value_length(values).cast(pa.int64())))


def _feed_presence(hasher: Hasher, values: pa.Array) -> None:
    hasher.update(_mask(values), b"")


_FEED = {
    "bool": _feed_bool,
    "i64": _feed_integers,
    "f64": _feed_floats,
    "decimal": _feed_decimal,
    "text": _feed_text,
    "bytes": _feed_bytes,
    "date": _feed_date,
    "time[us]": _feed_time,
    "duration[us]": _feed_duration,
    "list": _feed_lengths,
    "map": _feed_lengths,
    "struct": _feed_presence,
}
