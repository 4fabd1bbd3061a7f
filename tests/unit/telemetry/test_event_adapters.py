"""What becomes events and services: Alertmanager, CloudEvents, Backstage."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.http import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from tests.support.payloads import ALERT, CATALOG, CLOUD_EVENT, WEBHOOK, decode, reasons, rows
from tests.support.store import NOW_NS, Store
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapters.cloudevents import kind_of

STRUCTURED = "application/cloudevents+json; charset=utf-8"
BATCH = "application/cloudevents-batch+json"


def test_an_alert() -> None:
    (row,) = rows(decode("alertmanager", WEBHOOK), "events")
    assert row == {
        "time_ns": 1675688925828000001, "kind": "alert", "state": "firing",
        "source": "http://prometheus.example.org:9093", "severity": "critical",
        "title": "Probe failed", "body": "Down for over 5m.", "fingerprint": "1a30ba71cca2921f",
        "service": "http_checks",
        "attributes": {
            **ALERT["labels"],
            "annotation.summary": "Probe failed", "annotation.description": "Down for over 5m.",
            "generator_url": ALERT["generatorURL"],
        },
    }  # fmt: skip


def test_each_state_of_an_alert_is_kept_once(store: Store, tmp_path: Path) -> None:
    resolved = {**ALERT, "status": "resolved", "endsAt": "2023-02-06T14:00:00Z"}
    again = {**ALERT, "startsAt": "2023-02-07T13:08:45Z"}
    sent = [[ALERT], [ALERT, resolved], [ALERT, again], [resolved, again]]
    for number, alerts in enumerate(sent):
        content = {**WEBHOOK, "alerts": alerts, "groupKey": f"{number}"}
        (tmp_path / f"{number}.json").write_text(json.dumps(content))
    reports = [store.ingest(tmp_path / f"{number}.json") for number in range(4)]
    assert {report.format for report in reports} == {"alertmanager"}
    assert [(report.rows.get("events", 0), report.duplicates) for report in reports] == [
        (1, 0), (1, 1), (1, 1), (0, 2),
    ]  # fmt: skip
    assert store.rows(
        "SELECT state, (time::VARCHAR)[:10], end_time IS NULL FROM events ORDER BY batch_id"
    ) == [("firing", "2023-02-06", True), ("resolved", "2023-02-06", False),
          ("firing", "2023-02-07", True)]  # fmt: skip


def test_a_sender_without_fingerprints() -> None:
    alerts = [{key: ALERT[key] for key in ("status", "labels", "startsAt")}] * 2
    first, second = rows(decode("alertmanager", {"alerts": alerts}), "events")
    assert first["fingerprint"] == second["fingerprint"] != ""
    assert (first["source"], first["title"]) == ("alertmanager", "ProbeFailure")


def test_bad_alerts_cost_themselves_only() -> None:
    alerts = [ALERT, {**ALERT, "status": "?"}, {**ALERT, "startsAt": "soon"}, 5, None,
              {**ALERT, "labels": []}, {**ALERT, "labels": 7},
              {**ALERT, "startsAt": "0001-01-01T00:00:00Z"}]  # fmt: skip
    parsed = decode("alertmanager", {**WEBHOOK, "alerts": alerts, "truncatedAlerts": 3})
    assert len(rows(parsed, "events")) == 2
    assert [line for line, _ in reasons(parsed)] == [2, 3, 4, 5, 7, 8]
    assert parsed.warnings[0].startswith("Alertmanager left out 3 alerts")


@pytest.mark.parametrize("name", ["alertmanager", "cloudevents", "backstage"])
@pytest.mark.parametrize("body", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b'"x"', b"\x00"])
def test_what_is_none_of_it_is_one_error_or_a_reject(name: str, body: bytes) -> None:
    try:
        parsed = decode(name, body)
    except BadInput as error:
        assert error.code != "adapter_failed"  # noqa: PT017 - either is right
    else:
        assert not any(table.num_rows for table in parsed.tables.values())


def test_a_structured_event() -> None:
    (row,) = rows(decode("cloudevents", CLOUD_EVENT, content_type=STRUCTURED), "events")
    assert row["time_ns"] == NOW_NS
    assert (row["kind"], row["title"], row["state"]) == ("deploy", "cart", "done")
    assert (row["service"], row["version"], row["source"]) == ("cart", "2.3", "/cluster/argo")
    assert json.loads(row["body"]) == CLOUD_EVENT["data"]
    assert row["attributes"]["data.change.sha"] == "abc"


def binary(event: dict[str, Any]) -> dict[str, str]:
    return {f"ce_{name}": str(value) for name, value in event.items() if name != "data"}


def test_the_three_modes_are_the_same_event() -> None:
    event = {key: value for key, value in CLOUD_EVENT.items() if key != "datacontenttype"}
    structured = decode("cloudevents", event, content_type=STRUCTURED)
    batch = decode("cloudevents", [event, event], content_type=BATCH)
    headers = binary({**event, "subject": "c%61rt"})
    headed = decode("cloudevents", event["data"], content_type="application/json", **headers)
    (row,) = rows(structured, "events")
    assert rows(batch, "events") == [row, row]
    (other,) = rows(headed, "events")
    assert other["attributes"].pop("datacontenttype") == "application/json"
    assert {**other, "body": json.loads(other["body"])} == {**row, "body": json.loads(row["body"])}


@pytest.mark.parametrize("make", [to_structured_event, to_binary_event])
def test_what_the_sdk_sends(make: Any) -> None:
    about = {
        "type": "com.example.deployed", "source": "/ci/ä", "id": "1", "subject": 'c"ä%t',
        "time": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC), "region": "eu",
        "datacontenttype": "application/json",
    }  # fmt: skip
    sent = make(CloudEvent(about, {"service": "cart", "title": "cart 2.3"}))
    headers = {name.lower(): str(value) for name, value in sent.headers.items()}
    (row,) = rows(decode("cloudevents", sent.body, **headers), "events")
    assert (row["kind"], row["title"], row["time_ns"]) == ("deploy", "cart 2.3", NOW_NS)
    assert (row["source"], row["service"], row["region"]) == ("/ci/ä", "cart", "eu")
    assert row["attributes"]["subject"] == 'c"ä%t'


def test_an_event_is_known_by_source_and_id(store: Store, tmp_path: Path) -> None:
    untimed = {key: value for key, value in CLOUD_EVENT.items() if key != "time"}
    lines = [untimed, {**untimed, "id": "other"}, untimed]
    (tmp_path / "a.json").write_text("\n".join(json.dumps(line) for line in lines))
    (tmp_path / "b.json").write_text(json.dumps({**CLOUD_EVENT, "time": "2023-11-15T00:00:00Z"}))
    first, second = store.ingest(tmp_path / "a.json"), store.ingest(tmp_path / "b.json")
    assert (first.format, first.rows, first.duplicates) == ("cloudevents", {"events": 2}, 1)
    assert (second.rows, second.duplicates) == ({}, 1)
    assert first.warnings == ("events without a time got the time of this ingest",)


def test_data_that_is_no_json() -> None:
    body = bytes(range(8))
    headers = binary(CLOUD_EVENT) | {"content_type": "application/octet-stream"}
    (row,) = rows(decode("cloudevents", body, **headers), "events")
    assert row["body"] == base64.b64encode(body).decode()
    parsed = decode("cloudevents", b"{torn", **(headers | {"content_type": "application/json"}))
    assert reasons(parsed)[0][1].startswith("not as the format has it")


def test_bad_events_cost_themselves_only() -> None:
    events = [CLOUD_EVENT, {**CLOUD_EVENT, "specversion": "0.3"}, {"specversion": "1.0"}, 7,
              {**CLOUD_EVENT, "time": "soon"},
              {**CLOUD_EVENT, "time": "1970-01-01T00:00:09Z"}]  # fmt: skip
    parsed = decode("cloudevents", events, content_type=BATCH)
    assert len(rows(parsed, "events")) == 1
    assert [reason[:20] for _, reason in reasons(parsed)] == [
        "specversion '0.3' is", "no id, source, type", "not an object",
        "'soon' is not a time", "time 9000000000 is o",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("dev.cdevents.service.deployed.0.1.1", "deploy"),
        ("com.example.DeploymentFinished", "deploy"),
        ("dev.cdevents.change.merged.0.1.2", "change"),
        ("dev.knative.apiserver.resource.update", "change"),
        ("com.launchdarkly.flag.toggled", "flag"),
        ("dev.cdevents.incident.detected", "incident"),
        ("io.prometheus.alert", "alert"),
        ("com.example.object.created", "annotation"),
        ("", "annotation"),
    ],
)
def test_kinds_follow_from_types(written: str, kind: str) -> None:
    assert kind_of(written) == kind


def test_a_catalog() -> None:
    parsed = decode("backstage", CATALOG)
    assert rows(parsed, "services") == [
        {
            "name": "cart", "owner": "red", "tier": "1", "lifecycle": "production",
            "system": "shop", "depends_on": ["payment", "resource:cart-db", "stock"],
            "attributes": {
                "metadata.description": "The cart", "spec.type": "service",
                "metadata.annotations.github.com/project-slug": "shop/cart",
                "metadata.annotations.example.org/tier": "1", "metadata.labels.team": "red",
                "metadata.tags": '["java"]',
            },
        }
    ]  # fmt: skip
    assert parsed.warnings == ("entities that are no components were left out: 1",)


def test_bad_entities_cost_themselves_only(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "catalog-info.yaml"
    path.write_text(
        CATALOG + "---\nkind: Pod\n---\n- 5\n---\n"
        "{apiVersion: backstage.io/v1alpha1, kind: Component, metadata: {}}\n---\n"
        "{apiVersion: backstage.io/v1alpha1, kind: Component, spec: 7}\n---\n"
        "apiVersion: backstage.io/v1alpha1\nkind: Component\n"
        "metadata: {name: pay, since: 2020-01-01}\n"
    )
    report = store.ingest(path)
    assert (report.format, report.rows, report.quarantined) == ("backstage", {"services": 2}, 4)
    assert store.rows("SELECT attributes['metadata.since'] FROM services WHERE name = 'pay'") == [
        ("2020-01-01",)
    ]


def test_what_holds_again_is_news(store: Store, tmp_path: Path) -> None:
    entry = (
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: pay}\n"
        "spec: {owner: TEAM}\n"
    )
    path = tmp_path / "catalog-info.yaml"
    kept = []
    for team in ("red", "blue", "red", "red"):
        path.write_text(entry.replace("TEAM", team))
        report = store.ingest(path)
        kept.append((report.already, report.rows))
        assert store.rows("SELECT owner FROM services") == [(team,)]
    new = (False, {"services": 1})
    assert kept == [new, new, new, (True, {"services": 1})]
