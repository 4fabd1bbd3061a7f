"""The broker's process: holds the store, serves, and leaves in order."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from tornado.httpserver import HTTPServer
from tornado.web import RequestHandler

from workspace_ext.broker import malloc, tracing
from workspace_ext.broker.doors import open_doors, serve_doors
from workspace_ext.broker.ingesting import record_latest
from workspace_ext.broker.listening import address_of, bind, remember
from workspace_ext.broker.options import Options
from workspace_ext.broker.receiving import OTLP, OTLP_GRPC, SYSLOG, Listener, Receiving, wanted
from workspace_ext.broker.routes import application
from workspace_ext.broker.runtime import Runtime
from workspace_ext.broker.services import Services
from workspace_ext.foundation.clock import now_ns
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context

_log = logging.getLogger(__name__)

Ready = Callable[[str, Mapping[str, str]], None]
"""Told a broker's address, and those of its doors by their names."""

_GRACE_SECONDS = 5.0
_HEAD_BYTES = 1 << 20  # the mapping of an ingest travels in the address


def main(arguments: list[str] | None = None) -> int:
    """Runs a broker until it is told to leave, or nobody needs it; returns the exit code."""
    options = Options.parse(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.debug else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("asyncio").setLevel(logging.INFO)
    try:
        serve(
            options.store,
            host=options.host,
            port=options.port,
            linger=options.exit_when_unused,
            receive=wanted(
                {OTLP: options.otlp, OTLP_GRPC: options.otlp_grpc, SYSLOG: options.syslog}
            ),
            trace=options.trace,
            on_ready=partial(_announce, options),
        )
    except InvestigationError as error:
        return _fail(error, options)
    except Exception:
        _log.exception("the broker failed")
        return _fail(
            InvestigationError(
                "the broker failed", hint="see its log; please report it", code="internal"
            ),
            options,
        )
    return 0


def serve(
    store: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    linger: float | None = None,
    receive: Sequence[Receiving] = (),
    trace: bool = False,
    on_ready: Ready,
) -> None:
    """Serves a store until a signal comes, or nobody has used it for a while.

    Args:
        store: The folder.
        host: The address to listen at.
        port: The port; 0 takes the one used last when it is free, else any.
        linger: Seconds without use after which it leaves; None stays.
        receive: Where to receive telemetry. A store made from an archive never does.
        trace: Whether it traces itself; also when the environment says so.
        on_ready: Told the address once it answers, and those of the doors that are open.

    Raises:
        InvestigationError: Why it cannot: the store is held or damaged, the port is taken.
    """
    malloc.share_arenas()
    folder = StoreFolder.open(store)
    if trace or tracing.wanted():
        tracing.start()
    with folder.hold("broker"):
        sockets = bind(folder, host, port)
        doors = () if folder.sealed else receive
        in_order = asyncio.run(_serve(folder, sockets, linger, doors, on_ready))
    if not in_order:
        logging.shutdown()
        os._exit(0)  # a thread that will not end must not keep the process


def _announce(options: Options, address: str, doors: Mapping[str, str]) -> None:
    if options.json:
        ready = {"address": address, "doors": dict(doors), "pid": os.getpid()}
        _say(json.dumps({"ready": ready}))
    else:
        _say(f"Broker of {options.store} ready at {address} (Ctrl-C stops it)")


def _fail(error: InvestigationError, options: Options) -> int:
    if options.json:
        _log.error("%s (%s)", error.message, error.hint)
        _say(json.dumps({"error": error.to_dict()}))
    else:
        hint = f"\n  hint: {error.hint}" if error.hint else ""
        sys.stderr.write(f"error: {error.message}{hint}\n")
    return error.exit_code


def _say(line: str) -> None:
    with suppress(OSError):  # whoever started this may be gone
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


async def _serve(
    folder: StoreFolder,
    sockets: list[socket.socket],
    linger: float | None,
    receive: Sequence[Receiving],
    on_ready: Ready,
) -> bool:
    listeners = open_doors(receive, log_function=_log_request)
    services = Services.open(folder)
    services.live.on_merge = tracing.merged
    record_latest(services)
    runtime = Runtime(services, linger)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, runtime.stopping.set)
    server = HTTPServer(
        application(runtime, log_function=_log_request), max_header_size=_HEAD_BYTES
    )
    server.add_sockets(sockets)
    address = address_of(sockets[0])
    await serve_doors(runtime, listeners)
    doors = {each.receive.door: each.address for each in listeners}
    remember(folder, address, runtime, services.tokens.service_token, doors)
    _log.info("ready at %s (store %s, process %s)", address, folder.path, os.getpid())
    on_ready(address, doors)
    warming = asyncio.ensure_future(runtime.call(_warm_up, services, bool(doors)))
    runtime.presence.settle()
    await runtime.stopping.wait()
    warming.cancel()
    return await _leave(server, listeners, runtime)


def _warm_up(services: Services, receives: bool) -> None:
    """Does what the first question, event or request would otherwise wait for."""
    services.templates.list()  # reads and checks all of them: a third of a second
    import jsonschema  # noqa: F401

    if receives:
        for name, nothing in (("otlp-proto", b""), ("otlp-json", b"{}")):
            with suppress(InvestigationError):
                registry.decode(name, nothing, Context(now_ns(), signal="spans"))
        registry.decode_together("otlp-proto", "spans", [b""])


async def _leave(server: HTTPServer, listeners: list[Listener], runtime: Runtime) -> bool:
    """Stops in order; False when something would not end."""
    _log.info("leaving")
    await runtime.call(tracing.stop)  # while it can still send to itself
    folder = runtime.services.folder
    with suppress(OSError):
        folder.broker_file.unlink(missing_ok=True)
    server.stop()
    for each in listeners:
        each.stop()
    runtime.cancel_all()
    in_order = await runtime.presence.clear(_GRACE_SECONDS)
    await server.close_all_connections()
    for each in listeners:
        await each.close()
    runtime.close()
    if in_order:
        runtime.services.close()
    else:
        _log.warning("a request would not end; what is committed is safe")
    return in_order


def _log_request(handler: RequestHandler) -> None:
    _log.debug(
        "%s %s %s %.1f ms",
        handler.get_status(),
        handler.request.method,
        handler.request.path,
        handler.request.request_time() * 1000,
    )
