"""The use cases of versions; thread-safe."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Protocol, cast

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_text
from workspace_ext.foundation.clock import parse_rfc3339
from workspace_ext.foundation.errors import BadInput, Conflict, NotFound
from workspace_ext.inquiry.versions import blobs, store
from workspace_ext.inquiry.versions.content import join
from workspace_ext.inquiry.versions.model import NOTHING, Layout, Version, changes
from workspace_ext.inquiry.versions.recovery import last_runs, recover
from workspace_ext.ledger.model import Event
from workspace_ext.ledger.service import Ledger
from workspace_ext.protocol.messages import (
    BlameLine,
    CellChange,
    InvestigationState,
    VersionIn,
)
from workspace_ext.protocol.validation import validate
from workspace_ext.storage.records import RecordsEngine

_FIRST_LINE = 80


class HasState(Protocol):
    """What versions need of investigations."""

    def state(self, uid: str) -> InvestigationState:
        """Everything known of one; raises NotFound."""
        ...


class VersionService:
    """Keeps what notebooks were.

    Args:
        ledger: Where each version is told of.
        records: Where they are kept: the ledger's own engine.
        investigations: What they belong to.
    """

    def __init__(self, ledger: Ledger, records: RecordsEngine, investigations: HasState) -> None:
        self._ledger = ledger
        self._records = records
        self._investigations = investigations
        self._lock = threading.Lock()

    def save(self, uid: str, sent: VersionIn, *, source: str = "broker") -> tuple[Version, bool]:
        """Keeps a saved notebook as the next version, if it differs from that before.

        Args:
            uid: The investigation.
            sent: What was saved. A version follows the last one of the same file; a file that
                is new here follows the last of all.
            source: The program that says so.

        Returns:
            The version, and whether it is new: the same content again, or the same report,
            gives the version that is there.

        Raises:
            NotFound: There is no such investigation.
            BadInput: The message is wrong.
            Conflict: Parts are neither sent nor kept; send the notebook whole.
        """
        layout = _checked(sent)
        self._investigations.state(uid)
        with self._lock:
            with self._records.connect() as connection:
                newest = store.last(connection, uid)
                parent = store.last(connection, uid, sent["path"]) or newest
                if parent is not None and parent.digest == layout.digest:
                    return parent, False
                before = self._layout(uid, parent)
                packed = _packed(connection, sent, before, layout)
            with self._ledger.batch() as batch:
                again = batch.find(uid, sent["id"])
                if again is not None:
                    found = store.get(batch.connection, uid, (again.get("data") or {})["revision"])
                    assert found is not None
                    return found, False
                revision = 1 + (newest.revision if newest else 0)
                told = changes(before, layout)
                entry = batch.append(uid, _event(uid, sent, layout, revision, told, source))
                version = Version(
                    revision=revision,
                    path=sent["path"],
                    at=sent["time"],
                    actors=tuple(sent["actors"]),
                    reason=sent["reason"],
                    digest=layout.digest,
                    seq=entry["seq"] - 1,
                    head=entry["prev"],
                    parent=parent.revision if parent else 0,
                    changes=told,
                )
                blobs.put(batch.connection, packed)
                by = {cell: tuple(who) for cell, who in sent["by"].items() if who}
                store.add(batch.connection, uid, version, layout, by)
            return version, True

    def history(self, uid: str, *, before: int | None = None, limit: int = 100) -> list[Version]:
        """Versions, the newest first.

        Raises:
            NotFound: There is no such investigation.
        """
        self._investigations.state(uid)
        with self._records.connect() as connection:
            return store.history(connection, uid, before=before, limit=limit)

    def get(self, uid: str, revision: int | None = None) -> tuple[Version, dict[str, Any]]:
        """A version and its notebook; the newest when no revision is named.

        Raises:
            NotFound: There is no such version.
            Damaged: It is not what was saved.
        """
        self._investigations.state(uid)
        with self._records.connect() as connection:
            if revision is None:
                newest = store.last(connection, uid)
                revision = newest.revision if newest else 0
            version = store.get(connection, uid, revision)
            layout = store.layout(connection, uid, revision)
            if version is None or layout is None:
                raise _no_version(revision)
            return version, join(layout, blobs.texts(connection, layout.digests()), uid=uid)

    def cell(self, uid: str, cell: str) -> list[CellChange]:
        """Who changed a cell, when and why, the newest first.

        Raises:
            NotFound: There is no such investigation, or no such cell was ever saved.
        """
        self._investigations.state(uid)
        with self._records.connect() as connection:
            found = [_change(row) for row in store.cell_history(connection, uid, cell)]
        if not found:
            raise NotFound(
                f"no saved cell {cell!r} in this investigation",
                hint="`jupyter investigation blame NOTEBOOK` shows the uids of cells",
                code="unknown_cell",
            )
        return found

    def blame(self, uid: str) -> list[BlameLine]:
        """Who last changed and who last ran each cell of the newest version.

        Raises:
            NotFound: There is no such investigation.
        """
        ran = last_runs(self._investigations.state(uid))
        changed: dict[str, CellChange] = {}
        with self._records.connect() as connection:
            newest = store.last(connection, uid)
            if newest is None:
                return []
            layout = store.layout(connection, uid, newest.revision) or NOTHING
            for row in store.cell_history(connection, uid):
                if row["cell"] not in changed and row["what"] != "outputs":
                    changed[row["cell"]] = _change(row)
            sources = blobs.texts(connection, (cell.source for cell in layout.cells))
        return [
            {
                "uid": cell.uid,
                "text": _first_line(sources[cell.source]),
                "changed": changed.get(cell.uid),
                "run": ran.get(cell.uid),
            }
            for cell in layout.cells
        ]

    def recover(self, uid: str) -> dict[str, Any]:
        """A notebook of all cells that were ever saved or run; see `recovery.recover`.

        Raises:
            NotFound: There is no such investigation, or nothing of it was saved or run.
        """
        state = self._investigations.state(uid)
        with self._records.connect() as connection:
            notebook = recover(connection, uid, state)
        if not notebook["cells"]:
            raise NotFound(
                "no cell of this investigation was ever saved or run",
                hint="choose the store it was made in with --store",
                code="nothing_kept",
            )
        return notebook

    def notebooks(self) -> list[dict[str, Any]]:
        """All files that have versions: ``investigation, path, revision, at`` of the newest."""
        with self._records.connect() as connection:
            return store.paths(connection)

    def _layout(self, uid: str, version: Version | None) -> Layout:
        if version is None:
            return NOTHING
        with self._records.connect() as connection:
            return store.layout(connection, uid, version.revision) or NOTHING


def _checked(sent: VersionIn) -> Layout:
    validate("messages", sent, definition="VersionIn")
    parse_rfc3339(sent["time"])
    for actor in (*sent["actors"], *(name for who in sent["by"].values() for name in who)):
        Actor.parse(actor)
    for digest, text in sent["parts"].items():
        if digest_text(text) != digest:
            raise BadInput(f"the part {digest} is another text", hint="send it again")
    return Layout.of(sent["manifest"])


def _packed(
    connection: Any, sent: VersionIn, before: Layout, layout: Layout
) -> Sequence[blobs.Packed]:
    """The parts that are new, each like the part in whose place it comes."""
    there = blobs.known(connection, layout.digests())
    missing = [
        digest for digest in layout.digests() if digest not in there and digest not in sent["parts"]
    ]
    if missing:
        raise Conflict(
            f"{len(missing)} parts of the notebook are neither sent nor kept",
            hint="send the notebook whole",
            code="parts_missing",
        )
    old = {cell.uid: cell for cell in before.cells}
    like: dict[str, str] = {layout.notebook: before.notebook}
    for cell in layout.cells:
        if cell.uid in old:
            like |= zip(cell.digests(), old[cell.uid].digests(), strict=False)
    return [
        blobs.pack(connection, digest, sent["parts"][digest], like=like.get(digest) or None)
        for digest in dict.fromkeys(layout.digests())
        if digest not in there
    ]


def _event(
    uid: str, sent: VersionIn, layout: Layout, revision: int, told: dict[str, str], source: str
) -> Event:
    return Event(
        "notebook.saved",
        {
            "digest": layout.digest,
            "revision": revision,
            "path": sent["path"],
            "actors": sent["actors"],
            "cells": len(layout.cells),
            "changed": len(told),
        },
        Actor.parse(sent["actors"][0]),
        id=sent["id"],
        subject=str(revision),
        time=sent["time"],
        source=source,
        investigation=uid,
        rationale=sent["reason"],
    )


def _change(row: dict[str, Any]) -> CellChange:
    return cast(CellChange, {name: value for name, value in row.items() if name != "cell"})


def _first_line(source: str) -> str:
    line = next((line.strip() for line in source.splitlines() if line.strip()), "")
    return line if len(line) <= _FIRST_LINE else f"{line[: _FIRST_LINE - 1]}…"


def _no_version(revision: int) -> NotFound:
    said = f"there is no version {revision}" if revision else "nothing was saved here yet"
    return NotFound(
        said,
        hint="`jupyter investigation history NOTEBOOK` shows those that are",
        code="no_version",
    )
