"""A browser tab that also runs cells: it writes what the kernel shows into the shared document."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass

import websocket
from pycrdt import Map, Text

from tests.support.editor import Editor
from tests.support.jupyter import Jupyter, Kernel


@dataclass
class Run:
    """A run that a tab asked for."""

    id: str
    cell: str
    source: str
    arrived: bool = False
    """Whether the tab was told anything of it: then the server has it."""
    replied: bool = False
    idle: bool = False

    @property
    def acknowledged(self) -> bool:
        """Whether the tab was told of its end."""
        return self.replied and self.idle


class Tab(Editor):
    """One notebook, open, with its kernel, as a page of JupyterLab has both.

    Args:
        server: Where it is.
        path: The notebook.
        user: Whose tab it is.
    """

    def __init__(self, server: Jupyter, path: str, user: str = "alice") -> None:
        self._path = path
        self._kernel: Kernel | None = None
        self._kernel_id = ""
        self._asking = threading.Lock()
        self.runs: dict[str, Run] = {}
        self._newest: dict[str, Run] = {}  # by cell: it alone is shown
        super().__init__(server, path, user)

    def join(self, server: Jupyter) -> None:
        """Connects, also again, to the room and the kernel; to a new one where that is gone."""
        super().join(server)
        found = server.session(self._path, user=self._user)["kernel"]["id"]
        same = self._kernel.session if self._kernel and found == self._kernel_id else None
        self._kernel_id = found
        self._kernel = Kernel(server, found, self._user, session=same)
        self._kernel.wait_for_ever()
        self._hearing = threading.Thread(target=self._hear, args=(self._kernel,), daemon=True)
        self._hearing.start()

    def cut(self) -> None:
        """Both connections break, without a word."""
        super().cut()
        kernel = self._kernel
        assert kernel is not None
        kernel.cut()
        self._hearing.join(5)

    def close(self) -> None:
        """The tab is closed."""
        assert self._kernel is not None
        self._kernel.close()
        super().close()

    def run(self, key: str) -> Run | None:
        """Runs a cell as it is; None where the connection is broken."""
        assert self._kernel is not None
        with self.lock:
            source = str(self._cells[self._place(key)]["source"])
        self._show(key, None)
        with self._asking:  # an answer may be quicker
            try:
                asked = self._kernel.execute(source, cell=key)
            except (OSError, websocket.WebSocketException):
                return None
            self.runs[asked] = self._newest[key] = run = Run(asked, key, source)
        return run

    def _hear(self, kernel: Kernel) -> None:
        with suppress(OSError, websocket.WebSocketException, ValueError, TypeError):
            while True:
                channel, header, parent, content = kernel.receive()
                kind, asked = header["msg_type"], parent.get("msg_id")
                with self._asking:
                    run = self.runs.get(str(asked))
                if run is None:
                    continue
                run.arrived = True
                if kind == "stream" and self._newest[run.cell] is run:
                    self._show(run.cell, content["text"])
                elif kind == "execute_reply":
                    run.replied = True
                elif kind == "status" and channel == "iopub":
                    run.idle = run.idle or content["execution_state"] == "idle"

    def _show(self, key: str, text: str | None) -> None:
        """Adds text to a cell's output, or clears it."""

        def change() -> None:
            outputs = self._cells[self._place(key)]["outputs"]
            if text is None:
                outputs.clear()
            elif len(outputs):
                shown = outputs[len(outputs) - 1]["text"]
                shown += text
            else:
                outputs.append(Map({"output_type": "stream", "name": "stdout", "text": Text(text)}))

        self._change(change)
