"""Alertmanager's webhook, version 4: each alert in it becomes an event.

Alertmanager tells of an alert again and again; each state that an alert was in is kept once.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from workspace_ext.telemetry.ingest.adapter import NO, SURE, Adapter, Context, Head, whole
from workspace_ext.telemetry.ingest.adapters.json_body import json_list, json_object
from workspace_ext.telemetry.ingest.rows import BadRecord, Rows, as_pairs, as_time, check_time, pick
from workspace_ext.telemetry.ingest.targets import LABEL_NAMES

_KEYS = re.compile(rb'"(groupKey|groupLabels|commonLabels)"')
_STATES = ("firing", "resolved")


def _recognise(head: Head) -> int:
    found = b'"alerts"' in head.content and _KEYS.search(head.content)
    return SURE if head.start[:1] == b"{" and found else NO


def _decode(rows: Rows, body: bytes, context: Context) -> None:
    content = json_object(rows, body, context, "an Alertmanager webhook")
    source = str(content.get("externalURL") or "alertmanager")
    for number, alert in enumerate(json_list(content, "alerts"), 1):
        with rows.guard(number, alert):
            _alert(rows, number, alert, source)
    cut = content.get("truncatedAlerts")
    if isinstance(cut, int) and cut > 0:
        rows.warn(f"Alertmanager left out {cut} alerts: raise max_alerts of its webhook")


def _alert(rows: Rows, number: int, alert: dict[str, Any], source: str) -> None:
    labels = dict(as_pairs(alert.get("labels")))
    notes = dict(as_pairs(alert.get("annotations")))
    state = str(alert.get("status"))
    if state not in _STATES:
        raise BadRecord(f"status {state!r} is neither firing nor resolved")
    start_ns = as_time(alert.get("startsAt"))
    check_time(start_ns)
    end_ns = as_time(alert["endsAt"]) if state == "resolved" and alert.get("endsAt") else 0
    links = {"generator_url": str(alert["generatorURL"])} if alert.get("generatorURL") else {}
    attributes = {**labels, **{f"annotation.{name}": note for name, note in notes.items()}, **links}
    rows.add(
        "events",
        number,
        {
            **pick(labels, LABEL_NAMES),
            "time_ns": start_ns,
            "end_time": end_ns // 1000 if end_ns > 0 else None,
            "kind": "alert",
            "source": source,
            "severity": labels.get("severity"),
            "title": notes.get("summary") or notes.get("title") or labels.get("alertname"),
            "body": notes.get("description") or notes.get("message"),
            "state": state,
            "fingerprint": str(alert.get("fingerprint") or _fingerprint(labels)),
            "attributes": sorted(attributes.items()),
        },
    )


def _fingerprint(labels: dict[str, str | None]) -> str:
    """For a sender that gives none: equal labels are one alert."""
    return hashlib.sha256(json.dumps(sorted(labels.items())).encode()).hexdigest()[:16]


ADAPTER = Adapter("Alertmanager webhook", whole(_decode), _recognise)
