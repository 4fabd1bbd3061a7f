"""``jupyter investigation history``: what a notebook was, and who made it so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.cli.versioned import investigation_of, notebook_argument, when, who


@click.command(
    cls=Command,
    answer="{versions: [{revision, at, actors, reason, path?, changes?, what?, …}]}",
    example="""
    jupyter investigation history incident.ipynb
    jupyter investigation history incident.ipynb --cell 3f2a81c0
    """,
)
@notebook_argument
@store_option
@click.option("--cell", help="Who changed this cell, when and why; UID as `blame` shows it.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Most versions, the newest first.",
)
@click.option("--before", type=click.IntRange(min=1), help="Only versions before this one.")
@pass_output
def command(
    output: Output, notebook: Path, store: Path, cell: str | None, limit: int, before: int | None
) -> None:
    """List the saved versions of NOTEBOOK: number, time, people, what changed, why.

    Each save is a version. *unknown* is whoever changed the file outside of Jupyter.
    """
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        uid = investigation_of(client, notebook, store)
        if cell is None:
            found = client.versions(uid, before=before, limit=limit)
        else:
            found = client.cell_versions(uid, cell)[:limit]
    if not found:
        output.show(
            {"versions": []}, "Nothing was saved yet." if before is None else "Nothing before that."
        )
        return
    output.show({"versions": found}, _table(found, of_cell=cell is not None))


def _table(found: Sequence[dict[str, Any]], *, of_cell: bool) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    several = len({one.get("path") for one in found}) > 1
    heads = ["version", "saved (UTC)", "by", "what", *(["file"] if several else []), "why"]
    for head in heads:
        table.add_column(head, justify="right" if head == "version" else "left")
    for one in found:
        what = one["what"] if of_cell else _what(one["changes"])
        row = [str(one["revision"]), when(one["at"]), who(one["actors"]), what]
        row += [one["path"]] if several else []
        table.add_row(*map(plain, [*row, one["reason"]]))
    return table


def _what(changes: dict[str, str]) -> str:
    """How many cells were added, changed, run, moved and removed."""
    counted = Counter(_sort(cell, words) for cell, words in changes.items())
    order = ("added", "changed", "run", "moved", "removed", "metadata")
    return ", ".join(f"{counted[name]} {name}" for name in order if counted[name])


def _sort(cell: str, words: str) -> str:
    if not cell or words in ("added", "removed", "moved", "metadata"):
        return words
    return "run" if words == "outputs" else "changed"
