"""The guard: what people write passes, what could harm does not."""

from __future__ import annotations

import duckdb
import pytest

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.query.guard import Guard, allowed_functions
from workspace_ext.telemetry.query.syntax import Parser
from workspace_ext.telemetry.schema import SIGNALS


@pytest.fixture(scope="module")
def guard() -> Guard:
    return Guard(SIGNALS, Parser())


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM spans",
        "FROM spans",
        "-- why\nSELECT 1;",
        "SELECT service, count(*) AS n FROM Spans GROUP BY ALL ORDER BY n DESC LIMIT 5",
        "WITH bad AS (SELECT * FROM spans WHERE status = 'error') SELECT count(*) FROM bad",
        "WITH a AS (SELECT 1 AS x), b AS (SELECT * FROM a) SELECT * FROM a JOIN b USING (x)",
        "WITH spans AS (SELECT * FROM spans WHERE name = 'x') SELECT * FROM spans",
        "WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < 9) FROM r",
        "SELECT * FROM spans s ASOF JOIN logs l ON s.service = l.service AND s.time >= l.time",
        "SELECT attributes['http.status'], len(span_events), links[1].trace_id FROM spans",
        "SELECT list_transform(span_events, lambda e: e.name) FROM spans",
        "SELECT [x * 2 FOR x IN [1, 2] IF x > 1], {'a': 1}.a, MAP {'k': 1}['k']",
        "SELECT quantile_cont(duration_ns, [0.5, 0.99]) FROM spans",
        "SELECT row_number() OVER (PARTITION BY service ORDER BY time) FROM spans",
        "SELECT * FROM spans QUALIFY rank() OVER (ORDER BY duration_ns DESC) = 1",
        "SELECT name FROM spans UNION ALL SELECT body FROM logs ORDER BY 1",
        "SELECT * EXCLUDE (attributes) REPLACE (duration_ns / 1e6 AS duration_ns) FROM spans",
        "SELECT COLUMNS('^ti') FROM spans",
        "SELECT unnest([1, 2]), i FROM range(3) r(i)",
        "SELECT * FROM (PIVOT spans ON status IN ('ok', 'error') USING count(*) GROUP BY service)",
        "SELECT time AT TIME ZONE 'Europe/Berlin', INTERVAL 3 DAYS, DATE '2024-01-01' FROM spans",
        "SELECT CASE WHEN body ILIKE '%x%' THEN regexp_extract(body, 'a(b)', 1) END FROM logs",
        "SELECT '{\"a\": 1}'::JSON -> 'a', '{}' ->> '$.b'",
        "SELECT EXISTS (SELECT 1 FROM logs WHERE logs.span_id = spans.span_id) FROM spans",
        "SELECT * FROM spans TABLESAMPLE 10%",
        "VALUES (1, 2)",
    ],
)
def test_passes(guard: Guard, sql: str) -> None:
    assert guard.check(sql, ()).sql == sql


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("", "no query"),
        ("SELECT 1; SELECT 2", "2 statements"),
        ("SELECT 1; DROP TABLE spans", "2 statements"),
        ("INSERT INTO spans VALUES (1)", "INSERT is not allowed"),
        ("CREATE TABLE x AS SELECT 1", "CREATE is not allowed"),
        ("COPY (SELECT 1) TO '/tmp/x'", "COPY is not allowed"),
        ("ATTACH ':memory:'", "ATTACH is not allowed"),
        ("SET threads = 1", "SET is not allowed"),
        ("SET VARIABLE pin = 9", "SET"),
        ("PREPARE x AS SELECT 1", "PREPARE is not allowed"),
        ("EXPLAIN ANALYZE SELECT 1", "EXPLAIN is not allowed"),
        ("CALL pragma_version()", "CALL is not allowed"),
        ("PRAGMA database_list", "not allowed|Only SELECT"),
        ("INSTALL httpfs", "not allowed"),
        ("DESCRIBE spans", "SHOW is not allowed"),
        ("SHOW ALL TABLES", "SHOW is not allowed"),
        ("SUMMARIZE spans", "SHOW is not allowed"),
        ("SELECT * FROM (DESCRIBE spans)", "SHOW is not allowed"),
        ("SELECT * FROM raw.spans", "no table raw.spans"),
        ("SELECT * FROM telemetry.raw.spans", "no table telemetry.raw.spans"),
        ("SELECT * FROM information_schema.tables", "no table information_schema.tables"),
        ("SELECT * FROM sqlite_master", "no table sqlite_master"),
        ("SELECT * FROM duckdb_settings", "no table duckdb_settings"),
        ("SELECT * FROM '/etc/passwd'", "no table /etc/passwd"),
        ('SELECT * FROM "segments/spans/1-1.parquet"', "no table segments"),
        ("SELECT * FROM spans AT (VERSION => 3)", "AT on spans"),
        (
            "SELECT 1 FROM (WITH sqlite_master AS (SELECT 1) FROM sqlite_master), sqlite_master",
            "no",
        ),
        ("WITH a AS (FROM 'x.csv'), \"x.csv\" AS (SELECT 1) FROM a", "no table x.csv"),
        ("SELECT * FROM read_csv('/etc/passwd')", "read_csv is not allowed in FROM"),
        ("SELECT * FROM read_parquet('x')", "read_parquet is not allowed"),
        ("SELECT * FROM glob('/*')", "glob is not allowed"),
        ("SELECT * FROM query('SELECT 1')", "query is not allowed"),
        ("SELECT * FROM query_table('raw.spans')", "query_table is not allowed"),
        ("SELECT * FROM histogram('spans', 'name')", "histogram is not allowed in FROM"),
        ("SELECT * FROM json_execute_serialized_sql('{}')", "not allowed"),
        ("SELECT * FROM duckdb_secrets()", "duckdb_secrets is not allowed"),
        ("SELECT current_setting('temp_directory')", "current_setting is not allowed"),
        ("SELECT getvariable('pin')", "getvariable is not allowed"),
        ("SELECT getenv('HOME')", "getenv is not allowed"),
        ("SELECT system.main.lower('x')", "plain name"),
        ("SELECT nextval('x')", "nextval is not allowed"),
        ("SELECT write_log('x')", "write_log is not allowed"),
        ("SELECT (SELECT max(x) FROM read_json('x') t(x))", "read_json"),
        ("SELECT 1 WHERE 1 IN (FROM raw.batches)", "raw.batches"),
        ("SELECT count(*) FILTER (WHERE getvariable('pin') > 0) FROM spans", "getvariable"),
        ("SELECT sum(1) OVER (ORDER BY getvariable('pin')) FROM spans", "getvariable"),
        ("SELECT * FROM spans LIMIT getvariable('pin')", "getvariable"),
        ("PIVOT spans ON service USING count(*)", "is not allowed|2 statements"),
        ("SELECT " + "abs(" * 2000 + "1" + ")" * 2000, "depth|nested"),
        ("SELECT '" + "x" * 100_001 + "'", "longer than"),
    ],
)
def test_refused(guard: Guard, sql: str, says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        guard.check(sql, ())
    assert caught.value.hint
    assert "\n" not in caught.value.message


def test_values(guard: Guard) -> None:
    sql = "SELECT * FROM spans WHERE service = $service AND duration_ns > $least"
    assert guard.check(sql, {"service", "least"}).parameters == {"service", "least"}
    with pytest.raises(BadInput, match=r"a value for \$least"):
        guard.check(sql, {"service"})
    with pytest.raises(BadInput, match=r"no \$other"):
        guard.check(sql, {"service", "least", "other"})
    with pytest.raises(BadInput, match="has no name"):
        guard.check("SELECT $1, ?", {"1"})


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM spans ORDER BY $x",
        "SELECT count(*) FROM spans GROUP BY $x",
        "SELECT COLUMNS($x) FROM spans",
        "SELECT sum(1) OVER (ORDER BY $x) FROM spans",
    ],
)
def test_a_value_names_no_column(guard: Guard, sql: str) -> None:
    """DuckDB would take it for a constant and order by nothing."""
    with pytest.raises(BadInput, match="cannot name a column"):
        guard.check(sql, {"x"})


def test_close_names_are_offered(guard: Guard) -> None:
    with pytest.raises(BadInput) as caught:
        guard.check("SELECT * FROM span", ())
    assert caught.value.hint == "did you mean spans?"


def test_allowed_functions_neither_read_nor_tell_of_the_outside() -> None:
    risky = ("read", "write", "file", "glob", "query", "setting", "variable", "env", "secret")
    risky += ("pragma", "duckdb", "attach", "current_user", "schema", "sleep", "serialize")
    names = allowed_functions()
    assert [name for name in names if any(word in name for word in risky)] == []
    kinds = duckdb.sql(
        "SELECT function_name, function_type FROM duckdb_functions()"
        " WHERE function_type IN ('table', 'pragma', 'table_macro')"
    ).fetchall()
    tables = {name for name, _ in kinds} & names
    assert tables == {"generate_series", "histogram", "range", "repeat"}  # scalars of that name
