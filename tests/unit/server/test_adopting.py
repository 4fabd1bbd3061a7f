"""When outputs are written for a browser that has gone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from workspace_ext.server.adoption import Adoption


class Document:
    """What would be written, where, and when it has the cell."""

    def __init__(self) -> None:
        self.cells: dict[str, Any] = {}

    def shares(self, path: str) -> bool:
        return True

    def shows(self, path: str, cell: str, outputs: list[dict[str, Any]]) -> bool:
        return bool(self.cells.get(cell) == outputs)

    async def show(
        self, path: str, cell: str, outputs: list[dict[str, Any]], count: Any, *, again: bool
    ) -> bool:
        self.cells[cell] = "".join(one["text"] for one in outputs)
        return True


def message(run: str, kind: str, **content: str) -> list[bytes]:
    parts = {"msg_type": kind}, {"msg_id": run}, {}, content
    return [json.dumps(part).encode() for part in parts]


async def settled() -> None:
    """All that does not wait for time has happened."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_at_the_end_of_a_run_its_outputs_are_there_at_once_if_its_browser_had_gone() -> None:
    async def walk() -> None:
        document, tasks = Document(), []
        adoption = Adoption(
            document, lambda *_: "n.ipynb", lambda work: tasks.append(asyncio.ensure_future(work))
        )
        for run, cell, page in (("r1", "c1", "gone"), ("r2", "c2", "here"), ("r3", "c1", "here")):
            adoption.asked("k", cell, run, page)
        adoption.asked("k", "c3", "r4", "gone")
        adoption.broke("k", "gone")
        for run in ("r1", "r2", "r3", "r4"):
            adoption.heard(message(run, "stream", name="stdout", text=f"{run} "))
            adoption.heard(message(run, "status", execution_state="idle"))
        await settled()

        assert document.cells == {"c3": "r4 "}  # c1 shows a later run, which its page writes
        told = [adoption.is_told(message(run, "stream")) for run in ("r1", "r2", "r3", "r4")]
        assert told == [False, False, False, True]

    asyncio.run(walk())
