"""``jupyter investigation export``: an investigation as a Markdown post-mortem."""

from __future__ import annotations

import zipfile
from pathlib import Path

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.cli.versioned import investigation_of


@click.command(
    cls=Command,
    answer="{file, characters}",
    example="""
    jupyter investigation export incident.ipynb -o incident.md
    jupyter investigation export incident.investigation.zip -o incident.md
    """,
)
@click.argument("source", type=click.Path(path_type=Path))
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
def command(output: Output, source: Path, store: Path, target: Path) -> None:
    """Write an investigation down as a post-mortem.

    SOURCE is its notebook, or its archive, which needs no store.

    Summary, causes, timelines, hypotheses (refuted ones too) with the queries behind them, what
    worked and what failed, decisions, open questions, data quality. The same state gives the same
    file.
    """
    from workspace_ext.cli.writing import whole_file

    text = _of_archive(source) if _is_archive(source) else _of_notebook(source, store)
    with whole_file(target) as file:
        file.write(text.encode())
    output.show({"file": str(target), "characters": len(text)}, f"Wrote {plain(target)}")


def _is_archive(source: Path) -> bool:
    return source.suffix == ".zip" or source.is_dir() or zipfile.is_zipfile(source)


def _of_archive(path: Path) -> str:
    from workspace_ext.inquiry.archive.reader import Archive
    from workspace_ext.practice.review.export import of_archive

    with Archive(path) as archive:
        return of_archive(archive)


def _of_notebook(path: Path, store: Path) -> str:
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        return client.postmortem(investigation_of(client, path, store))
