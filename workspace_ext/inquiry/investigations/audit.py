"""Whether what is kept beside the ledger is what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection

from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.inquiry.investigations import store
from workspace_ext.ledger.model import Problem, VerifyReport
from workspace_ext.ledger.service import Ledger
from workspace_ext.protocol.messages import LedgerEntry
from workspace_ext.storage.records import RecordsEngine

QUERY_TYPES = frozenset({"query.answered", "query.failed"})


def verify(ledger: Ledger, records: RecordsEngine, stream: str | None) -> VerifyReport:
    """Checks the chains, then each recorded query and kept result against its entry."""
    report = ledger.verify(stream)
    if not report.ok:
        return report
    with records.connect() as connection:
        problems = [
            Problem(name, entry["seq"], what)
            for name in report.heads
            for entry in ledger.entries(name)
            if entry["type"] in QUERY_TYPES
            for what in _wrong(connection, entry)
        ]
    return replace(report, problems=tuple(problems))


def _wrong(connection: Connection, entry: LedgerEntry) -> Iterator[str]:
    data = entry.get("data")
    if data is None:
        return
    found = store.query_digests(connection, data["id"])
    if found is None:
        yield f"the record of query {data['id']} is missing"
        return
    digest, kept = found
    if digest != data.get("record"):
        yield f"the record of query {data['id']} was changed"
        return
    if kept is not None:
        content = store.kept_result(connection, kept)
        if content is None:
            yield f"the kept result of query {data['id']} is missing"
        elif digest_bytes(content) != kept:
            yield f"the kept result of query {data['id']} was changed"
