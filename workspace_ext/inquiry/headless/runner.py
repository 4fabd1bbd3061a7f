"""Running a notebook from start to end, captured."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_core.utils import ensure_async
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import NotFound
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.capture.runs import RunRecorder
from workspace_ext.inquiry.headless.stamping import StampingClient, StampingManager
from workspace_ext.inquiry.metadata.notebook import apply_projection, cell_uid, read_uid
from workspace_ext.protocol.messages import METADATA_KEY, EventIn

_SILENT = logging.getLogger(f"{__name__}.silent")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False

GRACE_SECONDS = 5.0
"""How long an interrupted cell may take to stop before its kernel is killed."""

Watch = Callable[[int, int], None]
"""Told after each cell how many have run, and of how many."""


@dataclass(frozen=True)
class RunOptions:
    """How to run.

    Attributes:
        kernel: Another kernel than the notebook names.
        timeout: Seconds that one cell may take; any time when None.
        allow_errors: Go on after a cell that failed.
    """

    kernel: str = ""
    timeout: float | None = None
    allow_errors: bool = False


AS_IT_IS = RunOptions()
"""The notebook's kernel, no time limit, stop at the first error."""


@dataclass(frozen=True)
class Failure:
    """The cell that failed: its number among the code cells (from 1), and what it said."""

    cell: int
    name: str
    message: str


@dataclass
class RunReport:
    """What became of a run."""

    investigation: str
    cells: int
    ran: int = 0
    failures: list[Failure] = field(default_factory=list)
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every cell ran and none failed."""
        return not self.failures and not self.interrupted and self.ran == self.cells


def run_notebook(
    notebook: Any,
    client: BrokerClient,
    *,
    path: Path,
    actor: Actor,
    options: RunOptions = AS_IT_IS,
    watch: Watch | None = None,
) -> RunReport:
    """Runs a notebook's code cells, in order, in a kernel of their own.

    The notebook is changed: it gets its outputs, and our metadata. A notebook that belongs to
    no investigation gets one. Ctrl-C interrupts the kernel; the report says so.

    Args:
        notebook: As `notebook.read_notebook` gives it.
        client: The broker of the store, with a service's token.
        path: Where the notebook lies; its folder is the kernel's working folder.
        actor: Who runs it.
        options: How to run.
        watch: Told how far it is.

    Raises:
        NotFound: The investigation is in another store, or there is no such kernel.
    """
    kernel = _kernel(notebook, options)
    uid = _investigation(notebook, client, path=path, actor=actor)
    run = _Run(notebook, client, uid=uid, actor=actor, options=options)
    begun = time.monotonic()
    asyncio.run(run.execute(kernel, path, watch or (lambda _done, _of: None)))
    run.report.seconds = time.monotonic() - begun
    apply_projection(notebook, client.projection(uid))
    return run.report


def _kernel(notebook: Any, options: RunOptions) -> str:
    """The kernel's name, before anything is started or changed for it."""
    name = options.kernel or str(notebook.metadata.get("kernelspec", {}).get("name", "python3"))
    try:
        KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel as error:
        raise NotFound(
            f"there is no kernel {name!r} here",
            hint="`jupyter kernelspec list` shows those that are; choose with --kernel",
            code="no_kernel",
        ) from error
    return name


def _investigation(notebook: Any, client: BrokerClient, *, path: Path, actor: Actor) -> str:
    uid = read_uid(notebook)
    if uid is None:
        opened = client.open_investigation(path.stem, notebook=path.name, actor=str(actor))
        return opened["uid"]
    try:
        client.state(uid)
    except NotFound as error:
        raise NotFound(
            f"{path.name} belongs to investigation {uid}, which is not in this store",
            hint="give --store the folder it was made with, or remove the notebook's"
            " `investigation` metadata to begin anew",
            code="other_store",
        ) from error
    return uid


def _error_output(name: str, message: str) -> Any:
    return new_output(  # type: ignore[no-untyped-call]
        "error", ename=name, evalue=message, traceback=[message]
    )


def _said(cell: Any, error: CellExecutionError) -> tuple[str, str]:
    """Name and message of the error that the cell shows; the reply's own may be incomplete."""
    shown = [each for each in cell.outputs if each.output_type == "error"]
    return (shown[-1].ename, shown[-1].evalue) if shown else (error.ename, error.evalue)


def _code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


class _Run:
    """One run: a kernel, its messages on their way to the record, and what came of it."""

    def __init__(
        self,
        notebook: Any,
        client: BrokerClient,
        *,
        uid: str,
        actor: Actor,
        options: RunOptions,
    ) -> None:
        self.report = RunReport(uid, len(_code_cells(notebook)))
        self._notebook = notebook
        self._client = client
        self._actor = actor
        self._options = options
        self._kernel = new_id()
        self._recorder = RunRecorder(self._kernel)
        self._cell = ""
        self._running = False

    async def execute(self, kernel: str, path: Path, watch: Watch) -> None:
        """Starts the kernel, runs the cells, and ends the kernel whatever happens."""
        notebook_client = _CapturedClient(self, self._notebook, kernel, self._options.timeout)
        task = asyncio.current_task()
        assert task is not None
        with self._interruptible(notebook_client, task):
            try:
                await notebook_client.begin(self._environment(path), path.absolute().parent)
                await self._cells(notebook_client, watch)
            except asyncio.CancelledError:
                self.report.interrupted = True
            finally:
                await notebook_client.end()
                self._send(self._recorder.ended("the kernel was stopped"))

    async def _cells(self, notebook_client: _CapturedClient, watch: Watch) -> None:
        for cell in self._notebook.cells:
            if cell.cell_type == "code":  # outputs of another run would pass for this one's
                cell.outputs, cell.execution_count = [], None
        for index, cell in enumerate(self._notebook.cells):
            if cell.cell_type != "code" or not cell.source.strip():
                continue
            self._running = True
            try:
                await notebook_client.async_execute_cell(
                    cell, index, execution_count=notebook_client.code_cells_executed + 1
                )
            except CellExecutionError as error:
                self._failed(*_said(cell, error))
            except (CellTimeoutError, DeadKernelError) as error:
                said = "the kernel died"
                if isinstance(error, CellTimeoutError):
                    said = f"the cell took longer than {self._options.timeout:g} s"
                self._send(self._recorder.ended(said))
                cell.outputs.append(_error_output(type(error).__name__, said))
                self._failed(type(error).__name__, said)
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
        token = self._client.token(self._kernel, user=self._actor.name, notebook=path.name)
        environment = {**os.environ}
        environment.pop("INVESTIGATION_STORE", None)
        environment["INVESTIGATION_BROKER"] = self._client.address
        environment["INVESTIGATION_TOKEN"] = token
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
        self._send(self._recorder.iopub(message))

    def answered(self, reply: dict[str, Any]) -> None:
        """The kernel has answered the request."""
        self._send(self._recorder.reply(reply))

    def _send(self, events: list[EventIn]) -> None:
        if events:
            self._client.report(self.report.investigation, events)

    # -- Ctrl-C ------------------------------------------------------------------------------

    @contextmanager
    def _interruptible(self, notebook_client: _CapturedClient, task: asyncio.Task[Any]) -> Any:
        loop = asyncio.get_running_loop()
        stopping: list[asyncio.Task[None]] = []

        def stop() -> None:
            if self._running and not self.report.interrupted:
                stopping.append(loop.create_task(notebook_client.interrupt(task)))
            else:
                task.cancel()
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

    def __init__(self, run: _Run, notebook: Any, kernel: str, timeout: float | None) -> None:
        super().__init__(
            notebook,
            kernel_name=kernel,
            kernel_manager_class=StampingManager,
            timeout=timeout,
            record_timing=False,
            store_widget_state=True,
            log=_SILENT,  # what it says is in the report
        )
        self._run = run
        self.on_cell_execute = lambda cell, **_: setattr(self.kc, "stamp", run.stamp(cell))
        self.on_cell_executed = lambda execute_reply, **_: run.answered(execute_reply)

    async def begin(self, environment: dict[str, str], folder: Path) -> None:
        """Starts the kernel and waits until it listens."""
        self.reset_execution_trackers()
        self.create_kernel_manager()
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
            await self._async_cleanup_kernel()

    async def interrupt(self, task: asyncio.Task[Any]) -> None:
        """Interrupts the kernel; one that does not stop in time goes down with the run."""
        if self.km is not None:
            await ensure_async(self.km.interrupt_kernel())
        await asyncio.sleep(GRACE_SECONDS)
        self.shutdown_kernel = "immediate"
        task.cancel()

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """As in the base class; the record hears of it first."""
        self._run.heard(msg)
        return super().process_message(msg, cell, cell_index)
