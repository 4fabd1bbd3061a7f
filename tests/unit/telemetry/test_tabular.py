"""Mappings are applied in one database for all files, and nothing passes from file to file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest import tabular
from workspace_ext.telemetry.ingest.mapping import parse_mapping
from workspace_ext.telemetry.ingest.tabular import Mapper

SECONDS = "signal: logs\nfields: {time: {column: t, unit: s}, body: a}"
EVENTS = "signal: events\nfields: {time: {column: t, unit: ms}, title: a, kind: {constant: flag}}"
UNFIT = "signal: logs\nfields: {time: {column: t, unit: s}, body: {column: a, extract: '(?<=x)y'}}"


def rows(*texts: str) -> pa.Table:
    """Rows of a file."""
    return pa.table({"t": ["1700000000"] * len(texts), "a": list(texts)})


def bodies(mapper: Mapper, chunk: pa.Table, column: str = "body") -> list[str]:
    """What comes of them."""
    records, rejects = mapper.apply(chunk, line=lambda row: row, record=str)
    assert not rejects
    found: list[str] = records[column].to_pylist()
    return found


def test_files_that_are_read_at_once_see_only_their_own() -> None:
    chunk = rows("x", "y")
    with Mapper(parse_mapping(SECONDS), chunk.schema) as one:
        with Mapper(parse_mapping(EVENTS), chunk.schema) as other:
            assert bodies(one, chunk) == ["x", "y"]
            assert bodies(other, rows("z"), "title") == ["z"]
        assert bodies(one, rows("w")) == ["w"]


def test_threads_read_at_once() -> None:
    def read(number: int) -> list[str]:
        chunk = rows(*(f"{number}-{row}" for row in range(50)))
        with Mapper(parse_mapping(SECONDS), chunk.schema) as mapper:
            return bodies(mapper, chunk)

    with ThreadPoolExecutor(4) as pool:
        for number, found in enumerate(pool.map(read, range(16))):
            assert found == [f"{number}-{row}" for row in range(50)]


def test_nothing_is_left_behind_also_after_an_error() -> None:
    chunk = rows("x")
    with Mapper(parse_mapping(SECONDS), chunk.schema) as mapper:
        bodies(mapper, chunk)
    with (
        pytest.raises(BadInput, match="cannot be applied"),
        Mapper(parse_mapping(UNFIT), chunk.schema) as mapper,
    ):
        bodies(mapper, chunk)
    with tabular._database().cursor() as cursor:
        left = cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        views = cursor.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert not left
    assert not views


def test_it_reaches_no_file() -> None:
    with (
        tabular._database().cursor() as cursor,
        pytest.raises(Exception, match="disabled by configuration"),
    ):
        cursor.execute("SELECT * FROM read_text('/etc/hostname')")
