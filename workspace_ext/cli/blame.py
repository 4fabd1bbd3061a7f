"""``jupyter investigation blame``: who last changed and who last ran each cell."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.cli.versioned import investigation_of, notebook_argument, when, who

_HEADS = ("cell", "version", "changed by", "at (UTC)", "run by", "at (UTC)", "", "source")
_NO = ["", "", ""]


@click.command(
    cls=Command,
    answer="{cells: [{uid, text, changed, run}]}",
    example="jupyter investigation blame incident.ipynb",
)
@notebook_argument
@store_option
@pass_output
def command(output: Output, notebook: Path, store: Path) -> None:
    """Tell of each cell of NOTEBOOK's newest version who last changed and who last ran it."""
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        found = client.blame(investigation_of(client, notebook, store))
    if not found:
        output.show({"cells": []}, "Nothing was saved yet.")
        return
    output.show({"cells": found}, _table(found, output.console().width))


def _table(found: Sequence[dict[str, Any]], width: int) -> Any:
    from rich import box
    from rich.table import Table

    rows = [_row(line) for line in found]
    table = Table(box=box.SIMPLE_HEAD, padding=0)
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)][:-1]
    room = max(8, width - sum(widths) - len(_HEADS) - 1)
    for head, widest in zip(_HEADS, [*widths, room], strict=True):
        table.add_column(head, no_wrap=True, min_width=widest)
    table.columns[-1].max_width = room  # only the source is cut, never a uid
    for row in rows:
        table.add_row(*map(plain, row))
    return table


def _row(line: dict[str, Any]) -> list[str]:
    changed, run = line["changed"], line["run"]
    row = [line["uid"]]
    row += [str(changed["revision"]), who(changed["actors"]), _minute(changed)] if changed else _NO
    row += [who([run["by"]]), _minute(run), run["status"]] if run else _NO
    return [*row, line["text"]]


def _minute(of: dict[str, Any]) -> str:
    return when(of["at"] if "at" in of else of["started"])[:16]
