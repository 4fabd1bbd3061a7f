"""What a query scanned: never less than it read, and not much more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from workspace_ext.foundation.clock import Window
from workspace_ext.telemetry.query.model import Scan
from workspace_ext.telemetry.query.scan import PlanReader
from workspace_ext.telemetry.query.syntax import Parser
from workspace_ext.telemetry.schema import SIGNALS

A, B, C = (datetime(2024, 5, 1, 10, minute, tzinfo=UTC) for minute in (0, 5, 9))
VALUES = {"a": A, "b": B, "c": C}


def window(start: datetime, end: datetime) -> Window:
    return Window(int(start.timestamp()) * 10**9, int(end.timestamp()) * 10**9)


@pytest.fixture(scope="module")
def plans() -> PlanReader:
    return PlanReader(Parser())


def scans(plans: PlanReader, sql: str, values: dict[str, Any] | None = None) -> tuple[Scan, ...]:
    given = {name: value for name, value in VALUES.items() if f"${name}" in sql}
    return plans.scan(sql, given | (values or {}))


@pytest.mark.parametrize(
    "condition",
    [
        "time >= $a AND time < $b",
        "$a <= time AND $b > time",
        "time >= $a AND time < $b AND service = 'x' AND attributes['k'] = 'v'",
        "time >= '2024-05-01T10:00:00Z' AND time < '2024-05-01 12:05:00+02'",
        "(time >= $a AND time < $a + INTERVAL 1 MINUTE) OR (time >= $a AND time < $b)",
        "time >= $a AND time < $c AND NOT time >= $b",
        "time >= $a AND time < $b AND time <> $c",
    ],
)
def test_window(plans: PlanReader, condition: str) -> None:
    (scan,) = scans(plans, f"SELECT count(*) FROM spans WHERE {condition}")
    assert scan.window == window(A, B)


@pytest.mark.parametrize(
    "condition",
    [
        "true",
        "time >= $a",
        "time < $b",
        "time >= $a OR time < $b",
        "(time >= $a AND time < $b) OR service = 'x'",
        "NOT (time >= $a AND time < $b)",
        "observed_time >= $a AND observed_time < $b",
        "time + INTERVAL 1 HOUR >= $a AND time + INTERVAL 1 HOUR < $b",
        "coalesce(time, $a) >= $a AND coalesce(time, $a) < $b",
    ],
)
def test_what_is_not_certain_is_everything(plans: PlanReader, condition: str) -> None:
    (scan,) = scans(plans, f"SELECT count(*) FROM logs WHERE {condition}")
    assert scan.window is None


def test_closed_ends_are_inside(plans: PlanReader) -> None:
    (scan,) = scans(plans, "SELECT count(*) FROM spans WHERE time BETWEEN $a AND $b")
    assert scan.window is not None
    assert scan.window.start_ns == window(A, B).start_ns
    assert scan.window.end_ns == window(A, B).end_ns + 1000


def test_columns_are_those_in_use(plans: PlanReader) -> None:
    sql = (
        "SELECT span_events[1].name, upper(service) FROM spans"
        " WHERE attributes['k'] = 'v' AND ($s IS NULL OR pod = $s)"
    )
    (scan,) = scans(plans, sql, {"s": None})
    assert scan.columns == ("time", "service", "attributes", "span_events")
    (scan,) = scans(plans, sql, {"s": "p"})
    assert scan.columns == ("time", "service", "pod", "attributes", "span_events")
    (scan,) = scans(plans, "FROM logs")
    assert scan.columns == SIGNALS["logs"].names


def test_each_place_that_reads_counts(plans: PlanReader) -> None:
    found = scans(
        plans,
        "WITH w AS (SELECT 'w' AS part, * FROM spans WHERE time >= $b AND time < $c"
        " UNION ALL SELECT 'b', * FROM spans WHERE time >= $a AND time < $b)"
        " SELECT part, owner, count(*) FROM w JOIN services ON services.name = w.service"
        " WHERE EXISTS (FROM logs WHERE logs.span_id = w.span_id AND logs.time < w.time)"
        " GROUP BY ALL",
    )
    by_table = {(scan.table, scan.window) for scan in found}
    assert by_table == {
        ("spans", window(A, B)),
        ("spans", window(B, C)),
        ("services", None),
        ("logs", None),
    }


def test_ordering_and_limits_change_nothing(plans: PlanReader) -> None:
    sql = "SELECT * FROM spans WHERE time >= $a AND time < $b ORDER BY time DESC LIMIT 5"
    assert [scan.window for scan in scans(plans, sql)] == [window(A, B)]


def test_a_contradiction_reads_next_to_nothing(plans: PlanReader) -> None:
    found = scans(plans, "SELECT * FROM spans WHERE time >= $b AND time < $a")
    assert all(scan.window and scan.window.end_ns - scan.window.start_ns <= 1000 for scan in found)


def test_no_table_no_scan(plans: PlanReader) -> None:
    assert scans(plans, "SELECT 1") == ()


def test_survives_recording(plans: PlanReader) -> None:
    for scan in scans(plans, "SELECT * FROM spans WHERE time >= $a AND time < $b"):
        assert Scan.from_dict(scan.to_dict()) == scan


def test_what_does_not_fit_the_tables_is_an_error(plans: PlanReader) -> None:
    with pytest.raises(duckdb.Error):
        plans.scan("SELECT nothing FROM spans", {})
