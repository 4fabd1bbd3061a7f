"""Parquet, by a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from workspace_ext.telemetry.ingest.adapter import NO, SURE, Adapter, Context, Head
from workspace_ext.telemetry.ingest.model import Parsed
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
                    chunk = pa.Table.from_batches([batch])
                    first = done + 1
                    records, rejects = mapper.apply(
                        chunk,
                        line=lambda row, first=first: first + row,  # type: ignore[misc]
                        record=lambda row, chunk=chunk: row_text(chunk, row),  # type: ignore[misc]
                    )
                    done += chunk.num_rows
                    yield Parsed({mapping.signal: records}, tuple(rejects))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise unreadable(context.name, f"not Parquet: {error}") from error


ADAPTER = Adapter("Parquet", _read, _recognise, needs_mapping=True)
