"""What no sender may do to the store: all of it bounded, and told."""

from __future__ import annotations

import io
import json
import time
import zlib
from typing import Any

import cramjam
import pyarrow as pa
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.support.payloads import (
    ALERT,
    MS,
    WEBHOOK,
    ZIPKIN,
    decode,
    reasons,
    rows,
    snappy,
    written,
)
from tests.support.store import NOW_NS, Store
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context
from workspace_ext.telemetry.ingest.adapters.otlp_span_columns import spans_together
from workspace_ext.telemetry.ingest.columns import table
from workspace_ext.telemetry.ingest.limits import ATTRIBUTES, BUCKETS, PARTS, REJECTS, TEXT, bounded
from workspace_ext.telemetry.ingest.live.request import undo
from workspace_ext.telemetry.ingest.mapping import parse_mapping
from workspace_ext.telemetry.ingest.model import Parsed, Reject

TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"


def span(**change: Any) -> dict[str, Any]:
    good = {"traceId": TRACE, "spanId": SPAN, "name": "x", "startTimeUnixNano": str(NOW_NS)}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [{**good, **change}]}]}]}


def attribute(key: str, value: str = "v") -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def test_an_attribute_of_a_megabyte_is_cut() -> None:
    parsed = decode("otlp-json", span(attributes=[attribute("big", "x" * (1 << 20))]))
    (row,) = rows(parsed, "spans")
    assert len(row["attributes"]["big"]) < TEXT + 10
    assert row["attributes"]["big"].endswith("… (cut)")
    assert parsed.warnings == (f"attributes: values of more than {TEXT} characters were cut",)


def test_of_ten_thousand_attributes_the_first_are_kept() -> None:
    many = [attribute(f"key-{number:05}") for number in range(10_000)]
    parsed = decode(
        "otlp-json", span(attributes=many, events=[{"attributes": many}] + [{}] * 2_000)
    )
    (row,) = rows(parsed, "spans")
    assert list(row["attributes"]) == [f"key-{number:05}" for number in range(ATTRIBUTES)]
    assert len(row["span_events"]) == PARTS
    assert len(row["span_events"][0]["attributes"]) == ATTRIBUTES
    assert set(parsed.warnings) == {
        f"attributes: 1 records had more than {ATTRIBUTES}: the rest was left out",
        f"span_events: 1 records had more than {ATTRIBUTES}: the rest was left out",
        "10000 different names of attributes: is a value such as an id taken for a name?",
    }


def test_an_event_of_a_span_is_cut_and_told_like_everything_else() -> None:
    """By whatever adapter it comes."""
    event = {"name": "e", "attributes": [("big", "x" * (1 << 20)), ("small", "y")]}
    row = {"time_ns": NOW_NS, "attributes": [], "resource": [], "span_events": [event], "links": []}
    made = bounded(Parsed({"spans": table("spans", [row])}))
    ((found,),) = made.tables["spans"]["span_events"].to_pylist()
    assert [len(value) < TEXT + 10 for _, value in found["attributes"]] == [True, True]
    assert made.warnings == (f"span_events: values of more than {TEXT} characters were cut",)


@pytest.mark.parametrize("field", ["body", "severityText"])
def test_a_long_text_is_cut(field: str) -> None:
    long = "é" * (TEXT + 1)
    record = {"timeUnixNano": NOW_NS, field: {"stringValue": long} if field == "body" else long}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record, {**record, field: None}]}]}]}
    parsed = decode("otlp-json", logs)
    first, _ = rows(parsed, "logs")
    column = "body" if field == "body" else "severity"
    assert first[column] == "é" * TEXT + "… (cut)"
    assert parsed.warnings == (f"{column}: 1 values of more than {TEXT} characters were cut",)


@pytest.mark.parametrize(
    ("seconds", "kept"),
    [(0, 0), (5, 0), (315532799, 0), (315532800, 1), (4102444799, 1), (7258118400, 0)],
)
def test_times_of_1970_and_2200_are_put_aside(seconds: int, kept: int) -> None:
    parsed = decode("otlp-json", span(startTimeUnixNano=str(seconds * 1_000_000_000)))
    assert len(rows(parsed, "spans")) == kept
    assert len(parsed.rejects) == 1 - kept
    sample = written(({"__name__": "up"}, [(1, seconds * 1000), (2, MS)]))
    parsed = decode("prometheus-remote-write", snappy(sample))
    assert (len(rows(parsed, "metrics")), parsed.rejected) == (1 + kept, 1 - kept)


def test_empty_ids_are_put_aside_or_none() -> None:
    assert reasons(decode("otlp-json", span(traceId=""))) == [
        (1, "trace id '' is not 32 hexadecimal digits")
    ]
    record = {"timeUnixNano": NOW_NS, "traceId": "0" * 32, "spanId": ""}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    (row,) = rows(decode("otlp-json", logs), "logs")
    assert not {"trace_id", "span_id"} & row.keys()


def test_one_text_that_is_not_utf8_costs_no_span() -> None:
    message = TracesData()
    scope = message.resource_spans.add().scope_spans.add()
    for number in (1, 2):
        made = scope.spans.add(
            trace_id=bytes.fromhex(TRACE),
            span_id=number.to_bytes(8, "big"),
            name="name",
            start_time_unix_nano=NOW_NS,
        )
        made.attributes.add(key="k").value.string_value = "value"
    body = message.SerializeToString().replace(b"value", b"va\xffue", 1)
    for signal in ("spans", ""):
        parsed = registry.decode("otlp-proto", body, Context(NOW_NS, signal=signal))
        values = [row["attributes"]["k"] for row in rows(parsed, "spans")]
        assert values == ["va\ufffdue", "value"]
        assert parsed.warnings == ("texts that are not UTF-8 were repaired",)


@pytest.mark.parametrize(
    ("name", "body", "signal"),
    [
        ("otlp-json", json.dumps(span(attributes=[attribute("k", "v#")])), "spans"),
        ("zipkin", json.dumps([{**ZIPKIN[0], "tags": {"k": "v#"}}]), "spans"),
        ("alertmanager", json.dumps({"alerts": [{**ALERT, "labels": {"k": "v#"}}]}), "events"),
        ("elastic-bulk", '{"index":{}}\n{"@timestamp":1700000000,"k":"v#"}', "logs"),
        ("syslog", '<14>1 - h a - - [a k="v#"]', "logs"),
        ("prometheus", 'up{k="v#"} 1 1700000000000', "metrics"),
    ],
)
def test_a_byte_that_is_not_utf8_costs_nothing(name: str, body: str, signal: str) -> None:
    parsed = decode(name, body.encode().replace(b"v#", b"v\xff"))
    (row,) = rows(parsed, signal)
    assert "v\ufffd" in row["attributes"].values()
    assert "bytes that are not UTF-8 were replaced" in parsed.warnings


def test_very_many_services_are_told() -> None:
    series = [({"__name__": "up", "job": f"job-{n}"}, [(1.0, MS)]) for n in range(6_000)]
    parsed = decode("prometheus-remote-write", snappy(written(*series)))
    assert len(rows(parsed, "metrics")) == 6_000
    assert parsed.warnings == (
        "6000 different services: is a value such as an id taken for a name?",
    )


def test_a_small_body_that_would_be_huge_is_refused() -> None:
    bomb = bytes(cramjam.snappy.compress_raw(b"\0" * (65 << 20)))
    assert len(bomb) < 4 << 20
    for name in ("prometheus-remote-write", "loki"):
        with pytest.raises(BadInput, match="is larger than 64 MiB"):
            decode(name, bomb)
    with pytest.raises(BadInput, match="is larger than 64 MiB"):
        decode("alertmanager", b" " * (65 << 20))


def test_a_catalog_that_doubles_itself_is_refused() -> None:
    doubled = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
    )
    for content in (doubled, "[" * 10_000, "a: " * 5_000):
        with pytest.raises(BadInput, match="is not a catalog"):
            decode("backstage", content)


def test_very_many_rejects_are_counted() -> None:
    lines = "x\n" * (REJECTS + 500)
    parsed = decode("syslog", lines)
    assert (len(parsed.rejects), parsed.rejected) == (REJECTS, REJECTS + 500)


@pytest.mark.parametrize("name", ["elastic-bulk", "syslog", "otlp-json", "jsonl", "csv"])
def test_of_large_records_few_are_held(name: str) -> None:
    """However large the file is."""
    log = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [
        {"timeUnixNano": str(NOW_NS), "body": {"stringValue": "TEXT"}}
    ]}]}]})  # fmt: skip
    header, record = {
        "elastic-bulk": ("", '{"index":{}}\n{"message":"TEXT"}'),
        "syslog": ("", "<14>1 2023-11-14T22:13:20Z h a p i - TEXT"),
        "otlp-json": ("", log),
        "jsonl": ("", '{"t":1700000000,"m":"TEXT"}'),
        "csv": ("t,m\n", "1700000000,TEXT"),
    }[name]
    rules = "signal: logs\nfields: {time: {column: t, unit: s}, body: m}"
    mapping = parse_mapping(rules) if name in ("jsonl", "csv") else None
    line = record.replace("TEXT", "x" * (1 << 20)) + "\n"
    stream = io.BytesIO((header + line * 150).encode())
    parts = registry.read(name, stream, Context(NOW_NS, mapping=mapping))
    assert [part.tables["logs"].num_rows for part in parts] == [64, 64, 22]


def test_a_value_that_does_not_fit_is_found_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    from workspace_ext.telemetry.ingest import rows as collected

    made: list[int] = []

    def counted(signal: str, some: list[dict[str, Any]]) -> pa.Table:
        made.append(len(some))
        return table(signal, some)

    monkeypatch.setattr(collected, "table", counted)
    taken = collected.Rows()
    for number in range(4096):
        large = 1 << 40 if number in (77, 4000) else 1
        row = {"time_ns": NOW_NS, "body": str(number), "severity_number": large, "attributes": []}
        taken.add("logs", number, {**row, "resource": []})
    parsed = taken.hand_on()
    assert [reject.line for reject in parsed.rejects] == [77, 4000]
    kept = [int(body) for body in parsed.tables["logs"]["body"].to_pylist()]
    assert kept == [number for number in range(4096) if number not in (77, 4000)]
    assert len(made) < 60


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "deflate"])
def test_a_body_that_was_cut_off_is_refused(encoding: str) -> None:
    """What is left of it may well be whole lines, and would be taken for all there is."""
    body = b'{"index":{}}\n{"message":"ok"}\n' * 1000
    packed = (
        zlib.compress(body) if encoding == "deflate" else pa.compress(body, encoding, asbytes=True)
    )
    assert undo(packed, encoding) == body
    with pytest.raises(BadInput, match=f"the body is not {encoding}: "):
        undo(packed[:-20], encoding)


def test_of_a_huge_line_only_the_beginning_is_held(store: Store, tmp_path: Any) -> None:
    path = tmp_path / "bulk.ndjson"
    document = b'{"@timestamp":"2023-11-14T22:13:20Z","message":"ok"}'
    with path.open("wb") as file:
        file.write(b'{"index":{}}\n{"message":"' + b"x" * (40 << 20) + b'"}\n')
        file.write(b'{"index":{}}\n' + document + b"\n")
    report = store.ingest(path)
    assert (report.format, report.rows, report.quarantined) == ("elastic-bulk", {"logs": 1}, 1)
    assert store.quarantine() == [(1, "longer than 16 MiB")]
    (tmp_path / "a.csv").write_bytes(
        b"t,m\n1700000000," + b"x" * (40 << 20) + b"\n1700000000,fine\n"
    )
    rules = "signal: logs\nfields: {time: {column: t, unit: s}, body: m}"
    report = store.ingest(tmp_path / "a.csv", mapping=rules)
    assert report.rows == {"logs": 2}
    assert report.warnings == (f"body: 1 values of more than {TEXT} characters were cut",)


def test_a_histogram_and_a_link_have_limits_too() -> None:
    counts = {"bucketCounts": ["1"] * (BUCKETS + 1), "explicitBounds": [*range(BUCKETS)]}
    point = {"timeUnixNano": str(NOW_NS), "count": "1", **counts}
    metric = {"name": "m", "histogram": {"dataPoints": [point]}}
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    assert reasons(decode("otlp-json", metrics)) == [(1, f"metric m: more than {BUCKETS} buckets")]
    message = TracesData()
    made = (
        message.resource_spans.add()
        .scope_spans.add()
        .spans.add(
            trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(SPAN), start_time_unix_nano=NOW_NS
        )
    )
    made.links.add(trace_id=b"\1" * (1 << 20), span_id=b"\2" * 8)
    body = message.SerializeToString()
    assert spans_together([body]).counts == (None,)
    (row,) = rows(decode("otlp-proto", body), "spans")
    assert [len(link["trace_id"]) for link in row["links"]] == [TEXT]


def test_times_in_a_table_of_a_mapping_are_bounded_too(store: Store, tmp_path: Any) -> None:
    (tmp_path / "a.csv").write_text("t,v\n1700000000,1\n5,2\n7258118400,3\n")
    mapping = "signal: metrics\nfields: {time: {column: t, unit: s}, name: {constant: m}, value: v}"
    report = store.ingest(tmp_path / "a.csv", mapping=mapping)
    assert (report.rows, report.quarantined) == ({"metrics": 1}, 2)
    assert "time 5000000000 is out of range" in store.quarantine()[0][1]


def test_an_end_that_cannot_be_true_is_left_out() -> None:
    year_9999 = 253_402_300_799_000_000_000
    alert = {**ALERT, "status": "resolved", "endsAt": "9999-12-31T23:59:59Z"}
    (row,) = rows(decode("alertmanager", {**WEBHOOK, "alerts": [alert]}), "events")
    assert "end_time" not in row
    given = {"time_ns": NOW_NS, "end_time": year_9999 // 1000, "kind": "alert", "attributes": []}
    (row,) = rows(bounded(Parsed({"events": table("events", [given])})), "events")
    assert "end_time" not in row


def test_a_map_has_each_key_once_and_in_order(store: Store, tmp_path: Any) -> None:
    given = {"time_ns": NOW_NS, "name": "m", "resource": [],
             "attributes": [("b", "1"), ("a", "2"), ("b", "3")],
             "quantiles": [(0.9, 1.0), (float("nan"), 2.0), (0.5, 3.0), (0.9, 4.0)]}  # fmt: skip
    plain = {**given, "attributes": [("a", "1"), ("b", "2")], "quantiles": None}
    made = bounded(Parsed({"metrics": table("metrics", [plain, given, plain]).slice(1)}))
    first, second = made.tables["metrics"].select(["attributes", "quantiles"]).to_pylist()
    assert first == {"attributes": [("a", "2"), ("b", "3")], "quantiles": [(0.5, 3.0), (0.9, 4.0)]}
    assert second == {"attributes": plain["attributes"], "quantiles": None}
    event = {"name": "e", "attributes": [("b", "1"), ("a", "2"), ("b", "3")]}
    row = {"time_ns": NOW_NS, "attributes": [], "resource": [], "span_events": [event], "links": []}
    made = bounded(Parsed({"spans": table("spans", [row, {**row, "span_events": []}])}))
    (found,) = made.tables["spans"]["span_events"].to_pylist()[0]
    assert found["attributes"] == [("a", "2"), ("b", "3")]
    quantiles = [{"quantile": 0.5, "value": n} for n in range(2)]
    point = {"timeUnixNano": str(NOW_NS), "quantileValues": quantiles}
    metric = {"name": "m", "summary": {"dataPoints": [point]}}
    path = tmp_path / "m.json"
    path.write_text(json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}))
    assert store.ingest(path).rows == {"metrics": 1}
    assert store.rows("SELECT quantiles FROM metrics") == [({0.5: 1.0},)]


def test_a_table_of_another_shape_is_refused() -> None:
    with pytest.raises(TypeError, match="has other columns"):
        bounded(Parsed({"logs": pa.table({"body": ["x"]})}))
    rejects = tuple(Reject(n, "bad", "") for n in range(REJECTS + 1))
    kept = bounded(Parsed({}, rejects, more_rejects=5))
    assert (len(kept.rejects), kept.rejected) == (REJECTS, REJECTS + 6)


def test_a_line_that_would_take_minutes_is_put_aside() -> None:
    escaped = '\\"' * 2_000_000
    parsed = decode("prometheus", f'a{{b="{escaped}"}} 1\nup 1\n')
    assert [row["name"] for row in rows(parsed, "metrics")] == ["up"]
    assert reasons(parsed) == [(1, f"a line of more than {TEXT} characters")]


def test_the_limits_cost_little() -> None:
    message = json.dumps(span(attributes=[attribute(f"k{n}") for n in range(20)])).encode()
    adapter = registry.find("otlp-json")
    (parsed,) = adapter.read(io.BytesIO(b"\n".join([message] * 500)), Context(NOW_NS))
    started = time.thread_time()  # others may keep the machine busy
    for _ in range(20):
        bounded(parsed)
    assert (time.thread_time() - started) / 20 < 0.05
