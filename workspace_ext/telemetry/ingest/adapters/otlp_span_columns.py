"""The spans of many requests as columns, without a Python object for each span.

For what senders usually send. A request with something unusual (a bad id or time, a text that is
not UTF-8, very many events) is left to the row by row path, which knows what to reject and why;
both give the same.
"""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import ptars
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf.message import DecodeError
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapters.otlp_attribute_columns import content, maps
from workspace_ext.telemetry.ingest.adapters.pieces import Spine, TooManyParts, pieces
from workspace_ext.telemetry.ingest.adapters.wire import declare
from workspace_ext.telemetry.ingest.columns import arrow_schema, shared_schema
from workspace_ext.telemetry.ingest.limits import EARLIEST_NS, LATEST_NS, PARTS, PIECE_BYTES, TEXT
from workspace_ext.telemetry.ingest.model import Together
from workspace_ext.telemetry.ingest.rows import pick
from workspace_ext.telemetry.ingest.targets import RESOURCE_NAMES, SPAN_KINDS, SPAN_STATUSES

_US = 1000
_TIME = pa.timestamp("us", tz="UTC")

Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

SPANS: Spine = {"resource_spans": {"scope_spans": {"spans": {}}}}

_MESSAGES = {
    "Traces": "1 groups Group*",
    "Group": "1 resource Resource, 2 scopes Scope*",
    "Resource": "1 attributes Attribute*",
    "Scope": "1 scope Name, 2 spans Span*",
    "Name": "1 name string",
    "Span": "1 trace_id bytes, 2 span_id bytes, 3 trace_state string, 4 parent_span_id bytes,"
    " 5 name string, 6 kind int32, 7 start sfixed64, 8 end sfixed64, 9 attributes Attribute*,"
    " 11 events Event*, 13 links Link*, 15 status Status",
    "Event": "1 time sfixed64, 2 name string, 3 attributes Attribute*",
    "Link": "1 trace_id bytes, 2 span_id bytes",
    "Status": "2 message string, 3 code int32",
    "Attribute": "1 key string, 2 value bytes",
}
"""What is kept of OTLP's messages, under its numbers; each field of ours costs time for each span.

A value stays the bytes that it came as.
"""


class _Unusual(Exception):
    """This is for the other path."""


def spans_together(bodies: Sequence[bytes]) -> Together:
    """The spans of several requests; a request with something unusual is left out."""
    try:
        if len(bodies) == 1:
            return _in_pieces(bodies[0])
        if all(len(body) <= PIECE_BYTES for body in bodies):
            return _together(bodies)
    except (_Unusual, BadInput, DecodeError, pa.ArrowException, ValueError):
        if len(bodies) == 1:
            return Together("spans", shared_schema("spans").empty_table(), (None,))
    each = [spans_together([body]) for body in bodies]
    return Together(
        "spans",
        pa.concat_tables([one.records for one in each]),
        tuple(count for one in each for count in one.counts),
    )


def _in_pieces(body: bytes) -> Together:
    parts = []
    for piece in pieces(body, TracesData.DESCRIPTOR, SPANS):
        if isinstance(piece, TooManyParts):
            raise _Unusual
        parts.append(_together([piece]).records)
    records = pa.concat_tables(parts)
    return Together("spans", records, (len(records),))


def _together(bodies: Sequence[bytes]) -> Together:
    groups = _parsed(bodies)
    scopes = groups.values.field("scopes")
    spans = scopes.values.field("spans")
    ends = _offsets(spans)[_offsets(scopes)[_offsets(groups)]]
    columns = {**_shared(groups.values, scopes, _lengths(spans)), **_own(spans.values)}
    schema = shared_schema("spans")
    table = pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
    return Together("spans", table, tuple(np.diff(ends).tolist()))


def _parsed(bodies: Sequence[bytes]) -> Any:
    try:
        return _handler().list_to_record_batch(list(bodies)).column("groups")
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # of Rust, at some torn bodies; no Exception
            raise _Unusual from None
        raise


@cache
def _handler() -> Any:
    traces = declare("investigation.spans", _MESSAGES)["Traces"].DESCRIPTOR
    return ptars.HandlerPool([traces.file]).get_for_message(traces)


def _shared(groups: pa.StructArray, scopes: pa.ListArray, counts: Numbers) -> dict[str, pa.Array]:
    """What the spans of one resource and scope have in common."""
    resources = maps(groups.field("resource").field("attributes"))
    hot = [pick(dict(pairs), RESOURCE_NAMES) for pairs in resources.to_pylist()]
    owners = np.repeat(np.arange(len(groups)), _lengths(scopes))
    names = pc.struct_field(scopes.values, ["scope", "name"]).to_pylist()
    of_scope = pa.array(np.repeat(np.arange(len(names)), counts))
    of_group = pa.array(np.repeat(owners, counts), pa.int32())
    return {
        "scope": _taken([name or None for name in names], of_scope),
        "resource": pa.DictionaryArray.from_arrays(of_group, resources),
        **{column: _taken([each[column] for each in hot], of_group) for column in RESOURCE_NAMES},
    }


def _taken(values: list[str | None], places: pa.Array) -> pa.Array:
    different = set(values)
    if len(different) == 1:
        return pa.repeat(pa.scalar(different.pop(), pa.string()), len(places))
    return pa.array(values, pa.string()).take(places)


def _own(spans: pa.StructArray) -> dict[str, pa.Array]:
    start, end = (spans.field(name).to_numpy() for name in ("start", "end"))
    ended = end != 0
    if ((start < EARLIEST_NS) | (start >= LATEST_NS)).any():
        raise _Unusual
    if ((end < start) & ended).any() or (end >= LATEST_NS).any():
        raise _Unusual
    status = spans.field("status")
    code = pc.fill_null(pc.struct_field(status, "code"), 0)
    return {
        "time": _times(start),
        "time_ns": pa.array(start),
        "duration_ns": pa.array(end - start, mask=~ended),
        "trace_id": _id(spans.field("trace_id"), 16),
        "span_id": _id(spans.field("span_id"), 8),
        "parent_span_id": _none_if_empty(_hexadecimal(spans.field("parent_span_id"))),
        "name": spans.field("name"),
        "kind": _named(spans.field("kind"), SPAN_KINDS),
        "status": _named(code, SPAN_STATUSES),
        "status_message": _none_if_empty(pc.fill_null(pc.struct_field(status, "message"), "")),
        "trace_state": _none_if_empty(spans.field("trace_state")),
        "attributes": maps(spans.field("attributes")),
        "span_events": _events(spans.field("events")),
        "links": _links(spans.field("links")),
    }


def _times(time_ns: Numbers, missing: Mask | None = None) -> pa.Array:
    return pa.array(time_ns // _US, mask=missing).view(_TIME)


def _id(ids: pa.Array, size: int) -> pa.Array:
    """In hexadecimal; each must be of its size, and not all zero."""
    offsets, data = content(ids)
    if (np.diff(offsets) != size).any():
        raise _Unusual
    words = data.view(np.uint64).reshape(-1, size // 8)
    if not words.any(axis=1).all():
        raise _Unusual
    return _hexadecimal(ids)


def _hexadecimal(ids: pa.Array) -> pa.Array:
    offsets, data = content(ids)
    return pa.StringArray.from_buffers(
        len(ids), pa.py_buffer(offsets * 2), pa.py_buffer(hexlify(data.data))
    )


def _none_if_empty(texts: pa.Array) -> pa.Array:
    empty = _lengths(texts) == 0
    if not empty.any():
        return texts
    if empty.all():
        return pa.nulls(len(texts), pa.string())
    _, offsets, data = texts.buffers()
    there = pa.py_buffer(np.packbits(~empty, bitorder="little"))
    return pa.StringArray.from_buffers(len(texts), offsets, data, there)


def _named(numbers: pa.Array, names: Sequence[str]) -> pa.Array:
    known = numbers.to_numpy()
    places = np.where((known >= 0) & (known < len(names)), known, 0)
    return pa.array(names, pa.string()).take(pa.array(places))


def _events(lists: pa.ListArray) -> pa.ListArray:
    kind = arrow_schema("spans").field("span_events").type
    events = lists.values
    if not len(events):
        return _listed(lists, None, kind)
    times, names = events.field("time").to_numpy(), events.field("name")
    attributes = maps(events.field("attributes"))
    if _lengths(names).max(initial=0) > TEXT:
        raise _Unusual
    untrue = (times // _US * _US < EARLIEST_NS) | (times // _US * _US >= LATEST_NS)
    return _listed(lists, [_times(times, untrue), names, attributes], kind)


def _links(lists: pa.ListArray) -> pa.ListArray:
    kind = arrow_schema("spans").field("links").type
    links = lists.values
    if not len(links):
        return _listed(lists, None, kind)
    columns = [_hexadecimal(links.field("trace_id")), _hexadecimal(links.field("span_id"))]
    if any(_lengths(column).max(initial=0) > TEXT for column in columns):
        raise _Unusual
    return _listed(lists, columns, kind)


def _listed(lists: pa.ListArray, columns: list[pa.Array] | None, kind: pa.ListType) -> pa.ListArray:
    if columns is None:
        items = pa.nulls(0, kind.value_type)
    elif _lengths(lists).max(initial=0) > PARTS:
        raise _Unusual
    else:
        items = pa.StructArray.from_arrays(columns, fields=list(kind.value_type))
    return pa.ListArray.from_arrays(lists.offsets, items, type=kind)


def _offsets(values: pa.Array) -> Numbers:
    return np.frombuffer(values.buffers()[1], np.int32, len(values) + 1, values.offset * 4)


def _lengths(values: pa.Array) -> Numbers:
    return np.diff(_offsets(values))
