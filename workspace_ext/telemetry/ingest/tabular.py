"""Applies a mapping to chunks of rows; what the CSV and the Parquet adapter share."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from workspace_ext.telemetry.ingest.columns import arrow_schema
from workspace_ext.telemetry.ingest.mapping import Mapping, bad_mapping
from workspace_ext.telemetry.ingest.mapping_sql import ROW, Statements, compile_mapping
from workspace_ext.telemetry.ingest.model import RECORD_LIMIT, Reject


class Mapper:
    """Turns chunks of a table into records and rejects.

    It works in a database that reaches no file and no network, so a mapping can do nothing but
    compute. What it makes there only its own connection sees, and goes with it.
    """

    def __init__(self, mapping: Mapping, schema: pa.Schema) -> None:
        self._mapping = mapping
        self._statements: Statements = compile_mapping(mapping, schema)
        self._connection = _database().cursor()

    def __enter__(self) -> Mapper:
        return self

    def __exit__(self, *_error: object) -> None:
        self._connection.close()

    def apply(
        self, chunk: pa.Table, line: Callable[[int], int], record: Callable[[int], str]
    ) -> tuple[pa.Table, list[Reject]]:
        """Converts a chunk.

        Args:
            chunk: Rows with the columns of the file.
            line: The line of the chunk's n-th row.
            record: The text of the chunk's n-th row.

        Returns:
            The records, and what was rejected.

        Raises:
            BadInput: The mapping is such that the database refuses it.
        """
        columns = {sql: chunk.column(name) for name, sql in self._statements.columns.items()}
        columns[ROW] = pa.array(range(chunk.num_rows), pa.int64())
        self._connection.register("chunk", pa.table(columns))
        try:
            self._connection.execute(self._statements.typed)
            bad = self._connection.execute(
                f"SELECT {ROW}, reason FROM typed WHERE reason IS NOT NULL ORDER BY {ROW}"  # noqa: S608
            ).fetchall()
            records = self._connection.sql(self._statements.records).to_arrow_table()
        except duckdb.Error as error:
            why = str(error).splitlines()[0][:200]
            raise bad_mapping(self._mapping.name, "", f"cannot be applied: {why}") from error
        finally:
            self._connection.unregister("chunk")
        rejects = [Reject(line(row), reason, record(row)[:RECORD_LIMIT]) for row, reason in bad]
        return records.cast(arrow_schema(self._mapping.signal)), rejects


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One for all files: to open one takes longer than to read a small file."""
    database = duckdb.connect(
        ":memory:",
        config={"threads": 1, "memory_limit": "2GB", "autoload_known_extensions": False},
    )
    database.execute("SET GLOBAL TimeZone = 'UTC'; SET enable_external_access = false")
    return database


def row_text(chunk: pa.Table, row: int) -> str:
    """A row as JSON, for a file whose records are not text."""
    values: dict[str, Any] = chunk.slice(row, 1).to_pylist()[0]
    return json.dumps(values, default=str, ensure_ascii=False)
