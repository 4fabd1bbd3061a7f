"""Queries over the wire: small answers, large ones, and those that fail."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.support.broker import broker, load_demo
from tests.support.waiting import until
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import (
    BadInput,
    InvestigationError,
    LimitExceeded,
    NotFound,
    Unavailable,
)
from workspace_ext.telemetry.query.model import Limits

HEADER = """/*---
id: bulk.{name}
version: 1
title: Bulk
question: Does it travel?
status: draft
params: {{}}
requires: [spans.span_id]
returns: {returns}
interesting: "n > 1000"
covers: [transport]
not_covered: [meaning]
---*/
"""
LARGE = (
    HEADER.format(
        name="large", returns="{span_id: VARCHAR, trace_id: VARCHAR, name: VARCHAR, n: INTEGER}"
    )
    + "SELECT span_id, trace_id, name, n FROM spans,"
    + " (VALUES (1),(2),(3),(4),(5),(6),(7),(8),(9),(10)) AS times(n)"
    + " ORDER BY time_ns, span_id, n\n"
)
ENDLESS = (
    HEADER.format(name="endless", returns="{n: BIGINT}")
    + "SELECT count(*) AS n FROM spans AS a, spans AS b, spans AS c, spans AS d"
    + " WHERE sin(a.duration_ns + b.duration_ns + c.duration_ns + d.duration_ns) > 0.5 ORDER BY n\n"
)


@pytest.fixture(scope="module")
def loaded(store: Path) -> Iterator[tuple[BrokerClient, str]]:
    folder = store / "templates" / "bulk"
    with broker(store) as client:
        folder.mkdir()
        (folder / "large.sql").write_text(LARGE)
        (folder / "endless.sql").write_text(ENDLESS)
        (folder / "runaway.sql").write_text(ENDLESS.replace("bulk.endless", "bulk.runaway"))
        yield client, load_demo(client, only="spans")


@pytest.fixture
def client(loaded: tuple[BrokerClient, str]) -> BrokerClient:
    return loaded[0]


@pytest.fixture
def uid(loaded: tuple[BrokerClient, str]) -> str:
    return loaded[1]


def test_a_template_answers_with_rows_and_a_verdict(client: BrokerClient, uid: str) -> None:
    result = client.query({"template": "triage.overview", "investigation": uid})
    assert result.table.num_rows == result.answer["rows"] > 0
    assert result.answer["verdict"]["interesting"]
    assert result.answer["error"] is None
    assert result.answer["pin"] == client.catalog()["pin"]
    kept = client.kept_result(uid, result.answer["query"])
    assert pa.ipc.open_stream(kept).read_all().equals(result.table)
    known = client.state(uid)["queries"][result.answer["query"]]
    assert known["digest"] == result.answer["digest"]


def test_small_answers_share_one_connection(client: BrokerClient, uid: str) -> None:
    pool = client._transport._pool
    client.query({"template": "triage.overview", "investigation": uid})
    before = pool.num_connections
    for _ in range(5):
        client.query({"template": "triage.overview", "investigation": uid})
        client.health()
    assert pool.num_connections == before


def test_a_large_answer_streams(client: BrokerClient) -> None:
    spans = client.catalog()["signals"]["spans"]["rows"]
    with client.query_stream({"template": "bulk.large"}) as stream:
        assert stream.schema.names == ["span_id", "trace_id", "name", "n"]
        with pytest.raises(Unavailable, match="not complete"):
            _ = stream.answer
        rows = sum(batch.num_rows for batch in stream)
        assert stream.answer["rows"] == rows == spans * 10
    whole = client.query({"template": "bulk.large"})
    assert whole.table.num_rows == rows
    assert whole.answer["digest"] == stream.answer["digest"]


def test_many_at_once(client: BrokerClient, uid: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def ask(number: int) -> int:
        name = "bulk.large" if number % 2 else "triage.overview"
        return client.query({"template": name, "investigation": uid}).answer["rows"]

    with ThreadPoolExecutor(6) as threads:
        rows = list(threads.map(ask, range(6)))
    assert len(set(rows[::2])) == len(set(rows[1::2])) == 1


@pytest.mark.parametrize(
    ("request_", "kind", "says"),
    [
        ({}, BadInput, "either"),
        ({"template": 3}, BadInput, "template must be text"),
        ({"template": "no.such"}, NotFound, "no.such"),
        ({"template": "triage.overview", "params": {"sevice": "x"}}, BadInput, "sevice"),
        ({"template": "bulk.large", "limits": {"rows": 0}}, BadInput, "rows"),
        ({"template": "bulk.large", "investigation": "none"}, NotFound, "none"),
        ({"template": "bulk.large", "pin": 99}, BadInput, "pin"),
        ({"template": "bulk.large", "surprise": 1}, BadInput, "surprise"),
        ([], BadInput, "query"),
        ("text", BadInput, "query"),
        (None, BadInput, "query"),
    ],
)
def test_a_wrong_question_is_refused(
    client: BrokerClient, request_: Any, kind: type[InvestigationError], says: str
) -> None:
    with pytest.raises(kind, match=says) as caught:
        client.query(request_)
    assert caught.value.hint


def test_a_limit_ends_a_query(client: BrokerClient, uid: str) -> None:
    with pytest.raises(LimitExceeded):
        client.query({"template": "bulk.endless", "limits": {"seconds": 0.2}})
    with pytest.raises(LimitExceeded):
        client.query({"template": "bulk.large", "limits": {"rows": 100_000}})


def failed(client: BrokerClient, uid: str) -> list[Any]:
    return [q for q in client.state(uid)["queries"].values() if not q["ok"]]


def post(client: BrokerClient, store: Path, request: dict[str, Any]) -> socket.socket:
    """Sends a query and does not wait for its answer."""
    token = json.loads((store / "broker.json").read_text())["token"]
    body = json.dumps(request)
    connection = socket.create_connection(("127.0.0.1", int(client.address.rpartition(":")[2])))
    connection.sendall(
        f"POST /v1/queries HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    return connection


def test_runaway_queries_hold_up_nobody(client: BrokerClient, store: Path, uid: str) -> None:
    """More of them than short queries run at a time, and none is known to be long."""
    before = len(failed(client, uid))
    request = {"template": "bulk.runaway", "investigation": uid}
    runaways = [post(client, store, request) for _ in range(6)]
    for _ in range(3):
        assert client.query({"template": "triage.overview", "investigation": uid}).table.num_rows
    assert len(failed(client, uid)) == before  # all of them still run, or wait
    for connection in runaways:
        connection.close()
    until(lambda: len(failed(client, uid)) == before + 6, "the queries are cancelled")


def test_a_caller_that_goes_away_cancels_its_query(
    client: BrokerClient, store: Path, uid: str
) -> None:
    before = len(failed(client, uid))
    connection = post(client, store, {"template": "bulk.endless", "investigation": uid})
    time.sleep(0.3)  # it may as well be waiting in its lane: either way it must end
    assert len(failed(client, uid)) == before
    connection.close()
    until(lambda: len(failed(client, uid)) == before + 1, "the query is cancelled")
    assert "cancel" in failed(client, uid)[-1]["error"]


def test_a_reader_that_stops_cancels_its_query(client: BrokerClient, uid: str) -> None:
    before = len(failed(client, uid))
    with client.query_stream({"template": "bulk.large", "investigation": uid}) as stream:
        assert next(iter(stream)).num_rows
    until(lambda: len(failed(client, uid)) == before + 1, "the query is cancelled")
    assert client.query({"template": "triage.overview", "investigation": uid}).answer["rows"]


def test_a_broker_killed_while_it_answers_is_said(tmp_path: Path) -> None:
    with broker(tmp_path / "s") as client:
        folder = tmp_path / "s" / "templates" / "bulk"
        folder.mkdir()
        (folder / "large.sql").write_text(LARGE)
        load_demo(client, only="spans")
        with client.query_stream({"template": "bulk.large"}) as stream:
            batches = iter(stream)
            next(batches)
            os.kill(client.health()["pid"], signal.SIGKILL)
            with pytest.raises(Unavailable, match="went away before its answer was complete"):
                list(batches)


def test_a_broker_that_is_stopped_cancels_what_runs(tmp_path: Path) -> None:
    with broker(tmp_path / "s") as client:
        folder = tmp_path / "s" / "templates" / "bulk"
        folder.mkdir()
        (folder / "endless.sql").write_text(ENDLESS)
        load_demo(client, only="spans")
        connection = post(client, tmp_path / "s", {"template": "bulk.endless"})
        time.sleep(0.3)  # it may as well be waiting in its lane: either way the broker must end
        began = time.monotonic()
        os.kill(client.health()["pid"], signal.SIGTERM)
        while connection.recv(65536):
            pass
        connection.close()
        until(lambda: not (tmp_path / "s" / "holder.json").exists(), "the broker lets go")
        assert time.monotonic() - began < Limits().seconds / 2, "it waited for the query"
    log = (tmp_path / "s" / "logs" / "broker.log").read_text()
    assert "would not end" not in log
    assert "Traceback" not in log
