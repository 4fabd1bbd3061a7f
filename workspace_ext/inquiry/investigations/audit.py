"""Whether what is kept beside the ledger is what the ledger says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection

from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.inquiry.investigations import store
from workspace_ext.inquiry.versions import audit as versions
from workspace_ext.inquiry.versions import blobs
from workspace_ext.ledger.model import Problem, VerifyReport
from workspace_ext.ledger.service import STORE_STREAM, Ledger
from workspace_ext.protocol.messages import LedgerEntry
from workspace_ext.storage.records import RecordsEngine

QUERY_TYPES = frozenset({"query.answered", "query.failed"})


def verify(
    ledger: Ledger,
    records: RecordsEngine,
    stream: str | None,
    *,
    head: tuple[int, str] | None = None,
) -> VerifyReport:
    """Checks the chains, then each recorded query, kept result and version against its entry.

    All is looked at as it was in one moment: work goes on meanwhile.
    """
    problems: list[Problem] = []
    with records.connect() as connection:
        report = ledger.verify(stream, head=head, connection=connection)
        if not report.ok:
            return report
        changed = blobs.changed(connection)
        for name, (last, _) in report.heads.items():
            asked = ledger.entries(name, types=QUERY_TYPES, connection=connection)
            problems += [
                Problem(name, entry["seq"], what)
                for entry in asked
                for what in _wrong(connection, entry)
            ]
            kept = store.query_ids(connection, None if name == STORE_STREAM else name)
            problems += [
                Problem(name, last, f"query {query} is recorded, but no entry tells of it")
                for query in sorted(kept - {entry["id"] for entry in asked})
            ]
            saved = ledger.entries(name, types=[versions.SAVED], connection=connection)
            problems += versions.problems(connection, name, saved, changed=changed, last=last)
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
