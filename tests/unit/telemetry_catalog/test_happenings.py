"""Alerts and deploys of a window, as a timeline wants them."""

import json
from pathlib import Path

from tests.support.store import open_store
from workspace_ext.foundation.clock import Window


def alert(status: str, end: str) -> bytes:
    return json.dumps(
        {
            "version": "4",
            "alerts": [
                {
                    "status": status,
                    "labels": {"alertname": "CartSlow", "service": "cart", "severity": "page"},
                    "annotations": {"summary": "The cart is slow"},
                    "startsAt": "2026-01-01T03:10:00Z",
                    "endsAt": end,
                    "fingerprint": "f1",
                }
            ],
        }
    ).encode()


def test_an_alert_is_told_once_as_it_stands(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        for name, body in (
            ("firing.json", alert("firing", "0001-01-01T00:00:00Z")),
            ("resolved.json", alert("resolved", "2026-01-01T03:40:00Z")),
        ):
            (tmp_path / name).write_bytes(body)
            store.ingest(tmp_path / name, format="alertmanager")
        (told,) = store.catalog.happenings(None, kind="alert")
        assert (told["kind"], told["service"]) == ("alert", "cart")
        assert told["end_time"] == "2026-01-01T03:40:00Z"
        (then,) = store.catalog.happenings(None, pin=1)
        assert then["end_time"] is None
        touching = Window.parse("2026-01-01T03:30:00Z/2026-01-01T04:00:00Z")
        assert store.catalog.happenings(touching) == [told]
        after = Window.parse("2026-01-01T03:50:00Z/2026-01-01T04:00:00Z")
        assert store.catalog.happenings(after) == []
        assert store.catalog.happenings(None, kind="deploy") == []
        assert store.catalog.happenings(None, limit=0) == []
