"""The chain: whatever is done to it afterwards is found, and named."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput
from workspace_ext.ledger.model import HEADER, Event, genesis, seal, verify_entries
from workspace_ext.protocol.messages import LedgerEntry
from workspace_ext.protocol.validation import validate

STREAM = "an investigation"
TIME = "2023-01-29T09:00:00Z"
TEXT_FIELDS = ("id", "type", "source", "subject", "time", "actor", "rationale", "recorded_time")

FINITE = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
payloads = st.lists(st.dictionaries(st.text(), json_values, max_size=3), min_size=1, max_size=6)


def chain(contents: list[dict[str, Any]], stream: str = STREAM) -> list[LedgerEntry]:
    entries: list[LedgerEntry] = []
    prev = genesis(stream)
    for number, data in enumerate(contents, 1):
        event = Event("note.added", data, Actor("user", "alice"), id=f"e{number}")
        entry, _payload = seal(event, seq=number, prev=prev, recorded_time=TIME)
        entries.append(entry)
        prev = entry["hash"]
    return entries


def check(entries: list[Any], **more: Any) -> list[tuple[int, str]]:
    report = verify_entries(entries, stream=STREAM, **more)
    assert report.entries == len(entries)
    return [(problem.seq, problem.what) for problem in report.problems]


@given(payloads)
def test_chain_as_written_verifies_also_after_a_round_trip(contents: list[dict[str, Any]]) -> None:
    entries = chain(contents)
    assert check(entries) == []
    assert check(json.loads(json.dumps(entries))) == []
    assert check(entries, head=(entries[-1]["seq"], entries[-1]["hash"])) == []


@given(payloads, st.data())
def test_any_edit_of_a_header_is_found(contents: list[dict[str, Any]], data: Any) -> None:
    entries: list[Any] = chain(contents)
    at = data.draw(st.integers(0, len(entries) - 1))
    name = data.draw(st.sampled_from((*HEADER, "hash")))
    new = data.draw(st.text() | st.integers() | st.none() | st.floats(allow_nan=False))
    if new == entries[at][name]:
        return
    entries[at] = {**entries[at], name: new}
    assert check(entries)


@given(payloads, st.data())
def test_any_edit_of_a_payload_is_found_where_it_is(contents: Any, data: Any) -> None:
    entries: list[Any] = chain(contents)
    at = data.draw(st.integers(0, len(entries) - 1))
    new = data.draw(st.dictionaries(st.text(), json_values, max_size=3))
    if json.dumps(new, sort_keys=True) == json.dumps(entries[at]["data"], sort_keys=True):
        return
    entries[at] = {**entries[at], "data": new}
    assert check(entries) == [(at + 1, "the payload was changed")]


@given(st.lists(st.just({"text": "x"}), min_size=2, max_size=8), st.data())
def test_any_deletion_before_the_end_is_found_and_named(contents: Any, data: Any) -> None:
    entries = chain(contents)
    at = data.draw(st.integers(0, len(entries) - 2))
    del entries[at]
    assert check(entries) == [(at + 2, f"entry {at + 1} is missing")]


@given(st.lists(st.just({"text": "x"}), min_size=2, max_size=6), st.data())
def test_any_reordering_is_found(contents: Any, data: Any) -> None:
    entries = chain(contents)
    mixed = data.draw(st.permutations(entries))
    if mixed == entries:
        return
    assert check(mixed)
    renumbered: list[Any] = copy.deepcopy(mixed)
    for number, entry in enumerate(renumbered, 1):
        entry["seq"] = number
    assert check(renumbered)


@given(st.integers(2, 6), st.data())
def test_cut_tail_is_found_by_a_head_noted_elsewhere(length: int, data: Any) -> None:
    entries = chain([{"text": "x"}] * length)
    head = (length, entries[-1]["hash"])
    left = data.draw(st.integers(0, length - 1))
    (problem,) = check(entries[:left], head=head)
    assert problem == (length, f"the tail was cut: entries {left + 1} to {length} are missing")
    assert check(entries[:left]) == []


def test_head_of_another_history_is_found() -> None:
    entries, other = chain([{"n": 1}, {"n": 2}]), chain([{"n": 1}, {"n": 3}])
    assert check(other) == []
    ((seq, what),) = check(other, head=(2, entries[1]["hash"]))
    assert seq == 2
    assert "hash was noted" in what
    longer = chain([{"n": 1}, {"n": 2}, {"n": 3}])
    assert check(longer, head=(2, entries[1]["hash"])) == []


def test_two_missing_entries_and_a_repeated_one_are_named() -> None:
    entries = chain([{"n": number} for number in range(5)])
    assert check([entries[0], *entries[3:]]) == [(4, "entries 2 to 3 are missing")]
    (problem, *_rest) = check([*entries[:2], entries[1], *entries[2:]])
    assert problem == (2, "out of order: entry 2 stands after entry 2")


def test_stream_cannot_be_passed_off_as_another() -> None:
    assert check(chain([{}], stream="another")) == [(1, "is not the first entry of this stream")]


def test_redacted_payload_leaves_the_chain_whole() -> None:
    entries: list[Any] = chain([{"text": "a secret"}, {"text": "x"}])
    entries[0] = {**entries[0], "data": None}
    report = verify_entries(entries, stream=STREAM)
    assert (report.ok, report.redacted) == (True, 1)


@pytest.mark.parametrize("entry", [{}, {"seq": "1"}, {"seq": 1, "hash": 5, "data": 5}])
def test_what_is_no_entry_is_a_problem_not_a_crash(entry: Any) -> None:
    assert check([entry])


def test_payload_must_be_json_and_header_takes_no_float() -> None:
    with pytest.raises(BadInput, match="JSON"):
        chain([{"x": object()}])
    with pytest.raises(BadInput, match="JSON"):
        chain([{"x": float("nan")}])


def test_entry_is_as_its_schema_says() -> None:
    for entry in chain([{"text": "x"}]):
        validate("messages", entry, definition="LedgerEntry")
