"""What a broker is started with."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The command line of ``python -m workspace_ext.broker``.

    Attributes:
        store: The store's folder.
        host: The address to listen at.
        port: The port; 0 takes the one used last when it is free, else any.
        exit_when_unused: Seconds without a lease or a request after which it leaves; None stays.
        otlp: Where to receive telemetry, as in 127.0.0.1:4318; ``INVESTIGATION_OTLP`` when None.
        otlp_grpc: Where to receive OTLP over gRPC; ``INVESTIGATION_OTLP_GRPC`` when None.
        syslog: Where to receive syslog over TCP; ``INVESTIGATION_SYSLOG`` when None.
        trace: Whether it traces itself with OpenTelemetry.
        json: Whether the one line on standard output is JSON (for the process that starts it).
        debug: Whether the log has every request, and errors their traceback.
    """

    store: Path
    host: str = "127.0.0.1"
    port: int = 0
    exit_when_unused: float | None = None
    otlp: str | None = None
    otlp_grpc: str | None = None
    syslog: str | None = None
    trace: bool = False
    json: bool = False
    debug: bool = False

    @classmethod
    def parse(cls, arguments: list[str] | None = None) -> Options:
        """From the command line; wrong use exits with 2 and says what was wrong."""
        parser = argparse.ArgumentParser(
            prog="jupyter investigation broker",
            description="Serves one store to kernels, Jupyter servers and the command line.",
        )
        parser.add_argument("--store", type=Path, required=True, metavar="DIR")
        parser.add_argument("--host", default=cls.host)
        parser.add_argument("--port", type=int, default=cls.port)
        parser.add_argument(
            "--exit-when-unused", type=float, metavar="SECONDS", default=cls.exit_when_unused
        )
        for option, what in (
            ("otlp", "telemetry over HTTP"),
            ("otlp-grpc", "OTLP over gRPC"),
            ("syslog", "syslog over TCP"),
        ):
            variable = f"INVESTIGATION_{option.replace('-', '_').upper()}"
            parser.add_argument(
                f"--{option}",
                metavar="HOST:PORT",
                help=f"receive {what} here; ${variable} when not given, else not at all",
            )
        parser.add_argument("--trace", action="store_true")
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--debug", action="store_true")
        return cls(**vars(parser.parse_args(arguments)))
