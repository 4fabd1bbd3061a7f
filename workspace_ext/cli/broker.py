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
@click.option(
    "--otlp",
    metavar="HOST:PORT|off",
    envvar="INVESTIGATION_OTLP",
    help="Where senders push telemetry to.  [default: 127.0.0.1:4318 if it is free]",
)
@click.option(
    "--ingest-token-file",
    type=click.Path(path_type=Path),
    help="A file with the token that senders must show; also $INVESTIGATION_INGEST_TOKEN.",
)
@pass_output
def command(
    output: Output,
    store: Path,
    host: str,
    port: int,
    otlp: str | None,
    ingest_token_file: Path | None,
) -> None:
    """Run the store's process until Ctrl-C; several Jupyter servers can share it.

    Queries need the store's token. The port for telemetry is another: it takes data from everybody
    who can reach it, which is this machine only by default, unless you set a token. Nothing can
    be read there but /metrics.

    Without this command a broker is started on demand and leaves when nobody needs it; it receives
    telemetry only when INVESTIGATION_OTLP says where.
    """
    from workspace_ext.broker.process import serve
    from workspace_ext.broker.receiving import DEFAULT, Receiving

    receive = Receiving.parse(
        otlp or DEFAULT, token_file=ingest_token_file, required=otlp is not None
    )

    def ready(address: str, receiver: str | None) -> None:
        told = f"Broker of {store.resolve()} at {address}. Stop it with Ctrl-C."
        if receiver is not None and receive is not None:
            told += f"\nReceives telemetry at {receiver} from {receive.open_to}."
        output.show({"address": address, "receiver": receiver, "store": str(store.resolve())}, told)

    serve(
        store,
        host=host,
        port=port,
        receive=receive,
        on_ready=ready,
    )
