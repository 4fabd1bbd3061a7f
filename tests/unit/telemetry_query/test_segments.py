"""Segments: few however many batches came, true whatever was removed, whole whenever killed."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.support.processes import started
from tests.support.spans import Run, add_batch, starter
from tests.support.store import Store, open_store
from tests.support.waiting import until
from workspace_ext.foundation.errors import InvestigationError, LimitExceeded
from workspace_ext.telemetry.query import segments as sealing
from workspace_ext.telemetry.query.model import Limits
from workspace_ext.telemetry.query.runner import QueryRunner
from workspace_ext.telemetry.query.segments import FAN, Segment, Segments, _crowded
from workspace_ext.telemetry.query.watch import Cancelled

TIERS = 2
"""That 500 tiny batches can fill."""


def rows(segments: Segments, pin: int) -> list[int]:
    """The batches that a reader of the segments finds, sorted, once for each row."""
    with segments.upto(pin) as found:
        batches = [
            batch
            for path in found["spans"]
            for batch in pq.read_table(path, columns=["batch_id"])["batch_id"].to_pylist()
        ]
    return sorted(batch for batch in batches if batch <= pin)


def test_five_hundred_batches_stay_few_files_and_quick(tmp_path: Path) -> None:
    """A query after every second batch; in the end it costs what it cost in the beginning."""
    with open_store(tmp_path / "store") as store:
        segments = Segments(store.engine)
        most, took = 0, []
        for number in range(1, 501):
            add_batch(store, rows=2)
            if number % 2:
                continue
            started = time.process_time()
            with segments.upto(number) as found:
                most = max(most, len(found["spans"]))
            took.append(time.process_time() - started)
            segments.compact()
        assert rows(segments, 500) == [batch for batch in range(1, 501) for _ in range(2)]
        segments.close()
        files = list((store.folder.segments / "spans").iterdir())
        assert len(files) <= most <= FAN * TIERS
        early, late = sorted(took[20:60])[20], sorted(took[210:])[20]
        assert late < 3 * early + 0.01


def test_compaction_comes_by_itself(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        segments = Segments(store.engine)
        for number in range(1, 3 * FAN):
            add_batch(store, rows=2)
            with segments.upto(number):
                pass
        segments.close()
        assert len(list((store.folder.segments / "spans").iterdir())) < 2 * FAN


def test_what_is_read_stays_until_it_is_read(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        segments = Segments(store.engine)
        for number in range(1, FAN):
            add_batch(store, rows=2)
            with segments.upto(number):
                pass
        add_batch(store, rows=2)
        with segments.upto(FAN) as held:
            segments.compact()
            assert sum(pq.read_table(path).num_rows for path in held["spans"]) == 2 * FAN
            with segments.upto(FAN) as now:
                assert len(now["spans"]) == 1
        assert [path.name for path in (store.folder.segments / "spans").iterdir()] == [
            f"1-{FAN}-0.parquet"
        ]
        segments.close()


def remove(store: Store, first: int, last: int) -> None:
    """As retention does: the rows and the note in one transaction."""
    with store.engine.write() as connection:
        connection.execute(f"DELETE FROM raw.spans WHERE batch_id BETWEEN {first} AND {last}")
        connection.execute(
            "INSERT INTO raw.removals SELECT coalesce(max(number), 0) + 1, now(), 'spans',"
            f" 'epoch', now(), {first}, {last}, 1, 'a test', 'run', 'user:test' FROM raw.removals"
        )


def test_removed_rows_are_in_no_segment(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        segments = Segments(store.engine)
        for number in range(1, 5):
            add_batch(store, rows=2)
            with segments.upto(number):
                pass
        remove(store, 2, 3)
        assert rows(segments, 4) == [1, 1, 4, 4]
        add_batch(store, rows=2)
        assert rows(segments, 5) == [1, 1, 4, 4, 5, 5]
        segments.close()
        again = Segments(store.engine)
        assert rows(again, 5) == [1, 1, 4, 4, 5, 5]
        again.close()


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([1] * 7, 0),
        ([1] * 8, 8),
        ([1] * 40, 16),
        ([1 << 30, *[1] * 8, 1 << 30], 8),
        ([1 << 20] * 7 + [1] * 7, 14),
        ([*[1] * 4, 1 << 30, *[1] * 4], 0),
        ([1 << 30] * 20, 0),
    ],
)
def test_what_is_compacted(sizes: list[int], expected: int) -> None:
    segments = [
        Segment(number, number, 0, Path(str(number)), size) for number, size in enumerate(sizes)
    ]
    assert len(_crowded(segments)) == expected


COMPACTOR = """
import sys
from pathlib import Path
from tests.support.store import open_store
from workspace_ext.telemetry.query.segments import Segments

with open_store(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    segments = Segments(store.engine)
    for pin in range(1, 31):
        with segments.upto(pin):
            pass
        segments.compact()
    print("done", flush=True)
    sys.stdin.readline()
"""


def test_killed_at_any_moment(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        for _ in range(30):
            add_batch(store, rows=20)
    for _ in range(4):
        child = started(COMPACTOR, tmp_path / "store", says="ready")
        time.sleep(random.uniform(0, 0.6))  # any moment will do: that is the test
        child.send_signal(signal.SIGKILL)
        child.communicate()
        with open_store(tmp_path / "store") as store:
            segments = Segments(store.engine)
            assert rows(segments, 30) == [batch for batch in range(1, 31) for _ in range(20)]
            segments.close()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Sealing waits until it is set, as it does while there is much to seal."""
    opened, write = threading.Event(), sealing._write

    def held(*given: Any) -> None:
        opened.wait(60)
        write(*given)

    monkeypatch.setattr(sealing, "_write", held)
    yield opened
    opened.set()


def count(run: Run, pin: int, **given: Any) -> int:
    """How many spans a query sees."""
    (batch,) = (each for each in run(COUNT, pin=pin, **given) if each.num_rows)
    (row,) = batch.to_pylist()
    return int(row["n"])


COUNT = "SELECT count(*) AS n FROM spans"


def test_who_waits_for_sealing_waits_no_longer_than_the_limit(
    tmp_path: Path, gate: threading.Event
) -> None:
    with open_store(tmp_path / "store") as store:
        runner = QueryRunner(store.engine)
        free, library = starter(runner, free=True), starter(runner, free=False)
        add_batch(store, rows=2)
        gate.set()
        assert count(free, 1) == 2
        gate.clear()
        add_batch(store, rows=2)
        with pytest.raises(LimitExceeded, match=r"0\.2 s .* sealed") as late:
            count(free, 2, limits=Limits(seconds=0.2))
        assert late.value.code == "sealing"
        assert "sealing goes on" in late.value.hint
        gone = threading.Event()
        gone.set()
        with pytest.raises(Cancelled):
            count(free, 2, cancelled=gone)
        assert count(free, 1) == 2  # what is sealed waits for nothing
        assert count(library, 2) == 4
        gate.set()
        sealed = store.folder.segments / "spans" / "2-2-0.parquet"
        until(sealed.exists, "it is sealed though nobody waits for it")
        assert count(free, 2) == 4
        runner.close()


def test_closing_ends_sealing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, write = threading.Event(), sealing._write

    def endless(cursor: Any, *given: Any) -> None:
        begun.set()
        cursor.execute("SELECT count(*) FROM range(100000000000) r(i) WHERE hash(i) % 7 = 0")
        write(cursor, *given)

    with open_store(tmp_path / "store") as store:
        add_batch(store, rows=2)
        with monkeypatch.context() as patched:
            patched.setattr(sealing, "_write", endless)
            segments = Segments(store.engine)
            with ThreadPoolExecutor(1) as readers:
                reader = readers.submit(rows, segments, 1)
                assert begun.wait(60)
                segments.close()
                with pytest.raises(InvestigationError):
                    reader.result(60)
        with pytest.raises(Cancelled):
            rows(segments, 1)
        again = Segments(store.engine)
        assert rows(again, 1) == [1, 1]
        again.close()
        assert [path.name for path in (store.folder.segments / "spans").iterdir()] == [
            "1-1-0.parquet"
        ]
