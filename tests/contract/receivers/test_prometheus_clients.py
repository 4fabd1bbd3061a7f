"""Debian's Prometheus writes to us, and its Alertmanager tells us of alerts."""

from __future__ import annotations

from pathlib import Path

import urllib3

from tests.support.live import Receiver
from tests.support.senders import free_port, program, running
from tests.support.waiting import until


def test_prometheus_and_alertmanager(open_receiver: Receiver, tmp_path: Path) -> None:
    """Prometheus scrapes our own health and writes it to us; its alert comes by Alertmanager."""
    prometheus = program("prometheus", package="prometheus")
    alertmanager = program(
        "prometheus-alertmanager", "alertmanager", package="prometheus-alertmanager"
    )
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
            logs[1], alertmanager, f"--config.file={tmp_path}/alertmanager.yml",
            f"--storage.path={tmp_path}/alerts", f"--web.listen-address=127.0.0.1:{alerts}",
            "--cluster.listen-address=",
        ),
        running(
            logs[0], prometheus, f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/tsdb", f"--web.listen-address=127.0.0.1:{own}",
            "--storage.remote.flush-deadline=1s",
        ),
    ):  # fmt: skip
        samples = until(
            lambda: open_receiver.rows(
                "SELECT name, value, attributes['job'] AS job FROM metrics"
                " WHERE name = 'up' ORDER BY time LIMIT 1"
            ),
            "a sample comes",
            90,
        )
        assert samples == [{"name": "up", "value": 1.0, "job": "broker"}]
        alert = until(
            lambda: open_receiver.rows(
                "SELECT kind, title, state, severity, fingerprint FROM events LIMIT 1"
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
