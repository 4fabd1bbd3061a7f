"""``jupyter investigation replay``: an archive run again, offline, and compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workspace_ext.cli.options import Command, pass_output
from workspace_ext.cli.output import Output

if TYPE_CHECKING:
    from workspace_ext.inquiry.archive.model import ReplayReport

COLOURS = {"same": "green", "skipped": "dim", "changed": "red", "data missing": "red"}


@click.command(
    cls=Command,
    example="jupyter investigation replay checkout.investigation.zip --report report/",
    epilog="Exit codes: 0 everything is the same, 1 something differs, is missing or was changed,"
    " 2 wrong use, 3 environment.",
)
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--report", type=click.Path(file_okay=False, path_type=Path), help="Write it here.")
@click.option("--kernel", default="", help="Another kernel than the notebook names.")
@click.option("--despite-damage", is_flag=True, help="Replay what is whole of a changed archive.")
@pass_output
def command(
    output: Output, archive: Path, report: Path | None, kernel: str, *, despite_damage: bool
) -> int:
    """Run ARCHIVE again on its own data and say, cell by cell: same, changed, data missing.

    Needs no store, no running broker and no network. A changed archive is refused, and what was
    changed in it is named. The notebook's code is run: replay what you would open and run.
    """
    from workspace_ext.inquiry.archive.report import prepare, write_report

    if report is not None:
        prepare(report)
    replayed = run_replay(output, archive, kernel=kernel, despite_damage=despite_damage)
    if report is not None:
        for path in write_report(replayed, report):
            output.note(f"wrote {path}")
    output.show(replayed.to_dict(), *shown(replayed))
    return 0 if replayed.ok else 1


def run_replay(
    output: Output, archive: Path, *, kernel: str = "", despite_damage: bool = False
) -> ReplayReport:
    """Replays with progress."""
    from workspace_ext.foundation.actor import system_user
    from workspace_ext.inquiry.archive.replay import replay

    with output.progress() as progress:
        task = progress.add_task("Replaying", total=None, state="")

        def watch(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of, state=f"{done} of {of} cells")

        return replay(
            archive,
            actor=system_user(),
            kernel=kernel,
            despite_damage=despite_damage,
            watch=watch,
        )


def shown(report: ReplayReport) -> list[Any]:
    """A replay for the terminal."""
    from rich.markup import escape
    from rich.table import Table

    from workspace_ext.inquiry.archive.wording import STILL, counted, headline, reasons

    cells = Table("cell", "what", "verdict", "why", title=f"Replay of {escape(report.title)}")
    for cell in report.cells:
        colour = COLOURS.get(cell.verdict, "red")
        why = escape("\n".join(reasons(cell)))
        verdict = f"[{colour}]{cell.verdict}[/]"
        cells.add_row(str(cell.position), escape(cell.summary), verdict, why)
    lines: list[Any] = [f"[red]changed:[/] {escape(problem)}" for problem in report.problems]
    lines.append(cells)
    for found in report.hypotheses:
        colour = COLOURS["changed"] if found.holds is False else COLOURS["skipped"]
        before = found.before.replace("_", " ")
        why = f"[{colour}]({STILL[found.holds]}: {escape(found.why)})[/]"
        lines.append(f"{before}: {escape(found.text)} {why}")
    if report.environment:
        lines.append(f"[dim]{len(report.environment)} versions differ; --report lists them[/]")
    colour = "green" if report.ok else "red"
    lines.append(f"[bold {colour}]{report.verdict}[/] ({counted(report)}) {headline(report)}")
    return lines
