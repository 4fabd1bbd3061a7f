"""Files in, catalog and templates out."""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random

import pytest
import urllib3

from tests.support.waiting import until
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import BadInput, Denied, NotFound
from workspace_ext.telemetry.ingest.incident import incident_folder, load_incident

SPANS = next(
    file
    for file in load_incident(incident_folder("trainticket")).files
    if file.path.name == "spans.parquet"
)


def test_a_file_is_ingested_once(client: BrokerClient, store: Path) -> None:
    told: list[tuple[int, int | None]] = []
    report = client.ingest(
        SPANS.path, mapping=SPANS.mapping, progress=lambda *far: told.append(far)
    )
    assert report["name"] == "spans.parquet"
    assert report["rows"]["spans"] > 0
    assert not report["already"]
    size = SPANS.path.stat().st_size
    assert (size, size) in told

    again = client.ingest(SPANS.path, name="other", mapping=SPANS.mapping)
    assert again["already"]
    assert again["batch_id"] == report["batch_id"]

    known = client.catalog()
    assert known["pin"] == report["batch_id"]
    assert known["signals"]["spans"]["rows"] == report["rows"]["spans"]
    assert {"name": "duration_ns", "type": "BIGINT"} in known["tables"]["spans"]
    assert [batch["name"] for batch in client.batches(limit=5)] == ["spans.parquet"]
    assert client.quarantine() == []
    assert list((store / "inbox").iterdir()) == []
    assert client.verify()["ok"]


def test_bad_files_are_refused_and_leave_nothing(
    client: BrokerClient, store: Path, tmp_path: Path
) -> None:
    empty, noise = tmp_path / "empty.parquet", tmp_path / "noise.bin"
    empty.touch()
    noise.write_bytes(b"\n" + Random(0).randbytes(10_000))
    with pytest.raises(BadInput):
        client.ingest(empty)
    with pytest.raises(BadInput):
        client.ingest(noise)
    with pytest.raises(BadInput, match="mapping"):
        client.ingest(SPANS.path)
    with pytest.raises(BadInput, match="'xml' is not a format"):
        client.ingest(SPANS.path, format="xml")
    with pytest.raises(BadInput, match="not an actor"):
        client.ingest(SPANS.path, mapping=SPANS.mapping, actor="alice")
    with pytest.raises(NotFound, match="no file"):
        client.ingest(tmp_path / "nothing")
    with pytest.raises(BadInput, match="cannot be read"):
        client.ingest(tmp_path)
    assert list((store / "inbox").iterdir()) == []


def test_a_kernel_may_not_ingest(client: BrokerClient) -> None:
    kernel = BrokerClient(client.address, client.token("k", user="bob"))
    with pytest.raises(Denied):
        kernel.ingest(SPANS.path)
    assert "signals" in kernel.catalog()


def test_a_half_sent_file_is_thrown_away(client: BrokerClient, store: Path) -> None:
    entry = json.loads((store / "broker.json").read_text())
    pool = urllib3.connection_from_url(client.address, retries=False)

    class Half:
        sent = False

        def read(self, size: int = -1) -> bytes:
            if self.sent:
                raise OSError("the sender fails")
            self.sent = True
            assert len(list((store / "inbox").iterdir())) <= 1
            return bytes(5 << 20)

    before = client.catalog()["pin"]
    with pytest.raises(urllib3.exceptions.ProtocolError, match="the sender fails"):
        pool.urlopen(
            "POST",
            "/v1/ingest?name=half",
            body=Half(),
            headers={
                "Authorization": f"Bearer {entry['token']}",
                "Content-Length": str(10 << 20),
            },
        )
    pool.close()
    until(lambda: not list((store / "inbox").iterdir()), "what came of it is gone")
    assert client.catalog()["pin"] == before


def test_a_file_that_shrinks_while_it_is_sent(client: BrokerClient, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(bytes(3 << 20))

    def shrink(done: int, total: int | None) -> None:
        os.truncate(path, 1 << 20)

    with pytest.raises(BadInput, match="became shorter"):
        client.ingest(path, progress=shrink)
    assert client.health()["status"] == "ready"


def test_templates_are_listed_and_described(client: BrokerClient) -> None:
    listed = {each["id"]: each for each in client.templates()}
    described = client.template("triage.overview")
    assert described == listed["triage.overview"]
    assert client.template("triage.overview", version=described["version"]) == described
    with pytest.raises(NotFound, match=r"triage\.overvew") as caught:
        client.template("triage.overvew")
    assert "triage.overview" in caught.value.hint
    with pytest.raises(NotFound):
        client.template("triage.overview", version=99)
