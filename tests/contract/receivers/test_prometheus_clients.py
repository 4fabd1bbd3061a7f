"""Debian's Prometheus and vmagent write to us, and Alertmanager tells us of alerts."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import urllib3

from tests.support.live import Receiver
from tests.support.payloads import MS, written
from tests.support.senders import prometheus, vmagent
from tests.support.waiting import until


def test_prometheus_and_alertmanager(open_receiver: Receiver, tmp_path: Path) -> None:
    """Prometheus scrapes our own health and writes it to us; its alert comes by Alertmanager."""
    with prometheus(tmp_path, open_receiver.address, "broker"):
        samples = until(
            lambda: open_receiver.rows(
                "SELECT name, value, attributes['job'] AS job FROM metrics"
                " WHERE name = 'up' AND value = 1 AND attributes['job'] = 'broker' LIMIT 1"
            ),
            "a sample comes of a scrape that was in time",
            90,
        )
        assert samples == [{"name": "up", "value": 1.0, "job": "broker"}]
        alert = until(
            lambda: open_receiver.rows(
                "SELECT kind, title, state, severity, fingerprint FROM events"
                " WHERE state = 'firing' LIMIT 1"
            ),
            "an alert comes",
            90,
        )[0]
        assert (alert["kind"], alert["severity"]) == ("alert", "page")
        assert alert["title"] == "It is up"
        assert alert["state"] == "firing"
        assert alert["fingerprint"]
    told = urllib3.request("GET", f"{open_receiver.address}/metrics").data.decode()
    assert 'requests_total{adapter="prometheus-remote-write"}' in told
    assert 'requests_total{adapter="alertmanager"}' in told
    assert "refused_requests_total{reason" not in told


def test_vmagent(open_receiver: Receiver, tmp_path: Path) -> None:
    """VictoriaMetrics' agent scrapes our health and writes it to us, from a queue of its own."""
    with vmagent(tmp_path, open_receiver.address, "vmagent-job"):
        (row,) = until(
            lambda: open_receiver.rows(
                "SELECT value, attributes['test'] AS test FROM metrics WHERE name = 'up'"
                " AND value = 1 AND attributes['job'] = 'vmagent-job' LIMIT 1"
            ),
            "a sample comes",
            90,
        )
    assert row == {"value": 1.0, "test": "vmagent-job"}


def test_remote_write_in_zstd(open_receiver: Receiver) -> None:
    """Newer agents of VictoriaMetrics send zstd when they are told to."""
    message = written(({"__name__": "in_zstd", "job": "z"}, [(4.0, MS)]))
    headers = {"Content-Encoding": "zstd", "X-VictoriaMetrics-Remote-Write-Version": "1"}
    body = pa.compress(message.SerializeToString(), codec="zstd", asbytes=True)
    for _ in range(2):
        answer = open_receiver.post("/api/v1/write", body, "application/x-protobuf", **headers)
        assert answer.status == 204
    assert open_receiver.rows("SELECT value FROM metrics WHERE name = 'in_zstd'") == [
        {"value": 4.0}
    ]
    bomb = pa.compress(bytes(200 << 20), codec="zstd", asbytes=True)
    for refused in (b"\x28\xb5\x2f\xfdnonsense", b"", bomb):
        answer = open_receiver.post("/api/v1/write", refused, "application/x-protobuf", **headers)
        assert answer.status in (400, 413) or not refused
