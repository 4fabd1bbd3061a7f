from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from workspace_ext.foundation.errors import BadInput, Conflict, Damaged, Unavailable
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.migrations import Migration
from workspace_ext.storage.telemetry import MEMORY, Reading, TelemetryEngine

STEPS = (Migration(1, "one", "CREATE TABLE t (x BIGINT);"),)


@pytest.fixture
def folder(tmp_path: Path) -> StoreFolder:
    return StoreFolder.create(tmp_path / "store")


@pytest.fixture
def engine(folder: StoreFolder) -> Iterator[TelemetryEngine]:
    opened = TelemetryEngine(folder, STEPS, threads=1)
    yield opened
    opened.close()


def count(engine: TelemetryEngine) -> int:
    with engine.cursor() as cursor:
        return int(cursor.execute("SELECT count(*) FROM t").fetchall()[0][0])


def test_what_was_written_is_there_after_reopening(folder: StoreFolder) -> None:
    engine = TelemetryEngine(folder, STEPS)
    with engine.write() as connection:
        connection.execute("INSERT INTO t VALUES (1), (2)")
    engine.close()
    engine.close()
    again = TelemetryEngine(folder, STEPS)
    assert count(again) == 2
    again.close()


@pytest.mark.parametrize("error", [BadInput("no"), KeyboardInterrupt(), ValueError("bug")])
def test_an_error_undoes_the_transaction(engine: TelemetryEngine, error: BaseException) -> None:
    def fail() -> None:
        with engine.write() as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert count(engine) == 0


def test_readers_see_only_what_is_committed(engine: TelemetryEngine) -> None:
    with engine.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        assert count(engine) == 0
    assert count(engine) == 1


def test_writers_wait_for_each_other(engine: TelemetryEngine) -> None:
    def add() -> None:
        for _ in range(20):
            with engine.write() as connection:
                connection.execute("INSERT INTO t SELECT coalesce(max(x), 0) + 1 FROM t")

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.cursor() as cursor:
        assert cursor.execute("SELECT count(DISTINCT x), max(x) FROM t").fetchall() == [(80, 80)]


def test_sessions_speak_utc(engine: TelemetryEngine) -> None:
    with engine.cursor() as cursor:
        assert cursor.execute("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_the_engine_recovers_when_duckdb_gives_up(engine: TelemetryEngine) -> None:
    with engine.write() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
    with pytest.raises(Unavailable), engine.write():
        raise duckdb.FatalException("database has been invalidated")
    assert count(engine) == 1
    with engine.write() as connection:
        connection.execute("INSERT INTO t VALUES (2)")
    assert count(engine) == 2


def _pin(reading: Reading) -> int:
    return int(reading.cursor.execute("SELECT getvariable('pin')").fetchall()[0][0])


def test_a_connection_is_kept_for_the_next_who_reads(engine: TelemetryEngine) -> None:
    first, second = engine.reading(1), engine.reading(1)
    assert first.cursor is not second.cursor
    for each in (first, second):
        engine.keep(each)
    again = {engine.reading(1).cursor, engine.reading(2).cursor}
    assert again == {first.cursor, second.cursor}


def test_a_kept_connection_reads_at_the_pin_it_is_asked_for(engine: TelemetryEngine) -> None:
    for pin in (1, 2, 2, 1):
        reading = engine.reading(pin)
        assert (reading.pin, _pin(reading)) == (pin, pin)
        engine.keep(reading)
    with engine.cursor() as others:
        assert others.execute("SELECT getvariable('pin')").fetchall() == [(None,)]


def test_nothing_is_kept_of_a_file_that_was_opened_anew(engine: TelemetryEngine) -> None:
    idle, running = engine.reading(1), engine.reading(1)
    engine.keep(idle)
    with pytest.raises(Unavailable), engine.write():
        raise duckdb.FatalException("database has been invalidated")
    engine.keep(running)
    assert engine.reading(1).cursor not in (idle.cursor, running.cursor)
    for each in (idle, running):
        with pytest.raises(duckdb.ConnectionException):
            _pin(each)


def test_a_closed_engine_keeps_nothing(engine: TelemetryEngine) -> None:
    idle, running = engine.reading(1), engine.reading(1)
    engine.keep(idle)
    engine.close()
    engine.keep(running)
    for each in (idle, running):
        with pytest.raises(duckdb.ConnectionException):
            _pin(each)
    with pytest.raises(Unavailable, match="is closed"):
        engine.reading(1)


def test_the_environment_says_how_much_memory_there_is(
    folder: StoreFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MEMORY, "700MiB")
    engine = TelemetryEngine(folder, STEPS)
    with engine.cursor() as cursor:
        told = cursor.execute("SELECT current_setting('memory_limit')").fetchall()
    engine.close()
    assert told == [("700.0 MiB",)]
    monkeypatch.setenv(MEMORY, "a lot")
    with pytest.raises(BadInput, match="'a lot', which is no size"):
        TelemetryEngine(folder, STEPS)


def test_shows_no_progress_where_duckdb_takes_itself_for_a_shell(folder: StoreFolder) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from workspace_ext.storage.folder import StoreFolder\n"
        "from workspace_ext.storage.telemetry import TelemetryEngine\n"
        "engine = TelemetryEngine(StoreFolder.open(Path(sys.argv[1])), [])\n"
        "setting = \"SELECT current_setting('enable_progress_bar')\"\n"
        "print(engine._root.execute(setting).fetchall())\n"
    )
    command = [sys.executable, "-c", code, str(folder.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[(False,)]\n"


def test_a_closed_engine_says_so(engine: TelemetryEngine) -> None:
    engine.close()
    with pytest.raises(Unavailable, match="is closed"):
        engine.cursor()


def test_a_newer_database_is_refused(folder: StoreFolder) -> None:
    more = (*STEPS, Migration(2, "two", "CREATE TABLE u (x BIGINT);"))
    TelemetryEngine(folder, more).close()
    with pytest.raises(Conflict, match="step 2, this version knows 1"):
        TelemetryEngine(folder, STEPS)


def test_a_failing_migration_leaves_nothing(folder: StoreFolder) -> None:
    broken = (*STEPS, Migration(2, "two", "CREATE TABLE u (x BIGINT);\nSELECT nonsense;"))
    with pytest.raises(Damaged):
        TelemetryEngine(folder, broken)
    engine = TelemetryEngine(folder, STEPS)
    assert count(engine) == 0
    engine.close()


def test_the_file_is_in_the_common_storage_version(engine: TelemetryEngine) -> None:
    with engine.cursor() as cursor:
        rows = cursor.execute(
            "SELECT tags FROM duckdb_databases() WHERE database_name = 'telemetry'"
        ).fetchall()
    assert rows[0][0]["storage_version"].startswith("v1.5.0")
