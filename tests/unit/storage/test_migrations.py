from __future__ import annotations

import sqlite3
from typing import Any

import duckdb
import pytest

from workspace_ext.foundation.errors import Conflict
from workspace_ext.storage.migrations import Migration, Run, migrate

ONE = Migration(1, "first; it's", "CREATE TABLE a (x INTEGER);\nINSERT INTO a VALUES (1);\n")
TWO = Migration(2, "second", "ALTER TABLE a ADD COLUMN y VARCHAR DEFAULT 'a;b';")


@pytest.fixture(params=["sqlite", "duckdb"])
def run(request: pytest.FixtureRequest) -> Run:
    connection: Any
    connection = sqlite3.connect(":memory:") if request.param == "sqlite" else duckdb.connect()

    def execute(sql: str) -> list[Any]:
        return connection.execute(sql).fetchall()

    return execute


def test_steps_are_applied_once_and_in_order(run: Run) -> None:
    assert migrate(run, [ONE]) == [1]
    assert migrate(run, [ONE, TWO]) == [2]
    assert migrate(run, [ONE, TWO]) == []
    assert [tuple(row) for row in run("SELECT x, y FROM a")] == [(1, "a;b")]
    assert [row[0] for row in run("SELECT name FROM schema_migrations ORDER BY number")] == [
        "first; it's",
        "second",
    ]


def test_a_newer_database_is_refused(run: Run) -> None:
    migrate(run, [ONE, TWO])
    with pytest.raises(Conflict, match="step 2, this version knows 1") as caught:
        migrate(run, [ONE])
    assert "upgrade" in caught.value.hint


def test_numbers_must_be_without_a_gap(run: Run) -> None:
    with pytest.raises(ValueError, match="numbered 1, 2, 3"):
        migrate(run, [TWO])


def test_statements_end_at_the_end_of_a_line() -> None:
    assert ONE.statements() == ["CREATE TABLE a (x INTEGER)", "INSERT INTO a VALUES (1)"]
    assert len(TWO.statements()) == 1
