"""One run of a notebook: a kernel, its messages on their way to the record, and Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Collection
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from jupyter_core.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.capture.runs import RunRecorder
from workspace_ext.inquiry.headless.controls import leave_pictures
from workspace_ext.inquiry.headless.model import Failure, RunOptions, RunReport, Watch
from workspace_ext.inquiry.headless.stamping import StampingClient, StampingManager
from workspace_ext.inquiry.metadata.notebook import cell_uid
from workspace_ext.protocol.messages import METADATA_KEY, EventIn

GRACE_SECONDS = 15.0
"""How long an interrupted cell may take to stop before its kernel is killed; a second Ctrl-C does
not wait for it."""

_NO_PIPE = "ignore:Couldn't bind IOPub Pipe:UserWarning"
"""Without a network, ipykernel shows nothing that a forked process prints; it says so."""

_SILENT = logging.getLogger(f"{__name__}.silent")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False


class Line(Protocol):
    """What a kernel is told of the broker; a client knows it, and so may who starts one."""

    @property
    def address(self) -> str:
        """Where the broker is, or will be."""
        ...

    def token(self, kernel: str, *, user: str, notebook: str = "") -> str:
        """A token of the kernel's own."""
        ...

    def revoke_tokens(self, kernels: Collection[str]) -> None:
        """Ends the tokens of kernels that are gone."""
        ...


Opened = Callable[[], BrokerClient]
"""Gives the broker's client, having done all that must be done before the first cell runs. It is
called in a thread, while the kernel starts."""


class Execution:
    """One run: a kernel, its messages on their way to the record, and what came of it."""

    def __init__(
        self,
        notebook: Any,
        line: Line,
        *,
        uid: str,
        actor: Actor,
        options: RunOptions,
    ) -> None:
        self._order = _code_cells(notebook) if options.order is None else options.order
        self.report = RunReport(uid, len(self._order))
        self._notebook = notebook
        self._line = line
        self.client: BrokerClient | None = None  # until it was opened
        self._actor = actor
        self._options = options
        self._kernel = new_id()
        self._recorder = RunRecorder(self._kernel)
        self._cell = ""
        self._running = False

    async def execute(self, kernel: str, path: Path, opened: Opened, watch: Watch) -> None:
        """Starts the kernel, runs the cells, and ends the kernel whatever happens."""
        notebook_client = _CapturedClient(self, self._notebook, kernel, self._options)

        async def work() -> None:
            await self._begin(notebook_client, path, opened)
            await self._cells(notebook_client, watch)

        # A task of its own: Ctrl-C cancels the work, at any time, but never what ends the kernel.
        working = asyncio.create_task(work())
        with self._interruptible(notebook_client, working):
            try:
                await working
            except asyncio.CancelledError:
                self.report.interrupted = True
            finally:
                await notebook_client.end()
                self._send(self._recorder.ended("the kernel was stopped"))
                with suppress(InvestigationError):  # without a broker nobody asks by it
                    self._line.revoke_tokens([self._kernel])

    async def _begin(self, notebook_client: _CapturedClient, path: Path, opened: Opened) -> None:
        """Two processes start at once where the broker is not there yet."""
        folder = path.absolute().parent
        begun = asyncio.create_task(notebook_client.begin(self._environment(path), folder))
        try:
            self.client = await asyncio.to_thread(opened)
        except BaseException:
            begun.cancel()
            with suppress(asyncio.CancelledError, Exception):  # why it ends is known already
                await begun
            raise
        await begun

    async def _cells(self, notebook_client: _CapturedClient, watch: Watch) -> None:
        for cell in self._notebook.cells:
            if cell.cell_type == "code":  # outputs of another run would pass for this one's
                cell.outputs, cell.execution_count = [], None
        for index in self._order:
            cell = self._notebook.cells[index]
            self._running = True
            try:
                await notebook_client.async_execute_cell(
                    cell, index, execution_count=notebook_client.code_cells_executed + 1
                )
            except CellExecutionError as error:
                self._failed(*_said(cell, error))
            except (CellTimeoutError, DeadKernelError) as error:
                name, said = type(error).__name__, "the kernel died"
                if isinstance(error, CellTimeoutError):
                    said = f"the cell took longer than {self._options.timeout:g} s"
                elif self.report.interrupted:  # nbclient takes a cancelled wait for a dead kernel
                    name, said = KeyboardInterrupt.__name__, "it did not stop: its kernel was ended"
                self._send(self._recorder.ended(said))
                cell.outputs.append(_error_output(name, said))
                self._failed(name, said)
                notebook_client.shutdown_kernel = "immediate"
                return
            finally:
                self._running = False
            self.report.ran += 1
            watch(self.report.ran, self.report.cells)
            if self.report.interrupted or (self.report.failures and not self._options.allow_errors):
                return

    def _failed(self, name: str, message: str) -> None:
        self.report.failures.append(Failure(self.report.ran + 1, name, message))

    def _environment(self, path: Path) -> dict[str, str]:
        """The kernel's: a token of its own, and no path to the store."""
        token = self._line.token(self._kernel, user=self._actor.name, notebook=path.name)
        environment = {**os.environ}
        for name in ("INVESTIGATION_STORE", "INVESTIGATION_UID"):
            environment.pop(name, None)
        environment["INVESTIGATION_BROKER"] = self._line.address
        environment["INVESTIGATION_TOKEN"] = token
        if self._options.launcher:
            own = environment.get("PYTHONWARNINGS")
            environment["PYTHONWARNINGS"] = f"{own},{_NO_PIPE}" if own else _NO_PIPE
        return environment

    # -- what the kernel's client tells ------------------------------------------------------

    def stamp(self, cell: Any) -> dict[str, Any]:
        """The metadata of the request that runs this cell."""
        self._cell = cell_uid(self._notebook.cells, cell.id)
        stamp = {"uid": self.report.investigation, "cell": self._cell, "user": self._actor.name}
        return {"cellId": cell.id, METADATA_KEY: stamp}

    def asked(self, message: dict[str, Any]) -> None:
        """A request is about to be sent: the record has it before the kernel does."""
        self._send(self._recorder.request(message, actor=self._actor, cell=self._cell))

    def heard(self, message: dict[str, Any]) -> None:
        """The kernel published something."""
        run, size = message["parent_header"].get("msg_id"), len(repr(message["content"]))
        if self._recorder.wants(message["header"], run, size):
            self._send(self._recorder.iopub(message))

    def answered(self, reply: dict[str, Any]) -> None:
        """The kernel has answered the request."""
        self._send(self._recorder.reply(reply))

    def _send(self, events: list[EventIn]) -> None:
        if events and self.client is not None:
            self.client.report(self.report.investigation, events)

    # -- Ctrl-C ------------------------------------------------------------------------------

    @contextmanager
    def _interruptible(self, notebook_client: _CapturedClient, working: asyncio.Task[None]) -> Any:
        loop = asyncio.get_running_loop()
        stopping: list[asyncio.Task[None]] = []

        def stop() -> None:
            if self._running and not self.report.interrupted:
                stopping.append(loop.create_task(notebook_client.interrupt(working)))
            else:
                working.cancel()
            self.report.interrupted = True

        caught = (signal.SIGINT, signal.SIGTERM)
        with suppress(RuntimeError, ValueError, NotImplementedError):  # not the main thread
            for number in caught:
                loop.add_signal_handler(number, stop)
        try:
            yield
        finally:
            for each in stopping:
                each.cancel()
            for number in caught:
                with suppress(RuntimeError, ValueError, NotImplementedError):
                    loop.remove_signal_handler(number)


class _CapturedClient(NotebookClient):
    """nbclient, with requests that name their cell, and somebody who hears every message."""

    def __init__(self, run: Execution, notebook: Any, kernel: str, options: RunOptions) -> None:
        super().__init__(
            notebook,
            kernel_name=kernel,
            kernel_manager_class=StampingManager,
            timeout=options.timeout,
            record_timing=False,
            store_widget_state=True,
            log=_SILENT,  # what it says is in the report
        )
        self._run = run
        self._launcher = options.launcher
        self.on_cell_execute = lambda cell, **_: setattr(self.kc, "stamp", run.stamp(cell))
        self.on_cell_executed = lambda execute_reply, **_: run.answered(execute_reply)

    async def begin(self, environment: dict[str, str], folder: Path) -> None:
        """Starts the kernel and waits until it listens."""
        self.reset_execution_trackers()
        manager = self.create_kernel_manager()
        assert isinstance(manager, StampingManager)
        manager.launcher = self._launcher
        await self.async_start_new_kernel(env=environment, cwd=str(folder))
        client = await self.async_start_new_kernel_client()
        assert isinstance(client, StampingClient)
        client.before = self._run.asked
        reply = await self.async_wait_for_reply(client.kernel_info())
        if reply is not None:
            self.nb.metadata["language_info"] = reply["content"]["language_info"]

    async def end(self) -> None:
        """Stops the kernel, if there is one."""
        if self.km is not None:
            self.set_widgets_metadata()
            leave_pictures(self.nb)
            await self._async_cleanup_kernel()

    async def interrupt(self, working: asyncio.Task[None]) -> None:
        """Interrupts the kernel; one that does not stop in time goes down with the run."""
        if self.km is not None:
            await ensure_async(self.km.interrupt_kernel())
        await asyncio.sleep(GRACE_SECONDS)
        self.shutdown_kernel = "immediate"
        working.cancel()

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """As in the base class; the record hears of it first."""
        self._run.heard(msg)
        return super().process_message(msg, cell, cell_index)


def _error_output(name: str, message: str) -> Any:
    return new_output(  # type: ignore[no-untyped-call]
        "error", ename=name, evalue=message, traceback=[message]
    )


def _said(cell: Any, error: CellExecutionError) -> tuple[str, str]:
    """Name and message of the error that the cell shows; the reply's own may be incomplete."""
    shown = [each for each in cell.outputs if each.output_type == "error"]
    return (shown[-1].ename, shown[-1].evalue) if shown else (error.ename, error.evalue)


def _code_cells(notebook: Any) -> tuple[int, ...]:
    """The places of all code cells that are not empty."""
    cells = enumerate(notebook.cells)
    return tuple(at for at, cell in cells if cell.cell_type == "code" and cell.source.strip())
