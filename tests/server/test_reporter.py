"""The reporter with a real broker: what it refuses holds up nothing else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import broker
from tests.support.waiting import PATIENCE_SECONDS
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import Unavailable
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.model import NOTHING, Layout
from workspace_ext.inquiry.versions.sending import version_in
from workspace_ext.protocol.messages import EventIn
from workspace_ext.server import reporter as reporting
from workspace_ext.server.reporter import OPENED, SAVED, Reporter


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerClient]:
    with broker(tmp_path_factory.mktemp("reporter") / "store") as client:
        yield client


def note(name: str, text: str) -> EventIn:
    return {
        "id": name,
        "type": "note.added",
        "subject": name,
        "time": "2026-01-01T00:00:00Z",
        "data": {"text": text},
        "actor": "user:alice",
    }


def opened(uid: str) -> EventIn:
    data = {"uid": uid, "title": "By its first run", "notebook": "n.ipynb"}
    return {**note(uid, ""), "type": OPENED, "data": data}


def test_an_opening_and_what_follows_it_arrive_in_order(
    client: BrokerClient, tmp_path: Path
) -> None:
    reporter = Reporter(tmp_path, lambda: client)
    reporter.report("u1", [opened("u1"), note("a", "first")])
    reporter.report("u1", [note("b", "second")])

    assert reporter.flush(PATIENCE_SECONDS)
    reporter.stop()

    state = client.state("u1")
    assert [one["text"] for one in state["notes"].values()] == ["first", "second"]
    assert (state["title"], state["participants"]) == ("By its first run", {"user:alice": "owner"})
    assert list(tmp_path.iterdir()) == []


def test_a_refused_event_is_a_gap_that_is_logged_and_the_rest_goes_on(
    client: BrokerClient, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reporter = Reporter(tmp_path, lambda: client)
    with caplog.at_level(logging.ERROR):
        reporter.report("u2", [opened("u2"), note("c", "good"), note("d", ""), note("e", "good")])
        reporter.report("nobody's", [note("f", "lost")])
        reporter.report("u2", [note("g", "good")])
        assert reporter.flush(PATIENCE_SECONDS)
    reporter.stop()

    assert list(client.state("u2")["notes"]) == ["c", "e", "g"]
    gaps = [message for message in caplog.messages if message.startswith("gap in the record")]
    assert [("note.added d" in gap, "note.added f" in gap) for gap in gaps] == [
        (True, False),
        (False, True),
    ]


def test_a_version_that_misses_parts_is_told_of_and_the_next_one_goes_whole(
    client: BrokerClient, tmp_path: Path
) -> None:
    """As when an earlier one was lost with a disk, or the store is another one now."""
    refused: list[tuple[str, str, str]] = []
    reporter = Reporter(
        tmp_path, lambda: client, lambda uid, event, code: refused.append((uid, event["id"], code))
    )
    content = split({"metadata": {}, "nbformat": 4, "nbformat_minor": 5, "cells": []})

    def saved(known: Layout) -> EventIn:
        sent = version_in(content, path="n.ipynb", actors=[Actor("user", "alice")], known=known)
        return {**note(sent["id"], ""), "type": SAVED, "data": dict(sent)}

    lost, whole = saved(content.layout), saved(NOTHING)
    reporter.report("u5", [opened("u5"), lost, note("j", "between"), whole])
    assert reporter.flush(PATIENCE_SECONDS)
    reporter.stop()

    assert refused == [("u5", lost["id"], "parts_missing")]
    assert [one["revision"] for one in client.versions("u5")] == [1]
    assert list(client.state("u5")["notes"]) == ["j"]


def test_what_the_broker_cannot_take_now_waits_on_disk_for_the_next_reporter(
    client: BrokerClient, tmp_path: Path
) -> None:
    def away() -> BrokerClient:
        raise Unavailable("the broker is away")

    first = Reporter(tmp_path, away)
    first.report("u3", [opened("u3"), note("h", "kept")])
    assert not first.flush(PATIENCE_SECONDS)
    first.stop()

    second = Reporter(tmp_path, lambda: client)
    second.start()
    assert second.flush(PATIENCE_SECONDS)
    second.stop()

    assert list(client.state("u3")["notes"]) == ["h"]


def test_a_disk_that_refuses_stops_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    reporter = Reporter(tmp_path / "file" / "spool", lambda: pytest.fail("nothing to send"))

    with caplog.at_level(logging.ERROR):
        reporter.report("u4", [note("i", "lost")])
    reporter.stop()

    assert any("gap in the record of u4: note.added i" in message for message in caplog.messages)


def test_a_reporter_that_was_stopped_leaves_its_spool_to_the_next(
    client: BrokerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread may still wait for a broker then, whose disk is slow."""
    monkeypatch.setattr(reporting, "_STOP_SECONDS", 0.01)
    asked, go_on = threading.Event(), threading.Event()

    def slow() -> BrokerClient:
        asked.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return client

    first = Reporter(tmp_path, slow)
    first.report("u6", [opened("u6"), note("k", "kept")])
    assert asked.wait(PATIENCE_SECONDS)
    first.stop()
    second = Reporter(tmp_path, lambda: client)
    second.start()
    assert second.flush(PATIENCE_SECONDS)
    second.stop()
    go_on.set()
    assert first._thread is not None
    first._thread.join(PATIENCE_SECONDS)

    assert list(client.state("u6")["notes"]) == ["k"]
    assert list(tmp_path.iterdir()) == []
