"""The broker's socket, and how others learn of it."""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Mapping

from tornado.netutil import bind_sockets

import workspace_ext
from workspace_ext.broker.runtime import Runtime
from workspace_ext.client.transport import HAS_LOCAL, LOCAL
from workspace_ext.foundation.errors import BadInput, Conflict, InvestigationError, Unavailable
from workspace_ext.storage.failures import explain
from workspace_ext.storage.files import write_whole
from workspace_ext.storage.folder import StoreFolder

_PORT_FILE = "broker.port"


def bind(folder: StoreFolder, host: str, port: int) -> list[socket.socket]:
    """Listening sockets. A store made from an archive is served where no network is needed.

    Args:
        folder: The store; it remembers the port used last, so that the address kernels were
            given stays right after a restart.
        host: The address.
        port: The port; 0 takes the one used last when it is free, else any.

    Raises:
        Conflict: The port is taken.
        BadInput: There is no such address.
    """
    if not 0 <= port <= 65_535:
        raise BadInput(f"{port} is no port", hint="ports go from 0 (any) to 65535")
    if folder.sealed and HAS_LOCAL:
        return [_local_socket(folder.socket_name)]
    if port == 0:
        try:
            return bind_sockets(_last_port(folder), host)
        except OSError:
            pass
    try:
        return bind_sockets(port, host)
    except OSError as error:
        raise no_socket(error, host, port, "--host or --port") from error


def no_socket(error: OSError, host: str, port: int, option: str) -> InvestigationError:
    """Why one cannot listen; ``option`` is what to change."""
    if isinstance(error, socket.gaierror):
        return BadInput(f"no address {host}", hint="use 127.0.0.1", code="bad_host")
    if error.errno == errno.EADDRINUSE:
        return Conflict(
            f"port {port} of {host} is taken",
            hint=f"give another {option}; port 0 takes any",
            code="port_taken",
        )
    return Unavailable(
        f"cannot listen at {host}:{port}: {error.strerror}",
        hint=f"give another {option}",
        code="no_port",
    )


def address_of(listening: socket.socket, scheme: str = "http") -> str:
    """The address under which this machine reaches the socket."""
    if listening.family == socket.AF_UNIX:
        name: bytes = listening.getsockname()
        return LOCAL + name[1:].decode()
    host, port = listening.getsockname()[:2]
    return reachable(host, port, scheme)


def reachable(host: str, port: int, scheme: str = "http") -> str:
    """The address under which this machine reaches a port that may be open to all."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 # compared, not bound
        host = "127.0.0.1"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def remember(
    folder: StoreFolder, address: str, runtime: Runtime, token: str, doors: Mapping[str, str]
) -> None:
    """Writes ``broker.json``, which only the store's owner can read.

    Raises:
        Unavailable: The folder cannot be written, or is full.
    """
    entry = {
        "address": address,
        "token": token,
        "doors": dict(doors),
        "instance": runtime.instance,
        "pid": os.getpid(),
        "started": runtime.started,
        "version": workspace_ext.__version__,
    }
    port = address.rpartition(":")[2]
    for path, text in (
        (folder.path / _PORT_FILE, port),
        (folder.broker_file, json.dumps(entry)),
    ):
        try:
            write_whole(path, f"{text}\n", mode=0o600)
        except OSError as error:
            raise explain(error, path) from error


def _local_socket(name: str) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.settimeout(0)
    listening.bind(f"\0{name}")
    listening.listen()
    return listening


def _last_port(folder: StoreFolder) -> int:
    try:
        return int((folder.path / _PORT_FILE).read_text("ascii"))
    except (OSError, ValueError):
        return 0
