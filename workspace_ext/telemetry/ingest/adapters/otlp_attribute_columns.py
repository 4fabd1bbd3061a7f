"""Attributes of many records as one column of maps, without a Python object for each.

Values come as the bytes of their AnyValue messages. Nearly all are a text (tag 0x0A, its length,
the text) or an integer (tag 0x18, a varint); these are read here for all at once. Each different
one of the others is read by protobuf itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from workspace_ext.telemetry.ingest.adapters.otlp_proto_values import value_of
from workspace_ext.telemetry.ingest.rows import as_text

Numbers = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

_TEXT, _INTEGER = 0x0A, 0x18
_MOST_VARINT_BYTES = 10
_END = 2**31 - 1  # without one, `binary_slice` computes a negative size
_KIND = pa.map_(pa.string(), pa.string())


def maps(lists: pa.ListArray) -> pa.MapArray:
    """The attributes of each record: each name once, the last one counts, sorted by name.

    Args:
        lists: Of structs of ``key``, a text, and ``value``, the bytes of an AnyValue.

    Raises:
        DecodeError: A value is no AnyValue.
        pa.ArrowInvalid: A text is not UTF-8.
    """
    offsets, keys = lists.offsets, lists.values.field("key")
    if not len(keys):
        return pa.MapArray.from_arrays(offsets, keys, keys, type=_KIND)
    values = texts(lists.values.field("value"))
    coded = keys.dictionary_encode()
    ranks = _ranks(coded.dictionary)[coded.indices.to_numpy()]
    counts = np.diff(offsets.to_numpy())
    places = np.repeat(np.arange(len(lists)), counts) * len(coded.dictionary) + ranks
    steps = np.diff(places)
    if (steps > 0).all():
        return pa.MapArray.from_arrays(offsets, keys, values, type=_KIND)
    order = np.argsort(places, kind="stable")
    last = np.append(np.diff(places[order]) > 0, True)
    if not last.all():
        order = order[last]
        owners = places[order] // len(coded.dictionary)
        counts = np.bincount(owners, minlength=len(lists))
        offsets = pa.array(np.concatenate(([0], np.cumsum(counts))), pa.int32())
    taken = pa.array(order)
    return pa.MapArray.from_arrays(offsets, keys.take(taken), values.take(taken), type=_KIND)


def _ranks(names: pa.StringArray) -> Numbers:
    ranks = np.empty(len(names), np.int64)
    ranks[pc.sort_indices(names).to_numpy()] = np.arange(len(names))
    return ranks


def texts(values: pa.BinaryArray) -> pa.StringArray:
    """AnyValue messages as texts; null for one without a value.

    Raises:
        DecodeError: A value is no AnyValue.
        pa.ArrowInvalid: A text is not UTF-8.
    """
    offsets, data = content(values)
    sizes, starts = np.diff(offsets), offsets[:-1]
    tags, seconds = _at(data, starts), _at(data, starts + 1)
    short = (tags == _TEXT) & (seconds == sizes - 2) & (seconds < 0x80)
    found = pc.binary_slice(values, 2, _END)
    if not short.all():
        found = _others(values, found, np.flatnonzero(~short))
    return found.cast(pa.string())


def _others(values: pa.BinaryArray, found: pa.BinaryArray, places: Numbers) -> pa.BinaryArray:
    """Puts what is no short text in its place."""
    mask = np.zeros(len(values), bool)
    mask[places] = True
    left = values.take(pa.array(places))
    offsets, data = content(left)
    sizes, starts = np.diff(offsets), offsets[:-1]
    tags = _at(data, starts)
    numbers, whole = _varints(data, starts + 1, sizes - 1)
    integer = (tags == _INTEGER) & whole
    if integer.all():
        made = pa.array(numbers).cast(pa.string())
    else:
        shown = pa.array(numbers, mask=~integer).cast(pa.string())
        rest = np.flatnonzero(~integer)
        made = pc.replace_with_mask(shown, ~integer, _read(left.take(pa.array(rest))))
    return pc.replace_with_mask(found, pa.array(mask), made.cast(pa.binary()))


def _varints(data: Bytes, starts: Numbers, sizes: Numbers) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """Varints that take exactly their bytes, and which of them do."""
    numbers = np.zeros(len(starts), np.uint64)
    whole = (sizes >= 1) & (sizes <= _MOST_VARINT_BYTES)
    for place in range(min(int(sizes.max()), _MOST_VARINT_BYTES)):
        byte = _at(data, starts + place)
        inside = sizes > place
        numbers |= np.where(inside, byte & 0x7F, 0).astype(np.uint64) << np.uint64(7 * place)
        whole &= ~inside | ((byte >= 0x80) == (sizes > place + 1))
    return numbers.view(np.int64), whole


def _read(values: pa.BinaryArray) -> pa.StringArray:
    coded = values.dictionary_encode()
    shown = [_shown(each) for each in coded.dictionary.to_pylist()]
    return pa.array(shown, pa.string()).take(coded.indices)


def _shown(content: bytes) -> str | None:
    return as_text(value_of(AnyValue.FromString(content)))


def content(values: pa.Array) -> tuple[Numbers, Bytes]:
    """Where each value begins, and at last where they end, in the bytes of all.

    Raises:
        DecodeError: One is missing.
    """
    if values.null_count:
        raise DecodeError("a value is missing")
    _, places, data = values.buffers()
    offsets = np.frombuffer(places, np.int32, len(values) + 1, values.offset * 4)
    whole = np.frombuffer(b"" if data is None else data, np.uint8)
    return offsets - offsets[0], whole[offsets[0] : offsets[-1]]


def _at(data: Bytes, places: Numbers) -> Bytes:
    """The bytes at some places; beyond the end, any."""
    return data[np.minimum(places, len(data) - 1)] if len(data) else np.zeros(len(places), np.uint8)
