"""Whether the versions that are kept are those that the ledger tells of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from workspace_ext.inquiry.versions import store
from workspace_ext.ledger.model import Problem
from workspace_ext.protocol.messages import LedgerEntry

SAVED = "notebook.saved"


def problems(
    connection: Connection,
    uid: str,
    entries: Iterable[LedgerEntry],
    *,
    changed: frozenset[str],
    last: int,
) -> Iterator[Problem]:
    """What is wrong with the versions of one investigation.

    Args:
        connection: For reading.
        uid: The investigation.
        entries: Its entries of the type `SAVED`; of redacted ones only the number is known.
        changed: The parts that are not what was written: `blobs.changed`.
        last: The number of its last entry.
    """
    told = {
        int(entry["subject"]): (entry["seq"], (entry.get("data") or {}).get("digest"))
        for entry in entries
        if entry["subject"].isdigit()
    }
    kept = set()
    for revision, layout in store.layouts(connection, uid):
        kept.add(revision)
        seq, digest = told.get(revision, (last, ""))
        if digest == "":
            yield Problem(uid, seq, f"version {revision} is kept, but no entry tells of it")
        elif layout is None or digest not in (None, layout.digest):
            yield Problem(uid, seq, f"version {revision} was changed")
        elif not changed.isdisjoint(layout.digests()):
            yield Problem(uid, seq, f"a part of version {revision} was changed")
    for revision in sorted(told.keys() - kept):
        yield Problem(uid, told[revision][0], f"version {revision} is missing")
