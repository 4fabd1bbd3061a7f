"""A private store made from an archive, and the broker of a replay that serves it.

The store holds the slices under their batches, the archive's templates and nothing else; columns
that no query read are empty.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor

import duckdb

from workspace_ext.access.tokens import Tokens
from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import Connection, connect
from workspace_ext.client.transport import HAS_LOCAL, LOCAL
from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.foundation.errors import Damaged
from workspace_ext.inquiry.archive.container import OTHER_TEXT, TEXT, slice_path
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.storage.failures import explain
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.migrations import MIGRATIONS
from workspace_ext.telemetry.schema import SIGNALS, keeping, noting

_BATCH = """
INSERT INTO raw.batches BY NAME
SELECT $pin AS batch_id, now() AS committed_at, 'archive' AS name, 'archive' AS format,
       $head AS content_digest, 0 AS bytes, 0 AS duplicates, 0 AS quarantined,
       $spans AS spans, $logs AS logs, $metrics AS metrics, $events AS events,
       $services AS services
"""
_KNOWN = "INSERT INTO raw.services BY NAME SELECT unnest($names) AS name, $beyond AS batch_id"
_LIMITS = frozenset({"disk_full", "memory_limit"})


class PrivateBroker:
    """A private store's broker. A context manager, which waits until the broker is gone.

    The store is filled and the broker starts in a thread: a kernel that starts meanwhile is told
    where it will be.

    Args:
        store: The store.
        fill: Fills it.
    """

    def __init__(self, store: StoreFolder, fill: Callable[[], None]) -> None:
        self._address = LOCAL + store.socket_name if HAS_LOCAL else ""
        self._tokens = Tokens(store.secret)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="private-broker")

        def begin() -> Connection:
            fill()
            return connect(store.path)

        self._connecting: Future[Connection] = self._thread.submit(begin)

    def __enter__(self) -> PrivateBroker:
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        self._thread.shutdown()
        if self._connecting.exception() is not None:
            return
        connection = self._connecting.result()
        if kind is not None or connection.started is None:  # something may still be going on
            connection.close()
            return
        connection.lease.close()
        connection.client.close()
        connection.started.end()

    @property
    def address(self) -> str:
        """Where it is, or will be."""
        return self._address or self.client.address

    def token(self, kernel: str, *, user: str, notebook: str = "") -> str:
        """A kernel's token, as the broker itself would make it."""
        return self._tokens.kernel_token(kernel=kernel, user=user, notebook=notebook)

    def revoke_tokens(self, kernels: Collection[str]) -> None:
        """Nothing: the store, and with it its tokens, ends with its one kernel."""

    @property
    def client(self) -> BrokerClient:
        """Its client, as soon as it is ready.

        Raises:
            InvestigationError: Why the store could not be filled, or the broker did not start.
        """
        return self._connecting.result().client


def fill_store(
    archive: Archive, store: StoreFolder, *, pin: int, services: Collection[str] = ()
) -> None:
    """Fills a new, sealed store from an archive.

    Args:
        archive: The archive.
        store: The store.
        pin: The highest that any query was asked with.
        services: Names that parameters may hold although no row does; no query sees them.

    Raises:
        Damaged: A slice that verified cannot be read all the same.
        Unavailable: There is no space left.
    """
    for path in filter(TEXT.fullmatch, archive.manifest.files):
        if archive.has(path):
            archive.extract(path, store.path / path)
    for path in filter(OTHER_TEXT.fullmatch, archive.manifest.files):
        version = path.partition("/")[2].partition("-")[0]
        (store.templates / version).mkdir(exist_ok=True)  # its library knows these at its start
    engine = TelemetryEngine(store, MIGRATIONS)
    try:
        with engine.write() as connection:
            rows = {name: _load(archive, name, store, connection) for name in SIGNALS}
            batch = {"pin": pin, "head": digest_bytes(archive.manifest.content()), **rows}
            connection.execute(_BATCH, batch)
            if services:
                names = {"names": sorted(services), "beyond": pin + 1}
                connection.execute(_KNOWN, names)
    except (duckdb.Error, OSError) as error:
        explained = explain(error, store.path)
        if explained.code in _LIMITS:
            raise explained from error
        raise Damaged(
            f"{archive.path}: the slices cannot be loaded: {error}",
            hint="`jupyter investigation verify` names what is wrong",
            code="damaged_archive",
        ) from error
    finally:
        engine.close()


def _load(
    archive: Archive, signal: str, store: StoreFolder, connection: duckdb.DuckDBPyConnection
) -> int:
    if not archive.has(slice_path(signal)):
        return 0
    source = store.inbox / f"{signal}.parquet"
    archive.extract(slice_path(signal), source)
    path = {"path": str(source)}
    found = connection.execute("DESCRIBE FROM read_parquet($path)", path).fetchall()
    chosen = ", ".join(f'{keeping(name, name)} AS "{name}"' for name, *_ in found)
    sql = f"INSERT INTO raw.{signal} BY NAME SELECT {chosen} FROM read_parquet($path)"  # noqa: S608
    row = connection.execute(sql, path).fetchone()
    connection.execute(noting(SIGNALS[signal], f"raw.{signal}"))
    source.unlink()
    return int(row[0]) if row else 0
