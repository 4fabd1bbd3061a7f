"""Retention through the broker: what investigations need stays, and the ledger knows."""

from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker import broker, load_demo
from tests.support.store import open_store
from tests.support.waiting import until
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.errors import BadInput, Denied

AT_ONCE = {"larger_than": "0.001MB"}
"""Everything is too much."""


def rows(client: BrokerClient, table: str = "spans") -> int:
    found = client.query({"sql": f"SELECT count(*) AS n FROM {table}"}).table
    return int(found["n"][0].as_py())


def ledger(path: Path) -> list[dict[str, Any]]:
    with sqlite3.connect(f"file:{path}/records.sqlite?mode=ro", uri=True) as records:
        found = records.execute("SELECT type, actor FROM ledger_entries WHERE stream = 'store'")
        return [{"type": kind, "actor": actor} for kind, actor in found.fetchall()]


def test_an_investigation_keeps_what_it_needs_until_it_is_archived(tmp_path: Path) -> None:
    with broker(tmp_path / "s") as client:
        uid = load_demo(client)
        everything = rows(client)
        state = client.state(uid)
        client.query({"template": "latency.shift", "params": {}, "investigation": uid})
        client.query(
            {
                "sql": "SELECT count(*) AS n FROM logs WHERE time < '2023-01-30T11:45:00Z'"
                " AND time >= '2023-01-30T11:44:00Z'",
                "investigation": uid,
            }
        )
        plan = client.retain(AT_ONCE, dry_run=True)
        assert rows(client) == everything
        assert any(uid in each["why"] for each in plan["spared"])
        done = client.retain(AT_ONCE, actor="user:alice")
        assert done["rows"] == plan["rows"]
        window, baseline = state["window"], state["baseline"]
        needed = " OR ".join(
            f"time >= '{each['start']}' AND time < '{each['end']}'" for each in (window, baseline)
        )
        left = rows(client)
        assert 0 < left < everything
        assert left == rows(client, f"spans WHERE {needed}")
        assert rows(client, "logs WHERE time < '2023-01-30T11:45:00Z'") > 0

        # concluded, but in no archive: spared, unless somebody says otherwise
        client.report(
            uid,
            [
                {
                    "id": "the-end",
                    "type": "conclusion.reached",
                    "subject": uid,
                    "time": "2023-01-30T12:30:00Z",
                    "data": {"root_cause": "CPU", "confidence_percent": 80, "evidence": []},
                    "actor": "user:alice",
                }
            ],
        )
        assert client.retain(AT_ONCE, dry_run=True)["rows"] == {}
        forced = client.retain({**AT_ONCE, "even_unarchived": True}, dry_run=True)
        assert forced["rows"]["spans"] == left

        notebook = {
            "cells": [],
            "metadata": {"investigation": {"schema": 1, "uid": uid}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        client.archive(uid, notebook, io.BytesIO())
        client.retain(AT_ONCE)
        assert rows(client) == rows(client, "logs") == 0
        assert client.verify()["ok"]


def test_the_policy_is_applied_by_itself(tmp_path: Path) -> None:
    with broker(tmp_path / "s") as client:
        assert client.retention() == {"policy": None, "applied_at": None, "last": None}
        uid = load_demo(client, only="spans")
        assert uid
        before = rows(client)
        client.keep_policy(AT_ONCE, actor="user:alice")
        described = until(
            lambda: (found := client.retention())["applied_at"] and found, "the policy is applied"
        )
        assert described["policy"]["larger_than"] == "0.001MB"
        assert described["last"]["actor"] == "service:jupyter-investigation"
        assert described["last"]["removed"]["spans"]["rows"] == before - rows(client)
        assert client.keep_policy(None)["policy"] is None


def test_what_went_stands_in_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with broker(path) as client:
        load_demo(client, only="spans")
        client.retain(AT_ONCE, actor="user:alice")
        assert {"type": "data.removed", "actor": "user:alice"} in ledger(path)


@pytest.mark.parametrize(
    "policy", [{}, {"older_than": "soon"}, {"larger_than": 5}, {"nonsense": "1d"}]
)
def test_a_wrong_policy_removes_nothing(client: BrokerClient, policy: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as raised:
        client.retain(policy)
    assert raised.value.hint


def test_a_kernel_may_remove_nothing(client: BrokerClient) -> None:
    kernel = BrokerClient(client.address, client.token("k", user="alice"))
    with pytest.raises(Denied):
        kernel.retain(AT_ONCE)
    with pytest.raises(Denied):
        kernel.keep_policy(AT_ONCE)
    assert json.dumps(kernel.retention())


def test_a_clock_that_was_wrong_once_keeps_no_data(tmp_path: Path) -> None:
    with broker(tmp_path / "s") as client:
        client.keep_policy({"older_than": "30d"})
    year_2200_ns = 7_258_118_400_000_000_000
    with open_store(tmp_path / "s") as store, store.engine.write() as connection:
        connection.execute("UPDATE raw.retention SET applied_ns = $1", [year_2200_ns])
    with broker(tmp_path / "s") as client:
        until(lambda: client.retention()["applied_at"] < "2200", "the policy is applied")
