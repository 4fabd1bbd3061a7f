"""The telemetry engine: one DuckDB file, many readers in this process, one writer at a time."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from workspace_ext.foundation.errors import BadInput, Unavailable
from workspace_ext.foundation.priority import yield_to_others
from workspace_ext.storage.failures import damaged, explain
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.migrations import Migration, migrate

CATALOG = "telemetry"
"""The name under which the file is attached; views refer to their tables by it."""

_STORAGE_VERSION = "v1.5.0"
"""So that every DuckDB this product runs on opens a file made by any other."""

MEMORY = "INVESTIGATION_MEMORY"
"""The variable that says how much memory questions and ingest may use; the rest waits on disk."""

_LEAST_MEMORY = 5 << 28
"""What ten analysts need together over an hour of a large store without writing any to the disk.
With what the engine does not count the process has half a gigabyte more."""

_SPILL_LIMIT = "16GB"
"""How much disk the temporary files of all queries may use."""

_CHECKPOINT = "64MB"
"""Of the write-ahead log. Less costs a quarter more under a steady stream of small batches, more
makes the start after a crash slower."""

_SESSION = f"USE {CATALOG}"

_MOST_KEPT = 4
"""Connections for the next who read."""


@dataclass(frozen=True)
class Reading:
    """A connection that reads at a pin.

    Attributes:
        cursor: For one thread at a time.
        pin: The highest batch that the guarded views show it.
        root: The opening of the file that it belongs to.
    """

    cursor: duckdb.DuckDBPyConnection
    pin: int
    root: duckdb.DuckDBPyConnection


class TelemetryEngine:
    """Opens a store's ``telemetry.duckdb``. The folder must be held (`StoreFolder.hold`).

    Args:
        folder: The store.
        migrations: The steps that make its tables.
        memory_limit: How much memory DuckDB may use, as in "2GB"; when None, what
            `MEMORY` says, or a twentieth of the machine's, and 1.25 GiB at least.
        threads: How many threads DuckDB may use; one for each core when None.

    Attributes:
        commits: How often `write` has committed: what was read before is still true while it
            stays.

    Raises:
        BadInput: `MEMORY` is no size.
        Damaged: The file is not a telemetry database, or is broken.
        Conflict: Another process has it open, or it was made by a newer version.
        Unavailable: It cannot be read or written.
    """

    def __init__(
        self,
        folder: StoreFolder,
        migrations: Sequence[Migration],
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
    ) -> None:
        self.folder = folder
        self._migrations = tuple(migrations)
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit or _memory(),
            "temp_directory": str(folder.spill),
            "max_temp_directory_size": _SPILL_LIMIT,
            "checkpoint_threshold": _CHECKPOINT,
            "scheduler_process_partial": True,  # no query keeps the engine's threads from others
            "enable_external_file_cache": False,  # what is read from files here is read once
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if threads is not None:
            self._config["threads"] = threads
        self.commits = 0
        self._writing = threading.Lock()
        self._opening = threading.RLock()
        self._closed = False
        self._root: duckdb.DuckDBPyConnection | None = None
        self._kept: list[Reading] = []
        _empty(folder.spill)
        self._open()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A new connection for reading; whoever asks closes it. One thread at a time may use it.

        Raises:
            Unavailable: The engine is closed.
        """
        try:
            cursor = self._connection().cursor()
            cursor.execute(_SESSION)
        except duckdb.Error as error:
            raise explain(error, self.folder.telemetry) from error
        return cursor

    def reading(self, pin: int) -> Reading:
        """A connection that reads at a pin: one that was kept, where there is one.

        To make one takes longer than to read the rows of a small answer.

        Raises:
            Unavailable: The engine is closed.
        """
        with self._opening:
            root = self._connection()
            place = next((n for n, each in enumerate(self._kept) if each.pin == pin), None)
            if place is not None:
                return self._kept.pop(place)
            cursor = self._kept.pop().cursor if self._kept else self.cursor()
        try:
            cursor.execute(f"SET VARIABLE pin = {int(pin)}::BIGINT")
        except duckdb.Error as error:
            cursor.close()
            raise explain(error, self.folder.telemetry) from error
        return Reading(cursor, pin, root)

    def keep(self, reading: Reading) -> None:
        """Takes back what `reading` gave, for the next: all rows are read, and nothing runs."""
        with self._opening:
            if reading.root is self._root and len(self._kept) < _MOST_KEPT:
                self._kept.append(reading)
                return
        with suppress(duckdb.Error):
            reading.cursor.close()

    @contextmanager
    def write(
        self, cursor: duckdb.DuckDBPyConnection | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """One transaction, alone: committed and on disk when the context ends, else undone.

        Args:
            cursor: The connection to use, for whoever has staged something in it; a new one when
                None.

        Raises:
            Unavailable: No space left, for instance.
            InvestigationError: Whatever the body raised, when it is one of ours.
        """
        with self._writing:
            try:
                with self.cursor() if cursor is None else nullcontext(cursor) as connection:
                    connection.execute("BEGIN")
                    try:
                        yield connection
                        connection.execute("COMMIT")
                        self.commits += 1
                    except BaseException:
                        with suppress(duckdb.Error):
                            connection.execute("ROLLBACK")
                        raise
            except (duckdb.Error, OSError, MemoryError) as error:
                if isinstance(error, (duckdb.FatalException, duckdb.InternalException)):
                    self._reopen()
                raise explain(error, self.folder.telemetry) from error

    def checkpoint(self) -> None:
        """Writes the log into the file, so that the room of removed rows is used again.

        When a reader is in the way, the next commit that is large enough does it.
        """
        with self._writing, self.cursor() as cursor, suppress(duckdb.TransactionException):
            cursor.execute(f"CHECKPOINT {CATALOG}")

    def close(self) -> None:
        """Writes everything into the one file and closes it. Closing twice is harmless."""
        self._closed = True
        root = self._leave()
        if root is None:
            return
        with self._writing:
            try:
                root.execute(f"CHECKPOINT {CATALOG}")
            except duckdb.Error as error:
                raise explain(error, self.folder.telemetry) from error
            finally:
                with suppress(duckdb.Error):
                    root.close()

    def _connection(self) -> duckdb.DuckDBPyConnection:
        root = self._root
        if root is not None:
            return root
        with self._opening:
            if self._closed:
                raise Unavailable(
                    f"{self.folder.telemetry} is closed",
                    hint="the broker is stopping",
                    code="store_closed",
                )
            if self._root is None:  # it could not be reopened, for want of space for instance
                self._open()
            assert self._root is not None
            return self._root

    def _open(self) -> None:
        path = self.folder.telemetry
        root = None
        try:
            root = _connect(self._config)
            root.execute("SET enable_progress_bar = false")  # others read what we print
            root.execute("SET GLOBAL TimeZone = 'UTC'")  # for every cursor to come
            quoted = str(path).replace("'", "''")
            root.execute(
                f"ATTACH '{quoted}' AS {CATALOG}"
                f" (TYPE duckdb, STORAGE_VERSION '{_STORAGE_VERSION}')"
            )
            root.execute(_SESSION)
            root.execute("BEGIN")
            root.execute("CREATE SCHEMA IF NOT EXISTS store")
            self._apply(root)
            root.execute("COMMIT")
        except BaseException as error:
            if root is not None:
                with suppress(duckdb.Error):
                    root.close()
            if isinstance(error, (duckdb.Error, OSError)):
                raise _opening(error, self.folder) from error
            raise
        self._root = root

    def _apply(self, root: duckdb.DuckDBPyConnection) -> None:
        def run(statement: str) -> list[tuple[Any, ...]]:
            return root.execute(statement).fetchall()

        migrate(run, self._migrations, table="store.migrations")

    def _reopen(self) -> None:
        """After an error that made DuckDB give up the whole instance: a full disk, for instance."""
        with self._opening:
            root = self._leave()
            if root is not None:
                with suppress(duckdb.Error):
                    root.close()
                self._open()

    def _leave(self) -> duckdb.DuckDBPyConnection | None:
        """Gives the root up, and what is kept of it; whoever has it closes it."""
        with self._opening:
            root, self._root = self._root, None
            kept, self._kept = self._kept, []
        for each in kept:
            with suppress(duckdb.Error):
                each.cursor.close()
        return root


def _connect(config: dict[str, str | bool | int | float | list[str]]) -> duckdb.DuckDBPyConnection:
    """Opens an engine whose own threads let those go first that queries were asked in.

    A thread inherits its priority from the one that makes it. So each of several queries has the
    thread that asks, and the engine's help goes to what is left of the processors.
    """
    with ThreadPoolExecutor(1, initializer=yield_to_others) as aside:
        return aside.submit(lambda: duckdb.connect(":memory:", config=config)).result()


def _opening(error: duckdb.Error | OSError, folder: StoreFolder) -> Exception:
    explained = explain(error, folder.telemetry)
    if explained.code == "store_unavailable" and not isinstance(error, OSError):
        readable = os.access(folder.telemetry, os.R_OK | os.W_OK)
        if readable and not isinstance(error, duckdb.PermissionException):
            return damaged(folder.telemetry, str(error).splitlines()[0][:300])
    return explained


def _empty(spill: Path) -> None:
    """Removes what a process left there that was killed."""
    for left_over in spill.glob("*"):
        if left_over.is_dir():
            shutil.rmtree(left_over, ignore_errors=True)
        else:
            with suppress(OSError):
                left_over.unlink(missing_ok=True)


def _memory() -> str:
    """What `MEMORY` says, else a twentieth of the machine's: people work beside the broker."""
    wanted = os.environ.get(MEMORY, "")
    if wanted and not re.fullmatch(r"\d+(\.\d+)? ?[MG]i?B", wanted):
        raise BadInput(f"${MEMORY} is {wanted!r}, which is no size", hint="say 4GB, for instance")
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        total = 0
    return wanted or f"{max(total // 20, _LEAST_MEMORY) >> 20}MiB"
