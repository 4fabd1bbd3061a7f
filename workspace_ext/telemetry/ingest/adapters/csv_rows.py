"""CSV, by a mapping. A torn record costs itself only.

Lines are numbered as an editor does. A record that does not parse, or has another number of
values than the header, goes to quarantine by its first line; reading goes on with the line after
it, so that a torn quotation mark does not swallow the records that follow.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

import pyarrow as pa

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapter import BY_NAME, NO, Adapter, Context, Head
from workspace_ext.telemetry.ingest.adapter import lines as numbered
from workspace_ext.telemetry.ingest.mapping import Mapping
from workspace_ext.telemetry.ingest.model import RECORD_LIMIT, Parsed, Reject
from workspace_ext.telemetry.ingest.tabular import Mapper

_CHUNK_ROWS = 50_000
_CHUNK_BYTES = 64 << 20
_FIELD_LIMIT = 16 << 20


class _Lines:
    """The lines of a file, numbered, with those of the current record kept to go back to."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._source = numbered(stream)
        self._again: deque[str] = deque()
        self.number = 0
        self.record: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._again:
            line = self._again.popleft()
        else:
            _, raw = next(self._source)
            line = raw.decode("utf-8-sig" if self.number == 0 else "utf-8", "surrogateescape")
        self.number += 1
        self.record.append(line)
        return line

    def back(self) -> tuple[int, str]:
        """Goes back to the second line of the current record; tells the first."""
        first, *rest = self.record
        self._again.extendleft(reversed(rest))
        self.number -= len(rest)
        self.record = []
        return self.number, first


@dataclass
class _Chunk:
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    size: int = 0

    def reject(self, line: int, reason: str, text: str) -> None:
        shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        self.rejects.append(Reject(line, reason, shown.rstrip("\r\n")[:RECORD_LIMIT]))


def _recognise(head: Head) -> int:
    return BY_NAME if {".csv", ".tsv"} & head.suffixes and head.is_text and head.content else NO


def _read(stream: IO[bytes], context: Context) -> Iterator[Parsed]:
    """The records of a table with a header, in chunks."""
    mapping = context.mapping
    assert mapping is not None
    lines = _Lines(stream)
    header = _header(lines, context.name, mapping.delimiter)
    schema = pa.schema([(column, pa.string()) for column in header])
    with Mapper(mapping, schema) as mapper:
        for chunk in _chunks(lines, mapping.delimiter, len(header)):
            yield _convert(chunk, mapper, schema, mapping)


def _header(lines: _Lines, name: str, delimiter: str) -> list[str]:
    try:
        header = next(csv.reader(lines, delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise BadInput(
            f"{name} has no header that can be read: {error}",
            hint="the first line must name the columns",
            code="unreadable_file",
        ) from error
    if not any(header):
        raise BadInput(
            f"{name} is empty",
            hint="the first line must name the columns",
            code="unreadable_file",
        )
    try:
        "".join(header).encode()
    except UnicodeEncodeError:
        raise BadInput(
            f"{name}: the header is not UTF-8", hint="save it as UTF-8", code="unreadable_file"
        ) from None
    lines.record = []
    return header


def _chunks(lines: _Lines, delimiter: str, width: int) -> Iterator[_Chunk]:
    csv.field_size_limit(_FIELD_LIMIT)
    chunk = _Chunk()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.record = []
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            number, text = lines.back()
            chunk.reject(number, f"not valid CSV: {error}", text)
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            continue
        if not row:
            continue
        if len(row) != width:
            number, text = lines.back()
            chunk.reject(number, f"{len(row)} values, the header has {width}", text)
            continue
        chunk.lines.append(lines.number - len(lines.record) + 1)
        chunk.texts.append("".join(lines.record))
        chunk.rows.append(row)
        chunk.size += len(chunk.texts[-1])
        if len(chunk.rows) >= _CHUNK_ROWS or chunk.size >= _CHUNK_BYTES:
            yield chunk
            chunk = _Chunk()
    yield chunk


def _convert(chunk: _Chunk, mapper: Mapper, schema: pa.Schema, mapping: Mapping) -> Parsed:
    try:
        columns = _columns(chunk, schema)
    except UnicodeEncodeError:
        _drop_not_utf8(chunk)
        columns = _columns(chunk, schema)
    records, rejects = mapper.apply(
        columns,
        line=lambda row: chunk.lines[row],
        record=lambda row: chunk.texts[row].rstrip("\r\n"),
    )
    return Parsed({mapping.signal: records}, (*chunk.rejects, *rejects))


def _columns(chunk: _Chunk, schema: pa.Schema) -> pa.Table:
    columns = list(zip(*chunk.rows, strict=True)) or [()] * len(schema)
    return pa.table([pa.array(column, pa.string()) for column in columns], schema=schema)


def _drop_not_utf8(chunk: _Chunk) -> None:
    good = []
    for index, text in enumerate(chunk.texts):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            chunk.reject(chunk.lines[index], "not UTF-8", text)
        else:
            good.append(index)
    chunk.rows = [chunk.rows[index] for index in good]
    chunk.lines = [chunk.lines[index] for index in good]
    chunk.texts = [chunk.texts[index] for index in good]


ADAPTER = Adapter("CSV with a header", _read, _recognise, needs_mapping=True)
