"""``jupyter investigation init``: an empty workspace folder."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from workspace_ext.cli.options import Command, pass_output
from workspace_ext.cli.output import Output, plain
from workspace_ext.foundation.errors import NotFound


@click.command(
    cls=Command, answer="{store, created}", example="jupyter investigation init .investigation"
)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@pass_output
def command(output: Output, folder: Path) -> None:
    """Make an empty workspace folder: the store of telemetry and records.

    A folder that is a workspace already is left as it is.
    """
    from workspace_ext.client.discovery import connect
    from workspace_ext.storage.folder import StoreFolder

    try:
        StoreFolder.open(folder)
        existed = True
    except NotFound:
        StoreFolder.create(folder)
        existed = False
    with connect(folder) as client:  # the broker makes the databases, nobody else
        client.health()
    path = folder.resolve()
    output.show(
        {"store": str(path), "created": not existed},
        f"{plain(path)} is {'already a workspace' if existed else 'a new, empty workspace'}.",
        f"Next: jupyter investigation ingest --store {plain(quote(str(folder)))} FILE…",
    )
