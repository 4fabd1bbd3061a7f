"""What capture adds to a cell: the same cell through a server with the extension and without."""

import socket
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.table import Row, alternate
from tests.support.jupyter import Jupyter, Kernel, jupyter, notebook

CELLS = 200
NAME = "bench.ipynb"


class PromptKernel(Kernel):
    """Acknowledges each packet at once.

    Else the system waits up to 40 ms before it does, and the server's next message for it: a
    wait that hides what is measured, on either server.
    """

    def receive(self) -> tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]:
        self._socket.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return super().receive()


def open_kernel(server: Jupyter) -> PromptKernel:
    """A notebook's kernel."""
    server.save(NAME, notebook("1 + 1"))
    kernel = PromptKernel(server, server.session(NAME)["kernel"]["id"], "alice", v1=True)
    server.clients.append(kernel)
    return kernel


def run() -> list[Row]:
    """The median of many cells, run by turns on two servers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with jupyter(folder / "ours") as ours, jupyter(folder / "bare", extension=False) as bare:
            captured, plain = open_kernel(ours), open_kernel(bare)
            seconds = alternate(
                lambda: captured.run("1 + 1"), lambda: plain.run("1 + 1"), times=CELLS
            )
    what = "a captured cell, request to reply and idle"
    return [Row(what, "the bare Jupyter server", *seconds, "difference", 0.005)]
