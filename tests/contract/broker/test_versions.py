"""The routes of versions, and many people at once."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.support.jupyter import notebook
from tests.support.versions import told
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_text
from workspace_ext.foundation.errors import BadInput, Denied, NotFound
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.sending import version_in

PEOPLE = [Actor("user", name) for name in ("alice", "bob", "carol", "dan", "erin")]
RUNS_A_SECOND = 20
SECONDS = 3


def saved(client: BrokerClient, uid: str, *sources: str, actor: Actor = PEOPLE[0]) -> Any:
    sent = version_in(split(notebook(*sources)), path="n.ipynb", actors=[actor])
    return client.save_version(uid, sent)


def test_every_question_has_a_route(client: BrokerClient) -> None:
    uid = client.open_investigation("Checkout fails")["uid"]
    assert client.versions(uid) == client.blame(uid) == []
    assert saved(client, uid, "1")["new"]
    assert not saved(client, uid, "1")["new"]
    assert saved(client, uid, "2")["revision"] == 2
    assert [one["revision"] for one in client.versions(uid)] == [2, 1]
    assert [one["revision"] for one in client.versions(uid, before=2)] == [1]
    assert client.version(uid, 1)["notebook"]["cells"][0]["source"] == "1"
    assert client.version(uid)["version"]["revision"] == 2
    assert [line["what"] for line in client.cell_versions(uid, "c1")] == ["source", "added"]
    assert client.blame(uid)[0]["changed"]["revision"] == 2
    assert client.recovered(uid)["cells"][0]["source"] == "2"
    assert uid in [found["investigation"] for found in client.notebooks()]
    assert client.verify(uid)["ok"]


def test_wrong_questions_are_refused(client: BrokerClient) -> None:
    uid = client.open_investigation("Checkout fails")["uid"]
    for ask in (
        lambda: client.versions("nowhere"),
        lambda: client.version(uid, 1),
        lambda: client.cell_versions(uid, "c1"),
        lambda: client.recovered(uid),
        lambda: saved(client, "nowhere", "1"),
    ):
        with pytest.raises(NotFound):
            ask()
    for revision in ("first", "-1", "9" * 12):
        with pytest.raises(BadInput, match="no version"):
            client._json("GET", f"/v1/investigations/{uid}/versions/{revision}")
    with pytest.raises(BadInput, match="VersionIn"):
        client.save_version(uid, {"path": "n"})  # type: ignore[typeddict-item]


def test_a_kernel_saves_nothing(client: BrokerClient) -> None:
    uid = client.open_investigation("Checkout fails")["uid"]
    kernel = BrokerClient(client.address, client.token("k1", user="alice"))
    with pytest.raises(Denied, match=r"version\.save"):
        saved(kernel, uid, "1")


def test_attached_text_that_is_another_one_is_refused(client: BrokerClient) -> None:
    uid = client.open_investigation("Checkout fails")["uid"]
    digest = digest_text("1 + 1")
    data = {"run": "r", "cell": "c", "source_digest": digest, "kernel": None}
    event = told("run.started", "r", data, PEOPLE[0])
    event["attached"] = {digest: "rm -rf"}
    with pytest.raises(BadInput, match="another one"):
        client.report(uid, [event])
    assert client.state(uid)["steps"] == {}


def test_five_people_at_once_lose_nothing_and_keep_one_chain(client: BrokerClient) -> None:
    """Each runs twenty cells a second, and saves now and then."""
    uid = client.open_investigation("Checkout fails")["uid"]
    failed: list[BaseException] = []

    def work(actor: Actor) -> None:
        own = BrokerClient(client.address, client._transport._headers["Authorization"][7:])
        try:
            begun = time.monotonic()
            for number in range(RUNS_A_SECOND * SECONDS):
                _run(own, uid, actor, number)
                if number % 10 == 0:
                    saved(own, uid, f"{actor} {number}", actor=actor)
                due = begun + number / RUNS_A_SECOND
                time.sleep(max(0.0, due - time.monotonic()))
        except BaseException as error:
            failed.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=work, args=(actor,)) for actor in PEOPLE]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    runs = RUNS_A_SECOND * SECONDS * len(PEOPLE)
    steps = client.state(uid)["steps"].values()
    assert len(steps) == runs
    assert all(step["status"] == "ok" for step in steps)
    assert {step["by"] for step in steps} == set(map(str, PEOPLE))
    assert len(client.versions(uid, limit=1000)) == runs // 10
    report = client.verify(uid)
    assert report["ok"], report["problems"]
    assert report["entries"] == 1 + 2 * runs + runs // 10


def _run(client: BrokerClient, uid: str, actor: Actor, number: int) -> None:
    run, source = new_id(), f"{actor} {number}"
    digest = digest_text(source)
    started = {"run": run, "cell": f"c{number % 60}", "source_digest": digest, "kernel": None}
    event = told("run.started", run, started, actor)
    event["attached"] = {digest: source}
    client.report(uid, [event])
    client.report(
        uid,
        [told("run.finished", run, {"run": run, "status": "ok", "error": None}, actor)],
    )
