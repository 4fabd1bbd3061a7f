"""A broker that nobody reaches is waited for by who has the patience."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.support.ports import free_port
from workspace_ext.client import transport
from workspace_ext.client.transport import Transport
from workspace_ext.foundation.errors import Unavailable


class _Broker(BaseHTTPRequestHandler):
    """Answers anything with an empty object."""

    def do_GET(self) -> None:  # http.server gives the name
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # http.server's name
        pass


class _Restart:
    """A broker that comes up while somebody waits for it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.waits = 0
        self._server: HTTPServer | None = None

    def __call__(self, seconds: float) -> None:
        self.waits += 1
        self.start()

    def start(self) -> None:
        if self._server is None:
            self._server = HTTPServer(("127.0.0.1", self.port), _Broker)
            threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def restart(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Restart]:
    """A broker that is away until it is waited for."""
    broker = _Restart()
    monkeypatch.setattr(transport.time, "sleep", broker)
    yield broker
    broker.close()


def test_a_broker_that_comes_back_is_waited_for(restart: _Restart) -> None:
    line = Transport(f"http://127.0.0.1:{restart.port}", "t", patience=60.0)
    assert line.json("GET", "/v1/status") == {}
    assert restart.waits >= 1


def test_without_patience_it_is_said_at_once(restart: _Restart) -> None:
    line = Transport(f"http://127.0.0.1:{restart.port}", "t")
    with pytest.raises(Unavailable, match="does not answer"):
        line.json("GET", "/v1/status")
    assert restart.waits == 0


def test_what_was_waited_for_in_vain_is_not_waited_for_again(
    restart: _Restart, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(transport.time, "sleep", waits.append)
    line = Transport(f"http://127.0.0.1:{restart.port}", "t", patience=0.01)
    with pytest.raises(Unavailable, match="does not answer"):
        line.json("GET", "/v1/status")
    assert waits
    waits.clear()
    for caller in (line, line.acting("responder")):
        with pytest.raises(Unavailable, match="does not answer"):
            caller.json("GET", "/v1/status")
    assert not waits


def test_once_it_has_answered_it_is_waited_for_again(
    restart: _Restart, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(transport.time, "sleep", waits.append)
    line = Transport(f"http://127.0.0.1:{restart.port}", "t", patience=0.01)
    with pytest.raises(Unavailable):
        line.json("GET", "/v1/status")
    restart.start()
    assert line.json("GET", "/v1/status") == {}
    restart.close()
    waits.clear()
    with pytest.raises(Unavailable):
        line.json("GET", "/v1/status")
    assert waits
