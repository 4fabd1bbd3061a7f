"""``jupyter investigation export``: the investigation as a Markdown post-mortem."""

from __future__ import annotations

from pathlib import Path

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.cli.versioned import investigation_of, notebook_argument


@click.command(
    cls=Command,
    answer="{file, characters}",
    example="jupyter investigation export incident.ipynb -o incident.md",
)
@notebook_argument
@store_option
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Markdown file to write.",
)
@pass_output
def command(output: Output, notebook: Path, store: Path, target: Path) -> None:
    """Write NOTEBOOK's investigation down as a post-mortem.

    Summary, causes, timelines, hypotheses (refuted ones too) with the queries behind them, what
    worked and what failed, decisions, open questions, data quality. The same state gives the same
    file.
    """
    from workspace_ext.cli.writing import whole_file
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        text = client.postmortem(investigation_of(client, notebook, store))
    with whole_file(target) as file:
        file.write(text.encode())
    output.show({"file": str(target), "characters": len(text)}, f"Wrote {plain(target)}")
