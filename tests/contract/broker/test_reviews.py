"""Review through the broker: templates that nobody looked through, the post-mortem, many people."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.archive import WINDOW, ingest
from tests.support.templates import write_template
from tests.support.versions import told
from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import connect
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_text
from workspace_ext.foundation.errors import BadInput, Denied, NotFound
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.sending import version_in

ALICE, BOB = Actor("user", "alice"), Actor("user", "bob")
EVENTS = """signal: events
fields: {time: {column: time, unit: s}, kind: kind, title: title, service: service}"""


@pytest.fixture(scope="module")
def slow(store: Path, client: BrokerClient) -> Path:
    """A template of the store, and data for it."""
    path = write_template(store / "templates", fixtures=None)
    ingest(client, store.parent, first=0)
    return path


def say(client: BrokerClient, uid: str, kind: str, why: str = "", **data: Any) -> None:
    event = told(kind, data.get("hypothesis", "x"), data, ALICE)
    event["rationale"] = why
    client.report(uid, [event])


def save(client: BrokerClient, uid: str, source: str) -> None:
    cell = {"id": "a", "cell_type": "markdown", "metadata": {}, "source": source}
    notebook = {"metadata": {}, "nbformat": 4, "nbformat_minor": 5, "cells": [cell]}
    client.save_version(uid, version_in(split(notebook), path="n.ipynb", actors=[ALICE]))


def test_a_template_nobody_looked_through_is_marked_wherever_it_is_used(
    client: BrokerClient, slow: Path
) -> None:
    uid = client.open_investigation("The cart is slow", window=WINDOW)["uid"]

    def warnings(template: str = "cart.slow") -> list[str]:
        answer = client.query({"template": template, "investigation": uid}).answer
        return [said for said in answer["verdict"]["warnings"] if "not reviewed" in said]

    digest = digest_text(slow.read_text())
    assert warnings() == [f"template cart.slow v1 is not reviewed (digest {digest[:15]})"]
    assert warnings("triage.overview") == []
    assert "is not reviewed" in client.postmortem(uid)
    before = {use["id"]: use["by"] for use in client.review(uid)["templates"]}
    assert before == {"cart.slow": None, "triage.overview": "release"}
    with pytest.raises(NotFound, match=r"no template 'cart\.slaw'"):
        client.review_template("cart.slaw")
    with pytest.raises(NotFound, match="no version 7"):
        client.review_template("cart.slow", version=7)
    with pytest.raises(Denied):
        client.review_template("cart.slow", actor="user:unknown")
    found = client.review_template("cart.slow", reason="joins are right", actor=str(BOB))
    assert (found["by"], found["digest"]) == ("user:bob", digest)
    assert warnings() == []
    assert client.review(uid)["templates"][0]["by"] == "user:bob"
    slow.write_text(slow.read_text().replace("Slow calls", "Slower calls"))
    assert len(warnings()) == 1
    assert client.verify()["ok"]


def test_a_kernel_neither_reviews_nor_comments(client: BrokerClient) -> None:
    uid = client.open_investigation("Checkout fails", actor=str(ALICE))["uid"]
    kernel = BrokerClient(client.address, client.token("k", user="bob"))
    refused = (
        lambda: kernel.act_on_review(uid, "request"),
        lambda: kernel.comment(uid, "hm", cell="a"),
        lambda: kernel.settle(uid, "t", resolved=True),
        lambda: kernel.review_template("triage.overview"),
    )
    for call in refused:
        with pytest.raises(Denied, match="kernel's token"):
            call()
    assert kernel.review(uid)["state"] == "draft"
    assert kernel.changes(uid, actor="user:alice")["who"] == "user:bob"


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("review", {}, "action must be a text"),
        ("review", {"action": "approve", "reason": 3}, "reason must be a text"),
        ("comments", {"text": "x", "cell": 3}, "cell must be a text"),
        ("comments", {"text": "x", "cell": "a", "actor": "bob"}, "not an actor"),
        ("threads", {"thread": "t", "resolved": "yes"}, "true or false"),
        ("changes", {"since": "2026"}, "time with its offset"),
    ],
)
def test_wrong_bodies_are_named(
    client: BrokerClient, path: str, body: dict[str, Any], message: str
) -> None:
    uid = client.open_investigation("Checkout fails")["uid"]
    with pytest.raises(BadInput, match=message):
        client._json("POST", f"/v1/investigations/{uid}/{path}", body=body)


def test_the_post_mortem_tells_all_of_it_and_always_the_same(
    client: BrokerClient, slow: Path, tmp_path: Path
) -> None:
    del slow
    file = tmp_path / "events.csv"
    file.write_text(
        "time,kind,title,service\n1714557660,deploy,cart v2 | canary,cart\n"
        "1714557720,alert,Checkout is slow,pay\n"
    )
    client.ingest(file, mapping=EVENTS)
    uid = client.open_investigation(
        "Checkout *fails*", severity="SEV1", window=WINDOW, services=["cart"], actor=str(ALICE)
    )["uid"]
    save(client, uid, "# What we saw")
    empty = client.postmortem(uid)
    assert "The investigation has no conclusion yet." in empty
    query = client.query({"template": "cart.slow", "investigation": uid}).answer["query"]
    for key, text in (("pool", "The pool is exhausted"), ("dns", "DNS is <slow>")):
        say(client, uid, "hypothesis.proposed", hypothesis=key, text=text, prediction="p95 up")
        say(client, uid, "hypothesis.changed", "a look", hypothesis=key, state="testing")
    shown = {"hypothesis": "pool", "state": "supported", "evidence": [query]}
    say(client, uid, "hypothesis.changed", "waits for a connection", **shown)
    say(client, uid, "hypothesis.changed", "lookups are fast", hypothesis="dns", state="refuted")
    say(client, uid, "finding.added", text="v2 halves the pool")
    say(client, uid, "decision.made", text="Roll back the cart", because="it is quick")
    say(
        client, uid, "conclusion.reached", root_cause="v2 exhausts its pool",
        confidence_percent=80, evidence=[query], hypothesis="pool",
    )  # fmt: skip
    client.comment(uid, "and the retries?", hypothesis="pool", actor=str(BOB))
    text = client.postmortem(uid)
    assert text == client.postmortem(uid)
    assert text.startswith("# Post-mortem: Checkout \\*fails\\*\n")
    for line in (
        "| Severity | SEV1 |",
        "| Window (UTC) | 2024-05-01 10:00:00 to 2024-05-01 10:10:00 |",
        "v2 exhausts its pool (confidence 80 %, alice, ",
        "**Root cause:** The pool is exhausted (waits for a connection)",
        "| 2024-05-01 10:01:00 | deploy | cart | cart v2 \\| canary |",
        "| 2024-05-01 10:02:00 | alert | pay | Checkout is slow |",
        "### Root cause: The pool is exhausted",
        "### Refuted: DNS is \\<slow\\>",
        "DNS is \\<slow\\>: refuted, because lookups are fast",
        "Finding: v2 halves the pool (alice)",
        "Roll back the cart, because it is quick (alice, ",
        "On The pool is exhausted: and the retries? (bob)",
        f"(#query-{query})",
        f'<a id="query-{query}"></a>',
        f"`results/{query}.arrow`",
    ):
        assert line in text, text
    places = [text.index(f"\n## {name}") for name in ("Summary", "Hypotheses", "What failed")]
    assert places == sorted(places)
    with pytest.raises(NotFound):
        client.postmortem("nowhere")


def test_five_people_at_once_lose_nothing_and_keep_one_chain(
    client: BrokerClient, store: Path
) -> None:
    """Five connections, as many runs as they can, with saves, comments and reviews between."""
    uid = client.open_investigation("Everybody at once", actor=str(ALICE))["uid"]
    save(client, uid, "0")
    runs = 40
    failed: list[BaseException] = []

    def work(number: int) -> None:
        who = Actor("user", f"p{number}")
        try:
            with connect(store) as own:
                for n in range(runs):
                    run, digest = new_id(), digest_text(f"{number} {n}")
                    start = {"run": run, "cell": f"c{number}", "source_digest": digest}
                    events = [told("run.started", run, start, who)]
                    own.report(uid, events)
                    ended = {"run": run, "status": "ok", "error": None}
                    own.report(uid, [*events, told("run.finished", run, ended, who)])  # again
                    if n % 10 == number:
                        own.comment(uid, f"{number} {n}", cell=f"c{number}", actor=str(who))
                        save(own, uid, f"{number} {n}")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    entries = client.entries(uid, limit=10_000)
    kinds = [entry["type"] for entry in entries]
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    assert kinds.count("run.started") == kinds.count("run.finished") == 5 * runs
    assert kinds.count("comment.added") == kinds.count("notebook.saved") - 1 == 20
    state = client.state(uid)
    assert {step["status"] for step in state["steps"].values()} == {"ok"}
    assert len(state["steps"]) == 5 * runs
    assert len(client.review(uid)["threads"]) == 20
    told_by = client.verify(uid)
    assert (told_by["ok"], told_by["entries"]) == (True, len(entries))
