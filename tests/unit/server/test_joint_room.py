"""A room knows what its file holds, however its saves end."""

from __future__ import annotations

import asyncio
import errno
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_events import EventLogger
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from jupyter_server_fileid.manager import LocalFileIdManager
from jupyter_server_ydoc.loaders import FileLoader
from nbformat.v4 import new_code_cell, new_notebook, new_output

from workspace_ext.server.history import HistoryStore
from workspace_ext.server.joint import JointRoom
from workspace_ext.server.merging import base_of

SAVED, CHANGED, NEWER = "saved", "changed", "newer"


class Disk(AsyncLargeFileManager):
    """Files in a folder; each save waits until it may go on, and fails where the disk is full."""

    full = False

    def __init__(self, root: Path) -> None:
        super().__init__(root_dir=str(root))
        self.begun, self.goes_on = asyncio.Semaphore(0), asyncio.Semaphore(0)

    async def save(self, model: Any, path: str = "") -> Any:
        self.begun.release()
        await self.goes_on.acquire()
        if self.full:
            raise OSError(errno.ENOSPC, "no space left on device")
        return await super().save(model, path)


async def opened(folder: Path, disk: Disk) -> JointRoom:
    root = folder / "root"
    files = LocalFileIdManager(root_dir=str(root), db_path=str(folder / "files.db"))
    history = HistoryStore(path="n")
    history.db_path = str(folder / "history.db")
    room = JointRoom(
        "json:notebook:n", "json", "notebook",
        FileLoader(files.index("n.ipynb"), files, disk), EventLogger(), history, None,
    )  # fmt: skip
    await room.initialize()
    return room


def show(room: JointRoom, text: str) -> None:
    outputs = room._document.ycells[0]["outputs"]
    outputs.clear()
    outputs.append(new_output("stream", text=text))


def test_a_save_that_failed_while_a_newer_one_came_is_not_taken_for_done(tmp_path: Path) -> None:
    """A merge after a kill would take what only the document has for deleted in the file."""
    file = tmp_path / "root" / "n.ipynb"
    file.parent.mkdir()
    cell = new_code_cell("1", id="c1", outputs=[new_output("stream", text=SAVED)])
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(new_notebook(cells=[cell], metadata=metadata), file)

    async def run() -> None:
        disk = Disk(file.parent)
        room = await opened(tmp_path, disk)
        history = room.ystore
        assert isinstance(history, HistoryStore)

        async def save(before: asyncio.Task[None] | None) -> asyncio.Task[None]:
            saving = asyncio.create_task(room._maybe_save_document(before, save_now=True))
            await asyncio.wait_for(disk.begun.acquire(), 10)
            return saving

        disk.full = True
        show(room, CHANGED)
        first = await save(None)
        show(room, NEWER)
        first.cancel()  # as a change does
        disk.goes_on.release()
        await asyncio.wait([first])
        second = await save(first)

        assert SAVED in file.read_text()
        held = base_of(nbformat.read(file, 4))
        assert held in history.bases()

        disk.full = False
        disk.goes_on.release()
        await second
        assert NEWER in file.read_text()
        assert history.bases() == [base_of(nbformat.read(file, 4))]
        assert room.is_kept
        await room.stop()

    asyncio.run(run())


BARE: list[dict[str, Any]] = [
    {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5},
    {
        "cells": [
            {"cell_type": "markdown", "source": "first", "metadata": {}},
            {"cell_type": "markdown", "source": "second", "metadata": {}},
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 4,
    },
]
"""Files that a document adds to when it loads them: a first cell, a kernelspec, ids of cells."""


@pytest.mark.parametrize("content", BARE, ids=["a new file", "a file without ids"])
def test_a_kill_before_the_first_save_loses_nothing(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    file = tmp_path / "root" / "n.ipynb"
    file.parent.mkdir()
    file.write_text(json.dumps(content))

    async def run() -> None:
        disk = Disk(file.parent)
        disk.full = True
        room = await opened(tmp_path, disk)
        text = room._document.ycells[-1]["source"]
        text += " typed"
        await room.ystore.write(room.ydoc.get_update())
        saving = asyncio.create_task(room._maybe_save_document(None, save_now=True))
        await asyncio.wait_for(disk.begun.acquire(), 10)
        disk.goes_on.release()
        saving.cancel()  # the history knows of the save, the file does not
        await asyncio.wait([saving])

        again = await opened(tmp_path, Disk(file.parent))
        sources = [str(cell["source"]) for cell in again._document.ycells]
        before = [str(cell["source"]) for cell in content["cells"]] or [""]
        assert sources == [*before[:-1], f"{before[-1]} typed"]
        await again.stop()
        await room.stop()

    asyncio.run(asyncio.wait_for(run(), 30))


def test_a_file_without_ids_is_merged_when_it_is_changed_outside(tmp_path: Path) -> None:
    file = tmp_path / "root" / "n.ipynb"
    file.parent.mkdir()
    content = BARE[1]
    file.write_text(json.dumps(content))

    async def run() -> None:
        room = await opened(tmp_path, Disk(file.parent))
        text = room._document.ycells[0]["source"]
        text += " typed"
        changed = [content["cells"][0], {**content["cells"][1], "source": "outside"}]
        file.write_text(json.dumps({**content, "cells": changed}))
        assert await room._merge_file()
        assert [str(cell["source"]) for cell in room._document.ycells] == [
            "first typed",
            "outside",
        ]
        await room.stop()

    asyncio.run(asyncio.wait_for(run(), 30))
