"""Steps run in processes of their own, which are kept and which limits end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from workspace_ext.foundation.errors import BadInput, InvestigationError, LimitExceeded
from workspace_ext.inquiry.steps.job import StepJob
from workspace_ext.inquiry.steps.runner import SteppedQuery, StepRunner
from workspace_ext.telemetry.query.model import Limits
from workspace_ext.telemetry.query.watch import Cancelled

RETURNS = pa.schema([("service", pa.string()), ("n", pa.int64())])
TOLD = pa.schema([("name", pa.string()), ("kind", pa.string()), ("pid", pa.int64())])
ROWS = pa.table({"service": ["a", "b"], "n": [1, 2]})


class Rows:
    """A query under way, over a table."""

    lane = "short"
    scan = ()

    def __init__(self, table: pa.Table) -> None:
        self.schema = table.schema
        self.compare: Any = {"mode": "ordered", "reason": ""}
        self._table = table
        self.closed = False

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return iter(self._table.to_batches(max_chunksize=50_000))

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def runner() -> Iterator[StepRunner]:
    made = StepRunner()
    yield made
    made.close()


def run(
    runner: StepRunner,
    step: str,
    *,
    returns: pa.Schema = RETURNS,
    rows: Rows | None = None,
    limits: Limits | None = None,
    cancelled: threading.Event | None = None,
    **params: Any,
) -> SteppedQuery:
    limits = limits or Limits(seconds=60)
    job = StepJob(f"tests.{step}", "area.name", params, returns, limits.rows)
    return runner.run(rows or Rows(ROWS), job, limits, cancelled or threading.Event())


def table(query: SteppedQuery) -> pa.Table:
    return pa.Table.from_batches(list(query), query.schema)


def test_rows_go_through_the_step(runner: StepRunner) -> None:
    rows = Rows(ROWS)

    answer = run(runner, "doubled", rows=rows, more=10)

    assert table(answer).to_pydict() == {"service": ["a", "b"], "n": [12, 14]}
    assert answer.schema == RETURNS
    assert answer.compare["mode"] == "ordered"
    assert rows.closed


def test_no_rows_go_through_too(runner: StepRunner) -> None:
    assert table(run(runner, "doubled", rows=Rows(ROWS.slice(0, 0)), more=1)).num_rows == 0


def test_values_keep_their_types_and_the_process_is_kept(runner: StepRunner) -> None:
    params = {"start": datetime(2024, 5, 1, tzinfo=UTC), "service": None, "n": 3, "least": 0.5}

    first = table(run(runner, "told", returns=TOLD, **params))
    again = table(run(runner, "told", returns=TOLD, **params))

    assert first.column("kind").to_pylist() == ["datetime", "NoneType", "int", "float"]
    assert first.column("pid") == again.column("pid")
    assert first.column("pid")[0].as_py() != os.getpid()


def test_floats_that_a_step_makes_are_compared_with_tolerance(runner: StepRunner) -> None:
    returns = pa.schema([("service", pa.string()), ("n", pa.float64())])

    assert run(runner, "doubled", returns=returns, more=0).compare["mode"] == "tolerance"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (
            "fails",
            r"area\.name: its step tests\.fails failed in made_steps\.py:\d+: ValueError",
        ),
        ("wrong", r"area\.name: its step tests\.wrong gave the columns other, not service, n"),
        ("text", r"area\.name: its step tests\.text gave n as string, which is no int64"),
        ("nothing", r"the step tests\.nothing \(made_steps:nothing\) cannot be loaded"),
        ("doubled", r"area\.name: its step tests\.doubled failed .*: KeyError: 'more'"),
    ],
)
def test_a_step_that_fails_is_named_with_its_template(
    runner: StepRunner, step: str, message: str
) -> None:
    rows = Rows(ROWS)

    with pytest.raises(BadInput, match=message):
        run(runner, step, rows=rows)

    assert rows.closed
    assert table(run(runner, "doubled", more=0)).num_rows == 2


@pytest.mark.parametrize(
    ("step", "limits", "code"),
    [
        ("forever", Limits(seconds=0.5), "time_limit"),
        ("greedy", Limits(seconds=60), "memory_limit"),
        ("dies", Limits(seconds=60), "memory_limit"),
        ("doubled", Limits(seconds=60, rows=1), "row_limit"),
    ],
)
def test_a_step_meets_its_limits(runner: StepRunner, step: str, limits: Limits, code: str) -> None:
    with pytest.raises(LimitExceeded) as raised:
        run(runner, step, limits=limits, more=0)

    assert raised.value.code == code
    assert table(run(runner, "doubled", more=0)).num_rows == 2


def test_a_step_that_nobody_waits_for_is_ended(runner: StepRunner) -> None:
    cancelled = threading.Event()
    cancelled.set()

    with pytest.raises(Cancelled):
        run(runner, "forever", cancelled=cancelled)


def test_a_query_that_fails_half_way_says_so(runner: StepRunner) -> None:
    class Broken(Rows):
        def __iter__(self) -> Iterator[pa.RecordBatch]:
            yield from self._table.to_batches()
            raise LimitExceeded("too many rows", code="row_limit")

    with pytest.raises(InvestigationError, match="too many rows"):
        run(runner, "doubled", rows=Broken(ROWS), more=0)


def test_large_tables_travel_whole(runner: StepRunner) -> None:
    many = pa.table({"service": ["s"] * 200_000, "n": range(200_000)})

    assert table(run(runner, "doubled", rows=Rows(many), more=1)).column("n")[-1].as_py() == 399_999


def test_a_short_step_does_not_wait_for_long_ones(runner: StepRunner, tmp_path: Path) -> None:
    until = tmp_path / "enough"
    until.touch()
    for _ in range(2):  # what it takes is known from the second time on
        run(runner, "works", until=str(until))
    until.unlink()

    with ThreadPoolExecutor(3) as people:
        long = [people.submit(run, runner, "works", until=str(until)) for _ in range(3)]
        try:
            assert table(run(runner, "doubled", more=0)).num_rows == 2
            assert not any(each.done() for each in long)
        finally:
            until.touch()
    assert [table(each.result()) for each in long] == [ROWS] * 3
