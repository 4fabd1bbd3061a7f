"""The ledger: appends events to chains, reads them, verifies them."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Connection

from workspace_ext.foundation.clock import Clock, now_ns, to_rfc3339
from workspace_ext.foundation.errors import Damaged
from workspace_ext.ledger import store
from workspace_ext.ledger.model import (
    Event,
    Problem,
    VerifyReport,
    genesis,
    seal,
    verify_entries,
)
from workspace_ext.protocol.messages import LedgerEntry
from workspace_ext.storage.records import RecordsEngine

STORE_STREAM = "store"
"""The stream of what concerns the whole store; every other stream is an investigation's uid."""


class Batch:
    """Appends within one transaction; everything is kept when it ends, or nothing.

    ``connection`` may be used for rows that belong to the same change.
    """

    def __init__(
        self, connection: Connection, heads: Mapping[str, tuple[int, str]], recorded_time: str
    ) -> None:
        self.connection = connection
        self.recorded_time = recorded_time
        self.heads: dict[str, tuple[int, str]] = {}
        self._known = heads

    def append(self, stream: str, event: Event) -> LedgerEntry:
        """Appends an event whose id is new in the stream (see `find`).

        Raises:
            BadInput: Its data is not representable as JSON.
        """
        seq, prev = self.heads.get(stream) or self._known.get(stream) or self._head(stream)
        entry, payload = seal(event, seq=seq + 1, prev=prev, recorded_time=self.recorded_time)
        store.add(self.connection, stream, entry, payload)
        self.heads[stream] = (seq + 1, entry["hash"])
        return entry

    def find(self, stream: str, event_id: str) -> LedgerEntry | None:
        """The entry of an event that was appended before."""
        kept = store.find(self.connection, stream, event_id)
        return None if kept is None else _told(kept)

    def _head(self, stream: str) -> tuple[int, str]:
        return store.head(self.connection, stream) or (0, genesis(stream))


class Ledger:
    """Append-only hash chains, one for each stream.

    Args:
        records: The engine whose database keeps them.
        clock: Tells the recorded time.
    """

    def __init__(self, records: RecordsEngine, clock: Clock = now_ns) -> None:
        self._records = records
        self._clock = clock
        self._heads: dict[str, tuple[int, str]] = {}
        self._writing = threading.RLock()

    @contextmanager
    def batch(self) -> Iterator[Batch]:
        """One transaction, alone; on disk when the context ends, undone when the body raises."""
        with self._writing:
            known, self._heads = self._heads, {}  # after a failure the disk is asked again
            with self._records.begin() as connection:
                batch = Batch(connection, known, to_rfc3339(self._clock()))
                yield batch
            self._heads = {**known, **batch.heads}

    def append(self, stream: str, event: Event) -> LedgerEntry:
        """Appends one event; one whose id is there already adds nothing and gives its entry."""
        with self.batch() as batch:
            return batch.find(stream, event.id) or batch.append(stream, event)

    def entries(
        self,
        stream: str,
        after: int = 0,
        limit: int | None = None,
        *,
        types: Collection[str] | None = None,
        connection: Connection | None = None,
    ) -> list[LedgerEntry]:
        """The entries after a sequence number, in order; ``data`` is None where redacted.

        Args:
            stream: The stream.
            after: A sequence number.
            limit: Most entries.
            types: Only entries of these types.
            connection: One to the records, for what is seen through it as well.
        """
        with self._reading(connection) as reading:
            found = store.read(reading, stream, after=after, limit=limit, types=types)
            return [_told(kept) for kept in found]

    def head(self, stream: str) -> tuple[int, str]:
        """Sequence number and hash of the last entry; of an empty stream 0 and its genesis."""
        with self._records.connect() as connection:
            return store.head(connection, stream) or (0, genesis(stream))

    def verify(
        self,
        stream: str | None = None,
        *,
        head: tuple[int, str] | None = None,
        connection: Connection | None = None,
    ) -> VerifyReport:
        """Checks one stream, or all.

        Args:
            stream: The stream; all when None.
            head: ``(seq, hash)`` of an entry of that stream as noted outside the ledger.
            connection: One to the records, for what is seen through it as well.
        """
        problems: list[Problem] = []
        heads: dict[str, tuple[int, str]] = {}
        entries = redacted = 0
        with self._reading(connection) as reading:
            for name in store.streams(reading) if stream is None else [stream]:
                kept = store.read(reading, name)
                found = verify_entries(kept, stream=name, head=head if stream else None)
                entries += found.entries
                redacted += found.redacted
                problems += found.problems
                heads.update(found.heads)
            problems += [
                Problem(name, seq, "the payload is there, its entry is missing")
                for name, seq in store.stray_payloads(reading)
                if stream in (None, name)
            ]
        return VerifyReport(entries, tuple(problems), redacted, heads)

    @contextmanager
    def _reading(self, connection: Connection | None) -> Iterator[Connection]:
        if connection is not None:
            yield connection
            return
        with self._records.connect() as own:
            yield own


def _told(kept: dict[str, Any]) -> LedgerEntry:
    payload = kept.pop("payload")
    try:
        kept["data"] = None if payload is None else json.loads(payload)
    except ValueError as error:
        raise Damaged(
            f"entry {kept['seq']} of the ledger is not readable",
            hint="see what was changed with: jupyter investigation verify --store DIR",
            code="record_damaged",
        ) from error
    return cast(LedgerEntry, kept)
