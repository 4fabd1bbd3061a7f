"""The tables of versions: one row a version, one row for each cell that it changed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, and_, column, insert, select, table

from workspace_ext.foundation.canonical import PREFIX
from workspace_ext.inquiry.versions import blobs
from workspace_ext.inquiry.versions.model import CellParts, Layout, Version
from workspace_ext.storage.migrations import Migration

MIGRATIONS = (
    Migration(
        1,
        "versions",
        blobs.TABLE
        + """
CREATE TABLE versions (
  investigation VARCHAR NOT NULL, revision INTEGER NOT NULL, path VARCHAR NOT NULL,
  at VARCHAR NOT NULL, actors VARCHAR NOT NULL, reason VARCHAR NOT NULL, digest BLOB NOT NULL,
  seq INTEGER NOT NULL, head BLOB NOT NULL, parent INTEGER NOT NULL,
  layout BLOB NOT NULL,
  PRIMARY KEY (investigation, revision)
) WITHOUT ROWID;
CREATE TABLE version_changes (
  investigation VARCHAR NOT NULL, cell VARCHAR NOT NULL, revision INTEGER NOT NULL,
  what VARCHAR NOT NULL, actors VARCHAR,
  PRIMARY KEY (investigation, cell, revision)
) WITHOUT ROWID;
CREATE TRIGGER versions_stay BEFORE DELETE ON versions
  BEGIN SELECT RAISE(ABORT, 'versions are never deleted'); END;
CREATE TRIGGER versions_unchanged BEFORE UPDATE ON versions
  BEGIN SELECT RAISE(ABORT, 'versions are never changed'); END;
""",
    ),
)

_VERSIONS = table(
    "versions",
    *map(column, ("investigation", "revision", "path", "at", "actors", "reason", "digest")),
    *map(column, ("seq", "head", "parent", "layout")),
)
_CHANGES = table(
    "version_changes",
    *map(column, ("investigation", "cell", "revision", "what", "actors")),
)
_HEAD = [column for column in _VERSIONS.c if column.name not in ("investigation", "layout")]


def add(
    connection: Connection,
    investigation: str,
    version: Version,
    layout: Layout,
    by: Mapping[str, tuple[str, ...]],
) -> None:
    """Writes a version whose parts are all kept; ``by`` names who changed single cells."""
    row = {
        "investigation": investigation,
        **{name: getattr(version, name) for name in ("revision", "path", "at", "reason")},
        "actors": json.dumps(version.actors),
        "digest": _raw(version.digest),
        "seq": version.seq,
        "head": _raw(version.head),
        "parent": version.parent,
        "layout": _packed(layout, blobs.known(connection, layout.digests())),
    }
    connection.execute(insert(_VERSIONS), row)
    rows = [
        {
            "investigation": investigation,
            "cell": cell,
            "revision": version.revision,
            "what": what,
            "actors": json.dumps(by[cell])
            if by.get(cell, version.actors) != version.actors
            else None,
        }
        for cell, what in version.changes.items()
    ]
    if rows:
        connection.execute(insert(_CHANGES), rows)


def last(connection: Connection, investigation: str, path: str | None = None) -> Version | None:
    """The newest version, of a file if one is named."""
    query = select(*_HEAD).where(_VERSIONS.c.investigation == investigation)
    if path is not None:
        query = query.where(_VERSIONS.c.path == path)
    row = connection.execute(query.order_by(_VERSIONS.c.revision.desc()).limit(1)).first()
    return None if row is None else _version(row)


def get(connection: Connection, investigation: str, revision: int) -> Version | None:
    """One version."""
    found = history(connection, investigation, before=revision + 1, limit=1)
    return found[0] if found and found[0].revision == revision else None


def history(
    connection: Connection, investigation: str, *, before: int | None = None, limit: int = 100
) -> list[Version]:
    """Versions with their changes, the newest first."""
    query = select(*_HEAD).where(_VERSIONS.c.investigation == investigation)
    if before is not None:
        query = query.where(_VERSIONS.c.revision < before)
    rows = connection.execute(query.order_by(_VERSIONS.c.revision.desc()).limit(limit)).all()
    versions = [_version(row) for row in rows]
    if not versions:
        return []
    changed: dict[int, dict[str, str]] = {}
    query = select(_CHANGES.c.revision, _CHANGES.c.cell, _CHANGES.c.what).where(
        _CHANGES.c.investigation == investigation,
        _CHANGES.c.revision.between(versions[-1].revision, versions[0].revision),
    )
    for row in connection.execute(query):
        changed.setdefault(row.revision, {})[row.cell] = row.what
    return [replace(version, changes=changed.get(version.revision, {})) for version in versions]


def layout(connection: Connection, investigation: str, revision: int) -> Layout | None:
    """What a version consists of."""
    query = select(_VERSIONS.c.layout).where(
        _VERSIONS.c.investigation == investigation, _VERSIONS.c.revision == revision
    )
    found = connection.execute(query).scalar()
    return None if found is None else _unpacked(connection, found)


def layouts(connection: Connection, investigation: str) -> Iterator[tuple[int, Layout | None]]:
    """All versions and what each consists of; None where that cannot be read."""
    query = select(_VERSIONS.c.revision, _VERSIONS.c.layout).where(
        _VERSIONS.c.investigation == investigation
    )
    rows = connection.execute(query.order_by(_VERSIONS.c.revision)).all()
    names = blobs.digests(connection, None) if rows else {}
    for row in rows:
        try:
            yield row.revision, _layout(json.loads(zlib.decompress(row.layout)), names)
        except (ValueError, TypeError, KeyError, zlib.error):
            yield row.revision, None


def cell_history(
    connection: Connection, investigation: str, cell: str | None = None
) -> Iterator[dict[str, Any]]:
    """Who changed a cell, when and why, the newest first; of all cells when None."""
    joined = _CHANGES.join(
        _VERSIONS,
        and_(
            _VERSIONS.c.investigation == _CHANGES.c.investigation,
            _VERSIONS.c.revision == _CHANGES.c.revision,
        ),
    )
    query = select(
        _CHANGES.c.cell,
        _CHANGES.c.revision,
        _CHANGES.c.what,
        _CHANGES.c.actors.label("own"),
        *(_VERSIONS.c[name] for name in ("at", "actors", "reason")),
    ).select_from(joined)
    query = query.where(_CHANGES.c.investigation == investigation)
    if cell is not None:
        query = query.where(_CHANGES.c.cell == cell)
    for row in connection.execute(query.order_by(_CHANGES.c.revision.desc())):
        yield {
            "cell": row.cell,
            "revision": row.revision,
            "at": row.at,
            "actors": json.loads(row.own or row.actors),
            "reason": row.reason,
            "what": row.what,
        }


def paths(connection: Connection) -> list[dict[str, Any]]:
    """Which files have versions, of which investigation, and the newest of each."""
    query = select(
        _VERSIONS.c.investigation, _VERSIONS.c.path, _VERSIONS.c.revision, _VERSIONS.c.at
    )
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in connection.execute(query.order_by(_VERSIONS.c.investigation, _VERSIONS.c.revision)):
        newest[row.investigation, row.path] = dict(row._mapping)  # noqa: SLF001 - public name of it
    return list(newest.values())


def _version(row: Any) -> Version:
    return Version(
        revision=row.revision,
        path=row.path,
        at=row.at,
        actors=tuple(json.loads(row.actors)),
        reason=row.reason,
        digest=PREFIX + row.digest.hex(),
        seq=row.seq,
        head=PREFIX + row.head.hex(),
        parent=row.parent,
    )


def _packed(layout: Layout, ids: Mapping[str, int]) -> bytes:
    """A layout by the ids of its parts: sixty digests would cost more than the edit itself."""
    cells = [
        [cell.uid, ids[cell.cell], ids[cell.source], cell.count, [ids[out] for out in cell.outputs]]
        for cell in layout.cells
    ]
    return zlib.compress(json.dumps([ids[layout.notebook], cells], separators=(",", ":")).encode())


def _unpacked(connection: Connection, packed: bytes) -> Layout:
    notebook, cells = json.loads(zlib.decompress(packed))
    ids = {notebook}
    for _, cell, source, _, outputs in cells:
        ids.update((cell, source, *outputs))
    return _layout([notebook, cells], blobs.digests(connection, ids))


def _layout(numbered: list[Any], digests: Mapping[int, str]) -> Layout:
    notebook, cells = numbered
    return Layout(
        digests[notebook],
        tuple(
            CellParts(
                uid, digests[cell], digests[source], count, tuple(digests[out] for out in outputs)
            )
            for uid, cell, source, count, outputs in cells
        ),
    )


def _raw(digest: str) -> bytes:
    return bytes.fromhex(digest.removeprefix(PREFIX))
