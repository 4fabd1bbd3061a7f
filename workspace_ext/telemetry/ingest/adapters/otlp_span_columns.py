"""A request's spans as columns, without a Python object for each span.

For what senders usually send. Whatever is unusual (a bad id or time, a nested attribute, the same
key twice) is left to the row by row path, which knows what to reject and why; both give the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import ptars
import pyarrow as pa
import pyarrow.compute as pc
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workspace_ext.telemetry.ingest.columns import arrow_schema
from workspace_ext.telemetry.ingest.limits import EARLIEST_NS, LATEST_NS, PARTS
from workspace_ext.telemetry.ingest.rows import Row
from workspace_ext.telemetry.ingest.targets import SPAN_KINDS, SPAN_STATUSES

_SCALARS = ("bool_value", "int_value", "double_value")
_NESTED = ("array_value", "kvlist_value", "bytes_value", "string_value_strindex")
_US = 1000

Numbers = npt.NDArray[np.int64]


class _Unusual(Exception):
    """This is for the other path."""


def span_table(content: bytes, origins: Sequence[tuple[Row, int]]) -> pa.Table | None:
    """The spans of a request; None when something about them is unusual.

    Args:
        content: The request.
        origins: What the spans of each scope share, and how many they are, in order.
    """
    try:
        spans = _spans(content)
        if len(spans) != sum(count for _, count in origins):
            return None
        columns = {**_shared(origins), **_own(spans)}
    except (_Unusual, pa.ArrowException, ValueError):
        return None
    schema = arrow_schema("spans")
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


@cache
def _handler() -> Any:
    pool = ptars.HandlerPool([TracesData.DESCRIPTOR.file])
    return pool.get_for_message(TracesData.DESCRIPTOR)


def _spans(content: bytes) -> pa.StructArray:
    groups = _handler().list_to_record_batch([content]).column("resource_spans").flatten()
    return groups.field("scope_spans").flatten().field("spans").flatten()


def _shared(origins: Sequence[tuple[Row, int]]) -> dict[str, pa.Array]:
    schema = arrow_schema("spans")
    names = origins[0][0] if origins else ()
    place = pa.array(np.repeat(np.arange(len(origins)), [count for _, count in origins]))
    return {
        name: pa.array([row[name] for row, _ in origins], schema.field(name).type).take(place)
        for name in names
    }


def _own(spans: pa.StructArray) -> dict[str, pa.Array]:
    start = spans.field("start_time_unix_nano").to_numpy()
    end = spans.field("end_time_unix_nano").to_numpy()
    ended = end > 0
    if not ((start >= EARLIEST_NS) & (start < LATEST_NS)).all() or (end[ended] >= LATEST_NS).any():
        raise _Unusual
    if (end[ended] < start[ended]).any():
        raise _Unusual
    time_ns = start.astype(np.int64)
    status = spans.field("status")
    code = pc.fill_null(pc.struct_field(status, "code"), 0)
    return {
        "time": _time(time_ns),
        "time_ns": pa.array(time_ns),
        "duration_ns": pa.array(end.astype(np.int64) - time_ns, mask=~ended),
        "trace_id": _id(spans.field("trace_id"), 16),
        "span_id": _id(spans.field("span_id"), 8),
        "parent_span_id": _none_if_empty(_hexadecimal(spans.field("parent_span_id"))),
        "name": spans.field("name"),
        "kind": _named(spans.field("kind"), SPAN_KINDS),
        "status": _named(code, SPAN_STATUSES),
        "status_message": _none_if_empty(pc.struct_field(status, "message")),
        "trace_state": _none_if_empty(spans.field("trace_state")),
        "attributes": _attributes(spans.field("attributes")),
        "span_events": _events(spans.field("events")),
        "links": _links(spans.field("links")),
    }


def _time(time_ns: Numbers) -> pa.Array:
    return pa.array(time_ns // _US).cast(pa.timestamp("us", tz="UTC"))


def _id(ids: pa.Array, size: int) -> pa.Array:
    """In hexadecimal; each must be of its size, and not all zero."""
    offsets, data = _bytes(ids)
    if (np.diff(offsets) != size).any():
        raise _Unusual
    if not np.frombuffer(data, np.uint64).reshape(-1, size // 8).any(axis=1).all():
        raise _Unusual
    return _hexadecimal(ids)


def _hexadecimal(ids: pa.Array) -> pa.Array:
    offsets, data = _bytes(ids)
    text = pa.py_buffer(data.hex().encode())
    return pa.StringArray.from_buffers(len(ids), pa.py_buffer((offsets * 2).tobytes()), text)


def _bytes(ids: pa.Array) -> tuple[npt.NDArray[np.int32], bytes]:
    if ids.null_count:
        raise _Unusual
    _, places, content = ids.buffers()
    offsets = np.frombuffer(places, np.int32)[ids.offset : ids.offset + len(ids) + 1]
    data = b"" if content is None else content[int(offsets[0]) : int(offsets[-1])].to_pybytes()
    return offsets - offsets[0], data


def _none_if_empty(texts: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)


def _named(numbers: pa.Array, names: Sequence[str]) -> pa.Array:
    known = numbers.to_numpy(zero_copy_only=False)
    places = np.where((known >= 0) & (known < len(names)), known, 0)
    return pa.array(names, pa.string()).take(pa.array(places))


def _attributes(lists: pa.ListArray) -> pa.MapArray:
    """Sorted by key, values as text."""
    pairs = lists.flatten()
    keys, values = pairs.field("key"), _texts(pairs.field("value"))
    counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    coded = keys.dictionary_encode()
    names = coded.dictionary
    rank = np.empty(len(names), np.int64)
    rank[pc.sort_indices(names).to_numpy()] = np.arange(len(names))
    order_of = np.repeat(np.arange(len(lists)), counts) * (len(names) + 1)
    if len(keys):
        order_of = order_of + rank[coded.indices.to_numpy()]
    steps = np.diff(order_of)
    if (steps <= 0).any():
        order = np.argsort(order_of, kind="stable")
        if (np.diff(order_of[order]) == 0).any():
            raise _Unusual  # the same key twice
        keys, values = keys.take(pa.array(order)), values.take(pa.array(order))
    return pa.MapArray.from_arrays(pa.array(offsets), keys, values)


def _texts(values: pa.StructArray) -> pa.Array:
    texts = pc.struct_field(values, "string_value")
    if not texts.null_count:
        return texts
    if any(pc.struct_field(values, name).null_count < len(values) for name in _NESTED):
        raise _Unusual
    for name in _SCALARS:
        found = pc.struct_field(values, name)
        if found.null_count == len(found):
            continue
        if name == "double_value":
            shown = pa.array(
                [None if value is None else json.dumps(value) for value in found.to_pylist()],
                pa.string(),
            )
        else:
            shown = found.cast(pa.string())
        texts = pc.coalesce(texts, shown)
    return texts


def _events(lists: pa.ListArray) -> pa.ListArray:
    kind = arrow_schema("spans").field("span_events").type
    events = lists.flatten()
    times = events.field("time_unix_nano").to_numpy()
    if (times >= LATEST_NS).any():
        raise _Unusual
    columns = [
        _time(times.astype(np.int64)),
        events.field("name"),
        _attributes(events.field("attributes")),
    ]
    return _listed(lists, columns, kind)


def _links(lists: pa.ListArray) -> pa.ListArray:
    kind = arrow_schema("spans").field("links").type
    links = lists.flatten()
    columns = [_hexadecimal(links.field("trace_id")), _hexadecimal(links.field("span_id"))]
    return _listed(lists, columns, kind)


def _listed(lists: pa.ListArray, columns: list[pa.Array], kind: pa.ListType) -> pa.ListArray:
    counts = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    if len(counts) and counts.max() > PARTS:
        raise _Unusual
    offsets = np.concatenate(([0], np.cumsum(counts))).astype(np.int32)
    items = pa.StructArray.from_arrays(columns, fields=list(kind.value_type))
    return pa.ListArray.from_arrays(pa.array(offsets), items, type=kind)
