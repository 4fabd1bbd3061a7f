"""The way to decode many requests gives what the careful one gives, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.support.live import START_NS, export_request
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.adapter import Context
from workspace_ext.telemetry.ingest.limits import PARTS, TEXT
from workspace_ext.telemetry.ingest.model import Parsed

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.one_of(
    texts.map(lambda text: {"string_value": text}),
    st.integers(-(2**63), 2**63 - 1).map(lambda number: {"int_value": number}),
    st.floats().map(lambda number: {"double_value": number}),
    st.booleans().map(lambda truth: {"bool_value": truth}),
    st.just({}),
)
values = st.one_of(
    scalars,
    st.binary(max_size=3).map(lambda content: {"bytes_value": content}),
    st.lists(scalars, max_size=2).map(lambda found: {"array_value": {"values": found}}),
    st.dictionaries(texts, scalars, max_size=2).map(
        lambda found: {
            "kvlist_value": {"values": [{"key": k, "value": v} for k, v in found.items()]}
        }
    ),
)
attributes = st.lists(
    st.fixed_dictionaries({"key": texts | st.sampled_from("abc"), "value": values}), max_size=4
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
                {
                    "time_unix_nano": st.sampled_from([START_NS, 5]),
                    "name": texts,
                    "attributes": attributes,
                }
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
            "resource": st.none() | attributes.map(lambda found: {"attributes": found}),
            "scope_spans": st.lists(
                st.fixed_dictionaries(
                    {
                        "scope": st.none() | texts.map(lambda name: {"name": name}),
                        "spans": st.lists(spans, max_size=3),
                    }
                ),
                max_size=2,
            ),
        }
    ),
    max_size=2,
).map(lambda groups: TracesData(resource_spans=groups))


def both(message: Any) -> tuple[Parsed | None, Parsed]:
    content = message if isinstance(message, bytes) else message.SerializeToString()
    return together(content)[0], careful(content)


def together(*contents: bytes) -> list[Parsed | None]:
    return registry.decode_together("otlp-proto", "spans", contents)


def careful(content: bytes) -> Parsed:
    return registry.decode("otlp-proto", content, Context(0, signal="spans"))


def same(quick: Parsed | None, slow: Parsed) -> None:
    assert quick is not None
    quick.tables["spans"].validate(full=True)
    found = slow.tables.get("spans")
    assert quick.tables["spans"].to_pylist() == ([] if found is None else found.to_pylist())
    assert (quick.rejected, quick.warnings) == (0, slow.warnings)


@settings(max_examples=300, deadline=None)
@given(requests)
def test_the_same(message: TracesData) -> None:
    same(*both(message))


@settings(max_examples=100, deadline=None)
@given(st.lists(requests, min_size=1, max_size=5))
def test_the_same_together(messages: list[TracesData]) -> None:
    contents = [message.SerializeToString() for message in messages]
    for content, quick in zip(contents, together(*contents), strict=True):
        same(quick, careful(content))


def test_what_senders_send_is_quick() -> None:
    quick, slow = both(export_request(0, 100))
    same(quick, slow)
    assert quick is not None
    assert quick.tables["spans"].schema == slow.tables["spans"].schema


@pytest.mark.parametrize("length", [0, 1, 127, 128, 129, 16_383, 16_384, 70_000])
def test_texts_of_any_length(length: int) -> None:
    message = TracesData.FromString(export_request(0, 3))
    span = message.resource_spans[0].scope_spans[0].spans[1]
    span.attributes.add(key="long").value.string_value = "x" * length
    span.attributes.add(key="x" * length).value.string_value = "é" * length
    span.events.add().attributes.add(key="x" * length).value.string_value = "é" * length
    same(*both(message))
    first, quick, last = together(export_request(0, 1), message.SerializeToString(), b"")
    assert (first and first.warnings, last and last.warnings) == ((), ())
    same(quick, careful(message.SerializeToString()))


@pytest.mark.parametrize(
    ("change", "rejected"),
    [
        ({"span_id": b"\0" * 8}, 1),
        ({"trace_id": b"short"}, 1),
        ({"start_time_unix_nano": 0}, 1),
        ({"start_time_unix_nano": 2**64 - 1}, 1),
        ({"end_time_unix_nano": 5}, 1),
        ({"events": [{}] * (PARTS + 1)}, 0),
        ({"events": [{"name": "x" * (TEXT + 1)}]}, 0),
    ],
)
def test_the_unusual_is_left_alone(change: dict[str, Any], rejected: int) -> None:
    """And costs the requests beside it nothing."""
    message = TracesData.FromString(export_request(0, 3))
    span = message.resource_spans[0].scope_spans[0].spans[1]
    for name, value in change.items():
        span.ClearField(name)
        span.MergeFrom(type(span)(**{name: value}))
    quick, slow = both(message)
    assert quick is None
    assert slow.rejected == rejected
    assert len(slow.tables["spans"]) == 3 - rejected
    good = export_request(10, 2)
    before, left, after = together(good, message.SerializeToString(), good)
    assert left is None
    same(before, careful(good))
    same(after, careful(good))


ENDLESS = b"\n" + b"\xff" * 9 + b"\x01"
"""A length of 2**64 - 1, at which ptars panics."""


@pytest.mark.parametrize("body", [b"\xff", export_request(0, 2)[:-1], b"\n\x03abc", ENDLESS])
def test_what_is_no_request_is_left_alone(body: bytes) -> None:
    good = export_request(0, 2)
    assert [found is None for found in together(good, body)] == [False, True]


def test_a_text_that_is_not_utf8_is_left_alone() -> None:
    for good in (b"/api/0", b"GET /api/0", b"cart", b"bench", b"http.route"):
        body = export_request(0, 1).replace(good, b"\xff" * len(good))
        quick, slow = both(body)
        assert quick is None
        assert slow.warnings == ("texts that are not UTF-8 were repaired",)
