"""``jupyter investigation changes``: what changed since I last looked."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.cli.versioned import investigation_of, notebook_argument, when, who

if TYPE_CHECKING:
    from workspace_ext.protocol.reviews import Change, Changes


@click.command(
    cls=Command,
    answer="{investigation, who, since, until, seq, changes: [{kind, subject, what, by, at}]}",
    example="""
    jupyter investigation changes incident.ipynb
    jupyter investigation changes incident.ipynb --since 2026-01-31T09:00:00Z
    """,
)
@notebook_argument
@store_option
@click.option("--since", metavar="TIME", help="From this time on, instead of your last look.")
@pass_output
def command(output: Output, notebook: Path, store: Path, since: str | None) -> None:
    """Tell what changed in NOTEBOOK's investigation since you last asked.

    Cells, runs, hypotheses, decisions, comments, review, pin: one list, in the order of time.
    """
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        found = client.changes(investigation_of(client, notebook, store), since=since)
    output.show(found, *_lines(found))


def _lines(found: Changes) -> Iterator[str]:
    since = f"since {when(found['since'])} UTC" if found["since"] else "since the beginning"
    if not found["changes"]:
        yield f"Nothing changed {since}."
        return
    yield f"[bold]Changed {since}[/]"
    # Cells of one save that share their fate share a line.
    for (kind, what, at, *_), group in groupby(found["changes"], _fate):
        alike = list(group)
        people = dict.fromkeys(person for change in alike for person in change["by"])
        if kind == "cell" and len(alike) > 1:
            told = f"{len(alike)} cells {what}"
        else:
            place = f"{alike[0]['subject']} " if kind in ("cell", "run") else ""
            told = f"{kind}: {place}{what}"
        yield f"  {when(at)}  [dim]{plain(who(list(people)))}[/]  {plain(told)}"


def _fate(change: Change) -> tuple[str, ...]:
    own = () if change["kind"] == "cell" else (change["subject"],)
    return (change["kind"], change["what"], change["at"], *own)
