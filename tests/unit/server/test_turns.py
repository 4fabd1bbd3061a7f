"""Whoever reads a file, changes it and saves it takes nobody's save away."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager
from nbformat.v4 import new_code_cell, new_notebook

from workspace_ext.server.turns import Turns

PATH = "n.ipynb"


def model(source: str) -> dict[str, Any]:
    notebook = new_notebook(cells=[new_code_cell(source, id="a")])
    return {"type": "notebook", "format": "json", "content": notebook}


def test_who_saves_meanwhile_saves_afterwards(tmp_path: Path) -> None:
    async def walk() -> Any:
        contents = AsyncLargeFileManager(root_dir=str(tmp_path))
        turns = Turns(contents)
        await contents.save(model("before"), PATH)
        async with turns.of(PATH):
            read = await contents.get(PATH)
            meanwhile = asyncio.create_task(contents.save(model("somebody's"), f"/{PATH}"))
            await contents.save(model("another file's"), "other.ipynb")  # nobody waits for that
            assert not meanwhile.done()
            read["content"]["metadata"]["ours"] = True
            await turns.save(read, PATH)
        saved = await meanwhile
        assert saved["path"] == PATH
        return (await contents.get(PATH))["content"]

    found = asyncio.run(walk())
    assert found["cells"][0]["source"] == "somebody's"
