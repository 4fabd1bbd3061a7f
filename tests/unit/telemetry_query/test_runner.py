"""Both ways to run a query give the same rows and keep the same limits."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest

from tests.support.spans import Run, add_batch, starter, table
from tests.support.store import Store, open_store
from tests.support.waiting import until
from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput, LimitExceeded, NotFound, Unavailable
from workspace_ext.telemetry.query.free import Worker
from workspace_ext.telemetry.query.model import Limits, Scan
from workspace_ext.telemetry.query.runner import QueryRunner
from workspace_ext.telemetry.query.slices import Slice, SliceSource
from workspace_ext.telemetry.query.watch import Cancelled, Watch

WINDOW = {"start": "2024-05-01T10:01:00Z", "end": "2024-05-01T10:02:00Z"}
PER_SERVICE = (
    "SELECT service, count(*) AS n, max(duration_ns) AS slowest FROM spans"
    " WHERE time >= $start AND time < $end GROUP BY service ORDER BY service"
)
ENDLESS = "SELECT count(*) FROM range(100000000000) r(i) WHERE hash(i) % 7 = 3"
MINUTE = Window(1714557660_000000000, 1714557720_000000000)


def test_rows_and_compare_mode(either: Run) -> None:
    running = either(PER_SERVICE, WINDOW)
    found = table(running)
    assert found.to_pylist() == [
        {"service": f"service-{i}", "n": 20, "slowest": 7_000_000} for i in range(3)
    ]
    assert running.compare["mode"] == "ordered"


def test_a_worker_tells_what_its_query_read(free: Run) -> None:
    running = free(PER_SERVICE, WINDOW)
    table(running)
    assert running.scan == (Scan("spans", ("time", "duration_ns", "service"), MINUTE),)


@pytest.mark.parametrize(("pin", "rows"), [(0, 0), (1, 600), (2, 1200)])
def test_sees_its_pin_only(either: Run, pin: int, rows: int) -> None:
    assert table(either("SELECT count(*) AS n FROM spans", pin=pin)).to_pylist() == [{"n": rows}]


def test_both_ways_have_the_same_types(library: Run, free: Run) -> None:
    for name in ("spans", "logs", "metrics", "events", "services"):
        sql = f"SELECT * FROM {name} ORDER BY ALL LIMIT 5"
        one, other = table(library(sql)), table(free(sql))
        assert one.schema.names == other.schema.names
        assert one.to_pylist() == other.to_pylist()


def test_large_results_come_in_pieces(either: Run) -> None:
    for _ in range(2):  # the second time it is known to be large
        batches = list(either("SELECT i, 'text ' || i AS t FROM range(300000) r(i)"))
        assert sum(batch.num_rows for batch in batches) == 300_000
        assert max(batch.num_rows for batch in batches) <= 65_536


@pytest.mark.parametrize("rows", [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000])
def test_all_rows_come_wherever_a_piece_ends(library: Run, rows: int) -> None:
    for _ in range(2):
        found = table(library(f"SELECT i FROM range({rows}) r(i) ORDER BY i"))
        assert found.column("i").to_pylist() == list(range(rows))


def test_how_long_it_took_decides_where_it_waits(runner: QueryRunner, library: Run) -> None:
    sql = "SELECT 'how long' AS t"
    lanes = []
    for seconds in (0.1, 0.75, 0.85, 30.0, 0.1):
        for _ in range(5):
            runner._trusted._pace.took(sql, seconds, large=False)
        running = library(sql)
        lanes.append(running.lane)
        table(running)
    assert lanes == ["short", "short", "long", "long", "short"]


def test_what_was_ended_is_not_taken_for_short(runner: QueryRunner, library: Run) -> None:
    sql = f"{ENDLESS} AND 'ended' <> ''"
    pace = runner._trusted._pace
    for _ in range(5):
        pace.took(sql, 30.0, large=False)
    with pytest.raises(LimitExceeded):
        library(sql, limits=Limits(seconds=0.1))
    gone = threading.Event()
    gone.set()
    with pytest.raises(Cancelled):
        library(sql, cancelled=gone)
    assert pace.seconds(sql) == 30.0


def test_longer_ones_go_one_at_a_time_and_short_ones_beside_them(
    runner: QueryRunner, library: Run
) -> None:
    texts = [f"SELECT {number} AS n" for number in (1, 2)]
    for number, sql in enumerate(texts, 1):
        runner._trusted._pace.took(sql, 100.0 / number, large=False)
    (long,) = (lane for lane in runner._trusted._shared.lanes.values() if lane.name == "long")
    with ThreadPoolExecutor(2) as threads, long.turn(Watch(60, threading.Event(), lambda: None)):
        asked = [threads.submit(lambda sql=sql: table(library(sql))) for sql in texts]
        until(lambda: len(long._waiting) == 2, "both wait")
        first, second = (ticket[1] for ticket in long._waiting)
        assert second - first > 400  # who needs 50 s less may wait so much longer
        assert table(library("SELECT 3 AS n")).to_pylist() == [{"n": 3}]
        assert not any(each.done() for each in asked)
    assert [each.result().to_pylist() for each in asked] == [[{"n": 1}], [{"n": 2}]]


def test_what_turns_out_long_keeps_nobody_waiting(runner: QueryRunner) -> None:
    cancelled = threading.Event()
    ended: list[type[BaseException]] = []

    def never() -> None:
        with pytest.raises(Cancelled) as caught:
            starter(runner, free=False)(ENDLESS, cancelled=cancelled)
        ended.append(caught.type)

    threads = [threading.Thread(target=never) for _ in range(5)]
    for thread in threads:
        thread.start()
    answer = table(starter(runner, free=False)("SELECT 1 AS one"))
    assert not ended
    cancelled.set()
    for thread in threads:
        thread.join()
    assert answer.to_pylist() == [{"one": 1}]
    assert ended == [Cancelled] * 5


def test_row_limit(either: Run) -> None:
    with pytest.raises(LimitExceeded, match="more than 100 rows") as caught:
        table(either("SELECT * FROM range(101)", limits=Limits(rows=100)))
    assert "LIMIT" in caught.value.hint
    assert table(either("SELECT * FROM range(100)", limits=Limits(rows=100))).num_rows == 100


def test_time_limit(either: Run) -> None:
    started = time.monotonic()
    with pytest.raises(LimitExceeded, match=r"longer than 0.3 s"):
        table(either(ENDLESS, limits=Limits(seconds=0.3)))
    assert time.monotonic() - started < Limits().seconds / 2


def test_cancelling_ends_it(either: Run) -> None:
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    with pytest.raises(Cancelled):
        table(either(ENDLESS, cancelled=cancelled))


def test_closing_half_way_gives_the_turn_back(either: Run) -> None:
    for _ in range(6):  # more than there are turns
        running = either("SELECT i FROM range(500000) r(i)")
        next(iter(running))
        running.close()
        running.close()
    assert table(either("SELECT 1 AS x")).to_pylist() == [{"x": 1}]


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("SELECT servce FROM spans", "servce", "service"),
        ("SELECT nothing_like_it(1)", "nothing_like_it", ""),
        ("SELECT time::INTEGER FROM spans", "cast", "TRY_CAST"),
        ("SELEKT 1", "SELEKT", "DuckDB"),
    ],
)
def test_wrong_sql(either: Run, sql: str, message: str, hint: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        table(either(sql))
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message


def test_memory_eater_ends_in_one_line(free: Run) -> None:
    with pytest.raises(LimitExceeded, match="memory"):
        table(free("SELECT len(list_sort(range(300000000)))"))


def test_a_free_query_never_runs_unguarded(free: Run) -> None:
    with pytest.raises(BadInput, match="read_text is not allowed"):
        free("SELECT * FROM read_text('/etc/passwd')")


def test_many_at_once(library: Run) -> None:
    results: list[int] = []

    def ask() -> None:
        results.append(table(library("SELECT count(*) AS n FROM spans"))["n"][0].as_py())

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1200] * 20


def test_nothing_is_left_of_free_queries(store: Store, free: Run) -> None:
    table(free("SELECT 1"))
    assert list(store.folder.spill.glob("free-*")) == []


def test_nothing_is_left_when_no_worker_can_be_started(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = QueryRunner(store.engine)
    try:
        spare = runner._free._spare
        assert spare is not None
        spare.close()
        monkeypatch.setattr("workspace_ext.telemetry.query.free.sys.executable", "/no/python")
        with pytest.raises(Unavailable, match="no worker process could be started"):
            starter(runner, free=True)("SELECT 1 AS x")
        assert list(store.folder.spill.glob("free-*")) == []
    finally:
        runner.close()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_a_free_query_that_goes_on_and_on_lets_others_go_first(store: Store) -> None:
    runner, cancelled = QueryRunner(store.engine), threading.Event()
    worker = runner._free._spare
    assert worker is not None
    usual = os.getpriority(os.PRIO_PROCESS, 0)

    def yields() -> bool:
        threads = Path(f"/proc/{worker.process.pid}/task").iterdir()
        least = min(os.getpriority(os.PRIO_PROCESS, int(thread.name)) for thread in threads)
        return least >= min(usual + 5, 19)

    def ask() -> None:
        with pytest.raises(Cancelled):
            starter(runner, free=True)(ENDLESS, cancelled=cancelled)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        until(yields, "all threads of the worker yield")
    finally:
        cancelled.set()
        asking.join()
        runner.close()


def test_a_worker_ends_with_its_broker() -> None:
    idle = Worker("workspace_ext.telemetry.query.worker", 4096)
    assert idle.process.stdin is not None
    idle.process.stdin.close()
    assert idle.process.wait(timeout=30) == 0
    idle.close()


def test_a_worker_that_died_while_it_waited_is_replaced(store: Store) -> None:
    runner = QueryRunner(store.engine)
    try:
        spare = runner._free._spare
        assert spare is not None
        spare.kill()
        spare.process.wait()
        assert table(starter(runner, free=True)("SELECT 1 AS x")).num_rows == 1
    finally:
        runner.close()


def test_segments_grow_by_what_is_new(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        add_batch(store)
        folder = store.folder.segments / "spans"
        folder.mkdir()
        (folder / ".1-9-0.parquet.torn").write_bytes(b"half")
        runner = QueryRunner(store.engine)
        try:
            free = starter(runner, free=True)
            count = "SELECT count(*) AS n FROM spans"
            assert table(free(count, pin=1)).to_pylist() == [{"n": 600}]
            add_batch(store)
            add_batch(store)
            assert table(free(count, pin=3)).to_pylist() == [{"n": 1800}]
            assert table(free(count, pin=2)).to_pylist() == [{"n": 1200}]
        finally:
            runner.close()
        assert sorted(path.name for path in folder.iterdir()) == ["1-1-0.parquet", "2-3-0.parquet"]


def test_slices_hold_what_could_be_seen_and_each_row_once(store: Store) -> None:
    source = SliceSource(store.engine)

    def rows(table: str, columns: list[str], *seen: tuple[Window | None, int]) -> pa.Table:
        wanted = Slice(table, tuple(columns), seen)
        with source.rows(wanted) as reader:
            found = reader.read_all()
        assert source.count(wanted) == found.num_rows
        return found

    minute = rows("spans", ["service", "time"], (MINUTE, 1))
    assert (minute.num_rows, minute.schema.names) == (60, ["time", "service", "batch_id"])
    assert rows("spans", ["name"], (None, 2)).num_rows == 1200
    assert rows("spans", ["name"], (MINUTE, 2), (None, 1)).num_rows == 600
    assert rows("spans", ["name"], (MINUTE, 1), (MINUTE, 2)).num_rows == 60
    assert rows("spans", ["name"], (MINUTE, 1), (None, 2)).num_rows == 1200
    assert rows("spans", ["name"]).num_rows == 0
    assert rows("services", ["name"], (None, 2)).num_rows == 0
    with pytest.raises(NotFound, match="nothing"):
        rows("spans", ["nothing"], (None, 2))
    with pytest.raises(NotFound, match="table passwords"):
        rows("passwords", [], (None, 2))


@pytest.mark.parametrize(
    "asked", [{"rows": 0}, {"rows": 1.5}, {"rows": True}, {"seconds": -1}, {"minutes": 3}]
)
def test_wrong_limits(asked: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        Limits().narrowed(asked)


def test_limits_only_narrow() -> None:
    assert Limits().narrowed({"rows": 10, "seconds": 900}) == Limits(10, Limits().seconds)
    assert Limits().narrowed(None) == Limits()
