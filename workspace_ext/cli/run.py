"""``jupyter investigation run``: a notebook from start to end, captured as in the browser."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workspace_ext.cli.options import Command, exit_codes, kernel_options, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.foundation.errors import InvestigationError, NotFound

if TYPE_CHECKING:
    from workspace_ext.client.broker import BrokerClient
    from workspace_ext.inquiry.headless.model import RunOptions, RunReport


@click.command(
    cls=Command,
    answer="{ok, notebook, investigation, cells, ran, failures, interrupted, seconds}",
    example="jupyter investigation run incident.ipynb --store .investigation",
    epilog=exit_codes("every cell ran", "a cell failed"),
)
@click.argument("notebook", type=click.Path(dir_okay=False, path_type=Path))
@store_option
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Save here instead of into NOTEBOOK.",
)
@kernel_options
@click.option("--allow-errors", is_flag=True, help="Go on after a cell that failed.")
@pass_output
def command(
    output: Output,
    notebook: Path,
    store: Path,
    target: Path | None,
    kernel: str,
    timeout: float | None,
    *,
    allow_errors: bool,
) -> int:
    """Run a notebook headless, in the name of the system's user.

    Queries, runs and hypotheses are recorded as from the browser; outputs and metadata are saved
    into the notebook, also when a cell fails or Ctrl-C stops it. A notebook that belongs to no
    investigation gets one.
    """
    from workspace_ext.cli.writing import require_writable
    from workspace_ext.client.discovery import connect
    from workspace_ext.inquiry.headless.model import RunOptions
    from workspace_ext.inquiry.headless.notebook import read_notebook

    read_notebook(notebook)  # a wrong file is told before anything is started
    require_writable(target or notebook)
    options = RunOptions(kernel, timeout, allow_errors)
    with connect(store) as client:
        report = run_and_save(output, client, notebook, target or notebook, options)
    return show(output, report, target or notebook)


def run_and_save(
    output: Output, client: BrokerClient, path: Path, target: Path, options: RunOptions
) -> RunReport:
    """Runs a notebook with a progress bar and saves what has run, whatever stops it.

    Raises:
        KeyboardInterrupt: Somebody stopped it; what had run is saved.
    """
    from workspace_ext.foundation.actor import system_user
    from workspace_ext.inquiry.headless.notebook import read_notebook, write_notebook
    from workspace_ext.inquiry.headless.pictures import draw_charts
    from workspace_ext.inquiry.headless.runner import run_notebook
    from workspace_ext.inquiry.headless.versions import keep, keep_as_found
    from workspace_ext.inquiry.metadata.notebook import read_uid

    notebook = read_notebook(path)
    before = deepcopy(notebook)
    uid = read_uid(notebook)
    if uid is not None:
        with suppress(NotFound):  # it is of another store: the run says so
            keep_as_found(client, uid, path, notebook)
    with output.progress() as progress:
        task = progress.add_task(path.name, total=None, state="starting the kernel")

        def watch(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, state=f"{done} of {total} cells")

        try:
            report = run_notebook(
                notebook, client, path=path, actor=system_user(), options=options, watch=watch
            )
        finally:
            if notebook != before:
                draw_charts(notebook)
                write_notebook(target, notebook)
        uid = report.investigation
        try:
            keep(client, uid, target, notebook, system_user(), reason="run headless")
        except InvestigationError as error:  # the notebook is saved, and the next save is a version
            output.note(f"this save is no version: {error.message}")
    if report.interrupted:
        raise KeyboardInterrupt
    return report


def show(output: Output, report: RunReport, path: Path) -> int:
    """Prints what became of a run, and returns the exit code."""
    ran = f"{report.ran} of {report.cells} cells ran in {report.seconds:.1f} s"
    lines = [f"{ran}; saved {plain(path)}"]
    lines += [
        f"[red]Cell {failure.cell} failed:[/] {plain(f'{failure.name}: {failure.message}')}"
        for failure in report.failures
    ]
    output.show({**asdict(report), "ok": report.ok, "notebook": str(path)}, *lines)
    return 0 if report.ok else 1
