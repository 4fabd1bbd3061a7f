"""A real Jupyter server with the extension, and clients that speak as JupyterLab does."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import websocket
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from tests.support.people import TOKENS
from tests.support.places import REPOSITORY
from tests.support.ports import free_port
from tests.support.waiting import PATIENCE_SECONDS, as_written, until
from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import find

V1 = "v1.kernel.websocket.jupyter.org"
UNFINISHED = ".~"
"""How Jupyter begins the names of files beside those that it is writing."""
START_SECONDS = 120.0
ANSWER_SECONDS = PATIENCE_SECONDS

_SERVE = """
from workspace_ext.foundation.imports import without_slow_formats
with without_slow_formats():
    from jupyter_server.serverapp import main
main()
"""
"""Most of what ``python -m jupyter_server`` takes to start is a format that nothing here checks."""
_TABLE = """
c.ServerApp.identity_provider_class = "tests.support.people.People"
c.ServerApp.authorizer_class = "tests.support.people.Readers"
"""


class RefusedError(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


@dataclass
class Jupyter:
    """A running server."""

    root: Path
    store: Path
    home: Path
    url: str
    process: subprocess.Popen[bytes]
    log: Path
    clients: list[Kernel] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=lambda: dict(TOKENS))

    def request(
        self, method: str, path: str, body: object = None, *, user: str | None = "alice"
    ) -> Any:
        """Calls a route; the answer's JSON."""
        headers = {"Content-Type": "application/json"}
        if user:
            headers["Authorization"] = f"token {self.tokens[user]}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}{path}", data=data, method=method, headers=headers
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_SECONDS) as response:
                content = response.read()
        except urllib.error.HTTPError as error:
            content = error.read()
            try:
                said = json.loads(content)
            except ValueError:
                said = content.decode()
            raise RefusedError(error.code, said) from None
        return json.loads(content) if content else None

    def broker(self) -> BrokerClient:
        """The client of the broker that the server uses."""
        client: BrokerClient = until(lambda: find(self.store), "a broker runs")
        return client

    def save(self, path: str, notebook: dict[str, Any], *, user: str = "alice") -> None:
        """Saves a notebook as a browser without shared editing does."""
        model = {"type": "notebook", "format": "json", "content": notebook}
        self.request("PUT", f"/api/contents/{quote(path)}", model, user=user)

    def read(self, path: str) -> dict[str, Any]:
        """A notebook as it is on disk."""
        found: dict[str, Any] = until(lambda: as_written(self.root / path), f"{path} is written")
        return found

    def files(self) -> list[str]:
        """The names in its root; without those that only last for as long as a file is written."""
        return sorted(
            path.name for path in self.root.iterdir() if not path.name.startswith(UNFINISHED)
        )

    def session(self, path: str, *, kernel: str = "investigation", user: str = "alice") -> Any:
        """Opens a notebook's kernel."""
        body = {"path": path, "name": path, "type": "notebook", "kernel": {"name": kernel}}
        return self.request("POST", "/api/sessions", body, user=user)

    def kernel(self, path: str, *, kernel: str = "investigation", user: str = "alice") -> Kernel:
        """Opens a notebook's kernel, and a connection to it."""
        return self.connect(self.session(path, kernel=kernel, user=user)["kernel"]["id"], user)

    def connect(
        self, kernel_id: str, user: str = "alice", *, v1: bool = True, session: str | None = None
    ) -> Kernel:
        """Another connection to a kernel; of a page that comes back when ``session`` is its."""
        client = Kernel(self, kernel_id, user, v1=v1, session=session)
        self.clients.append(client)
        return client

    def socket(self, path: str, user: str = "alice") -> websocket.WebSocket:
        """A websocket to a route."""
        return websocket.create_connection(
            f"{self.url.replace('http', 'ws', 1)}{path}",
            header=[f"Authorization: token {self.tokens[user]}"],
            timeout=ANSWER_SECONDS,
        )

    def stop(self) -> int:
        """Ends it as Ctrl-C does; its exit code."""
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


class Kernel:
    """One browser's connection to a kernel, in the protocol of JupyterLab."""

    def __init__(
        self,
        server: Jupyter,
        kernel_id: str,
        user: str,
        *,
        v1: bool = True,
        session: str | None = None,
    ) -> None:
        self.id = kernel_id
        self.user = user
        self._v1 = v1
        self.session = session or uuid4().hex
        query = urlencode({"session_id": self.session})
        self._socket = websocket.create_connection(
            f"{server.url.replace('http', 'ws', 1)}/api/kernels/{kernel_id}/channels?{query}",
            header=[f"Authorization: token {server.tokens[user]}"],
            subprotocols=[V1] if v1 else [],
            timeout=ANSWER_SECONDS,
        )

    def send(
        self,
        kind: str,
        content: dict[str, Any],
        *,
        channel: str = "shell",
        metadata: dict[str, Any] | None = None,
        username: str = "somebody else",
        header: bytes | None = None,
    ) -> str:
        """Sends a message, with a lie about who sends it; its id."""
        message_id = uuid4().hex
        head = {
            "msg_id": message_id,
            "msg_type": kind,
            "username": username,
            "session": self.session,
            "date": "2026-01-01T00:00:00Z",
            "version": "5.4",
        }
        metadata = metadata or {}
        if self._v1:
            raw = header.replace(b"MSG_ID", message_id.encode()) if header else json.dumps(head)
            parts = [raw, "{}", json.dumps(metadata), json.dumps(content)]
            encoded = [part if isinstance(part, bytes) else part.encode() for part in parts]
            self._socket.send_binary(serialize_msg_to_ws_v1(encoded, channel))
        else:
            whole = {"header": head, "parent_header": {}, "metadata": metadata}
            whole |= {"content": content, "channel": channel, "buffers": []}
            self._socket.send(json.dumps(whole))
        return message_id

    def execute(self, code: str, *, cell: str = "c1", **how: Any) -> str:
        """Asks for a cell to be run, as JupyterLab asks; the run's id."""
        metadata = {"trusted": False, "deletedCells": [], "recordTiming": False, "cellId": cell}
        metadata |= how.pop("metadata", {})
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
            **how.pop("content", {}),
        }
        return self.send("execute_request", content, metadata=metadata, **how)

    def run(self, code: str, *, cell: str = "c1", **how: Any) -> dict[str, Any]:
        """Runs a cell and waits for its end; the reply's content, with all text in ``text``."""
        return self.wait(self.execute(code, cell=cell, **how))

    def wait(self, run: str) -> dict[str, Any]:
        """Waits for the reply and the idle of a run."""
        text, reply, idle = "", None, False
        while reply is None or not idle:
            channel, header, parent, content = self.receive()
            if parent.get("msg_id") != run:
                continue
            if header["msg_type"] == "stream":
                text += content["text"]
            elif header["msg_type"] == "execute_result":
                text += content["data"].get("text/plain", "")
            elif header["msg_type"] == "execute_reply":
                reply = content
            elif header["msg_type"] == "status" and channel == "iopub":
                idle = content["execution_state"] == "idle"
        return {**reply, "text": text, "run": run}

    def receive(self) -> tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]:
        """The next message: channel, header, parent header, content."""
        raw = self._socket.recv()
        if self._v1:
            channel, parts = deserialize_msg_from_ws_v1(raw)
            header, parent, _, content = (json.loads(bytes(part)) for part in parts[:4])
            return channel, header, parent, content
        whole = json.loads(raw)
        return whole["channel"], whole["header"], whole["parent_header"], whole["content"]

    def wait_for_ever(self) -> None:
        """Lets `receive` wait for as long as nothing comes."""
        self._socket.settimeout(None)

    def cut(self) -> None:
        """The connection breaks, without a word."""
        line = self._socket.sock
        if line is not None:  # else it is broken already
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """The browser goes."""
        self._socket.close()


def notebook(*sources: str, kernel: str = "investigation", **metadata: Any) -> dict[str, Any]:
    """A notebook with one code cell for each source, called c1, c2 and so on."""
    return {
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel}, **metadata},
        "nbformat": 4,
        "nbformat_minor": 5,
        "cells": [
            {
                "id": f"c{number}",
                "cell_type": "code",
                "metadata": {},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(sources, start=1)
        ],
    }


def begin(server: Jupyter, path: str, *sources: str) -> str:
    """A saved notebook that is an investigation; its uid."""
    server.save(path, notebook(*sources))
    uid: str = server.request("POST", "/investigation/investigations", {"path": path})["uid"]
    return uid


@contextmanager
def jupyter(
    where: Path,
    *,
    rtc: bool = False,
    store: Path | None = None,
    home: Path | None = None,
    config: str = "",
    extension: bool = True,
    env: dict[str, str] | None = None,
    tokens: dict[str, str] | None = None,
) -> Iterator[Jupyter]:
    """Starts a server; it and all it started are gone when the context ends.

    Args:
        where: A folder for everything.
        rtc: Whether editing is shared.
        store: The store's folder; the server's own default when None.
        home: Where the user's configuration and data are; a new folder when None.
        config: More lines for the server's configuration.
        extension: Whether our extension is enabled.
        env: More for the server's environment.
        tokens: Of the people in the people file, where the server is to know them by that.
    """
    root, home = where / "root", home or where / "home"
    root.mkdir(parents=True, exist_ok=True)
    kernelspec = home / "data" / "kernels" / "investigation"
    if not kernelspec.exists():
        shutil.copytree(REPOSITORY / "kernels" / "investigation", kernelspec)
    port = free_port()
    settings = where / "jupyter_server_config.py"
    settings.write_text(
        f"""
c.ServerApp.jpserver_extensions = {{"workspace_ext": {extension}}}
{_TABLE if tokens is None else ""}
c.ServerApp.root_dir = {str(root)!r}
c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = {port}
c.ServerApp.port_retries = 0
c.ServerApp.open_browser = False
c.ServerApp.allow_root = True
c.InvestigationApp.broker_patience = {PATIENCE_SECONDS}
c.YDocExtension.disable_rtc = {not rtc}
c.YDocExtension.document_save_delay = 0.2
c.YDocExtension.file_poll_interval = 0.2
{f"c.InvestigationApp.store = {str(store)!r}" if store else ""}
{config}
"""
    )
    log = where / "server.log"
    environment = {
        **{name: value for name, value in os.environ.items() if "INVESTIGATION" not in name},
        "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'kernels'}",
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "IPYTHONDIR": str(home / "ipython"),
        **(env or {}),
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE, "--config", str(settings)],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    server = Jupyter(
        root=root,
        store=store or root / ".investigation",
        home=home,
        url=f"http://127.0.0.1:{port}",
        process=process,
        log=log,
        tokens=dict(TOKENS if tokens is None else tokens),
    )
    try:
        until(lambda: _answers(server), f"the server starts, see {log}", START_SECONDS)
        yield server
    finally:
        try:
            server.stop()
        finally:
            if process.poll() is None:
                process.kill()


def _answers(server: Jupyter) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        server.request("GET", "/api/status")
    except (OSError, RefusedError):
        return False
    return True
