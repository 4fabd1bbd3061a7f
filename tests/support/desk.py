"""A query service over a real store with two batches of spans, and templates of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.support.spans import add_batch
from tests.support.store import Store, open_store
from workspace_ext.access.model import Principal
from workspace_ext.foundation.actor import Actor
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.investigations.store import RECORDS_MIGRATIONS
from workspace_ext.inquiry.queries.asked import Asked
from workspace_ext.inquiry.queries.service import QueryService
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.ledger.service import Ledger
from workspace_ext.protocol.messages import Answer
from workspace_ext.storage.records import RecordsEngine
from workspace_ext.telemetry.query.model import Limits
from workspace_ext.telemetry.query.runner import QueryRunner

USER = Principal(Actor("user", "alice"), "service")
SLOW = """/*---
id: tests.slow
version: 1
title: Slow services
question: Which services are slow?
status: stable
params:
  window: {type: window}
  least_ms: {type: float, default: 5}
  service: {type: service, optional: true}
requires: [spans.duration_ns]
returns: {service: VARCHAR, slowest_ms: DOUBLE, n: BIGINT}
interesting: "slowest_ms >= least_ms"
reason: "{service} took {slowest_ms:.0f} ms"
chart: {mark: bar, x: service, y: slowest_ms}
---*/
SELECT service, max(duration_ns) / 1e6 AS slowest_ms, count(*) AS n
FROM spans
WHERE time >= $window_start AND time < $window_end AND ($service IS NULL OR service = $service)
GROUP BY service
ORDER BY service
"""
EVERY = """/*---
id: tests.every
version: 1
title: Every number
question: Which numbers are there?
status: stable
params:
  n: {type: int, default: 10}
returns: {i: BIGINT}
interesting: "i < 0"
---*/
SELECT i FROM range($n) r(i) ORDER BY i
"""


@dataclass
class Desk:
    """Where questions are asked."""

    store: Store
    investigations: InvestigationService
    queries: QueryService

    def ask(self, *, cancelled: threading.Event | None = None, **request: Any) -> Asked:
        return self.queries.ask(request, USER, cancelled or threading.Event())

    def answer(self, **request: Any) -> tuple[pa.Table, Answer]:
        asked = self.ask(**request)
        table = pa.Table.from_batches(list(asked), asked.schema)
        return table, asked.answer

    def open(self, **about: Any) -> str:
        about.setdefault("title", "An incident")
        return self.investigations.open(actor=USER.actor, **about)["uid"]


@contextmanager
def open_desk(path: Path) -> Iterator[Desk]:
    """Sets it up in a folder."""
    with open_store(path) as store:
        add_batch(store)
        add_batch(store)
        for name, text in (("slow", SLOW), ("every", EVERY)):
            path = store.folder.templates / "tests" / f"{name}.sql"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        records = RecordsEngine(store.folder, RECORDS_MIGRATIONS)
        investigations = InvestigationService(Ledger(records), records, store.catalog)
        runner = QueryRunner(store.engine, limits=Limits(rows=100_000, seconds=20))
        library = TemplateLibrary([store.folder.templates])
        queries = QueryService(runner, store.catalog, library, investigations)
        yield Desk(store, investigations, queries)
        queries.close()
        runner.close()
        records.close()
