from __future__ import annotations

import json
import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from workspace_ext.foundation.errors import BadInput, Conflict, Damaged, NotFound
from workspace_ext.storage.folder import LONGEST_PATH_BYTES, StoreFolder


def test_create_makes_the_parts_and_open_finds_them(tmp_path: Path) -> None:
    made = StoreFolder.create(tmp_path / "new" / "store")
    assert StoreFolder.open(made.path) == made
    for part in (made.segments, made.templates, made.inbox, made.spill, made.path / "logs"):
        assert part.is_dir()


def test_create_on_a_store_opens_it(tmp_path: Path) -> None:
    first = StoreFolder.create(tmp_path)
    secret = first.secret
    assert StoreFolder.create(tmp_path).secret == secret


def test_create_refuses_a_folder_with_other_things(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="not empty") as caught:
        StoreFolder.create(tmp_path)
    assert "new folder" in caught.value.hint


def test_templates_may_be_there_before_the_store(tmp_path: Path) -> None:
    begun = tmp_path / "templates" / "cart" / "failing.sql"
    begun.parent.mkdir(parents=True)
    begun.touch()
    assert StoreFolder.create(tmp_path).templates == tmp_path / "templates"
    assert begun.exists()
    other = tmp_path / "other"
    (other / "templates").mkdir(parents=True)
    with pytest.raises(BadInput, match="not empty"):
        StoreFolder.create(other, sealed=True)


def test_create_refuses_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="not a store"):
        StoreFolder.create(tmp_path / "file")


def test_open_without_a_store_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no store in") as caught:
        StoreFolder.open(tmp_path)
    assert caught.value.hint == f"make one with: jupyter investigation init {tmp_path}"


def test_open_a_broken_marker(tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text("{")
    with pytest.raises(Damaged, match="damaged"):
        StoreFolder.open(tmp_path)


def test_open_a_newer_store(tmp_path: Path) -> None:
    StoreFolder.create(tmp_path)
    (tmp_path / "store.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(Conflict, match="newer version") as caught:
        StoreFolder.open(tmp_path)
    assert "upgrade" in caught.value.hint


def test_the_secret_is_stable_and_private(tmp_path: Path) -> None:
    folder = StoreFolder.create(tmp_path)
    assert len(folder.secret) == 32
    assert folder.secret == StoreFolder.open(tmp_path).secret
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_a_broken_secret_is_named(tmp_path: Path) -> None:
    folder = StoreFolder.create(tmp_path)
    (tmp_path / "secret.key").write_text("not a key")
    with pytest.raises(Damaged, match=r"secret\.key"):
        _ = folder.secret


def test_a_second_holder_is_told_who_holds(tmp_path: Path) -> None:
    folder = StoreFolder.create(tmp_path)
    with folder.hold("broker"):
        again = StoreFolder.open(tmp_path).hold("other")
        with pytest.raises(Conflict, match=rf"held by broker \(process {os.getpid()}, since") as e:
            again.__enter__()
        assert e.value.code == "store_held"
    with folder.hold("next"):
        assert json.loads((tmp_path / "holder.json").read_text())["owner"] == "next"


def test_nothing_but_whole_files_is_left(tmp_path: Path) -> None:
    folder = StoreFolder.create(tmp_path)
    with folder.hold("x"):
        _ = folder.secret
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_many_may_create_it_at_once(tmp_path: Path) -> None:
    def create(_: int) -> bytes:
        return StoreFolder.create(tmp_path / "store").secret

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(create, range(40)))) == 1


def test_a_path_too_long_for_its_databases_is_refused_before_anything_is_made(
    tmp_path: Path,
) -> None:
    above = tmp_path / ("d" * 200) / ("d" * 200)
    longest = above / ("d" * (LONGEST_PATH_BYTES - len(str(above)) - 1))
    with pytest.raises(BadInput, match="more than 480"):
        StoreFolder.create(longest.with_name(longest.name + "d"))
    assert not above.exists()
    folder = StoreFolder.create(longest)
    sqlite3.connect(f"{folder.records}-journal").execute("CREATE TABLE t (a)")
