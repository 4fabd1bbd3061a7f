"""The records engine: investigations and the ledger, in SQLite through SQLAlchemy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from workspace_ext.foundation.errors import Conflict, InvestigationError, Unavailable
from workspace_ext.storage.failures import explain
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.migrations import Migration, migrate

_SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # a commit is on disk, also after the power went
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_size_limit = 16777216",
)


class RecordsEngine:
    """Opens a store's ``records.sqlite``. The folder must be held (`StoreFolder.hold`).

    Args:
        folder: The store.
        migrations: The steps that make the tables, by room; each room numbers its own.

    Raises:
        Damaged: The file is not a database, or is broken.
        Conflict: It was made by a newer version.
        Unavailable: It cannot be read or written.
    """

    def __init__(self, folder: StoreFolder, migrations: Mapping[str, Sequence[Migration]]) -> None:
        self._path = folder.records
        self._open = True
        self._engine = create_engine(
            f"sqlite:///{self._path}",
            poolclass=QueuePool,
            connect_args={"check_same_thread": False, "isolation_level": None},
            pool_reset_on_return="rollback",
        )
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)
        try:
            with self.begin() as connection:
                for room, steps in migrations.items():
                    migrate(_runner(connection), steps, table=f"{room}_migrations")
        except BaseException:
            self._engine.dispose()
            raise

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: on disk when the context ends, undone when the body raises.

        Raises:
            Unavailable: No space left, for instance, or the engine is closed.
            Damaged: The file is broken.
        """
        with self._explained(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection for reading: it sees one state of the records for as long as it is open.

        Raises:
            Unavailable: The file cannot be read, or the engine is closed.
            Damaged: The file is broken.
        """
        with self._explained(), self._engine.connect() as connection:
            yield connection.execution_options(reading=True)

    def close(self) -> None:
        """Brings everything into the one file and closes it. Closing twice is harmless."""
        if not self._open:
            return
        with suppress(InvestigationError), self.connect() as connection:
            connection.exec_driver_sql("PRAGMA optimize")
        self._open = False
        self._engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        if not self._open:
            raise Unavailable(
                f"{self._path} is closed", hint="the broker is stopping", code="store_closed"
            )
        try:
            yield
        except SQLAlchemyError as error:
            cause = error.orig if isinstance(error, DatabaseError) and error.orig else error
            if isinstance(cause, sqlite3.IntegrityError):
                raise Conflict(
                    f"{self._path.name} does not take this: {cause}",
                    hint="nothing was changed; the same was stored before, or may not change",
                    code="not_taken",
                ) from error
            raise explain(cause, self._path) from error
        except sqlite3.Error as error:
            raise explain(error, self._path) from error


def _configure(connection: sqlite3.Connection, _record: object) -> None:
    for statement in _SETTINGS:
        connection.execute(statement)


def _begin(connection: Connection) -> None:
    # A deferred transaction that turns from reading to writing can fail as "locked" at once;
    # one that writes from its start waits for its turn.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _runner(connection: Connection) -> Any:
    def run(statement: str) -> Sequence[Sequence[Any]]:
        result = connection.exec_driver_sql(statement)
        return result.fetchall() if result.returns_rows else []

    return run
