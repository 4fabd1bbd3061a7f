"""``jupyter investigation demo``: a real incident, end to end, on this machine."""

from __future__ import annotations

import time
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from workspace_ext.cli.options import Command, exit_codes, pass_output
from workspace_ext.cli.output import Output, plain

if TYPE_CHECKING:
    from workspace_ext.cli.demonstration import Workplace
    from workspace_ext.client.broker import BrokerClient


@click.command(
    cls=Command,
    answer=(
        "{folder, notebook} or {folder, cells, ran, failures, queries, hypotheses, "
        "conclusion, confidence_percent, archive, replay, seconds}"
    ),
    example="""
    jupyter investigation demo
    jupyter investigation demo --headless
    """,
    epilog=exit_codes("good", "a cell failed or the replay differs"),
)
@click.option(
    "--dir",
    "folder",
    default="investigation-demo",
    show_default="./investigation-demo",
    type=click.Path(file_okay=False, path_type=Path),
    help="The demo's folder; one that is there already is used again.",
)
@click.option("--headless", is_flag=True, help="Run the notebook, archive it, replay it, and end.")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--port", type=click.IntRange(1, 65535), help="JupyterLab's port.")
@pass_output
def command(
    output: Output, folder: Path, *, headless: bool, no_browser: bool, port: int | None
) -> int:
    """Load a real incident and open a notebook that investigates it.

    Makes a folder with a store and a notebook, and starts JupyterLab on it. Ctrl-C stops
    everything; the folder stays and can be used again.
    """
    from workspace_ext.cli import demonstration as stages
    from workspace_ext.client.discovery import connect
    from workspace_ext.telemetry.ingest.incident import incident_folder, load_incident

    begun = time.monotonic()
    incident = load_incident(incident_folder(stages.INCIDENT))
    place = stages.prepare(folder)
    output.note(f"Folder {place.folder}")
    with connect(place.store) as client:
        output.note(f"Broker ready at {client.address}")
        stages.load(client, incident, output)
        new = stages.copy_notebook(place)
        output.note(f"Notebook {place.notebook.name}{'' if new else ' (kept as it was)'}")
        output.note(f"Alert: {incident.title}. {incident.alert}")
        if headless:
            return _headless(output, client, place, begun)
        if output.as_json:
            output.show({"folder": str(place.folder), "notebook": str(place.notebook)})
        options = ["--no-browser"] * no_browser + [f"--port={port}"] * (port is not None)
        stages.open_lab(place, options, output)
    output.note(f"Stopped. Again: jupyter investigation demo --dir {quote(str(folder))}")
    return 0


def _headless(output: Output, client: BrokerClient, place: Workplace, begun: float) -> int:
    """Runs, archives, replays, and sums up."""
    from workspace_ext.cli.archive import freeze, read_investigation
    from workspace_ext.cli.replay import run_replay
    from workspace_ext.cli.run import run_and_save
    from workspace_ext.inquiry.headless.model import AS_IT_IS

    report = run_and_save(output, client, place.notebook, place.notebook, AS_IT_IS)
    archive = freeze(client, read_investigation(place.notebook), place.archive)
    replayed = run_replay(output, archive)
    state = client.state(report.investigation)
    conclusion = state["conclusion"]
    told: dict[str, Any] = {
        "folder": str(place.folder),
        "cells": report.cells,
        "ran": report.ran,
        "failures": [f"{failed.name}: {failed.message}" for failed in report.failures],
        "queries": len(state["queries"]),
        "hypotheses": {each["text"]: each["state"] for each in state["hypotheses"].values()},
        "conclusion": conclusion["root_cause"] if conclusion else None,
        "confidence_percent": conclusion["confidence_percent"] if conclusion else None,
        "archive": str(archive),
        "replay": {"verdict": replayed.verdict, **replayed.counts},
        "seconds": round(time.monotonic() - begun, 1),
    }
    output.show(told, _summary(told))
    return 0 if report.ok and replayed.ok else 1


def _summary(told: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table("what", title="The demo")
    table.add_column("came of it", overflow="fold")
    table.add_row("cells run", f"{told['ran']} of {told['cells']}")
    for failure in told["failures"]:
        table.add_row("[red]failed[/]", plain(failure))
    table.add_row("queries", str(told["queries"]))
    for text, state in told["hypotheses"].items():
        table.add_row(f"hypothesis {state.replace('_', ' ')}", plain(text))
    if told["conclusion"]:
        sure = f"{told['confidence_percent']} % sure"
        table.add_row(f"conclusion, {sure}", plain(told["conclusion"]))
    counts = ", ".join(
        f"{count} {verdict}"
        for verdict, count in told["replay"].items()
        if verdict != "verdict" and count
    )
    table.add_row("replay of the archive", f"{told['replay']['verdict']} ({counts})")
    table.add_row("archive", plain(told["archive"]))
    table.add_row("seconds", str(told["seconds"]))
    return table
