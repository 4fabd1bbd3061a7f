"""``jupyter investigation broker``: the store's process, by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain

_NAMES = {"otlp": "telemetry", "otlp-grpc": "OTLP over gRPC", "syslog": "syslog"}


@click.command(
    cls=Command,
    answer="{address, doors, store}",
    example="jupyter investigation broker --store .investigation",
)
@store_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port to listen on; when not given, the one used last if it is free, else any.",
)
@click.option(
    "--otlp",
    metavar="HOST:PORT|off",
    envvar="INVESTIGATION_OTLP",
    help="Where senders push telemetry to.  [default: 127.0.0.1:4318 if it is free]",
)
@click.option(
    "--otlp-grpc",
    metavar="HOST:PORT|off",
    envvar="INVESTIGATION_OTLP_GRPC",
    help="Where OTLP comes by gRPC.  [default: 127.0.0.1:4317 if it is free and grpcio is there]",
)
@click.option(
    "--syslog",
    metavar="HOST:PORT|off",
    envvar="INVESTIGATION_SYSLOG",
    help="Where syslog (RFC 5424) comes by TCP; it has no token.  [default: off]",
)
@click.option(
    "--ingest-token-file",
    type=click.Path(path_type=Path),
    help="A file with the token that senders must show; also $INVESTIGATION_INGEST_TOKEN.",
)
@click.option(
    "--trace",
    is_flag=True,
    help="Trace the broker itself, to where OTEL_EXPORTER_OTLP_ENDPOINT says; also"
    " $INVESTIGATION_TRACE=1.  [default: to itself]",
)
@pass_output
def command(
    output: Output,
    store: Path,
    host: str,
    port: int,
    otlp: str | None,
    otlp_grpc: str | None,
    syslog: str | None,
    ingest_token_file: Path | None,
    *,
    trace: bool,
) -> None:
    """Run the store's process until Ctrl-C; several Jupyter servers can share it.

    Queries need the store's token. The ports for telemetry are others: they take data from
    everybody who can reach them, which is this machine only by default, unless you set a token.
    Nothing can be read there but /metrics.

    Without this command a broker is started on demand and leaves when nobody needs it; it receives
    telemetry only when INVESTIGATION_OTLP, _OTLP_GRPC or _SYSLOG say where.
    """
    from workspace_ext.broker.process import serve
    from workspace_ext.broker.receiving import DEFAULTS, OTLP, OTLP_GRPC, SYSLOG, wanted

    receive = wanted(
        {OTLP: otlp, OTLP_GRPC: otlp_grpc, SYSLOG: syslog},
        defaults=DEFAULTS,
        token_file=ingest_token_file,
    )
    open_to = {each.door: each.open_to for each in receive}

    def ready(address: str, doors: Mapping[str, str]) -> None:
        told = [f"Broker of {store.resolve()} at {address}. Stop it with Ctrl-C."]
        told += [
            f"Receives {_NAMES[door]} at {where} from {open_to[door]}."
            for door, where in doors.items()
        ]
        output.show(
            {"address": address, "doors": dict(doors), "store": str(store.resolve())},
            plain("\n".join(told)),
        )

    serve(store, host=host, port=port, receive=receive, trace=trace, on_ready=ready)
