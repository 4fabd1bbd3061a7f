"""The tables of recorded queries, kept results, and the list of investigations."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, String, column, select, table
from sqlalchemy.dialects.sqlite import insert

from workspace_ext.foundation.canonical import canonical_json, digest_bytes
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.versions.store import MIGRATIONS as VERSIONS_MIGRATIONS
from workspace_ext.ledger.store import MIGRATIONS as LEDGER_MIGRATIONS
from workspace_ext.protocol.hypotheses import HypothesisSummary
from workspace_ext.protocol.messages import InvestigationSummary
from workspace_ext.storage.migrations import Migration

MIGRATIONS = (
    Migration(
        1,
        "investigations",
        """
CREATE TABLE investigations (
  uid VARCHAR NOT NULL PRIMARY KEY, opened_at VARCHAR NOT NULL, summary BLOB NOT NULL
);
CREATE TABLE queries (
  position INTEGER NOT NULL PRIMARY KEY, id VARCHAR NOT NULL UNIQUE, investigation VARCHAR,
  kept VARCHAR, body BLOB NOT NULL
);
CREATE INDEX queries_of_investigation ON queries (investigation, position);
CREATE TABLE kept_results (digest VARCHAR NOT NULL PRIMARY KEY, content BLOB NOT NULL);
""",
    ),
    Migration(
        2,
        "hypotheses to search",
        """
CREATE TABLE hypotheses (
  investigation VARCHAR NOT NULL, id VARCHAR NOT NULL, state VARCHAR NOT NULL, at VARCHAR NOT NULL,
  words VARCHAR NOT NULL, summary BLOB NOT NULL, PRIMARY KEY (investigation, id)
);
""",
    ),
    Migration(
        3,
        "which investigations have their hypotheses listed",
        "ALTER TABLE investigations ADD COLUMN listed INTEGER NOT NULL DEFAULT 0",
    ),
)

RECORDS_MIGRATIONS = {
    "ledger": LEDGER_MIGRATIONS,
    "investigations": MIGRATIONS,
    "versions": VERSIONS_MIGRATIONS,
}
"""All tables of a store's records: what `RecordsEngine` is given."""

_INVESTIGATIONS = table(
    "investigations", column("uid"), column("opened_at"), column("summary"), column("listed")
)
_HYPOTHESES = table(
    "hypotheses",
    *map(column, ("investigation", "id", "state", "at", "summary")),
    column("words", String),
)
_QUERIES = table("queries", *map(column, ("id", "position", "investigation", "kept", "body")))
_KEPT = table("kept_results", column("digest"), column("content"))
_BODY = tuple(part.name for part in fields(QueryRecord) if part.name != "kept")
_ADD_QUERY = insert(_QUERIES)
_ADD_KEPT = insert(_KEPT).on_conflict_do_nothing()


def put_summary(connection: Connection, summary: InvestigationSummary) -> None:
    """Writes an investigation's line in the list."""
    row = {
        "uid": summary["uid"],
        "opened_at": summary["opened_at"],
        "summary": canonical_json(summary),
        "listed": 1,  # a new one has no hypotheses yet, and lists each as it comes
    }
    statement = insert(_INVESTIGATIONS).values(row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["uid"], set_={"summary": statement.excluded.summary}
        )
    )


def summaries(connection: Connection) -> list[InvestigationSummary]:
    """All investigations, the newest first."""
    query = select(_INVESTIGATIONS.c.summary).order_by(
        _INVESTIGATIONS.c.opened_at.desc(), _INVESTIGATIONS.c.uid
    )
    return [json.loads(content) for content in connection.execute(query).scalars()]


def unlisted(connection: Connection) -> list[str]:
    """The investigations of before hypotheses were listed."""
    query = select(_INVESTIGATIONS.c.uid).where(_INVESTIGATIONS.c.listed == 0)
    return list(connection.execute(query).scalars())


def mark_listed(connection: Connection, uid: str) -> None:
    """Says that all hypotheses of an investigation are listed."""
    connection.execute(
        _INVESTIGATIONS.update().where(_INVESTIGATIONS.c.uid == uid).values(listed=1)
    )


def put_hypothesis(connection: Connection, summary: HypothesisSummary) -> None:
    """Writes a hypothesis as it stands, to be found."""
    said = (summary["text"], summary["prediction"], summary["why"], summary["override"])
    row = {
        "investigation": summary["investigation"],
        "id": summary["id"],
        "state": summary["state"],
        "at": summary["at"],
        "words": "\n".join(said).casefold(),
        "summary": canonical_json({**summary, "title": ""}),  # the title is the list's
    }
    statement = insert(_HYPOTHESES).values(row)
    changed = {name: statement.excluded[name] for name in ("state", "words", "summary")}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["investigation", "id"], set_=changed)
    )


def find_hypotheses(
    connection: Connection, text: str, state: str | None, limit: int
) -> list[HypothesisSummary]:
    """The hypotheses of all investigations in which every word occurs, the newest first."""
    query = select(_HYPOTHESES.c.summary, _INVESTIGATIONS.c.summary.label("of")).join(
        _INVESTIGATIONS, _INVESTIGATIONS.c.uid == _HYPOTHESES.c.investigation
    )
    for word in text.casefold().split():
        query = query.where(_HYPOTHESES.c.words.contains(word, autoescape=True))
    if state is not None:
        query = query.where(_HYPOTHESES.c.state == state)
    query = query.order_by(_HYPOTHESES.c.at.desc(), _HYPOTHESES.c.id).limit(limit)
    found: list[HypothesisSummary] = []
    for row in connection.execute(query):
        summary: HypothesisSummary = json.loads(row.summary)
        found.append({**summary, "title": json.loads(row.of)["title"]})
    return found


def add_query(connection: Connection, investigation: str | None, record: QueryRecord) -> str:
    """Writes a query, and its result when it is kept; equal results are kept once.

    Returns:
        The digest of what was written of the query, for the ledger.
    """
    body = canonical_json({name: getattr(record, name) for name in _BODY})
    row = {
        "id": record.id,
        "investigation": investigation,
        "kept": record.kept_digest,
        "body": body,
    }
    connection.execute(_ADD_QUERY, row)
    if record.kept is not None:
        connection.execute(_ADD_KEPT, {"digest": record.kept_digest, "content": record.kept})
    return digest_bytes(body)


def get_query(connection: Connection, query_id: str) -> tuple[str | None, QueryRecord] | None:
    """The investigation of a query, and the query; None when it is not there."""
    columns = select(_QUERIES.c.investigation, _QUERIES.c.body)
    row = connection.execute(columns.where(_QUERIES.c.id == query_id)).first()
    return None if row is None else (row.investigation, _record(row.body))


def query_digests(connection: Connection, query_id: str) -> tuple[str, str | None] | None:
    """The digest of a query as it is kept now, and that its kept result is known by."""
    columns = select(_QUERIES.c.body, _QUERIES.c.kept).where(_QUERIES.c.id == query_id)
    row = connection.execute(columns).first()
    if row is None:
        return None
    body = row.body if isinstance(row.body, bytes) else str(row.body).encode()
    return digest_bytes(body), row.kept


def query_ids(connection: Connection, investigation: str | None) -> set[str]:
    """The ids of the queries of an investigation, or of those outside any."""
    query = select(_QUERIES.c.id).where(
        _QUERIES.c.investigation.is_not_distinct_from(investigation)
    )
    return set(connection.execute(query).scalars())


def queries_of(connection: Connection, investigation: str) -> list[QueryRecord]:
    """The queries of an investigation, in the order recorded."""
    found = connection.execute(
        select(_QUERIES.c.body)
        .where(_QUERIES.c.investigation == investigation)
        .order_by(_QUERIES.c.position)
    )
    return [_record(body) for body in found.scalars()]


def kept_result(connection: Connection, digest: str) -> bytes | None:
    """A kept result's bytes."""
    query = select(_KEPT.c.content).where(_KEPT.c.digest == digest)
    found = connection.execute(query).scalar()
    return None if found is None else bytes(found)


def _record(body: bytes) -> QueryRecord:
    content: dict[str, Any] = json.loads(body)
    return QueryRecord(**{name: content[name] for name in _BODY if name in content})
