"""Notebooks that change as in real work, and a place that keeps their versions."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_text
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.investigations.store import RECORDS_MIGRATIONS
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.model import Version
from workspace_ext.inquiry.versions.sending import version_in
from workspace_ext.inquiry.versions.service import VersionService
from workspace_ext.ledger.service import Ledger
from workspace_ext.protocol.messages import EventIn
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.records import RecordsEngine

ALICE, BOB = Actor("user", "alice"), Actor("user", "bob")
TIME = "2026-01-01T00:00:00Z"


class NoData:
    """A catalog without batches."""

    def pin(self) -> int:
        return 0


class Shelf:
    """A store's records with one investigation, and versions of its notebook."""

    def __init__(self, folder: StoreFolder) -> None:
        self.folder = folder
        self.records = RecordsEngine(folder, RECORDS_MIGRATIONS)
        self.ledger = Ledger(self.records)
        self.investigations = InvestigationService(self.ledger, self.records, NoData())
        self.versions = VersionService(self.ledger, self.records, self.investigations)
        self.uid = self.investigations.open(title="Checkout fails", actor=ALICE)["uid"]

    def save(self, notebook: dict[str, Any], *actors: Actor, **how: Any) -> Version:
        """Keeps a notebook; the version."""
        return self.keep(notebook, *actors, **how)[0]

    def keep(
        self, notebook: dict[str, Any], *actors: Actor, path: str = "n.ipynb", **how: Any
    ) -> tuple[Version, bool]:
        """Keeps a notebook; the version, and whether it is new."""
        sent = version_in(split(notebook), path=path, actors=actors or (ALICE,), **how)
        return self.versions.save(self.uid, sent)

    def run(self, cell: str, source: str, actor: Actor = ALICE) -> None:
        """A cell runs, as the server tells it."""
        from workspace_ext.access.tokens import Tokens

        digest = digest_text(source)
        run = new_id()
        started = {"run": run, "cell": cell, "source_digest": digest, "kernel": "k"}
        events: list[EventIn] = [
            told("run.started", run, started, actor),
            told("run.finished", run, {"run": run, "status": "ok", "error": None}, actor),
        ]
        events[0]["attached"] = {digest: source}
        tokens = Tokens(self.folder.secret)
        self.investigations.report(self.uid, events, tokens.principal(tokens.service_token))


def told(kind: str, subject: str, data: dict[str, Any], actor: Actor) -> EventIn:
    """An event as the server reports it."""
    return {
        "id": new_id(),
        "type": kind,
        "subject": subject,
        "time": TIME,
        "data": data,
        "actor": str(actor),
    }


@contextmanager
def shelf(path: Path) -> Iterator[Shelf]:
    """Makes a store, and closes it."""
    made = Shelf(StoreFolder.create(path))
    try:
        yield made
    finally:
        made.records.close()


def large_notebook(cells: int = 60, kilobytes: int = 640) -> dict[str, Any]:
    """A notebook of an investigation: prose, code, tables and a few figures."""
    chance = random.Random(1)
    share = kilobytes * 1000 // cells
    made = []
    for number in range(cells):
        cell: dict[str, Any] = {
            "id": f"cell-{number}",
            "cell_type": "code",
            "metadata": {},
            "source": _code(chance, 12),
            "execution_count": number + 1,
            "outputs": [_table(chance, share, number + 1)],
        }
        if number % 10 == 9:
            cell["outputs"] = [_figure(chance, share)]
        made.append(cell)
    metadata = {"kernelspec": {"name": "investigation", "display_name": "Investigation"}}
    return {"metadata": metadata, "nbformat": 4, "nbformat_minor": 5, "cells": made}


def edits(notebook: dict[str, Any], count: int) -> Iterator[dict[str, Any]]:
    """One save after another: each time one cell is edited, and run every second time.

    A run computes the same table with a few other numbers in it.
    """
    chance = random.Random(2)
    at = copy.deepcopy(notebook)
    ran = len(at["cells"])
    for number in range(count):
        cell = chance.choice(at["cells"])
        lines = cell["source"].splitlines()
        lines[chance.randrange(len(lines))] = _line(chance)
        cell["source"] = "\n".join(lines)
        if number % 2 and "execution_count" in cell["outputs"][0]:
            ran += 1
            cell["execution_count"] = ran
            cell["outputs"] = [_changed(chance, cell["outputs"][0], ran)]
        yield at


def _code(chance: random.Random, lines: int) -> str:
    return "\n".join(_line(chance) for _ in range(lines))


def _line(chance: random.Random) -> str:
    words = ("spans", "service", "latency", "window", "baseline", "query", "frame", "errors")
    called = "_".join(chance.sample(words, 2))
    return f"{called} = {chance.choice(words)}.filter({chance.choice(words)!r}, {chance.random()})"


def _table(chance: random.Random, size: int, count: int) -> dict[str, Any]:
    rows = []
    while sum(map(len, rows)) < size:
        numbers = "  ".join(f"{chance.random():12.6f}" for _ in range(4))
        rows.append(f"{len(rows):4}  ts-{chance.randrange(40):02}-service  {numbers}\n")
    data = {"text/plain": "".join(rows)}
    return {"output_type": "execute_result", "metadata": {}, "data": data, "execution_count": count}


def _changed(chance: random.Random, output: dict[str, Any], count: int) -> dict[str, Any]:
    rows = output["data"]["text/plain"].splitlines(keepends=True)
    for _ in range(5):
        rows[chance.randrange(len(rows))] = f"     changed  {chance.random():12.6f}\n"
    data = {"text/plain": "".join(rows)}
    return {"output_type": "execute_result", "metadata": {}, "data": data, "execution_count": count}


def _figure(chance: random.Random, size: int) -> dict[str, Any]:
    from base64 import b64encode

    data = {"image/png": b64encode(chance.randbytes(size * 3 // 4)).decode()}
    return {"output_type": "display_data", "metadata": {}, "data": data}
