"""Debian's Prometheus writes to us, and its Alertmanager tells us of alerts."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.support.live import Receiver

PROMETHEUS = shutil.which("prometheus")
ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")

needs_both = pytest.mark.skipif(
    not (PROMETHEUS and ALERTMANAGER),
    reason="needs Debian's prometheus and prometheus-alertmanager",
)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(log: Path, *command: str) -> Iterator[None]:
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        yield
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)


def eventually(found: Callable[[], Any], log: Path, seconds: float = 90) -> Any:
    """What is found at last."""
    deadline = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.2)
    return result


@needs_both
def test_prometheus_and_alertmanager(open_receiver: Receiver, tmp_path: Path) -> None:
    """Prometheus scrapes our own health and writes it to us; its alert comes by Alertmanager."""
    assert PROMETHEUS
    assert ALERTMANAGER
    own, alerts = free_port(), free_port()
    target = open_receiver.address.removeprefix("http://")
    (tmp_path / "rules.yml").write_text(
        "groups: [{name: test, rules: [{alert: BrokerIsUp, expr: up == 1,"
        " labels: {severity: page}, annotations: {summary: It is up}}]}]\n"
    )
    (tmp_path / "prometheus.yml").write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        "rule_files: [rules.yml]\n"
        "alerting: {alertmanagers: [{static_configs:"
        f" [{{targets: ['127.0.0.1:{alerts}']}}]}}]}}\n"
        f"scrape_configs: [{{job_name: broker, static_configs: [{{targets: ['{target}']}}]}}]\n"
        f"remote_write: [{{url: '{open_receiver.address}/api/v1/write'}}]\n"
    )
    (tmp_path / "alertmanager.yml").write_text(
        "route: {receiver: us, group_wait: 0s, group_interval: 1s}\n"
        "receivers: [{name: us, webhook_configs:"
        f" [{{url: '{open_receiver.address}/webhook/alertmanager', send_resolved: true}}]}}]\n"
    )
    logs = tmp_path / "prometheus.log", tmp_path / "alertmanager.log"
    with (
        running(
            logs[1], ALERTMANAGER, f"--config.file={tmp_path}/alertmanager.yml",
            f"--storage.path={tmp_path}/alerts", f"--web.listen-address=127.0.0.1:{alerts}",
            "--cluster.listen-address=",
        ),
        running(
            logs[0], PROMETHEUS, f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address=127.0.0.1:{own}",
            "--storage.remote.flush-deadline=1s",
        ),
    ):  # fmt: skip
        samples = eventually(
            lambda: open_receiver.rows(
                "SELECT name, value, attributes['job'] AS job FROM metrics"
                " WHERE name = 'up' ORDER BY time LIMIT 1"
            ),
            logs[0],
        )
        assert samples == [{"name": "up", "value": 1.0, "job": "broker"}]
        alert = eventually(
            lambda: open_receiver.rows(
                "SELECT kind, title, state, severity, fingerprint FROM events LIMIT 1"
            ),
            logs[1],
        )[0]
        assert (alert["kind"], alert["severity"]) == ("alert", "page")
        assert alert["title"] == "It is up"
        assert alert["state"] == "firing"
        assert alert["fingerprint"]
    told = urllib3.request("GET", f"{open_receiver.address}/metrics").data.decode()
    assert 'requests_total{adapter="prometheus-remote-write"}' in told
    assert 'requests_total{adapter="alertmanager"}' in told
    assert "refused_requests_total{reason" not in told
