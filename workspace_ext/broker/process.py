"""The broker's process: holds the store, serves, and leaves in order."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import RequestHandler

from workspace_ext.broker.listening import address_of, bind, remember
from workspace_ext.broker.options import Options
from workspace_ext.broker.routes import application
from workspace_ext.broker.runtime import Runtime
from workspace_ext.broker.services import Services
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.storage.folder import StoreFolder

_log = logging.getLogger(__name__)

_GRACE_SECONDS = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Runs a broker until it is told to leave, or nobody needs it; returns the exit code."""
    options = Options.parse(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.debug else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("asyncio").setLevel(logging.INFO)
    try:
        folder = StoreFolder.open(options.store)
        with folder.hold("broker"):
            in_order = asyncio.run(_serve(folder, options))
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
    if not in_order:
        sys.stderr.flush()
        os._exit(0)  # a thread that will not end must not keep the process
    return 0


def _fail(error: InvestigationError, options: Options) -> int:
    if options.json:
        _log.error("%s (%s)", error.message, error.hint)
        _say({"error": error.to_dict()})
    else:
        hint = f"\n  hint: {error.hint}" if error.hint else ""
        sys.stderr.write(f"error: {error.message}{hint}\n")
    return error.exit_code


def _say(message: dict[str, Any]) -> None:
    with suppress(OSError):  # whoever started this may be gone
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


async def _serve(folder: StoreFolder, options: Options) -> bool:
    sockets = bind(folder, options.host, options.port)
    services = Services.open(folder)
    runtime = Runtime(services, options.exit_when_unused)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, runtime.stopping.set)
    server = HTTPServer(application(runtime, log_function=_log_request), max_buffer_size=1 << 30)
    server.add_sockets(sockets)
    address = address_of(sockets[0])
    remember(folder, address, runtime, services.tokens.service_token)
    _log.info("ready at %s (store %s, pid %s)", address, folder.path, os.getpid())
    if options.json:
        _say({"ready": {"address": address, "pid": os.getpid()}})
    else:
        sys.stdout.write(f"Broker of {folder.path} ready at {address} (Ctrl-C stops it)\n")
        sys.stdout.flush()
    runtime.presence.settle()
    await runtime.stopping.wait()
    return await _leave(server, runtime)


async def _leave(server: HTTPServer, runtime: Runtime) -> bool:
    """Stops in order; False when something would not end."""
    _log.info("leaving")
    folder = runtime.services.folder
    with suppress(OSError):
        folder.broker_file.unlink(missing_ok=True)
    server.stop()
    runtime.cancel_all()
    runtime.presence.end_all()
    in_order = await runtime.presence.quiet(_GRACE_SECONDS)
    await server.close_all_connections()
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
