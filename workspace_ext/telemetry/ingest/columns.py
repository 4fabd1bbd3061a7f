"""The Arrow shape of each signal's records, and tables built from plain Python rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from workspace_ext.telemetry.schema import RESOURCE, SIGNALS

_TEXT_MAP = pa.map_(pa.string(), pa.string())
_TIME = pa.timestamp("us", tz="UTC")

_ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": _TIME,
    "MAP(VARCHAR, VARCHAR)": _TEXT_MAP,
    "MAP(DOUBLE, DOUBLE)": pa.map_(pa.float64(), pa.float64()),
    "VARCHAR[]": pa.list_(pa.string()),
    "BIGINT[]": pa.list_(pa.int64()),
    "DOUBLE[]": pa.list_(pa.float64()),
    "STRUCT(time TIMESTAMPTZ, name VARCHAR, attributes MAP(VARCHAR, VARCHAR))[]": pa.list_(
        pa.struct([("time", _TIME), ("name", pa.string()), ("attributes", _TEXT_MAP)])
    ),
    "STRUCT(trace_id VARCHAR, span_id VARCHAR)[]": pa.list_(
        pa.struct([("trace_id", pa.string()), ("span_id", pa.string())])
    ),
}


@cache
def arrow_schema(signal: str) -> pa.Schema:
    """The columns of a signal's records, in the order of its table, without ``batch_id``."""
    return pa.schema([(name, _ARROW[kind]) for name, kind in SIGNALS[signal].columns])


@cache
def shared_schema(signal: str) -> pa.Schema:
    """The same with a dictionary of the resources, for adapters that find each only once."""
    schema = arrow_schema(signal)
    place = schema.get_field_index(RESOURCE)
    return schema.set(place, pa.field(RESOURCE, pa.dictionary(pa.int32(), _TEXT_MAP)))


def table(signal: str, rows: Sequence[dict[str, Any]]) -> pa.Table:
    """A table of records; a key that a row lacks is null.

    Times are microseconds since the epoch; ``time`` itself is taken from ``time_ns``.
    """
    schema = arrow_schema(signal)
    arrays = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        if name == "time":
            values = [row["time_ns"] // 1000 for row in rows]
        else:
            values = [row.get(name) for row in rows]
        arrays.append(pa.array(values, kind))
    return pa.Table.from_arrays(arrays, schema=schema)


def packed(records: pa.Table) -> pa.Table:
    """The same records in one piece of memory, which holds nothing else.

    For what is kept for a while: made one by one, its arrays would lie between what was needed only
    to make them, and keep twice their own memory from being used again.
    """
    written = pa.BufferOutputStream()
    with pa.ipc.new_stream(written, records.schema) as stream:
        stream.write_table(records)
    return pa.ipc.open_stream(written.getvalue()).read_all()
