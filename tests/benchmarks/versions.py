"""What versions cost: their size, one save, one question; and how long a large ledger takes."""

import json
import tempfile
from itertools import chain
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from tests.benchmarks.table import Row
from tests.support.broker import broker
from tests.support.versions import ALICE, Shelf, edits, large_notebook, shelf
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.sending import version_in
from workspace_ext.ledger.model import Event

VERSIONS = 500
ENTRIES = 100_000
ASKED = 50


def run() -> list[Row]:
    """Everything on fresh stores."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        return [*_versions(folder / "versions"), _ledger(folder / "ledger")]


def _versions(folder: Path) -> list[Row]:
    start, copies = large_notebook(), 0
    saves = []
    with broker(folder) as client:
        uid = client.open_investigation("Checkout fails")["uid"]
        known = None
        for at in chain([start], edits(start, VERSIONS - 1)):
            copies += len(json.dumps(at))
            begun = perf_counter()
            content = split(at)
            given = {} if known is None else {"known": known}
            sent = version_in(content, path="n.ipynb", actors=[ALICE], **given)
            client.save_version(uid, sent)
            saves.append(perf_counter() - begun)
            known = content.layout
        assert client.versions(uid, limit=1)[0]["revision"] == VERSIONS
        asked = []
        for number in range(ASKED):
            begun = perf_counter()
            client.cell_versions(uid, f"cell-{number}")
            asked.append(perf_counter() - begun)
    size = sum(file.stat().st_size for file in folder.glob("records.sqlite*")) / 1e6
    said = f"{VERSIONS} versions of a notebook of 60 cells and 0.7 MB"
    return [
        Row(said, "as many copies", size, copies / 1e6, "absolute", 2.0, "MB"),
        Row("who changed this cell, when, why", "-", median(asked), 0.0, "absolute", 0.05),
        Row("keeping one of these versions", "-", median(saves), 0.0, "absolute", 0.1),
    ]


def _ledger(folder: Path) -> Row:
    with shelf(folder) as kept:
        _fill(kept)
        seconds = []
        for _ in range(3):
            begun = process_time()
            report = kept.investigations.verify()
            seconds.append(process_time() - begun)
            assert report.ok
            assert report.entries >= ENTRIES
    what = f"verify over {ENTRIES:,} entries of the ledger (processor time)"
    return Row(what, "-", median(seconds), 0.0, "absolute", 2.0)


def _fill(kept: Shelf) -> None:
    digest = "sha256:" + "0" * 64
    with kept.ledger.batch() as batch:
        for number in range(ENTRIES):
            data = {
                "run": f"run-{number}",
                "cell": f"cell-{number % 60}",
                "source_digest": digest,
                "kernel": "k",
            }
            event = Event(
                "run.started",
                data,
                ALICE,
                id=f"event-{number}",
                subject=f"run-{number}",
                investigation=kept.uid,
            )
            batch.append(kept.uid, event)
