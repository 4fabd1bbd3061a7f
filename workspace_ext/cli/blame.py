"""``jupyter investigation blame``: who last changed and who last ran each cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output
from workspace_ext.cli.versioned import investigation_of, notebook_argument, when, who


@click.command(cls=Command, example="jupyter investigation blame incident.ipynb")
@notebook_argument
@store_option
@pass_output
def command(output: Output, notebook: Path, store: Path) -> None:
    """Tell of each cell of NOTEBOOK's newest version who last changed and who last ran it."""
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        found = client.blame(investigation_of(client, notebook, store))
    if not found:
        output.show([], "Nothing was saved yet.")
        return
    output.show(found, _table(found))


def _table(found: Sequence[dict[str, Any]]) -> Any:
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for head in ("cell", "changed by", "at (UTC)", "rev", "run by", "at (UTC)", "", "source"):
        table.add_column(head, justify="right" if head == "rev" else "left")
    for line in found:
        changed, run = line["changed"], line["run"]
        row = [line["uid"]]
        row += (
            [who(changed["actors"]), when(changed["at"]), str(changed["revision"])]
            if changed
            else ["", "", ""]
        )
        row += [who([run["by"]]), when(run["started"]), run["status"]] if run else ["", "", ""]
        table.add_row(*map(escape, [*row, line["text"]]))
    return table
