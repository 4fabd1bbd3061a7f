"""The ledger's tables: headers, which nobody changes, and payloads, which may be redacted."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Connection, and_, bindparam, column, insert, select, table

from workspace_ext.ledger.model import HEADER
from workspace_ext.protocol.messages import LedgerEntry
from workspace_ext.storage.migrations import Migration

MIGRATIONS = (
    Migration(
        1,
        "ledger",
        """
CREATE TABLE ledger_entries (
  stream VARCHAR NOT NULL, seq INTEGER NOT NULL, id VARCHAR NOT NULL, type VARCHAR NOT NULL,
  source VARCHAR NOT NULL, subject VARCHAR NOT NULL, time VARCHAR NOT NULL,
  recorded_time VARCHAR NOT NULL, investigation VARCHAR, actor VARCHAR NOT NULL,
  on_behalf_of VARCHAR, rationale VARCHAR NOT NULL, payload_digest VARCHAR NOT NULL,
  prev VARCHAR NOT NULL, hash VARCHAR NOT NULL,
  PRIMARY KEY (stream, seq), UNIQUE (stream, id)
);
CREATE TABLE ledger_payloads (
  stream VARCHAR NOT NULL, seq INTEGER NOT NULL, content BLOB NOT NULL,
  PRIMARY KEY (stream, seq)
);
CREATE TRIGGER ledger_entries_stay BEFORE DELETE ON ledger_entries
  BEGIN SELECT RAISE(ABORT, 'ledger entries are never deleted'); END;
CREATE TRIGGER ledger_entries_unchanged BEFORE UPDATE ON ledger_entries
  BEGIN SELECT RAISE(ABORT, 'ledger entries are never changed'); END;
""",
    ),
)

_ENTRIES = table("ledger_entries", *map(column, ("stream", *HEADER, "hash")))
_PAYLOADS = table("ledger_payloads", column("stream"), column("seq"), column("content"))

_JOINED = select(*_ENTRIES.c, _PAYLOADS.c.content).select_from(
    _ENTRIES.outerjoin(
        _PAYLOADS, and_(_ENTRIES.c.stream == _PAYLOADS.c.stream, _ENTRIES.c.seq == _PAYLOADS.c.seq)
    )
)
_KEPT_AS = (*_ENTRIES.c.keys(), "payload")
_FIND = _JOINED.where(_ENTRIES.c.stream == bindparam("of"), _ENTRIES.c.id == bindparam("event"))
_ADD_ENTRY, _ADD_PAYLOAD = insert(_ENTRIES), insert(_PAYLOADS)
_PAGE = 1000


def add(connection: Connection, stream: str, entry: LedgerEntry, payload: bytes) -> None:
    """Writes one entry with its payload."""
    header = {name: value for name, value in entry.items() if name != "data"}
    connection.execute(_ADD_ENTRY, {"stream": stream, **header})
    connection.execute(_ADD_PAYLOAD, {"stream": stream, "seq": entry["seq"], "content": payload})


def head(connection: Connection, stream: str) -> tuple[int, str] | None:
    """Sequence number and hash of a stream's last entry."""
    row = connection.execute(
        select(_ENTRIES.c.seq, _ENTRIES.c.hash)
        .where(_ENTRIES.c.stream == stream)
        .order_by(_ENTRIES.c.seq.desc())
        .limit(1)
    ).first()
    return None if row is None else (int(row.seq), str(row.hash))


def find(connection: Connection, stream: str, event_id: str) -> dict[str, Any] | None:
    """The entry of an event, as kept."""
    row = connection.execute(_FIND, {"of": stream, "event": event_id}).first()
    return None if row is None else _kept(row)


def read(
    connection: Connection,
    stream: str,
    *,
    after: int = 0,
    limit: int | None = None,
    types: Collection[str] | None = None,
) -> Iterator[dict[str, Any]]:
    """The entries after a sequence number as kept, with ``payload`` bytes, page by page."""
    query = _JOINED if types is None else _JOINED.where(_ENTRIES.c.type.in_(types))
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(left, _PAGE)
        rows = connection.execute(
            query.where(_ENTRIES.c.stream == stream, _ENTRIES.c.seq > after)
            .order_by(_ENTRIES.c.seq)
            .limit(size)
        ).all()
        yield from (_kept(row) for row in rows)
        if len(rows) < size:
            return
        after = int(rows[-1].seq)
        left = None if left is None else left - size


def streams(connection: Connection) -> list[str]:
    """The names of all streams."""
    return list(
        connection.execute(select(_ENTRIES.c.stream).distinct().order_by("stream")).scalars()
    )


def stray_payloads(connection: Connection) -> list[tuple[str, int]]:
    """Payloads whose entry is not there."""
    found = connection.execute(
        select(_PAYLOADS.c.stream, _PAYLOADS.c.seq)
        .outerjoin(
            _ENTRIES,
            and_(_ENTRIES.c.stream == _PAYLOADS.c.stream, _ENTRIES.c.seq == _PAYLOADS.c.seq),
        )
        .where(_ENTRIES.c.seq.is_(None))
    )
    return [(str(stream), int(seq)) for stream, seq in found]


def _kept(row: Any) -> dict[str, Any]:
    kept = dict(zip(_KEPT_AS, row, strict=True))
    del kept["stream"]
    return kept
