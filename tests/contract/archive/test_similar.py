"""An archived investigation is found by a later one with the same symptoms."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from tests.support.archive import MAPPING, START, cells_of, report
from tests.support.broker import broker
from workspace_ext.client.broker import BrokerClient

DAY = 86_400
FIRST = {"start": "2024-05-01T10:00:00Z", "end": "2024-05-01T10:10:00Z"}
AGAIN = {"start": "2024-05-11T10:00:00Z", "end": "2024-05-11T10:10:00Z"}
MORE = "severity: level\n  body: body"


def fail(client: BrokerClient, folder: Path, start: int) -> None:
    """Two kinds of errors, with other numbers each time; one has a semicolon in it."""
    lines = [
        f"{start + n},cart,ERROR,no connection in {start % 97 + n} ms; gave up" for n in range(5)
    ]
    lines += [f"{start + n},web,ERROR,order {n + start} is lost" for n in range(5)]
    path = folder / f"logs-{start}.csv"
    path.write_text("time,service,level,body\n" + "\n".join(lines) + "\n", "utf-8")
    client.ingest(path, mapping=MAPPING.format(signal="logs", more=MORE))


def past(client: BrokerClient, **more: Any) -> list[dict[str, Any]]:
    uid = client.open_investigation("Again", window=AGAIN)["uid"]
    found = client.query({"template": "incidents.similar", "investigation": uid, **more})
    return found.table.to_pylist()


def archive(client: BrokerClient, uid: str) -> bytes:
    target = io.BytesIO()
    client.archive(uid, cells_of(uid, {}), target)
    return target.getvalue()


def test_what_was_archived_with_a_conclusion_is_found_by_its_symptoms(tmp_path: Path) -> None:
    with broker(tmp_path / "s") as client:
        fail(client, tmp_path, START)
        fail(client, tmp_path, START + 10 * DAY)
        uid = client.open_investigation("Carts fail", window=FIRST, services=["cart"])["uid"]
        pin = client.catalog()["pin"]
        archive(client, uid)
        assert client.catalog()["pin"] == pin  # nothing is concluded
        assert past(client) == []

        report(client, uid, "conclusion.reached", root_cause="the network",
               confidence_percent=50, evidence=[])  # fmt: skip
        before = archive(client, uid)
        assert client.catalog()["pin"] == pin + 1
        assert archive(client, uid) == before
        assert client.catalog()["pin"] == pin + 1
        assert client.state(uid)["pin"] == pin

        report(client, uid, "conclusion.reached", root_cause="a pool too small",
               confidence_percent=80, evidence=[])  # fmt: skip
        archive(client, uid)
        found = past(client)
        assert len(found) == 1
        assert (found[0]["investigation"], found[0]["root_cause"]) == (uid, "a pool too small")
        # what the event tells and what the telemetry shows are the same symptoms
        assert (found[0]["shared"], found[0]["their_symptoms"], found[0]["similarity"]) == (2, 2, 1)

        told = client.query({"sql": "SELECT attributes['symptoms'] AS s FROM events"}).table
        assert set(told["s"].to_pylist()) == {
            "cart: no connection in <*> ms, gave up; web: order <*> is lost"
        }
        assert client.verify()["ok"]
