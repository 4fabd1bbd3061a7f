"""A result's digest: over canonical columns, so that equal results have equal digests.

Taken from Arrow, before pandas, and independent of how the rows were cut into batches.
`logical_type` gives each column its type; whatever writes the digest into a document relies
on these names, so they are never changed. A nested column is several columns: its own lengths,
and those below it, under dotted names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.foundation.canonical import ColumnHasher, combine

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


def unordered_digest(table: pa.Table) -> str:
    """The digest of a small table's rows in canonical order, whatever order they came in."""
    flat = table.combine_chunks()
    keys = pa.table(
        [_sort_key(column) for column in flat.columns],
        names=[str(index) for index in range(flat.num_columns)],
    )
    digest = ResultDigest(flat.schema)
    if flat.num_rows:
        order = pc.sort_indices(keys, sort_keys=[(name, "ascending") for name in keys.column_names])
        for batch in flat.take(order).to_batches():
            digest.update(batch)
    return digest.digest()


def _sort_key(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return column.cast(kind.value_type)
    if pa.types.is_floating(kind):
        plain = pc.add(column, pa.scalar(0.0, kind))
        return pc.if_else(pc.is_nan(plain), pa.scalar(None, kind), plain)
    if pa.types.is_nested(kind) or not _castable(kind) or isinstance(kind, pa.BaseExtensionType):
        texts = [repr(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.string())])
    if pa.types.is_null(kind):
        return column.cast(pa.string())
    return column


class _Column:
    """One column, with the columns below it when it is nested."""

    def __init__(self, name: str, kind: pa.DataType) -> None:
        self._logical = logical_type(kind)
        self._hasher = ColumnHasher(name, self._logical)
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
        _FEED.get(self._logical, _feed_timestamp)(self._hasher, values)
        for column, part in zip(self._below, _parts(values), strict=True):
            column.update(part)


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


def _mask(values: pa.Array) -> bytes | memoryview:
    if values.null_count == 0:
        return b"\x01" * len(values)
    return _bytes(values.is_valid().to_numpy(zero_copy_only=False).astype(np.uint8))


def _bytes(array: np.ndarray[Any, Any]) -> memoryview:
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).data.cast("B")


def _integers(values: pa.Array) -> memoryview:
    whole = values if values.type == pa.int64() else values.cast(pa.int64())
    filled = whole.fill_null(0) if whole.null_count else whole
    return _bytes(filled.to_numpy(zero_copy_only=False))


def _feed_integers(hasher: ColumnHasher, values: pa.Array) -> None:
    hasher.update(_mask(values), _integers(values))


def _feed_bool(hasher: ColumnHasher, values: pa.Array) -> None:
    _feed_integers(hasher, values.cast(pa.int8()))


def _feed_floats(hasher: ColumnHasher, values: pa.Array) -> None:
    numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False) + 0.0
    present = ~np.isnan(numbers)
    if present.all():
        hasher.update(b"\x01" * len(values), _bytes(numbers))
        return
    hasher.update(_bytes(present.astype(np.uint8)), _bytes(np.where(present, numbers, 0.0)))


def _feed_bytes(hasher: ColumnHasher, values: pa.Array) -> None:
    plain = values.cast(pa.large_binary())
    if plain.null_count:
        plain = plain.fill_null(b"")
    _, offsets_buffer, content = plain.buffers()
    count = len(plain)
    if count == 0:
        return
    offsets = np.frombuffer(offsets_buffer, np.int64)[plain.offset : plain.offset + count + 1]
    view = memoryview(content)[offsets[0] : offsets[-1]] if content else b""
    hasher.update(_mask(values), _bytes(np.diff(offsets)), view)


def _feed_text(hasher: ColumnHasher, values: pa.Array) -> None:
    if logical_type(values.type) == "text" and not _castable(values.type):
        texts = [None if value is None else str(value) for value in values.to_pylist()]
        values = pa.array(texts, pa.string())
    _feed_bytes(hasher, values.cast(pa.large_string()))


def _castable(kind: pa.DataType) -> bool:
    return not (pa.types.is_interval(kind) or pa.types.is_union(kind))


def _feed_decimal(hasher: ColumnHasher, values: pa.Array) -> None:
    if pa.types.is_decimal(values.type) and values.type.scale:
        text = pa.array([None if v is None else _plain(v) for v in values.to_pylist()], pa.string())
    else:
        text = values.cast(pa.string())
    _feed_bytes(hasher, text)


def _plain(value: Any) -> str:
    """A decimal without the zeros that only its scale put there."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _feed_date(hasher: ColumnHasher, values: pa.Array) -> None:
    days = values.cast(pa.date32()).cast(pa.int32())
    hasher.update(_mask(values), _integers(days))


def _feed_time(hasher: ColumnHasher, values: pa.Array) -> None:
    moments = values.cast(pa.time64("us"), safe=False).cast(pa.int64())
    hasher.update(_mask(values), _integers(moments))


def _feed_duration(hasher: ColumnHasher, values: pa.Array) -> None:
    spans = values.cast(pa.duration("us"), safe=False).cast(pa.int64())
    hasher.update(_mask(values), _integers(spans))


def _feed_timestamp(hasher: ColumnHasher, values: pa.Array) -> None:
    kind = values.type
    unit = "ns" if kind.unit == "ns" else "us"
    moments = values.cast(pa.timestamp(unit, kind.tz)).cast(pa.int64())
    hasher.update(_mask(values), _integers(moments))


def _feed_lengths(hasher: ColumnHasher, values: pa.Array) -> None:
    if pa.types.is_map(values.type):
        lengths = np.diff(values.offsets.to_numpy(zero_copy_only=False)).astype(np.int64)
        if values.null_count:
            lengths[values.is_null().to_numpy(zero_copy_only=False)] = 0
        hasher.update(_mask(values), _bytes(lengths))
        return
    hasher.update(_mask(values), _integers(pc.list_value_length(values).cast(pa.int64())))


def _feed_presence(hasher: ColumnHasher, values: pa.Array) -> None:
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
