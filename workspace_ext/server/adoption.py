"""Outputs of cells whose browser has gone: nobody else would write them into the notebook.

In JupyterLab the browser that asks for a run also writes its outputs into the shared document. So
what each run shows is kept here, as bytes, until the document has it. When the browser's line broke
before that, be it for a moment, nobody knows what it has heard: Jupyter keeps what a page missed
only while nobody else is on the kernel. From then on the outputs of that run are the server's to
write, as they come and at once when it ends, and no browser is told them. What a page wrote while
it had no line, and sends when it is back, is taken out again where the server wrote it, too; where
it brings the very cell, that gets its outputs then.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from workspace_ext.inquiry.capture.outputs import TYPES, notebook_outputs

_log = logging.getLogger(__name__)

GRACE_SECONDS = 1.0
"""How long what a browser sent last has to arrive, and how often outputs of a run that goes on are
written after that."""

LINGER_SECONDS = 3.0
"""How long after a run's end the browser has to write its outputs."""

DEAD_LINE_SECONDS = 100.0
"""How long outputs that it did not write are kept: so long nobody notices that a line is dead."""

MOST_BYTES = 32 * 1024 * 1024
"""Of one run; what comes after that is left out, and the outputs say so."""

_TRIES = 20
_TRY_SECONDS = 0.5
_REMEMBERED = 1000
_ADOPTED_ENDED = 100


class Documents(Protocol):
    """Where outputs go."""

    def shares(self, path: str) -> bool:
        """Whether a notebook is open in shared editing."""
        ...

    def shows(self, path: str, cell: str, outputs: list[dict[str, Any]]) -> bool:
        """Whether a cell has these outputs."""
        ...

    async def show(
        self, path: str, cell: str, outputs: list[dict[str, Any]], count: Any, *, again: bool
    ) -> bool:
        """Makes a cell's outputs these; False when there is no such cell just now.

        With ``again`` only where the cell has these and more.
        """
        ...


@dataclass(eq=False)
class _Run:
    """One execute request of a cell in a shared notebook: the newest of that cell."""

    id: str
    kernel: str
    cell: str
    session: str
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    size: int = 0
    left: bool = False  # its browser: the outputs are the server's to write
    ended: bool = False
    written: int = 0  # of what was heard
    settled: bool = False  # the document has had all of it
    timer: asyncio.TimerHandle | None = None


class Adoption:
    """Lives on the server's event loop.

    Args:
        documents: Where outputs go.
        path_of: The notebook on a kernel that has a cell, as it is called now.
        spawn: Runs something in the background.
    """

    def __init__(
        self,
        documents: Documents,
        path_of: Callable[[str, str], str | None],
        spawn: Callable[[Any], None],
    ) -> None:
        self._documents = documents
        self._path_of = path_of
        self._spawn = spawn
        self._runs: dict[str, _Run] = {}
        self._adopted: OrderedDict[str, None] = OrderedDict()

    def asked(self, kernel: str, cell: str, run: str, session: str) -> None:
        """A browser asked for a run of a cell, which shows nothing of earlier runs from now on."""
        path = self._path_of(kernel, cell) if cell else None
        if path is None or not self._documents.shares(path):
            return
        for other in tuple(self._runs.values()):
            if other.cell == cell and (other.kernel == kernel or other.settled):
                self._forget(other)
        self._runs[run] = _Run(run, kernel, cell, session)

    def heard(self, parts: Sequence[Any]) -> None:
        """A message from a kernel's iopub channel: header, parent, metadata, content."""
        if not self._runs:
            return
        run = self._runs.get(str(json.loads(bytes(parts[1])).get("msg_id")))
        if run is None or run.ended:
            return
        header = json.loads(bytes(parts[0]))
        kind, content = str(header.get("msg_type")), bytes(parts[3])
        if kind in TYPES or kind == "execute_input":
            run.size += len(content)
            run.heard.append((kind, content) if run.size <= MOST_BYTES else ("lost", b"{}"))
        elif kind == "status" and json.loads(content).get("execution_state") == "idle":
            self._end(run)

    def died(self, kernel: str) -> None:
        """A kernel is gone or starts anew: what it ran shows nothing more."""
        for run in tuple(self._runs.values()):
            if run.kernel == kernel and not run.ended:
                self._end(run)

    def broke(self, kernel: str, session: str) -> None:
        """A browser's connection to a kernel ended, or is there anew, which tells the same."""
        for run in tuple(self._runs.values()):
            if (run.kernel, run.session) == (kernel, session) and not run.left:
                run.left = True
                self._adopted[run.id] = None
                while len(self._adopted) > _REMEMBERED:
                    self._adopted.popitem(last=False)
                self._later(run, GRACE_SECONDS, self._adopt)

    def edited(self, cells: Iterable[str]) -> None:
        """Somebody changed cells; it may be a page that wrote outputs while it was away."""
        changed = set(cells)
        for run in tuple(self._runs.values()):
            if run.left and run.ended and run.cell in changed and run.timer is None:
                self._later(run, GRACE_SECONDS, self._adopt)

    def is_told(self, parts: Sequence[Any]) -> bool:
        """Whether a message tells outputs that the document has already by adoption."""
        if not self._adopted:
            return False
        kind = json.loads(bytes(parts[0])).get("msg_type")
        return kind in TYPES and json.loads(bytes(parts[1])).get("msg_id") in self._adopted

    def _end(self, run: _Run) -> None:
        run.ended = True
        if run.left:  # its page is told of the end in this moment
            self._adopt(run)
        else:
            self._later(run, LINGER_SECONDS, self._check)

    def _later(self, run: _Run, seconds: float, do: Callable[[_Run], None]) -> None:
        """Settles what happens next to a run, now that something changed."""
        if run.timer is not None:
            run.timer.cancel()
        run.timer = asyncio.get_running_loop().call_later(seconds, do, run)

    def _check(self, run: _Run) -> None:
        """Keeps what the browser did not write: its line may be dead."""
        path = self._path_of(run.kernel, run.cell)
        outputs, _ = notebook_outputs(run.heard)
        if path is None or self._documents.shows(path, run.cell, outputs):
            self._forget(run)
        else:
            self._later(run, DEAD_LINE_SECONDS, self._forget)

    def _forget(self, run: _Run) -> None:
        self._runs.pop(run.id, None)
        if run.timer is not None:
            run.timer.cancel()

    def _adopt(self, run: _Run) -> None:
        """Writes what a run has shown so far, and goes on with that until its end."""
        if run.timer is not None:
            run.timer.cancel()
            run.timer = None
        if len(run.heard) > run.written or run.ended:
            run.written = len(run.heard)
            self._spawn(self._write(run))
        if not run.ended:
            self._later(run, GRACE_SECONDS, self._adopt)
            return
        ended = [one for one in self._runs.values() if one.left and one.ended]
        for one in ended[:-_ADOPTED_ENDED]:
            self._forget(one)

    async def _write(self, run: _Run) -> None:
        (outputs, count), is_all = notebook_outputs(run.heard), run.ended
        taken = run.written
        for _ in range(_TRIES):
            path = self._path_of(run.kernel, run.cell)
            if path is None or self._runs.get(run.id) is not run or run.written > taken:
                return  # its notebook is closed, or something later is shown
            if await self._documents.show(path, run.cell, outputs, count, again=run.settled):
                run.settled = is_all
                return
            await asyncio.sleep(_TRY_SECONDS)  # it is being opened, or its page not back yet
        _log.info("outputs of run %s wait for their cell", run.id)
