"""The quick way to decode spans gives what the careful one gives, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.support.live import START_NS, export_request
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context
from workspace_ext.telemetry.ingest.adapters import otlp_proto

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.one_of(
    texts.map(lambda text: {"string_value": text}),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: {"int_value": number}),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda number: {"double_value": number}),
    st.booleans().map(lambda truth: {"bool_value": truth}),
    st.just({}),
)
attributes = st.dictionaries(texts, values, max_size=4).map(
    lambda found: [{"key": key, "value": value} for key, value in found.items()]
)
spans = st.fixed_dictionaries(
    {
        "trace_id": st.binary(min_size=16, max_size=16).filter(any),
        "span_id": st.binary(min_size=8, max_size=8).filter(any),
        "parent_span_id": st.sampled_from([b"", b"12345678"]),
        "name": texts,
        "kind": st.integers(0, 9),
        "start_time_unix_nano": st.integers(START_NS, START_NS + 10**9),
        "end_time_unix_nano": st.sampled_from([0, START_NS + 10**9, START_NS + 10**10]),
        "trace_state": texts,
        "attributes": attributes,
        "events": st.lists(
            st.fixed_dictionaries(
                {"time_unix_nano": st.just(START_NS), "name": texts, "attributes": attributes}
            ),
            max_size=2,
        ),
        "links": st.lists(
            st.just({"trace_id": b"1234567890123456", "span_id": b"12345678"}), max_size=2
        ),
        "status": st.sampled_from([{}, {"code": 2, "message": "no"}, {"code": 7}]),
    }
)
requests = st.lists(
    st.fixed_dictionaries(
        {
            "resource": attributes.map(lambda found: {"attributes": found}),
            "scope_spans": st.lists(
                st.fixed_dictionaries(
                    {
                        "scope": texts.map(lambda name: {"name": name}),
                        "spans": st.lists(spans, max_size=3),
                    }
                ),
                max_size=2,
            ),
        }
    ),
    max_size=2,
).map(lambda groups: TracesData(resource_spans=groups))


def both(message: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    content = message if isinstance(message, bytes) else message.SerializeToString()
    quick = otlp_proto._quick(content, TracesData.FromString(content).resource_spans)
    with monkeypatch.context() as patched:
        patched.setattr(otlp_proto, "_quick", lambda *_: None)
        careful = registry.decode("otlp-proto", content, Context(0, signal="spans"))
    return quick, careful


@settings(max_examples=200, deadline=None)
@given(requests)
def test_the_same(message: TracesData) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        quick, careful = both(message, monkeypatch)
    count = sum(len(s.spans) for g in message.resource_spans for s in g.scope_spans)
    if count:
        assert quick is not None
        assert quick.to_pylist() == careful.tables["spans"].to_pylist()


def test_what_senders_send_is_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    quick, careful = both(export_request(0, 100), monkeypatch)
    assert quick.to_pylist() == careful.tables["spans"].to_pylist()
    assert quick.schema == careful.tables["spans"].schema


@pytest.mark.parametrize(
    ("change", "rejected"),
    [
        ({"span_id": b"\0" * 8}, 1),
        ({"trace_id": b"short"}, 1),
        ({"start_time_unix_nano": 0}, 1),
        ({"start_time_unix_nano": 2**64 - 1}, 1),
        ({"end_time_unix_nano": 5}, 1),
        ({"attributes": [{"key": "a", "value": {"array_value": {"values": []}}}]}, 0),
        ({"attributes": [{"key": "a", "value": {"int_value": 1}}] * 2}, 0),
    ],
)
def test_the_unusual_is_left_alone(
    change: dict[str, Any], rejected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = TracesData.FromString(export_request(0, 3))
    span = message.resource_spans[0].scope_spans[0].spans[1]
    for name, value in change.items():
        span.ClearField(name)
        span.MergeFrom(type(span)(**{name: value}))
    quick, careful = both(message, monkeypatch)
    assert quick is None
    assert careful.rejected == rejected
    assert len(careful.tables["spans"]) == 3 - rejected
