"""Parquet, by a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from workspace_ext.telemetry.ingest.adapter import NO, SURE, Adapter, Context, Head
from workspace_ext.telemetry.ingest.model import RECORD_LIMIT, Parsed, Reject
from workspace_ext.telemetry.ingest.source import unreadable
from workspace_ext.telemetry.ingest.tabular import Mapper, row_text

_CHUNK_ROWS = 65_536


def _recognise(head: Head) -> int:
    return SURE if head.content[:4] == b"PAR1" else NO


def _read(stream: IO[bytes], context: Context) -> Iterator[Parsed]:
    """The records of a Parquet file, in chunks."""
    mapping = context.mapping
    assert mapping is not None
    try:
        with pq.ParquetFile(stream) as file:
            columns = [c for c in mapping.columns() if c in file.schema_arrow.names]
            done = 0
            with Mapper(mapping, file.schema_arrow) as mapper:
                for batch in file.iter_batches(batch_size=_CHUNK_ROWS, columns=columns):
                    for first, rows, sound in _runs(batch, done + 1):
                        if sound:
                            yield _parsed(mapper, mapping.signal, rows, first)
                        else:
                            yield Parsed({}, (Reject(first, "not UTF-8", _repaired(rows)),))
                    done += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise unreadable(context.name, f"not Parquet: {error}") from error


def _runs(batch: pa.RecordBatch, first: int) -> Iterator[tuple[int, pa.RecordBatch, bool]]:
    """Rows side by side, the line of their first one, and whether they are sound.

    Parquet's readers do not look whether texts are UTF-8, and DuckDB ends when one is not. Each
    row that has one is a run of its own.
    """
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        half, rows = batch.num_rows // 2, pa.array(range(batch.num_rows))
        if half:  # copied, as a slice of lists still holds the texts of all of them
            yield from _runs(batch.take(rows[:half]), first)
            yield from _runs(batch.take(rows[half:]), first + half)
        else:
            yield first, batch, False
    else:
        yield first, batch, True


def _parsed(mapper: Mapper, signal: str, rows: pa.RecordBatch, first: int) -> Parsed:
    chunk = pa.Table.from_batches([rows])
    records, rejects = mapper.apply(
        chunk, line=lambda row: first + row, record=lambda row: row_text(chunk, row)
    )
    return Parsed({signal: records}, tuple(rejects))


def _repaired(row: pa.RecordBatch) -> str:
    """The texts of a row that is not sound, with replacement characters."""
    shown = [
        f"{name}={column.cast(pa.binary())[0].as_py().decode('utf-8', 'replace')}"
        for name, column in zip(row.schema.names, row.columns, strict=True)
        if pa.types.is_string(column.type) and column.null_count == 0
    ]
    return " ".join(shown)[:RECORD_LIMIT]


ADAPTER = Adapter("Parquet", _read, _recognise, needs_mapping=True)
