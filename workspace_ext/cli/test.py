"""``jupyter investigation test``: all tests of a notebook's hypotheses, headless."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workspace_ext.cli.options import Command, exit_codes, kernel_options, pass_output, store_option
from workspace_ext.cli.output import Output, plain

if TYPE_CHECKING:
    from workspace_ext.inquiry.headless.testing import Claim, TrialReport

_MARKS = {
    "passed": "[green]passed[/]",
    "failed": "[red]failed[/]",
    "inconclusive": "[yellow]inconclusive[/]",
    "not run": "[yellow]not run[/]",
}


@click.command(
    cls=Command,
    answer="{ok, notebook, run, claims}",
    example="""
    jupyter investigation test incident.ipynb --store .investigation
    jupyter investigation test incident.ipynb --junit report.xml
    """,
    epilog=exit_codes("all published claims hold", "one does not or a cell failed"),
)
@click.argument("notebook", type=click.Path(dir_okay=False, path_type=Path))
@store_option
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the results as JUnit XML.",
)
@kernel_options
@pass_output
def command(
    output: Output,
    notebook: Path,
    store: Path,
    junit: Path | None,
    kernel: str,
    timeout: float | None,
) -> int:
    """Run NOTEBOOK headless and tell, of each hypothesis, what its tests say.

    The run is recorded; the notebook's file stays as it is. A claim that is published (supported,
    contributing, root cause) must have all its tests passed; a test without data is no support.
    """
    from workspace_ext.cli.writing import require_writable, whole_file
    from workspace_ext.client.discovery import connect
    from workspace_ext.foundation.actor import system_user
    from workspace_ext.inquiry.headless.junit import to_junit
    from workspace_ext.inquiry.headless.model import RunOptions
    from workspace_ext.inquiry.headless.notebook import read_notebook
    from workspace_ext.inquiry.headless.testing import try_notebook

    content = read_notebook(notebook)
    if junit is not None:
        require_writable(junit)
    options = RunOptions(kernel, timeout, allow_errors=True)
    with connect(store) as client, output.progress() as progress:
        task = progress.add_task(notebook.name, total=None, state="starting the kernel")

        def watch(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, state=f"{done} of {total} cells")

        report = try_notebook(
            content, client, path=notebook, actor=system_user(), options=options, watch=watch
        )
    if report.run.interrupted:
        raise KeyboardInterrupt
    if junit is not None:
        with whole_file(junit) as file:
            file.write(to_junit(report).encode())
    output.show(report.to_dict(), *_lines(report))
    return 0 if report.ok else 1


def _lines(report: TrialReport) -> Iterator[str]:
    for claim in report.claims:
        yield from _claim(claim)
    for failure in report.run.failures:
        yield f"[red]Cell {failure.cell} failed:[/] {plain(f'{failure.name}: {failure.message}')}"
    published = [claim for claim in report.claims if claim.published]
    fallen = sum(claim.holds is False for claim in published)
    said = f"{fallen} of {len(published)} published claims do not hold" if fallen else (
        f"all {len(published)} published claims hold" if published else "no claim is published"
    )  # fmt: skip
    yield f"{said}; {report.run.ran} of {report.run.cells} cells ran in {report.run.seconds:.1f} s"


def _claim(claim: Claim) -> Iterator[str]:
    fallen = " [red](published, does not hold)[/]" if claim.holds is False else ""
    late = " [yellow](predicted after a test began)[/]" if claim.prediction_late else ""
    yield f"[bold]{claim.state.replace('_', ' ')}[/]{fallen}{late}: {plain(claim.text)}"
    if claim.override:
        yield f"  [yellow]published despite its tests:[/] {plain(claim.override)}"
    for trial in claim.trials:
        where = f"query {trial.query}" if trial.query else "code in the kernel"
        told = plain(f"{trial.name}, expected {trial.expect}: {trial.why}")
        yield f"  {_MARKS[trial.status]} {told} [dim]({where}, {trial.seconds:.2f} s)[/]"
    if not claim.trials:
        yield "  [dim]it has no test[/]"
