"""The history of shared documents: small, and whole after whatever happened."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from jupyter_ydoc import YNotebook
from pycrdt import Doc
from pycrdt.store import YDocNotFound
from traitlets.config import Config

from workspace_ext.server.history import HistoryStore

EDITS = 10_000


def store(folder: Path, path: str = "n") -> HistoryStore:
    config = Config({"HistoryStore": {"db_path": str(folder / "history.db")}})
    return HistoryStore(path=path, config=config)


def sizes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


async def opened(folder: Path, path: str = "n") -> tuple[HistoryStore, YNotebook]:
    """A notebook whose changes are kept, as its room keeps them."""
    history, document = store(folder, path), YNotebook()
    try:
        await history.apply_updates(document.ydoc)
    except YDocNotFound:
        await history.encode_state_as_update(document.ydoc)
    return history, document


def typed(document: YNotebook, text: str, cell: int = -1) -> bytes:
    before = document.ydoc.get_state()
    source = document.ycells[cell]["source"]
    source += text
    return bytes(document.ydoc.get_update(before))


def new_cell(document: YNotebook, key: str) -> bytes:
    before = document.ydoc.get_state()
    document.append_cell({"id": key, "cell_type": "code", "source": "", "metadata": {}})
    return bytes(document.ydoc.get_update(before))


def test_ten_thousand_edits_stay_small_and_open_with_every_cell(tmp_path: Path) -> None:
    async def edit() -> tuple[dict[str, Any], int]:
        history, document = await opened(tmp_path)
        most = 0
        for number in range(EDITS):
            if number % 100 == 0:
                await history.write(new_cell(document, f"c{number}"))
            await history.write(typed(document, f"{number} "))
            if number % 500 == 0:
                most = max(most, sizes(tmp_path))
        await history.settle()
        return document.get(), most

    wanted, most = asyncio.run(edit())
    _, document = asyncio.run(opened(tmp_path))

    assert document.get() == wanted
    assert len(document.get()["cells"]) == EDITS // 100
    whole = len(document.ydoc.get_update())
    assert sizes(tmp_path) < 3 * whole + 200_000
    assert most < 5_000_000  # with the log that SQLite writes ahead


def test_outputs_that_are_written_again_and_again_leave_nothing_behind(tmp_path: Path) -> None:
    async def run() -> None:
        history, document = await opened(tmp_path)
        await history.write(new_cell(document, "c"))
        for number in range(300):
            before = document.ydoc.get_state()
            outputs = [{"output_type": "stream", "name": "stdout", "text": f"{number}" * 5_000}]
            document._set_ycell_outputs(document.ycells[0], outputs)
            await history.write(document.ydoc.get_update(before))
        await history.settle()

    asyncio.run(run())

    assert sizes(tmp_path) < 300_000


def test_what_could_not_be_written_is_in_the_next_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def edit() -> str:
        history, document = await opened(tmp_path)
        await history.write(new_cell(document, "c"))
        keep = history._keep

        def fails(*_: Any) -> int:
            raise sqlite3.OperationalError("disk I/O error")

        monkeypatch.setattr(history, "_keep", fails)
        await history.write(typed(document, "while the disk was full "))
        assert not history.is_whole
        monkeypatch.setattr(history, "_keep", keep)
        await history.write(typed(document, "after it"))
        assert history.is_whole
        return str(document.get()["cells"][0]["source"])

    assert asyncio.run(edit()) == "while the disk was full after it"
    _, document = asyncio.run(opened(tmp_path))
    assert document.get()["cells"][0]["source"] == "while the disk was full after it"


def test_documents_do_not_mix_and_what_a_file_held_is_known(tmp_path: Path) -> None:
    async def fill() -> None:
        for path in ("one", "two"):
            history, document = await opened(tmp_path, path)
            await history.write(new_cell(document, path))
            await history.keep_bases({"cells": []}, {"cells": [{"id": path}]})
            await history.settle()

    asyncio.run(fill())

    for path in ("one", "two"):
        history, document = asyncio.run(opened(tmp_path, path))
        assert [cell["id"] for cell in document.get()["cells"]] == [path]
        assert history.bases() == [{"cells": []}, {"cells": [{"id": path}]}]
        assert history.knows()
    assert not store(tmp_path, "three").knows()
    assert store(tmp_path, "three").bases() == []


def test_it_is_never_behind_what_it_says_that_the_file_holds(tmp_path: Path) -> None:
    async def edit() -> str:
        history, document = await opened(tmp_path)
        await history.write(new_cell(document, "c"))
        for text in ("one ", "two "):
            typed(document, text)  # which its room has not handed over yet
            await history.keep_bases({"cells": [{"id": "c", "source": text}]})
        document.ycells[-1]["source"].clear()
        typed(document, "three ")
        await history.keep_bases({"cells": []})
        _, again = await opened(tmp_path)
        return str(again.ycells[-1]["source"])

    assert asyncio.run(edit()) == "three "


def test_a_database_that_is_none_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"no database at all" * 100)

    history = store(tmp_path)

    with pytest.raises(YDocNotFound):
        asyncio.run(history.apply_updates(Doc()))
    assert (tmp_path / "history.db.damaged").exists()


def test_what_a_room_does_before_it_is_followed_is_kept_too(tmp_path: Path) -> None:
    """A room names its path before anybody listens; Yjs holds back what follows such a hole.

    So the first write after a load is the whole document, and no change without its forerunners.
    """

    async def live(cell: str) -> None:
        history, document = store(tmp_path), YNotebook()
        document.path = "n.ipynb"
        try:
            await history.apply_updates(document.ydoc)
        except YDocNotFound:
            await history.encode_state_as_update(document.ydoc)
        await history.write(new_cell(document, cell))
        await history.settle()

    asyncio.run(live("first"))
    asyncio.run(live("second"))
    with sqlite3.connect(tmp_path / "history.db") as database:
        assert database.execute("SELECT count(*) FROM updates").fetchone() == (0,)
