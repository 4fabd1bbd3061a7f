"""JSON lines, by a mapping. A column is a key of the line's object; what is nested is JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa

from workspace_ext.telemetry.ingest.adapter import (
    BY_NAME,
    BY_SHAPE,
    NO,
    Adapter,
    Context,
    Head,
    lines,
)
from workspace_ext.telemetry.ingest.limits import LINE_BYTES
from workspace_ext.telemetry.ingest.model import Parsed
from workspace_ext.telemetry.ingest.rows import Rows, as_text
from workspace_ext.telemetry.ingest.tabular import Mapper

_CHUNK_ROWS = 20_000


def _recognise(head: Head) -> int:
    if not head.first_line_is_object:
        return NO
    if head.mapped:
        return BY_SHAPE
    return BY_NAME if {".jsonl", ".ndjson", ".json"} & head.suffixes else NO


def _read(stream: IO[bytes], context: Context) -> Iterator[Parsed]:
    """The records, in chunks; a line that is no object is put aside."""
    mapping = context.mapping
    assert mapping is not None
    columns = list(mapping.columns())
    schema = pa.schema([(column, pa.string()) for column in columns])
    with Mapper(mapping, schema) as mapper:
        rows = Rows()
        taken: list[tuple[int, bytes, list[str | None]]] = []
        for number, line in lines(stream):
            rows.size += len(line)
            if text := line.strip():
                with rows.guard(number, text):
                    taken.append((number, text, _values(rows, text, columns)))
            if len(taken) >= _CHUNK_ROWS or rows.full:
                yield _convert(rows, taken, mapper, schema, mapping.signal)
                taken = []
        yield _convert(rows, taken, mapper, schema, mapping.signal)


def _values(rows: Rows, text: bytes, columns: list[str]) -> list[str | None]:
    if len(text) > LINE_BYTES:
        raise ValueError(f"longer than {LINE_BYTES >> 20} MiB")
    content: dict[str, Any] = json.loads(rows.text(text))
    if not isinstance(content, dict):
        raise TypeError("not an object")
    values = [as_text(content.get(column)) for column in columns]
    for value in values:
        (value or "").encode()
    return values


def _convert(
    rows: Rows,
    taken: list[tuple[int, bytes, list[str | None]]],
    mapper: Mapper,
    schema: pa.Schema,
    signal: str,
) -> Parsed:
    torn = rows.hand_on()
    columns = list(zip(*(values for _, _, values in taken), strict=True)) or [()] * len(schema)
    chunk = pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)
    records, rejects = mapper.apply(
        chunk,
        line=lambda row: taken[row][0],
        record=lambda row: taken[row][1].decode("utf-8", "replace"),
    )
    return Parsed({signal: records}, (*torn.rejects, *rejects), torn.warnings, torn.more_rejects)


ADAPTER = Adapter("JSON lines, an object a line", _read, _recognise, needs_mapping=True)
