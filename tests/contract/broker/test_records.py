"""Investigations over the wire: open, report, read, follow."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.waiting import PATIENCE_SECONDS
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import BadInput, Denied, NotFound
from workspace_ext.foundation.ids import new_id
from workspace_ext.protocol.events import event
from workspace_ext.protocol.messages import EventIn


def note(text: str) -> EventIn:
    return event("note.added", new_id(), {"text": text}, actor="user:alice")


@pytest.fixture
def uid(client: BrokerClient) -> str:
    return client.open_investigation("Checkout is slow", severity="sev2", actor="user:alice")["uid"]


def test_an_investigation_is_opened_and_listed(client: BrokerClient, uid: str) -> None:
    state = client.state(uid)
    assert state["title"] == "Checkout is slow"
    assert state["pin"] == 0
    assert uid in [each["uid"] for each in client.investigations()]
    opened = client.entries(uid)[0]
    assert opened["type"] == "investigation.opened"
    assert opened["actor"] == "user:alice"


def test_a_report_changes_the_state_once(client: BrokerClient, uid: str) -> None:
    told = note("cart is slow as well")
    delta = client.report(uid, [told])
    assert [each["text"] for each in delta["notes"].values()] == ["cart is slow as well"]
    assert delta["seq"] == 2
    again = client.report(uid, [told])
    assert again["seq"] == 2
    assert [entry["seq"] for entry in client.entries(uid, after=1)] == [2]
    assert len(client.entries(uid, limit=1)) == 1
    assert client.projection(uid)["notebook"]["uid"] == uid
    verified = client.verify()
    assert verified["ok"]
    assert verified["entries"] >= 3
    assert client.verify(uid)["entries"] == 2


def test_followers_get_a_state_then_each_change(client: BrokerClient, uid: str) -> None:
    client.report(uid, [note("before")])
    followed = client.follow(uid)
    stream = iter(followed)
    name, state = next(stream)
    assert name == "state"
    assert state["seq"] == 2
    client.report(uid, [note("after")])
    name, delta = next(stream)
    assert name == "delta"
    assert delta["seq"] == 3
    assert [each["text"] for each in delta["notes"].values()] == ["after"]
    followed.close()
    assert list(stream) == []


def test_no_change_is_missed_while_a_follower_joins(client: BrokerClient, uid: str) -> None:
    writing = threading.Event()

    def write() -> None:
        for number in range(30):
            client.report(uid, [note(str(number))])
            writing.set()

    with ThreadPoolExecutor(1) as threads:
        written = threads.submit(write)
        assert writing.wait(PATIENCE_SECONDS)
        stream = iter(client.follow(uid))
        seen = next(stream)[1]["seq"]
        while seen < 31:
            seq = next(stream)[1]["seq"]
            assert seq == seen + 1
            seen = seq
        written.result()


def test_unknown_things_are_not_found(client: BrokerClient, uid: str) -> None:
    for call in (client.state, client.entries, client.projection, client.follow):
        with pytest.raises(NotFound, match="no investigation 'nobody/else'"):
            call("nobody/else")
    with pytest.raises(NotFound, match="no rows are kept"):
        client.kept_result(uid, "q")


def test_wrong_reports_and_openings_are_refused(client: BrokerClient, uid: str) -> None:
    for wrong in ({}, {"type": "note.added"}, {**note("x"), "type": "made.up"}, "text"):
        with pytest.raises(BadInput):
            client.report(uid, [wrong])  # type: ignore[list-item]
    with pytest.raises(BadInput, match="list of events"):
        client._transport.json("POST", f"/v1/investigations/{uid}/events", body={"a": 1})
    with pytest.raises(BadInput, match="no 'colour'"):
        client.open_investigation("x", colour="red")
    with pytest.raises(BadInput):
        client.open_investigation("x", window="yesterday")
    with pytest.raises(BadInput):
        client.open_investigation("x", actor="alice")
    with pytest.raises(BadInput, match="limit="):
        client.entries(uid, limit=-1)


def test_a_kernel_reports_for_its_user_alone(client: BrokerClient, uid: str) -> None:
    kernel = BrokerClient(client.address, client.token("k1", user="bob", notebook="a.ipynb"))
    kernel.report(uid, [note("mine")])
    assert client.entries(uid)[-1]["actor"] == "user:bob"
    with pytest.raises(Denied):
        kernel.report(
            uid, [event("run.finished", "r", {"run": "r", "status": "ok"}, actor="user:alice")]
        )
    with pytest.raises(Denied):
        kernel.open_investigation("x")
    with pytest.raises(Denied):
        kernel.verify()
