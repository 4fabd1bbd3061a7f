"""``jupyter investigation ingest``: telemetry files into a store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain, show_error
from workspace_ext.cli.reading import read_mapping
from workspace_ext.foundation.errors import BadInput, InvestigationError
from workspace_ext.telemetry.ingest.registry import formats

if TYPE_CHECKING:
    from workspace_ext.client.broker import BrokerClient


@click.command(
    cls=Command,
    answer=(
        "{files: [{name, format?, digest?, already?, batch_id?, rows?, duplicates?, "
        "quarantined?, first_time?, last_time?, warnings?, error?}]} or {watched: {taken, "
        "already, failed, rows}}"
    ),
    example="""
    jupyter investigation ingest --store .investigation traces.jsonl.gz
    jupyter investigation ingest --store .investigation spans.csv --mapping spans.mapping.yaml
    jupyter investigation ingest --store .investigation --watch /var/log/shop
    """,
)
@store_option
@click.argument("paths", metavar="[PATH…]", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--watch",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Take what is in a folder and what comes there, until Ctrl-C.",
)
@click.option(
    "--every",
    metavar="SECONDS",
    type=click.FloatRange(min=0.01),
    default=2.0,
    show_default=True,
    help="From look to look at the watched folder.",
)
@click.option("--format", "format_", type=click.Choice(formats()), help="Found out when not given.")
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    help="YAML: column → field, units, zone. Default: spans.mapping.yaml beside spans.csv.",
)
@pass_output
def command(
    output: Output,
    store: Path,
    paths: tuple[Path, ...],
    watch: Path | None,
    every: float,
    format_: str | None,
    mapping: Path | None,
) -> int:
    """Load telemetry files. A file loaded before adds nothing; a bad record is put aside.

    A file is kept whole or not at all. A file that cannot be read does not stop the others;
    the exit code is then that of its error.

    A watched folder's file is taken when two looks find it the same, and again when it has grown:
    what was there before adds nothing.
    """
    if bool(paths) == (watch is not None):
        raise BadInput(
            "nothing to load" if watch is None else "both files and --watch",
            hint="name files, or a folder with --watch",
            code="usage",
        )
    if watch is None:
        return _load(output, store, paths, format_, mapping)
    from workspace_ext.cli.watching import watch as take_from

    def take(client: BrokerClient, path: Path) -> dict[str, Any]:
        return client.ingest(path, format=format_, mapping=read_mapping(path, mapping))

    return take_from(output, store, watch, take, summary, every)


def _load(
    output: Output, store: Path, paths: tuple[Path, ...], format_: str | None, mapping: Path | None
) -> int:
    from workspace_ext.client.discovery import connect

    reports: list[dict[str, Any]] = []
    failed: list[InvestigationError] = []
    with connect(store) as client, output.progress() as progress:
        for path in paths:
            task = progress.add_task(path.name, total=None, state="")
            try:
                if path.is_dir():
                    raise BadInput(f"{path} is a folder", hint=f"name the files in it: {path}/*")
                text = read_mapping(path, mapping)

                def advance(done: int, total: int | None, task: Any = task) -> None:
                    progress.update(task, completed=done, total=total, state=f"{done:,} bytes")

                report = client.ingest(path, format=format_, mapping=text, progress=advance)
                progress.update(task, completed=1, total=1, state=summary(report))
            except InvestigationError as error:
                failed.append(error)
                report = {"name": path.name, "error": error.to_dict()}
                progress.update(task, completed=0, total=1, state="failed")
            reports.append(report)
    read = [report for report in reports if "error" not in report]
    output.show({"files": reports}, *([_table(read)] if read else []))
    if not output.as_json:
        for one in failed:
            show_error(output, one)
    return max((one.exit_code for one in failed), default=0)


def summary(report: dict[str, Any]) -> str:
    """What a file added, in a line."""
    if report["already"]:
        return "already there, nothing added"
    rows = ", ".join(f"{count:,} {signal}" for signal, count in report["rows"].items() if count)
    return rows or "no rows"


def _table(reports: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table("file", "added", "duplicates", "put aside", "batch")
    for report in reports:
        table.add_row(
            plain(report["name"]),
            plain("\n".join([summary(report), *report["warnings"]])),
            str(report["duplicates"]),
            str(report["quarantined"]),
            str(report["batch_id"] or "-"),
        )
    return table
