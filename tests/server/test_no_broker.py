"""A store that cannot be opened, as its browsers hear of it: which trouble, and the way out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import websocket

from tests.support.disk import full_disk
from tests.support.jupyter import Jupyter, jupyter
from tests.support.waiting import until
from workspace_ext.storage.folder import StoreFolder

MAPPING = "signal: logs\nfields: {time: time, body: body, service: service}"
LOGS = '{"time": "2026-01-01T03:00:00Z", "body": "hello", "service": "cart"}\n'


def come(server: Jupyter) -> tuple[websocket.WebSocket, dict[str, Any]]:
    """Opens the data panel's stream, as it does when somebody tries again; the first message."""
    stream = server.socket("/investigation/data/stream")
    return stream, json.loads(stream.recv())


def trouble(server: Jupyter, code: str) -> dict[str, str]:
    """What is told of a broker that cannot start, once that is of this kind."""

    def look() -> dict[str, str] | None:
        stream, told = come(server)
        stream.close()
        error: dict[str, str] = told["data"]
        return error if (told["type"], error.get("code")) == ("error", code) else None

    said: dict[str, str] = until(look, f"it is told: {code}")
    status = server.request("GET", "/investigation/status")
    assert status["broker"] in ("unavailable", "starting")  # it tries again by itself
    return said


def test_each_trouble_is_named_with_what_to_do_and_over_once_it_is_mended(tmp_path: Path) -> None:
    store = StoreFolder.create(tmp_path / "store")
    store.telemetry.write_bytes(b"no database" * 1000)
    with jupyter(tmp_path / "server", store=store.path) as server:
        with store.hold("a backup"):
            said = trouble(server, "store_held")
            assert "is held by a backup (process" in said["message"]
            assert "stop that process first" in said["hint"]
        said = trouble(server, "store_damaged")
        assert "restore the folder" in said["hint"]
        with full_disk(server):
            said = trouble(server, "disk_full")
            assert "free some disk space" in said["hint"]
        store.telemetry.unlink()

        stream, told = come(server)
        while told["type"] == "error":
            told = json.loads(stream.recv())
        assert (told["type"], told["data"]["pin"]) == ("state", 0)
        file = tmp_path / "logs.jsonl"
        file.write_text(LOGS)
        server.broker().ingest(file, mapping=MAPPING)
        while told["data"]["pin"] != 1:
            told = json.loads(stream.recv())
        stream.close()
