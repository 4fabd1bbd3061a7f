"""A store whose files are not what was written: one line that names the file, and a hint."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.store import open_store
from workspace_ext.foundation.errors import Damaged
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.migrations import MIGRATIONS


@pytest.fixture
def folder(tmp_path: Path) -> StoreFolder:
    with open_store(tmp_path / "store") as store:
        store.demo("frontend")
        return store.folder


def assert_named(folder: StoreFolder) -> None:
    with pytest.raises(Damaged) as caught:
        TelemetryEngine(folder, MIGRATIONS)
    assert str(folder.telemetry) in caught.value.message
    assert "\n" not in caught.value.message
    assert "backup" in caught.value.hint


def test_another_file_in_its_place(folder: StoreFolder) -> None:
    folder.telemetry.write_bytes(b"this is no database at all" * 1000)
    assert_named(folder)


def test_a_torn_header(folder: StoreFolder) -> None:
    content = bytearray(folder.telemetry.read_bytes())
    content[4096:12288] = b"\xff" * 8192
    folder.telemetry.write_bytes(content)
    assert_named(folder)


def test_a_file_cut_short(folder: StoreFolder) -> None:
    content = folder.telemetry.read_bytes()
    folder.telemetry.write_bytes(content[: 12288 + 100])
    assert_named(folder)


def test_a_damaged_log(tmp_path: Path) -> None:
    """What a killed process leaves to be replayed, with some bytes of it changed."""
    with open_store(tmp_path / "store") as store:
        store.demo("frontend")
        left = StoreFolder.create(tmp_path / "left")
        log = Path(f"{store.folder.telemetry}.wal")
        shutil.copy(store.folder.telemetry, left.telemetry)
        content = bytearray(log.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = b"\xff" * 64
    Path(f"{left.telemetry}.wal").write_bytes(content)
    assert_named(left)


def test_a_damaged_block_is_found_when_it_is_read(folder: StoreFolder) -> None:
    content = bytearray(folder.telemetry.read_bytes())
    middle = 12288 + (len(content) - 12288) // 2
    content[12288:middle] = bytes(byte ^ 0x5A for byte in content[12288:middle])
    folder.telemetry.write_bytes(content)

    def use() -> None:
        engine = TelemetryEngine(folder, MIGRATIONS)
        try:
            with engine.write() as connection:
                connection.execute("SELECT * FROM raw.metrics").fetchall()
        finally:
            engine.close()

    with pytest.raises(Damaged):
        use()
