"""What a server keeps of notebooks whose files do not say yet where they belong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workspace_ext.server.unstamped import Unstamped
from workspace_ext.storage.folder import StoreFolder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "folder").mkdir(parents=True)
    StoreFolder.create(tmp_path / "store")
    return tmp_path / "root"


def unstamped(root: Path, folder: str = "kept") -> Unstamped:
    return Unstamped(root.parent / folder, str(root), root.parent / "store")


def write(file: Path, *cells: str, **metadata: Any) -> None:
    content = {
        "metadata": metadata,
        "cells": [{"id": cell, "cell_type": "code", "metadata": {}} for cell in cells],
    }
    file.write_text(json.dumps(content))


def test_the_next_server_knows_what_was_kept_until_it_is_forgotten(root: Path) -> None:
    write(root / "folder" / "n.ipynb", "c1", "new")
    first = unstamped(root)
    first.keep("folder/n.ipynb", "u1", ["c1"])
    first.keep("folder/n.ipynb", "u2", ["c1"])

    assert unstamped(root).left() == {"folder/n.ipynb": "u2"}
    elsewhere = str(root.parent / "elsewhere")
    assert Unstamped(root.parent / "kept", elsewhere, root.parent / "store").left() == {}
    assert unstamped(root, "nothing").left() == {}

    first.forget("folder/n.ipynb")
    first.forget("folder/n.ipynb")
    assert unstamped(root).left() == {}


def test_what_happened_to_the_file_goes_before_what_was_kept(root: Path) -> None:
    names = ["gone", "stamped", "newer", "other", "empty", "damaged", "strange"]
    for name in names:
        write(root / f"{name}.ipynb", "c1")
        unstamped(root).keep(f"{name}.ipynb", "mine", ["c1", "c2"])
    (root / "gone.ipynb").rename(root / "moved.ipynb")
    write(root / "stamped.ipynb", "c1", investigation={"schema": 1, "uid": "its own"})
    write(root / "newer.ipynb", "c1", investigation={"schema": 99})
    write(root / "other.ipynb", "c3")
    write(root / "empty.ipynb")
    (root / "damaged.ipynb").write_text('{"cells": [{"id": "c')
    (root / "strange.ipynb").write_text("[]")

    assert set(unstamped(root).left()) == {"empty.ipynb", "damaged.ipynb", "strange.ipynb"}
    write(root / "gone.ipynb", "c1")
    assert "gone.ipynb" not in unstamped(root).left()


def test_another_store_knows_nothing_of_what_was_kept(root: Path) -> None:
    write(root / "n.ipynb", "c1")
    unstamped(root).keep("n.ipynb", "u", ["c1"])
    (root.parent / "store").rename(root.parent / "away")
    assert unstamped(root).left() == {}
    (root.parent / "away").rename(root.parent / "store")
    assert unstamped(root).left() == {}


def test_it_moves_with_a_file_and_with_a_folder(root: Path) -> None:
    kept = unstamped(root)
    for path in ("folder/n.ipynb", "folder-2.ipynb"):
        write(root / path, "c1")
        kept.keep(path, path, ["c1"])
    (root / "folder").rename(root / "new")
    kept.moved("folder", "new")
    (root / "new" / "n.ipynb").rename(root / "n.ipynb")
    kept.moved("new/n.ipynb", "n.ipynb")

    expected = {"n.ipynb": "folder/n.ipynb", "folder-2.ipynb": "folder-2.ipynb"}
    assert unstamped(root).left() == expected


def test_a_place_that_cannot_be_written_or_read_stops_nobody(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(root / "n.ipynb", "c1")
    (root.parent / "file").write_text("no folder")
    blocked = unstamped(root, "file")
    blocked.keep("n.ipynb", "u", ["c1"])
    blocked.moved("n.ipynb", "m.ipynb")
    blocked.forget("n.ipynb")
    assert blocked.left() == {}
    assert "a crash before n.ipynb is saved would begin it anew" in caplog.text

    (root.parent / "kept").mkdir()
    for number, text in enumerate(("", "[]", '{"file": "x"}', '{"more": 1}')):
        (root.parent / "kept" / f"{number}.json").write_text(text)
    assert unstamped(root).left() == {}
