"""``jupyter investigation broker``: the store's process, by hand."""

from __future__ import annotations

from pathlib import Path

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output


@click.command(cls=Command, example="jupyter investigation broker --store .investigation")
@store_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, help="Port to listen on; the previous or a free one if absent.")
@pass_output
def command(output: Output, store: Path, host: str, port: int) -> None:
    """Run the store's process until Ctrl-C; several Jupyter servers can share it.

    Without this command a broker is started on demand and leaves when nobody needs it.
    """
    from workspace_ext.broker.process import serve

    serve(
        store,
        host=host,
        port=port,
        on_ready=lambda address: output.show(
            {"address": address, "store": str(store.resolve())},
            f"Broker of {store.resolve()} at {address}. Stop it with Ctrl-C.",
        ),
    )
