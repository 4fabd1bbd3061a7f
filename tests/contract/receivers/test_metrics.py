"""/metrics: what Prometheus' own parser, its linter and Prometheus itself make of it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import urllib3
from prometheus_client.parser import text_string_to_metric_families

from tests.support.live import Receiver, export_request
from tests.support.ports import free_port
from tests.support.senders import program, running
from tests.support.waiting import until
from workspace_ext.foundation.errors import BadInput


def exposed(receiver: Receiver) -> str:
    answer = urllib3.request("GET", f"{receiver.address}/metrics", timeout=60)
    assert answer.status == 200
    return answer.data.decode()


def values(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Value of each sample, by name and the values of its labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


@pytest.fixture
def busy(open_receiver: Receiver) -> Receiver:
    """A broker that has taken spans, refused a body, put a record aside and answered."""
    body = export_request(50_000, 100, service="metered")
    assert open_receiver.post("/v1/traces", body, "application/x-protobuf").status == 200
    assert open_receiver.post("/v1/traces", b"\xff", "application/x-protobuf").status == 400
    bulk = (
        '{"index":{}}\n{"message":"good","@timestamp":"2024-01-01T00:00:00Z"}\n{"index":{}}\nno\n'
    )
    open_receiver.post("/_bulk", bulk, "application/x-ndjson")
    assert open_receiver.rows("SELECT count(*) AS n FROM spans WHERE service = 'metered'")
    with pytest.raises(BadInput, match="nowhere"):
        open_receiver.rows("SELECT * FROM nowhere")
    return open_receiver


def test_everything_an_on_call_asks_is_there(busy: Receiver) -> None:
    found = values(exposed(busy))
    assert found["investigation_ingest_lag_seconds"][()] >= 0
    assert found["investigation_ingest_requests_total"]["otlp-proto",] >= 1
    assert found["investigation_ingest_records_total"]["otlp-proto", "kept"] >= 100
    assert sum(found["investigation_ingest_refused_requests_total"].values()) >= 1
    assert found["investigation_ingest_acknowledge_duration_seconds_count"]["/v1/traces",] >= 1
    answered = found["investigation_query_duration_seconds_count"]
    assert answered["sql", "answered"] >= 1
    assert answered["sql", "refused"] >= 1
    sizes = found["investigation_store_size_bytes"]
    assert {part for (part,) in sizes} == {"telemetry", "records", "journal", "segments", "spill"}
    assert sizes["segments",] > 0
    assert found["investigation_store_free_bytes"][()] > 0
    assert found["investigation_store_readable"][()] == 1
    assert found["investigation_store_batches"][()] >= 1
    assert found["investigation_store_rows"]["spans",] >= 100
    assert found["investigation_store_segments"]["spans",] >= 1
    assert sum(found["investigation_store_quarantined_records_total"].values()) >= 1
    oldest = found["investigation_store_oldest_record_timestamp_seconds"]["spans",]
    assert oldest <= found["investigation_store_newest_record_timestamp_seconds"]["spans",]


def test_removals_are_counted(busy: Receiver) -> None:
    busy.client.retain({"larger_than": "0.001MB"})
    found = values(exposed(busy))
    assert found["investigation_retention_removed_rows_total"]["spans",] >= 100
    assert found["investigation_retention_last_removal_timestamp_seconds"][()] > 1.7e9
    assert found["investigation_store_rows"]["spans",] == 0


def test_names_and_units_follow_the_conventions(busy: Receiver) -> None:
    done = subprocess.run(
        [program("promtool", package="prometheus"), "check", "metrics"],
        input=exposed(busy),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_prometheus_scrapes_it(busy: Receiver, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "prometheus.log"
    (tmp_path / "prometheus.yml").write_text(
        json.dumps(
            {
                "scrape_configs": [
                    {
                        "job_name": "investigation-broker",
                        "scrape_interval": "1s",
                        "static_configs": [{"targets": [busy.address.removeprefix("http://")]}],
                    }
                ]
            }
        )
    )

    def asked(query: str) -> list[Any]:
        address = f"http://127.0.0.1:{port}/api/v1/query"
        try:
            answer = urllib3.request("GET", address, fields={"query": query}, retries=False)
        except urllib3.exceptions.HTTPError:
            return []  # it does not listen yet
        return list(answer.json()["data"]["result"]) if answer.status == 200 else []

    command = (
        program("prometheus", package="prometheus"),
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    )
    with running(log, *command):
        until(lambda: asked('up{job="investigation-broker"} == 1'), "it is up", 90)
        kept = until(
            lambda: asked('investigation_ingest_records_total{outcome="kept"}'), "it counts", 90
        )
        assert {series["metric"]["adapter"] for series in kept} >= {"otlp-proto"}
