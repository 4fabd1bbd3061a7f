"""The history of shared documents: what brings an open notebook back after any end of the server.

It is for live editing only, neither archive nor audit, and stays small: once the changes outweigh
the document, they are replaced by the document as it is. Changes go to disk in the order they came;
one that could not be written is no gap, because the next write is the whole document.

With each document lies what its file held when both were last the same. Without it a file and a
document that differ could only be taken one for the other: the later typing, or the change that
somebody made outside, would be lost. The history never lies behind that: what the file has and the
history lacks would be taken for deleted.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import closing
from logging import Logger, getLogger
from pathlib import Path
from typing import Any

from pycrdt import Doc
from pycrdt.store import BaseYStore, YDocNotFound
from traitlets import Int, Unicode
from traitlets.config import LoggingConfigurable

KEPT_BYTES = 64 * 1024
"""How much history a small document may have; a larger one, as much as itself."""

KEPT_UPDATES = 1000

_TABLES = """
CREATE TABLE IF NOT EXISTS documents (
    path TEXT PRIMARY KEY, whole BLOB, base BLOB, touched REAL NOT NULL);
CREATE TABLE IF NOT EXISTS updates (
    seq INTEGER PRIMARY KEY, path TEXT NOT NULL, data BLOB NOT NULL, time REAL NOT NULL);
CREATE INDEX IF NOT EXISTS updates_of ON updates (path, seq);
"""
_DAY_SECONDS = 86_400.0


class _Meta(type(LoggingConfigurable), type(BaseYStore)):  # type: ignore[misc] # both are classes
    pass


class HistoryStore(LoggingConfigurable, BaseYStore, metaclass=_Meta):
    """One document's history, in a database that all documents share. Lives on the event loop."""

    db_path = Unicode("shared-history.db", help="The database's path.").tag(config=True)

    forget_after_days = Int(
        90, help="After how many days without a change a document's history is dropped."
    ).tag(config=True)

    def __init__(
        self,
        path: str,
        metadata_callback: Callable[[], Awaitable[bytes] | bytes] | None = None,
        log: Logger | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(path=path, **kwargs)
        self.path = path
        self.metadata_callback = metadata_callback
        self.log = log or getLogger(__name__)
        self._document: Doc[Any] | None = None
        self._waiting: list[bytes] = []
        self._gap = False
        self._writing = asyncio.Lock()
        self._noted = Doc[Any]().get_state()  # up to here the history has the document for sure
        self._size = self._count = self._whole = 0
        self._database: sqlite3.Connection | None = None

    # -- what a room asks for ----------------------------------------------------------------

    async def apply_updates(self, ydoc: Doc[Any]) -> None:
        """Brings a document to where its history ends, and keeps to it from now on.

        Raises:
            YDocNotFound: It has none.
        """
        self._document = ydoc
        found = await asyncio.to_thread(self.updates)
        if not found:
            raise YDocNotFound
        for update in found:
            ydoc.apply_update(update)
        self._whole, self._count = len(found[0]), len(found) - 1
        self._size = sum(map(len, found[1:]))
        # The room's own first change, its path, was made before anybody listened: without it
        # browsers (Yjs) hold back all that follows. So the next write is the whole document.
        self._gap = True

    async def encode_state_as_update(self, ydoc: Doc[Any]) -> None:
        """Makes the document as it is its history."""
        self._document = ydoc
        self._gap = True
        await self.write(b"")

    async def write(self, data: bytes) -> None:
        """Keeps a change. Never raises: what fails is made good by the next write."""
        if data:
            self._waiting.append(data)
        await self._write("history")

    async def _write(self, what: str, bases: Sequence[dict[str, Any]] | None = None) -> None:
        async with self._writing:
            batch, self._waiting = self._waiting, []
            if not batch and not self._gap and bases is None:
                return  # went with another's
            document, whole, state = self._document, None, self._noted
            if document is not None and (self._gap or self._is_long(batch)):
                whole, state = document.get_update(), document.get_state()
            elif document is not None and bases is not None:
                # A room hands a change over later than the document and its file may have it.
                batch, state = [document.get_update(self._noted)], document.get_state()
            try:
                length = await asyncio.to_thread(self._keep, batch, whole, bases)
            except (sqlite3.Error, OSError) as error:
                self._gap = True
                self.log.warning("%s of %s is not kept for now: %s", what, self.path, error)
                return
            self._noted = state
            if whole is not None:
                self._gap, self._size, self._count, self._whole = False, 0, 0, length
            else:
                self._size += sum(map(len, batch))
                self._count += len(batch)

    @property
    def is_whole(self) -> bool:
        """Whether everything was written that came."""
        return not (self._gap or self._waiting)

    async def settle(self) -> None:
        """Keeps what is not kept yet, as its document is closed."""
        try:
            if self._waiting or self._gap:
                self._gap = True
                await self.write(b"")
        finally:
            async with self._writing:
                if self._database is not None:
                    self._database.close()
                    self._database = None

    async def read(self) -> AsyncIterator[tuple[bytes, bytes, float]]:
        """All changes that are kept, each with when it came, in seconds since 1970."""
        with closing(self._open()) as database:
            rows = database.execute(
                "SELECT whole, touched FROM documents WHERE path = ?1 AND whole IS NOT NULL"
                " UNION ALL SELECT data, time FROM (SELECT * FROM updates WHERE path = ?1"
                " ORDER BY seq)",
                (self.path,),
            ).fetchall()
        if not rows:
            raise YDocNotFound
        for update, at in rows:
            yield update, b"", at

    # -- the file beside the document --------------------------------------------------------

    def updates(self) -> list[bytes]:
        """The document and its changes, in order; nothing when there is no history."""
        with closing(self._open()) as database:
            self._forget_old(database)
            whole = database.execute(
                "SELECT whole FROM documents WHERE path = ? AND whole IS NOT NULL", (self.path,)
            ).fetchone()
            rows = database.execute(
                "SELECT data FROM updates WHERE path = ? ORDER BY seq", (self.path,)
            ).fetchall()
        return [row[0] for row in ([whole] if whole else []) + rows]

    def knows(self) -> bool:
        """Whether there is a history."""
        try:
            return bool(self.updates())
        except (sqlite3.Error, OSError):
            return False

    def bases(self) -> list[dict[str, Any]]:
        """What the file may hold if nobody changed it outside; the likeliest last."""
        try:
            with closing(self._open()) as database:
                row = database.execute(
                    "SELECT base FROM documents WHERE path = ?", (self.path,)
                ).fetchone()
            found: list[dict[str, Any]] = json.loads(zlib.decompress(row[0])) if row else []
        except (sqlite3.Error, OSError, zlib.error, ValueError, TypeError):
            return []
        return found

    async def keep_bases(self, *bases: dict[str, Any]) -> None:
        """Notes what the file holds now, or may hold while it is written. Never raises.

        All that the document has is in the history then.
        """
        await self._write("what the file holds", bases)

    # -- the database ------------------------------------------------------------------------

    def _is_long(self, batch: list[bytes]) -> bool:
        size = self._size + sum(map(len, batch))
        return size > max(KEPT_BYTES, self._whole) or self._count + len(batch) > KEPT_UPDATES

    def _keep(
        self, batch: list[bytes], whole: bytes | None, bases: Sequence[dict[str, Any]] | None
    ) -> int:
        """Writes changes, or the document that has them; how many bytes that one takes."""
        now = time.time()
        if whole is not None:
            whole = _without_deleted(whole)
        packed = None if bases is None else zlib.compress(json.dumps(bases).encode(), 1)
        if self._database is None:
            self._database = self._open()
        with self._database as database:
            database.execute(
                "INSERT INTO documents VALUES (?1, ?2, ?3, ?4) ON CONFLICT (path) DO UPDATE"
                " SET whole = ifnull(?2, whole), base = ifnull(?3, base), touched = ?4",
                (self.path, whole, packed, now),
            )
            if whole is not None:
                database.execute("DELETE FROM updates WHERE path = ?", (self.path,))
            else:
                database.executemany(
                    "INSERT INTO updates (path, data, time) VALUES (?, ?, ?)",
                    [(self.path, data, now) for data in batch],
                )
        return len(whole or b"")

    def _forget_old(self, database: sqlite3.Connection) -> None:
        old = (time.time() - self.forget_after_days * _DAY_SECONDS,)
        with database:
            database.execute(
                "DELETE FROM updates WHERE path IN (SELECT path FROM documents WHERE touched < ?)",
                old,
            )
            database.execute("DELETE FROM documents WHERE touched < ?", old)

    def _open(self) -> sqlite3.Connection:
        """A connection; of a file that is no database, a new one takes the place."""
        try:
            return _connect(self.db_path)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            aside = Path(f"{self.db_path}.damaged")
            self.log.warning("%s is damaged (%s); it is kept as %s", self.db_path, error, aside)
            Path(self.db_path).replace(aside)
            return _connect(self.db_path)


def _without_deleted(update: bytes) -> bytes:
    """A document without the text of what was deleted: the open one keeps it to undo with."""
    document: Doc[Any] = Doc()
    document.apply_update(update)
    return document.get_update()


def _connect(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=10, check_same_thread=False)
    try:
        if not database.execute("PRAGMA user_version").fetchone()[0]:
            database.execute("PRAGMA auto_vacuum = FULL")  # before there is a table
            database.execute("PRAGMA journal_mode = WAL")
            database.executescript(f"{_TABLES} PRAGMA user_version = 1;")
        database.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        database.close()
        raise
    return database
