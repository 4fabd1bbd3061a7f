"""Investigations over a real store: what people do, who did it, and what comes of it."""

import threading
from typing import Any

import pytest

from tests.unit.inquiry_investigations.conftest import ALICE, Desk, event, record
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, Conflict, Denied, NotFound
from workspace_ext.inquiry.investigations import service as service_module
from workspace_ext.inquiry.investigations.fold import merge
from workspace_ext.ledger.service import STORE_STREAM
from workspace_ext.protocol.validation import validate

SHIFT = {"hypothesis": "h1", "expect": "interesting"}


def propose(desk: Desk, key: str = "h1", **more: Any) -> None:
    desk.say("hypothesis.proposed", hypothesis=key, text="pool", prediction="waits", **more)


def test_opening_pins_the_newest_data_and_is_told_in_both_streams(desk: Desk) -> None:
    assert desk.state["pin"] == 3
    assert desk.state["participants"] == {"user:alice": "owner"}
    assert [entry["type"] for entry in desk.ledger.entries(STORE_STREAM)] == [
        "investigation.opened"
    ]
    validate("messages", desk.state, definition="InvestigationState")
    (line,) = desk.service.list()
    validate("messages", line, definition="InvestigationSummary")
    assert line["title"] == "Checkout fails"


def test_opening_the_same_uid_again_changes_nothing(desk: Desk) -> None:
    again = desk.service.open(title="Another title", actor=ALICE, uid=desk.uid)
    assert again == desk.state
    assert len(desk.service.list()) == 1


def test_window_is_read_as_an_interval_and_kept_in_utc(desk: Desk) -> None:
    given = "2023-01-29T17:00:00+08:00/2023-01-29T17:10:00+08:00"
    opened = desk.service.open(title="x", actor=ALICE, window=given, services="cart")
    assert opened["window"] == {"start": "2023-01-29T09:00:00Z", "end": "2023-01-29T09:10:00Z"}
    assert opened["services"] == ["cart"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"title": ""}, "title"),
        ({"title": "x", "window": "yesterday"}, "yesterday"),
        ({"title": "x", "uid": "store"}, "reserved"),
    ],
)
def test_opening_with_wrong_values_says_which(desk: Desk, given: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        desk.service.open(actor=ALICE, **given)
    assert len(desk.service.list()) == 1


def test_state_after_a_restart_is_the_same(desk: Desk) -> None:
    propose(desk)
    desk.run("r1", "c1")
    desk.service.record_query(desk.uid, record(run="r1", cell="c1", test=SHIFT), desk.kernel())
    before, listed = desk.state, desk.service.list()
    desk.reopen()
    assert desk.state == before
    assert desk.service.list() == listed
    validate("messages", desk.state, definition="InvestigationState")


def test_run_and_query_are_joined_whichever_comes_first(desk: Desk) -> None:
    early = record(run="r1", cell="c1")
    desk.service.record_query(desk.uid, early, desk.kernel())
    desk.run("r1", "c1")
    late = record(run="r1", cell="c1")
    desk.service.record_query(desk.uid, late, desk.kernel())
    assert desk.state["steps"]["r1"]["queries"] == [early.id, late.id]
    assert desk.state["steps"]["r1"]["status"] == "ok"


@pytest.mark.parametrize(
    ("interesting", "expect", "outcome"),
    [
        (True, "interesting", "supported"),
        (False, "interesting", "refuted"),
        (True, "not interesting", "refuted"),
        (False, "not interesting", "supported"),
        (None, "interesting", "inconclusive"),
        (None, "not interesting", "inconclusive"),
    ],
)
def test_outcome_of_a_test(desk: Desk, interesting: bool | None, expect: Any, outcome: str) -> None:
    propose(desk)
    asked = record(interesting=interesting, test={"hypothesis": "h1", "expect": expect})
    told = desk.service.record_query(desk.uid, asked, desk.kernel())
    assert told is not None
    assert told["outcome"] == outcome
    assert desk.state["hypotheses"]["h1"]["state"] == outcome
    assert desk.state["hypotheses"]["h1"]["evidence"] == [asked.id]
    validate("messages", told, definition="TestOutcome")


def test_failed_query_is_recorded_and_leaves_its_hypothesis_open(desk: Desk) -> None:
    propose(desk)
    failed = record(ok=False, verdict=None, error="took too long", digest=None, test=SHIFT)
    told = desk.service.record_query(desk.uid, failed, desk.kernel())
    assert told is not None
    assert (told["outcome"], told["reason"]) == ("inconclusive", "took too long")
    assert desk.state["queries"][failed.id]["error"] == "took too long"
    assert desk.ledger.entries(desk.uid)[-2]["type"] == "query.failed"


def test_test_asked_again_without_data_leaves_it_open(desk: Desk) -> None:
    propose(desk)
    desk.service.record_query(desk.uid, record(test=SHIFT, test_id="t1"), desk.kernel())
    assert desk.state["hypotheses"]["h1"]["state"] == "supported"
    empty = record(interesting=None, rows=0, test=SHIFT, test_id="t1")
    desk.service.record_query(desk.uid, empty, desk.kernel())
    assert desk.state["hypotheses"]["h1"]["state"] == "inconclusive"
    assert len(desk.state["hypotheses"]["h1"]["tests"]) == 1


def test_test_of_an_unknown_hypothesis_stores_nothing(desk: Desk) -> None:
    asked = record(test=SHIFT)
    with pytest.raises(NotFound, match="h1"):
        desk.service.require_hypothesis(desk.uid, "h1")
    with pytest.raises(NotFound, match="h1"):
        desk.service.record_query(desk.uid, asked, desk.kernel())
    with pytest.raises(NotFound):
        desk.service.query(asked.id)
    with pytest.raises(BadInput, match="investigation"):
        desk.service.record_query(None, asked, desk.kernel())


def test_refuted_hypothesis_stays_and_conclusion_names_the_root_cause(desk: Desk) -> None:
    for key in ("h1", "h2"):
        propose(desk, key)
        asked = record(test={"hypothesis": key, "expect": "interesting"})
        desk.service.record_query(desk.uid, asked, desk.kernel())
    desk.say("hypothesis.changed", hypothesis="h1", state="refuted", _rationale="no waits seen")
    concluded = {"root_cause": "h2 it is", "confidence_percent": 80, "evidence": [asked.id]}
    desk.say("conclusion.reached", hypothesis="h2", **concluded)
    assert desk.state["state"] == "concluded"
    assert desk.state["hypotheses"]["h1"]["state"] == "refuted"
    assert desk.state["hypotheses"]["h1"]["why"] == "no waits seen"
    assert desk.state["hypotheses"]["h2"]["state"] == "root_cause"
    (listed,) = desk.service.list()
    assert (listed["root_cause"], listed["confidence_percent"]) == ("h2 it is", 80)
    desk.say("hypothesis.changed", hypothesis="h1", state="supported", _rationale="seen after all")
    desk.say("conclusion.reached", root_cause="no, h1", confidence_percent=50, hypothesis="h1")
    states = {key: found["state"] for key, found in desk.state["hypotheses"].items()}
    assert states == {"h1": "root_cause", "h2": "supported"}


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        ("hypothesis.propsed", {}, "hypothesis.propsed"),
        ("query.answered", {}, "query.answered"),
        ("investigation.opened", {"uid": "x", "title": "x", "pin": 1}, "investigation.opened"),
        ("hypothesis.proposed", {"hypothesis": "h1"}, "text"),
        ("hypothesis.changed", {"hypothesis": "h9", "state": "refuted", "_rationale": "x"}, "h9"),
        ("hypothesis.changed", {"hypothesis": "h1", "state": "refuted"}, "reason"),
        ("hypothesis.changed", {"hypothesis": "h1", "state": "maybe", "_rationale": "x"}, "maybe"),
        ("hypothesis.proposed", {"hypothesis": "h1", "text": "again"}, "h1"),
        ("conclusion.reached", {"root_cause": "x", "confidence_percent": 0.8}, "0.8"),
        ("conclusion.reached", {"root_cause": "x", "confidence_percent": 101}, "101"),
        (
            "conclusion.reached",
            {"root_cause": "x", "confidence_percent": 80, "evidence": ["q9"]},
            "q9",
        ),
        ("investigation.pinned", {"pin": 4}, "pin 4"),
        ("investigation.scoped", {"window": {"start": "x", "end": "y"}}, "'x'"),
        ("investigation.scoped", {}, "scoped"),
        ("run.started", {"run": "r", "cell": "c", "source_digest": "md5:1"}, "md5"),
        ("note.added", {"text": "x", "_actor": "alice"}, "alice"),
        ("data.ingested", {"digest": "sha256:" + "0" * 64}, "data.ingested"),
    ],
)
def test_wrong_event_is_named_and_nothing_of_its_batch_is_stored(
    desk: Desk, kind: str, data: dict[str, Any], says: str
) -> None:
    propose(desk)
    before = desk.state
    events = [event("note.added", text="before it"), event(kind, **data)]
    with pytest.raises(BadInput, match=says) as raised:
        desk.service.report(desk.uid, events, desk.server)
    assert raised.value.hint
    assert desk.state == before
    assert desk.ledger.head(desk.uid) == (before["seq"], before["head"])


def test_event_that_is_no_event(desk: Desk) -> None:
    with pytest.raises(BadInput, match="subject"):
        desk.service.report(desk.uid, [{"id": "1", "type": "note.added"}], desk.server)  # type: ignore[list-item]


def test_unknown_investigation(desk: Desk) -> None:
    for ask in (desk.service.state, desk.service.projection, desk.service.queries):
        with pytest.raises(NotFound, match="nope"):
            ask("nope")
    with pytest.raises(NotFound):
        desk.service.state(STORE_STREAM)
    with pytest.raises(NotFound, match="q1"):
        desk.service.kept_result("q1")


def test_same_report_twice_counts_once(desk: Desk) -> None:
    events = [event("note.added", text="once"), event("decision.made", text="d", because="b")]
    desk.service.report(desk.uid, events, desk.server)
    before = desk.state
    again = desk.service.report(desk.uid, [*events, *events], desk.server)
    assert desk.state is before
    assert again.keys() == {"uid", "seq", "head"}
    assert [note["kind"] for note in before["notes"].values()] == ["note", "decision"]


def test_kernel_may_not_tell_of_runs_or_move_the_pin(desk: Desk) -> None:
    with pytest.raises(Denied, match=r"run\.started"):
        desk.say(
            "run.started", desk.kernel(), run="r", cell="c", source_digest="sha256:" + "0" * 64
        )
    with pytest.raises(Denied, match=r"investigation\.pinned"):
        desk.say("investigation.pinned", desk.kernel(), pin=1)


def test_what_a_kernel_says_is_said_by_the_person_whose_run_it_is(desk: Desk) -> None:
    desk.run("r1", "c1", user="bob", kernel="k1")
    desk.say("note.added", desk.kernel("k1", "alice"), text="hm", run="r1")
    entry = desk.ledger.entries(desk.uid)[-1]
    assert (entry["actor"], entry["on_behalf_of"]) == ("user:bob", None)
    assert entry["source"] == "kernel:k1"
    (note,) = desk.state["notes"].values()
    assert (note["by"], note["cell"]) == ("user:bob", "c1")
    assert desk.state["participants"]["user:bob"] == "participant"


def test_kernel_cannot_borrow_the_run_of_another_kernel_or_name_an_actor(desk: Desk) -> None:
    desk.run("r1", "c1", user="bob", kernel="k1")
    desk.say("note.added", desk.kernel("k2", "mallory"), text="x", run="r1", _actor="user:bob")
    assert desk.ledger.entries(desk.uid)[-1]["actor"] == "user:mallory"
    (note,) = desk.state["notes"].values()
    assert note["cell"] is None
    asked = record(run="r1", cell="c1")
    desk.service.record_query(desk.uid, asked, desk.kernel("k2", "mallory"))
    assert desk.ledger.entries(desk.uid)[-1]["on_behalf_of"] == "user:mallory"
    assert desk.state["steps"]["r1"]["queries"] == []
    assert desk.state["queries"][asked.id]["cell"] is None


def test_cell_of_a_run_is_the_one_the_server_tells(desk: Desk) -> None:
    desk.run("r1", "c1")
    asked = record(run="r1", cell="another")
    desk.service.record_query(desk.uid, asked, desk.kernel())
    assert desk.state["queries"][asked.id]["cell"] == "c1"
    desk.say("note.added", desk.kernel(), text="x", run="r1", cell="another")
    assert [note["cell"] for note in desk.state["notes"].values()] == ["c1"]


def test_query_is_asked_by_the_kernel_for_the_person(desk: Desk) -> None:
    desk.run("r1", "c1", user="bob")
    desk.service.record_query(desk.uid, record(run="r1", cell="c1"), desk.kernel("k1", "alice"))
    entry = desk.ledger.entries(desk.uid)[-1]
    assert (entry["actor"], entry["on_behalf_of"]) == ("kernel:k1", "user:bob")


def test_event_of_a_kernel_waits_for_its_run(desk: Desk) -> None:
    told: list[dict[str, Any]] = []
    waiting = threading.Event()
    pin = desk.catalog.pin

    def say() -> None:
        waiting.set()
        told.append(desk.say("note.added", desk.kernel("k1", "alice"), text="x", run="r1"))

    thread = threading.Thread(target=say)
    thread.start()
    waiting.wait(10)
    desk.run("r1", "c1", user="bob")
    thread.join(10)
    (note,) = told[0]["notes"].values()
    assert note["by"] == "user:bob"
    assert pin() == 3


def test_event_whose_run_never_arrives_is_taken_for_the_user_of_the_token(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "RUN_WAIT_S", 0.01)
    desk.say("note.added", desk.kernel("k1", "alice"), text="x", run="lost")
    assert desk.ledger.entries(desk.uid)[-1]["actor"] == "user:alice"


def test_followers_get_every_change_in_order_and_a_failing_one_disturbs_nobody(desk: Desk) -> None:
    followed = desk.state
    seen: list[dict[str, Any]] = []

    def fails(_change: dict[str, Any]) -> None:
        raise RuntimeError("a browser is gone")

    desk.service.subscribe(desk.uid, fails)
    leave = desk.service.subscribe(desk.uid, seen.append)
    propose(desk)
    desk.run("r1", "c1")
    desk.service.record_query(desk.uid, record(run="r1", test=SHIFT), desk.kernel())
    for change in seen:
        validate("messages", change, definition="InvestigationDelta")
        followed = merge(followed, change)
    assert followed == desk.state
    leave()
    leave()
    count = len(seen)
    propose(desk, "h2")
    assert len(seen) == count
    with pytest.raises(NotFound):
        desk.service.subscribe("nope", seen.append)


def test_query_reads_back_whole_with_its_kept_result(desk: Desk) -> None:
    asked = record(kept=b"arrow", scan={"spans": {"columns": ["service"]}}, unordered_digest="u")
    other = record(kept=b"arrow")
    for each in (asked, other):
        desk.service.record_query(desk.uid, each, desk.kernel())
    found = desk.service.query(asked.id)
    assert found.kept_digest is not None
    assert (found.scan, found.statement, found.kept) == (asked.scan, "SELECT 1", None)
    assert desk.service.kept_result(asked.id) == b"arrow"
    assert [each.id for each in desk.service.queries(desk.uid)] == [asked.id, other.id]
    big = record()
    desk.service.record_query(desk.uid, big, desk.kernel())
    assert desk.service.kept_result(big.id) is None
    with desk.records.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM kept_results").scalar() == 1


def test_query_outside_any_investigation_stands_in_the_stream_of_the_store(desk: Desk) -> None:
    asked = record()
    assert desk.service.record_query(None, asked, desk.server) is None
    assert desk.ledger.entries(STORE_STREAM)[-1]["data"]["id"] == asked.id
    assert desk.service.query(asked.id).rows == 3


def test_same_query_twice_is_refused_and_the_chain_goes_on(desk: Desk) -> None:
    asked = record()
    desk.service.record_query(desk.uid, asked, desk.kernel())
    with pytest.raises(Conflict):
        desk.service.record_query(desk.uid, asked, desk.kernel())
    propose(desk)
    assert desk.service.verify().ok


def test_pin_moves_on_purpose(desk: Desk) -> None:
    desk.catalog.newest = 5
    assert desk.state["pin"] == 3
    moved = event("investigation.pinned", pin=5, _actor=str(ALICE), _rationale="the trace is in")
    assert desk.service.report(desk.uid, [moved], desk.server)["pin"] == 5
    entry = desk.ledger.entries(desk.uid)[-1]
    assert (entry["actor"], entry["rationale"]) == ("user:alice", "the trace is in")
    with pytest.raises(BadInput, match="9"):
        desk.say("investigation.pinned", pin=9)


def test_archiving_leaves_the_state_as_it_is(desk: Desk) -> None:
    before = desk.state
    desk.say("archive.created", digest="sha256:" + "0" * 64)
    assert desk.state is before
    assert desk.ledger.head(desk.uid)[0] == before["seq"] + 1


def test_ingest_is_recorded_with_its_report(desk: Desk) -> None:
    report = {"digest": "sha256:" + "0" * 64, "name": "a.json", "rows": {"spans": 3}}
    entry = desk.service.record_ingest(report, Actor("user", "alice"))
    assert entry["type"] == "data.ingested"
    with pytest.raises(BadInput, match="digest"):
        desk.service.record_ingest({"name": "a.json"}, ALICE)
