"""The records engine: one transaction or none, and errors a user can act on."""

from pathlib import Path

import pytest

from workspace_ext.foundation.errors import Conflict, Damaged, InvestigationError, Unavailable
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.migrations import Migration
from workspace_ext.storage.records import RecordsEngine

FIRST = Migration(1, "things", "CREATE TABLE things (name VARCHAR PRIMARY KEY);\n")
SECOND = Migration(2, "colour", "ALTER TABLE things ADD COLUMN colour VARCHAR;\n")


@pytest.fixture
def folder(tmp_path: Path) -> StoreFolder:
    return StoreFolder.create(tmp_path / "store")


def test_migrations_go_forward_and_rooms_number_their_own(folder: StoreFolder) -> None:
    RecordsEngine(folder, {"things": [FIRST]}).close()
    other = Migration(1, "others", "CREATE TABLE others (name VARCHAR);\n")
    records = RecordsEngine(folder, {"things": [FIRST, SECOND], "others": [other]})
    with records.begin() as connection:
        connection.exec_driver_sql("INSERT INTO things VALUES ('a', 'red')")
    records.close()
    records.close()
    with pytest.raises(Conflict, match="step 2") as raised:
        RecordsEngine(folder, {"things": [FIRST]})
    assert "upgrade" in raised.value.hint


def test_what_a_body_raises_undoes_everything(folder: StoreFolder) -> None:
    records = RecordsEngine(folder, {"things": [FIRST]})

    def half() -> None:
        with records.begin() as connection:
            connection.exec_driver_sql("INSERT INTO things VALUES ('a')")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    with records.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM things").scalar() == 0
    records.close()


def test_commit_is_on_disk_and_readers_do_not_wait_for_a_writer(folder: StoreFolder) -> None:
    records = RecordsEngine(folder, {"things": [FIRST]})
    with records.begin() as writer:
        writer.exec_driver_sql("INSERT INTO things VALUES ('a')")
        with records.connect() as reader:
            assert reader.exec_driver_sql("SELECT count(*) FROM things").scalar() == 0
            assert reader.exec_driver_sql("PRAGMA synchronous").scalar() == 2
            assert reader.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    records.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" * 300])
def test_file_that_is_no_database_is_damaged(folder: StoreFolder, content: bytes) -> None:
    folder.records.write_bytes(content)
    with pytest.raises(Damaged, match=r"records\.sqlite") as raised:
        RecordsEngine(folder, {"things": [FIRST]})
    assert raised.value.hint
    assert folder.records.read_bytes() == content


def test_broken_page_is_told_as_damage_when_it_is_read(folder: StoreFolder) -> None:
    records = RecordsEngine(folder, {"things": [FIRST]})
    with records.begin() as connection:
        for number in range(2000):
            connection.exec_driver_sql(f"INSERT INTO things VALUES ('name {number}')")
    records.close()
    content = bytearray(folder.records.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 8192 - 4096)
    folder.records.write_bytes(content)

    def read() -> None:
        records = RecordsEngine(folder, {"things": [FIRST]})
        with records.connect() as connection:
            connection.exec_driver_sql("SELECT sum(length(name)) FROM things").scalar()

    with pytest.raises(Damaged) as raised:
        read()
    assert "\n" not in str(raised.value)


def test_closed_engine_and_missing_folder_are_unavailable(folder: StoreFolder) -> None:
    records = RecordsEngine(folder, {})
    records.close()
    with pytest.raises(Unavailable, match="closed"), records.begin():
        pass
    with pytest.raises(InvestigationError, match=r"records\.sqlite"):
        RecordsEngine(StoreFolder(folder.path / "gone"), {})
