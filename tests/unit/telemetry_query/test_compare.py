"""Lint: what a text says about whether its result comes out the same again."""

from __future__ import annotations

import pyarrow as pa
import pytest

from workspace_ext.telemetry.query.compare import lint
from workspace_ext.telemetry.query.syntax import Parser

FLOAT = pa.schema([("x", pa.list_(pa.float64()))])
WHOLE = pa.schema([("x", pa.int64())])
PARSER = Parser()


def mode(sql: str, schema: pa.Schema = WHOLE, *, library: bool = False) -> str:
    compare = lint(PARSER.parse(sql), library=library).compare(schema)
    assert compare["reason"]
    return compare["mode"]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT count(*) FROM spans", "ordered"),
        ("SELECT sum(duration_ns) FROM spans", "ordered"),
        ("SELECT service, count(*) FROM spans GROUP BY 1 ORDER BY 1", "ordered"),
        (
            "SELECT s.service, count(*) AS n FROM spans s GROUP BY s.service ORDER BY n, service",
            "ordered",
        ),
        (
            "SELECT service, name, count(*) FROM spans GROUP BY ALL ORDER BY name, service",
            "ordered",
        ),
        ("SELECT name AS a, service AS b FROM spans ORDER BY b DESC, 1 LIMIT 3", "ordered"),
        ("SELECT * FROM spans ORDER BY ALL LIMIT 3", "ordered"),
        ("SELECT list(name ORDER BY name) FROM spans", "ordered"),
        ("SELECT * FROM spans", "unordered"),
        ("SELECT * FROM spans ORDER BY time", "unordered"),
        ("SELECT service, count(*) FROM spans GROUP BY 1", "unordered"),
        ("SELECT service, count(*) FROM spans GROUP BY 1 ORDER BY 2", "unordered"),
        ("SELECT 1 UNION ALL SELECT 2", "unordered"),
        ("SELECT * FROM spans LIMIT 10", "shape"),
        ("SELECT * FROM spans ORDER BY time LIMIT 10", "shape"),
        ("SELECT service, count(*) AS n FROM spans GROUP BY 1 ORDER BY n DESC LIMIT 3", "shape"),
        ("SELECT count(*) FROM (SELECT * FROM spans LIMIT 10)", "shape"),
        ("SELECT DISTINCT ON (service) service, name FROM spans ORDER BY service", "shape"),
        ("SELECT service, any_value(name) FROM spans GROUP BY 1 ORDER BY 1", "shape"),
        ("SELECT string_agg(name, ',') FROM spans", "shape"),
        ("SELECT approx_quantile(duration_ns, 0.5) FROM spans", "shape"),
        ("SELECT count(*) FROM spans TABLESAMPLE 10%", "shape"),
        ("SELECT random()", "shape"),
        ("SELECT row_number() OVER (), name FROM spans ORDER BY ALL", "shape"),
        ("SELECT count(*) FROM spans WHERE time > now() - INTERVAL 1 HOUR", "none"),
        ("SELECT current_date", "none"),
    ],
)
def test_mode(sql: str, expected: str) -> None:
    assert mode(sql) == expected


def test_float_aggregates_drift_only_where_floats_come_out() -> None:
    sql = "SELECT service, avg(duration_ns) FROM spans GROUP BY 1 ORDER BY 1"
    assert mode(sql, FLOAT) == "tolerance"
    assert mode(sql, WHOLE) == "ordered"
    assert mode("SELECT max(value) FROM metrics", FLOAT) == "ordered"


def test_a_template_vouches_for_its_outermost_order_only() -> None:
    ranked = "SELECT service, name FROM spans ORDER BY service LIMIT 3"
    assert mode(ranked) == "shape"
    assert mode(ranked, library=True) == "ordered"
    assert mode("SELECT * FROM spans LIMIT 3", library=True) == "shape"
    inner = "SELECT count(*) FROM (SELECT * FROM spans ORDER BY time LIMIT 3) ORDER BY 1"
    assert mode(inner, library=True) == "shape"
