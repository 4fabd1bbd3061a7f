"""Arrow records as something that DuckDB's SQL can read from."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import pyarrow as pa


@contextmanager
def offered(connection: duckdb.DuckDBPyConnection, records: pa.Table) -> Iterator[str]:
    """SQL for the rows of a table, in their order, for as long as the context.

    In each map that comes as Arrow, DuckDB looks for keys that come twice, which takes longer than
    to compress and keep it. `limits` has looked already, so maps go by way of a Parquet file in
    DuckDB's folder for temporary files, from which it takes them as they are.

    Args:
        connection: Of the one who reads; no other sees the rows.
        records: Within the limits.
    """
    maps = [field.name for field in records.schema if _has_map(field.type)]
    # One piece is read by one thread. Several would make a part of a row group each, which are put
    # together when the file is written for the second time.
    plain = records.drop_columns(maps).combine_chunks()
    with (
        tempfile.TemporaryDirectory(prefix="maps-", dir=_spill(connection)) as folder,
        registered(connection, "incoming", plain),
    ):
        if not maps:
            yield "incoming"
            return
        import pyarrow.parquet as pq

        path = Path(folder) / "maps.parquet"
        pq.write_table(
            records.select(maps),
            path,
            row_group_size=max(len(records), 1),  # one is read by one thread, in order
            compression="none",
            write_statistics=False,
            store_schema=False,
        )
        quoted = str(path).replace("'", "''")
        yield f"(FROM incoming POSITIONAL JOIN read_parquet('{quoted}'))"


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> Iterator[None]:
    """Lets SQL of one connection read from a table by its name, for as long as the context."""
    connection.register(name, rows)
    try:
        yield
    finally:
        # A transaction that failed takes no statement more, and why it failed is what counts.
        with suppress(duckdb.TransactionException):
            connection.unregister(name)


def _has_map(kind: pa.DataType) -> bool:
    inner = (kind.field(number).type for number in range(kind.num_fields))
    return pa.types.is_map(kind) or any(map(_has_map, inner))


def _spill(connection: duckdb.DuckDBPyConnection) -> str:
    rows = connection.execute("SELECT current_setting('temp_directory')").fetchall()
    return str(rows[0][0])
