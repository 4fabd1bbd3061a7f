"""Roles as the broker sees them: the wall behind the Jupyter server's doors, and the record."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.versions import told
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, Denied

ALICE, VERA = Actor("user", "alice"), Actor("user", "vera")


def roles(client: BrokerClient, uid: str) -> list[tuple[str, str]]:
    """Who took which role, in the ledger's order."""
    entries = [entry for entry in client.entries(uid) if entry["type"] == "role.taken"]
    return [(entry["actor"], (entry["data"] or {})["role"]) for entry in entries]


def test_what_is_done_for_a_viewer_is_refused_whoever_asks(client: BrokerClient) -> None:
    uid = client.open_investigation("Walls")["uid"]
    before = client.state(uid)["seq"]
    for_viewer = client.acting("viewer")
    note = told("note.added", "x", {"text": "hm"}, VERA)
    doors: list[Callable[[], object]] = [
        lambda: for_viewer.open_investigation("Hers"),
        lambda: for_viewer.report(uid, [note]),
        lambda: for_viewer.act_on_review(uid, "request", actor=str(VERA)),
        lambda: for_viewer.query({"sql": "SELECT 1"}),
        lambda: for_viewer.retain({"older_than": "30d"}, dry_run=True),
        lambda: for_viewer.token("k", user="vera"),
    ]
    for door in doors:
        with pytest.raises(Denied, match="you are a viewer here"):
            door()
    assert client.state(uid)["seq"] == before
    assert for_viewer.state(uid)["title"] == "Walls"

    with pytest.raises(Denied, match="only a lead may archive a review"):
        client.acting("responder").act_on_review(uid, "archive", actor=str(ALICE))
    with pytest.raises(BadInput, match="cannot be archived"):
        client.acting("lead").act_on_review(uid, "archive", actor=str(ALICE))
    with pytest.raises(BadInput, match="there is no role 'king'"):
        client.acting("king").state(uid)


def test_the_record_says_with_which_role_somebody_acts(client: BrokerClient) -> None:
    uid = client.open_investigation("Roles", actor=str(ALICE))["uid"]
    assert client.state(uid)["participants"] == {"user:alice": "owner"}  # nobody said more

    def note(text: str) -> None:
        client.acting("lead").report(uid, [told("note.added", "x", {"text": text}, ALICE)])

    note("first")
    note("second")
    found = client.state(uid)["hypotheses"]
    assert found == {}
    client.report(uid, [{**told("note.added", "x", {"text": "later"}, ALICE), "role": "responder"}])
    claim = {**told("hypothesis.proposed", "x", {"text": "It is full", "hypothesis": "h"}, ALICE)}
    client.report(uid, [claim])
    client.acting("viewer").comment(uid, "Why?", hypothesis="h", actor=str(VERA))

    assert roles(client, uid) == [
        ("user:alice", "lead"),
        ("user:alice", "responder"),
        ("user:vera", "viewer"),
    ]
    assert client.state(uid)["participants"] == {"user:alice": "responder", "user:vera": "viewer"}
    assert client.verify()["ok"]
