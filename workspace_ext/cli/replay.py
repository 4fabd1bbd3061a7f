"""``jupyter investigation replay``: archives run again, offline, and compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workspace_ext.cli.options import Command, exit_codes, kernel_option, pass_output
from workspace_ext.cli.output import Output, plain
from workspace_ext.foundation.errors import InvestigationError, from_dict

if TYPE_CHECKING:
    from workspace_ext.cli.replaying import Outcome
    from workspace_ext.inquiry.archive.model import ReplayReport

COLOURS = {"same": "green", "skipped": "dim", "changed": "red", "data missing": "red"}


@click.command(
    cls=Command,
    answer=(
        "{verdict, ok, counts, archive, title, conclusion, cells, hypotheses, "
        "environment, …} or {ok, archives: [{archive, ok, exit_code, …}]}"
    ),
    example="""
    jupyter investigation replay checkout.investigation.zip --report report/
    jupyter investigation replay archives/*.zip -j 4 --junit replays.xml
    """,
    epilog=exit_codes("everything is the same", "something differs, is missing or was changed")
    + " Of several archives, the worst.",
)
@click.argument(
    "archives", metavar="ARCHIVE…", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the report into this folder, as HTML, Markdown and JSON.",
)
@click.option(
    "--junit",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write JUnit XML into this file.",
)
@click.option(
    "--order",
    type=click.Choice(["run", "document"]),
    default="run",
    show_default=True,
    help="Run cells as they were run, or as they stand in the notebook.",
)
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=1, show_default=True,
              help="How many archives at a time.")  # fmt: skip
@click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    help="The workspace it was made in: record there, for each cell, what came of it.",
)
@kernel_option
@click.option("--online", is_flag=True, help="Leave the kernel its network.")
@click.option("--despite-damage", is_flag=True, help="Replay what is whole of a changed archive.")
@pass_output
def command(
    output: Output,
    archives: tuple[Path, ...],
    report: Path | None,
    junit: Path | None,
    order: str,
    jobs: int,
    store: Path | None,
    kernel: str,
    *,
    online: bool,
    despite_damage: bool,
) -> int:
    """Run ARCHIVE again on its own data and say, cell by cell: same, changed, data missing.

    Needs no store, no running broker and no network; its kernel has none where the system lets us
    take it. A changed archive is refused, and what was changed in it is named. The notebook's code
    is run: replay what you would open and run. A folder stands for the archives in it.
    """
    from workspace_ext.cli.replaying import archives_in
    from workspace_ext.inquiry.archive.replay import charts
    from workspace_ext.inquiry.archive.report import prepare, write_junit, write_report

    if report is not None:
        prepare(report)
    if junit is not None:
        prepare(junit.parent)
    paths = archives_in(archives)
    how: dict[str, Any] = {"kernel": kernel, "order": order, "online": online}
    how |= {"despite_damage": despite_damage, "store": store}
    if len(paths) > 1:
        return _several(output, paths, how, jobs=jobs, report=report, junit=junit)
    try:
        replayed = run_replay(output, paths[0], **how)
    except InvestigationError as error:
        if junit is not None:
            write_junit([(paths[0], error)], junit)
        raise
    if report is not None:
        for path in write_report(replayed, report, charts(paths[0])):
            output.note(f"wrote {path}")
    if junit is not None:
        write_junit([(paths[0], replayed)], junit)
        output.note(f"wrote {junit}")
    output.show(replayed.to_dict(), *shown(replayed))
    return 0 if replayed.ok else 1


def run_replay(output: Output, archive: Path, **how: Any) -> ReplayReport:
    """Replays with progress.

    Args:
        output: Where the progress is shown.
        archive: What to replay.
        how: More arguments of `replay.replay`, and ``store``: where to record it, if anywhere.
    """
    from contextlib import nullcontext

    from workspace_ext.client.discovery import connect
    from workspace_ext.foundation.actor import system_user
    from workspace_ext.inquiry.archive.replay import replay
    from workspace_ext.inquiry.archive.telling import require_origin, tell

    store = how.pop("store", None)

    with (
        connect(store) if store else nullcontext() as workspace,
        output.progress() as progress,
    ):
        if workspace is not None:
            require_origin(archive, workspace)
        task = progress.add_task("Replaying", total=None, state="")

        def watch(done: int, of: int) -> None:
            progress.update(task, completed=done, total=of, state=f"{done} of {of} cells")

        report = replay(archive, actor=system_user(), watch=watch, **how)
        if workspace is not None and not tell(report, workspace, system_user()):
            output.note("not recorded: the archive was changed")
        return report


def _several(
    output: Output,
    paths: list[Path],
    how: dict[str, Any],
    *,
    jobs: int,
    report: Path | None,
    junit: Path | None,
) -> int:
    from workspace_ext.cli.replaying import replay_all, worst_code
    from workspace_ext.inquiry.archive.model import ReplayReport
    from workspace_ext.inquiry.archive.report import write_junit

    options = ["--order", how["order"]]
    options += ["--kernel", how["kernel"]] if how["kernel"] else []
    options += ["--store", str(how["store"])] if how["store"] else []
    options += [f"--{name.replace('_', '-')}" for name in ("online", "despite_damage") if how[name]]
    with output.progress() as progress:
        state = f"0 of {len(paths)} archives"
        task = progress.add_task("Replaying", total=len(paths), state=state)
        done: list[Outcome] = []

        def watch(outcome: Outcome) -> None:
            done.append(outcome)
            said = f"{len(done)} of {len(paths)} archives, last: {outcome.archive.name}"
            progress.update(task, completed=len(done), state=said)

        outcomes = replay_all(paths, options, jobs=jobs, report=report, watch=watch)
    if junit is not None:
        write_junit(
            [
                (each.archive, ReplayReport.from_dict(each.report) if each.report
                 else from_dict(each.error or {}))
                for each in outcomes
            ],
            junit,
        )  # fmt: skip
    code = worst_code([each.code for each in outcomes])
    told = {"ok": code == 0, "archives": [each.to_dict() for each in outcomes]}
    output.show(told, *_summary(outcomes))
    return code


def _summary(outcomes: list[Outcome]) -> list[Any]:
    from rich.table import Table

    from workspace_ext.inquiry.archive.model import ReplayReport
    from workspace_ext.inquiry.archive.wording import counted, headline

    table = Table("archive", "verdict", "cells", "what", title="Replays")
    for each in outcomes:
        cells, said = "", str((each.error or {}).get("message", ""))
        if each.report is not None:
            report = ReplayReport.from_dict(each.report)
            cells, said = counted(report), headline(report)
        colour = COLOURS.get(each.verdict, "red")
        table.add_row(plain(each.archive.name), f"[{colour}]{each.verdict}[/]", cells, plain(said))
    good = sum(each.code == 0 for each in outcomes)
    colour = "green" if good == len(outcomes) else "red"
    return [table, f"[bold {colour}]{good} of {len(outcomes)} archives came out the same[/]"]


def shown(report: ReplayReport) -> list[Any]:
    """A replay for the terminal."""
    from rich.table import Table

    from workspace_ext.inquiry.archive.wording import counted, headline, reasons, still

    cells = Table("cell", "what", "verdict", "why", title=f"Replay of {plain(report.title)}")
    for cell in report.cells:
        colour = COLOURS.get(cell.verdict, "red")
        why = plain("\n".join(reasons(cell)))
        verdict = f"[{colour}]{cell.verdict}[/]"
        cells.add_row(str(cell.position), plain(cell.summary), verdict, why)
    lines: list[Any] = [f"[red]changed:[/] {plain(problem)}" for problem in report.problems]
    lines.append(cells)
    for found in report.hypotheses:
        colour = COLOURS["changed"] if found.holds is False else COLOURS["skipped"]
        before = found.before.replace("_", " ")
        why = f"[{colour}]({still(found)}: {plain(found.why)})[/]"
        lines.append(f"{before}: {plain(found.text)} {why}")
    if report.environment:
        lines.append(f"[dim]{len(report.environment)} versions differ; --report lists them[/]")
    colour = "green" if report.ok else "red"
    lines.append(f"[bold {colour}]{report.verdict}[/] ({counted(report)}) {headline(report)}")
    return lines
