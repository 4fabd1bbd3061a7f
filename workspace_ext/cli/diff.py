"""``jupyter investigation diff``: what differs between two versions, cell by cell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output
from workspace_ext.cli.versioned import investigation_of, notebook_argument, read_raw

if TYPE_CHECKING:
    from rich.console import RenderableType

    from workspace_ext.client.broker import BrokerClient
    from workspace_ext.inquiry.versions.model import Content

_FILE = "the file"


@click.command(
    cls=Command,
    answer="{from, to, cells, diff}",
    example="""
    jupyter investigation diff incident.ipynb 12 15
    jupyter investigation diff incident.ipynb 12
    """,
)
@notebook_argument
@click.argument("revisions", metavar="[VERSION]...", nargs=-1, type=click.IntRange(min=1))
@store_option
@pass_output
def command(output: Output, notebook: Path, revisions: tuple[int, ...], store: Path) -> None:
    """Show what differs between two VERSIONs of NOTEBOOK, or between one and the file.

    Without any: between the newest version and the file. Large outputs are compared by their
    digests. Our own metadata are left out: the record has them.
    """
    from workspace_ext.client.discovery import connect
    from workspace_ext.inquiry.versions.difference import difference

    if len(revisions) > 2:
        raise click.UsageError("give two versions at most")
    with connect(store) as client:
        uid = investigation_of(client, notebook, store)
        first, old = _version(client, uid, revisions[0] if revisions else None)
        if len(revisions) == 2:
            second, new = _version(client, uid, revisions[1])
        else:
            second, new = _FILE, _file(notebook)
    told = difference(
        old, new, names=(first, second), color=not output.as_json and output.console().is_terminal
    )
    output.show(
        {"from": first, "to": second, "cells": dict(told.cells), "diff": told.diff},
        _shown(told.text, first, second),
    )


def _shown(text: str, first: str, second: str) -> RenderableType:
    from rich.text import Text

    return Text.from_ansi(text) if text else f"No difference between {first} and {second}."


def _version(client: BrokerClient, uid: str, revision: int | None) -> tuple[str, Content]:
    from workspace_ext.inquiry.versions.content import split

    found = client.version(uid, revision)
    return f"version {found['version']['revision']}", split(found["notebook"])


def _file(notebook: Path) -> Content:
    from workspace_ext.foundation.errors import NotFound
    from workspace_ext.inquiry.versions.content import split

    content = read_raw(notebook)
    if content is None:
        raise NotFound(
            f"{notebook} is not there, or no notebook",
            hint="bring it back: jupyter investigation restore NOTEBOOK --from-journal",
            code="no_notebook",
        )
    return split(content)
