"""Parquet, by a mapping."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from operator import add
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from workspace_ext.telemetry.ingest.mapping import Mapping
from workspace_ext.telemetry.ingest.model import Parsed
from workspace_ext.telemetry.ingest.source import unreadable
from workspace_ext.telemetry.ingest.tabular import Mapper, row_text

_CHUNK_ROWS = 65_536


def read(path: Path, name: str, mapping: Mapping) -> Iterator[Parsed]:
    """The records of a Parquet file, in chunks.

    Raises:
        BadInput: It is no Parquet file, or lacks a column that the mapping names.
    """
    size = path.stat().st_size
    try:
        with pq.ParquetFile(path) as file:
            columns = [c for c in mapping.columns() if c in file.schema_arrow.names]
            total = max(file.metadata.num_rows, 1)
            done = 0
            with Mapper(mapping, file.schema_arrow) as mapper:
                for batch in file.iter_batches(batch_size=_CHUNK_ROWS, columns=columns):
                    chunk = pa.Table.from_batches([batch])
                    records, rejects = mapper.apply(
                        chunk, line=partial(add, done + 1), record=partial(row_text, chunk)
                    )
                    done += chunk.num_rows
                    yield Parsed({mapping.signal: records}, tuple(rejects), size * done // total)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(name, f"not Parquet: {error}") from error
