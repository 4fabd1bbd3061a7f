"""A real store with its ledger and investigations; only the catalog's pin is chosen by the test."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from workspace_ext.access.model import Principal
from workspace_ext.access.tokens import Tokens
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.investigations.store import RECORDS_MIGRATIONS
from workspace_ext.ledger.service import Ledger
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.records import RecordsEngine

DIGEST = "sha256:" + "0" * 64
TIME = "2023-01-29T09:00:00Z"
ALICE = Actor("user", "alice")


class Batches:
    """How far the data goes."""

    def __init__(self, newest: int) -> None:
        self.newest = newest

    def pin(self) -> int:
        return self.newest


@dataclass
class Desk:
    """An investigation, and the ways to report to it."""

    folder: StoreFolder
    catalog: Batches = field(default_factory=lambda: Batches(3))

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.folder.secret)
        self.server = self.tokens.principal(self.tokens.service_token)
        self.open()
        self.uid = self.service.open(title="Checkout fails", actor=ALICE)["uid"]

    def open(self) -> None:
        self.records = RecordsEngine(self.folder, RECORDS_MIGRATIONS)
        self.ledger = Ledger(self.records)
        self.service = InvestigationService(self.ledger, self.records, self.catalog)

    def reopen(self) -> None:
        """As after a restart of the broker: nothing in memory is left."""
        self.records.close()
        self.open()

    def kernel(self, kernel: str = "k1", user: str = "alice") -> Principal:
        return self.tokens.principal(self.tokens.kernel_token(kernel=kernel, user=user))

    def say(self, kind: str, by: Principal | None = None, /, **data: Any) -> dict[str, Any]:
        return self.service.report(self.uid, [event(kind, **data)], by or self.server)

    def run(self, run: str, cell: str, user: str = "alice", kernel: str = "k1") -> None:
        started = {"run": run, "cell": cell, "source_digest": DIGEST, "kernel": kernel}
        events = [
            event("run.started", **started, _actor=f"user:{user}"),
            event("run.finished", run=run, status="ok", _actor=f"user:{user}"),
        ]
        self.service.report(self.uid, events, self.server)

    @property
    def state(self) -> Any:
        return self.service.state(self.uid)


def event(kind: str, /, _actor: str = "", _rationale: str = "", **data: Any) -> Any:
    made = {"id": new_id(), "type": kind, "subject": "", "time": TIME, "data": data}
    if _actor:
        made["actor"] = _actor
    if _rationale:
        made["rationale"] = _rationale
    return made


def record(*, interesting: bool | None = True, rows: int = 3, **more: Any) -> QueryRecord:
    given: dict[str, Any] = {
        "id": new_id(),
        "at": TIME,
        "title": "Latency shift",
        "params": {"min_ratio": 1.5, "window": {"start": TIME, "end": "2023-01-29T09:10:00Z"}},
        "pin": 3,
        "compare": {"mode": "ordered", "reason": "ORDER BY with ties broken"},
        "verdict": {
            "interesting": interesting,
            "reason": "2 of 3 rows" if rows else "no rows",
            "rows": rows,
            "interesting_rows": 2 if interesting else 0,
            "warnings": [],
        },
        "template": {"id": "latency.shift", "version": 1, "digest": DIGEST},
        "statement": "SELECT 1",
        "rows": rows,
        "digest": DIGEST,
    }
    return QueryRecord(**{**given, **more})


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(StoreFolder.create(tmp_path / "store"))
    yield desk
    desk.records.close()
