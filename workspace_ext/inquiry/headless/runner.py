"""Running a notebook from start to end, captured."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import NotFound
from workspace_ext.inquiry.capture import prose
from workspace_ext.inquiry.headless.execution import Execution, Line, Opened
from workspace_ext.inquiry.headless.model import AS_IT_IS, RunOptions, RunReport, Watch
from workspace_ext.inquiry.metadata.notebook import apply_projection, read_uid


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
    _kernel(notebook, options)
    uid = _investigation(notebook, client, path=path, actor=actor)
    return run_opened(
        notebook,
        client,
        lambda: client,
        uid=uid,
        path=path,
        actor=actor,
        options=options,
        watch=watch,
    )


def run_opened(  # noqa: PLR0913
    notebook: Any,
    line: Line,
    opened: Opened,
    *,
    uid: str,
    path: Path,
    actor: Actor,
    options: RunOptions = AS_IT_IS,
    watch: Watch | None = None,
) -> RunReport:
    """As `run_notebook`, in an investigation that is opened while the kernel starts.

    Args:
        notebook: As `notebook.read_notebook` gives it.
        line: What the kernel is told of the broker.
        opened: Gives the broker's client, the investigation being open.
        uid: The investigation.
        path: Where the notebook lies; its folder is the kernel's working folder.
        actor: Who runs it.
        options: How to run.
        watch: Told how far it is.

    Raises:
        NotFound: There is no such kernel.
        InvestigationError: What ``opened`` raises.
    """
    kernel = _kernel(notebook, options)

    def told() -> BrokerClient:
        client = opened()
        # Before the first cell: a prediction in a text cell is written before its test.
        said = prose.events(client.state(uid), prose.texts(notebook), actor)
        if said:
            client.report(uid, said)
        return client

    run = Execution(notebook, line, uid=uid, actor=actor, options=options)
    begun = time.monotonic()
    asyncio.run(run.execute(kernel, path, told, watch or (lambda _done, _of: None)))
    run.report.seconds = time.monotonic() - begun
    if run.client is not None:  # else it was interrupted before anything began
        apply_projection(notebook, run.client.projection(uid))
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
