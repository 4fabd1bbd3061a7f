"""What callers see of a failure that nobody foresaw: that it was, and nothing of its inside."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
import urllib3
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application

from workspace_ext.broker.handlers import Call, CallHandler, Route
from workspace_ext.broker.runtime import Runtime
from workspace_ext.broker.services import Services
from workspace_ext.storage.folder import StoreFolder


def fail(call: Call) -> Any:
    raise RuntimeError("the secret is 42")


def test_an_unforeseen_error_is_logged_and_not_shown(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = StoreFolder.create(tmp_path / "s")

    async def ask() -> urllib3.BaseHTTPResponse:
        services = Services.open(folder)
        runtime = Runtime(services, None)
        routes = {"routes": {"GET": Route("catalog.read", fail)}, "runtime": runtime}
        server = HTTPServer(Application([("/fail", CallHandler, routes)]))
        sockets = bind_sockets(0, "127.0.0.1")
        server.add_sockets(sockets)
        url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/fail"
        headers = {"Authorization": f"Bearer {services.tokens.service_token}"}
        try:
            return await asyncio.to_thread(urllib3.request, "GET", url, headers=headers)
        finally:
            server.stop()
            await server.close_all_connections()
            runtime.close()
            services.close()

    with folder.hold("a test"), caplog.at_level(logging.ERROR):
        answer = asyncio.run(ask())
    assert answer.status == 500
    assert answer.json()["error"]["code"] == "internal"
    assert "42" not in json.dumps(answer.json())
    assert "the secret is 42" in caplog.text
