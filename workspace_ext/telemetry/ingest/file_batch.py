"""One file's batch: staged, sorted and freed of duplicates beside the store, then kept at once.

All that takes long is done before the transaction begins, so that the one writer is held only while
the new rows are copied: live data goes on being merged.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from workspace_ext.telemetry.ingest.batches import add_batch, add_rejects
from workspace_ext.telemetry.ingest.model import IngestReport, Reject
from workspace_ext.telemetry.ingest.offering import offered
from workspace_ext.telemetry.ingest.tally import count_services, totals
from workspace_ext.telemetry.pin import newest_pin
from workspace_ext.telemetry.schema import SIGNALS, Signal, noting, present

QUARANTINE_LIMIT = 10_000
"""So many rejects of one file are kept with their record; all are counted."""


@dataclass(frozen=True)
class Source:
    """The file that a batch comes from.

    Attributes:
        name: What it is called.
        format: The adapter's name.
        version: The adapter's.
        digest: Of its content.
        mapping_digest: Of the mapping that it was read by.
        size: In bytes.
        received_ns: When it was begun to be read.
    """

    name: str
    format: str
    version: int
    digest: str
    mapping_digest: str | None
    size: int
    received_ns: int


def find_batch(connection: duckdb.DuckDBPyConnection, source: Source) -> IngestReport | None:
    """The report of the batch that already holds this content, read in the same way.

    A batch of which retention has removed rows does not count: it can be ingested again. So can a
    service catalog that a later one has replaced.
    """
    rows = connection.execute(
        """
        SELECT batch_id, spans, logs, metrics, events, services, duplicates, quarantined,
               epoch_us(first_time) * 1000, epoch_us(last_time) * 1000, warnings
        FROM raw.batches b
        WHERE content_digest = $digest AND format = $format
          AND mapping_digest IS NOT DISTINCT FROM $mapping
          AND NOT EXISTS (
              SELECT 1 FROM raw.services mine JOIN raw.services later USING (name)
              WHERE mine.batch_id = b.batch_id AND later.batch_id > b.batch_id
          )
          AND NOT EXISTS (
              SELECT 1 FROM raw.removals r
              WHERE batch_id BETWEEN r.from_batch AND r.upto_batch
                AND first_time < r.upto_time AND last_time >= r.from_time
          )
        """,
        {"digest": source.digest, "format": source.format, "mapping": source.mapping_digest},
    ).fetchall()
    if not rows:
        return None
    row = rows[0]
    counts = dict(zip(SIGNALS, row[1:6], strict=True))
    return IngestReport(
        name=source.name,
        format=source.format,
        digest=source.digest,
        already=True,
        batch_id=row[0],
        rows={signal: count for signal, count in counts.items() if count},
        duplicates=row[6],
        quarantined=row[7],
        first_time_ns=row[8],
        last_time_ns=row[9],
        warnings=tuple(row[10] or ()),
    )


class FileBatch:
    """Collects a file's records in temporary tables; `settle` readies them, `finish` keeps them.

    Args:
        connection: In no transaction until `finish`; its temporary tables go when it is closed.
        source: The file.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: Source) -> None:
        self._connection = connection
        self._source = source
        self._staged: dict[str, int] = {}
        self._bounds: dict[str, tuple[int, int] | None] = {}
        self._rejects: list[Reject] = []
        self._quarantined = 0
        self._seen = 0

    def add(self, signal: str, records: pa.Table) -> None:
        """Stages records."""
        if not records.num_rows:
            return
        if signal not in self._staged:
            columns = ", ".join(f"{name} {kind}" for name, kind in SIGNALS[signal].kept)
            self._connection.execute(f"CREATE TEMP TABLE staged_{signal} ({columns})")
            self._staged[signal] = 0
        names = ", ".join(SIGNALS[signal].names)
        with offered(self._connection, records) as source:
            self._connection.execute(
                f"INSERT INTO staged_{signal} ({names}) SELECT {names} FROM {source}"  # noqa: S608
            )
        self._staged[signal] += records.num_rows

    def reject(self, rejects: tuple[Reject, ...], more: int = 0) -> None:
        """Notes bad records for quarantine; of ``more`` of them nothing but the number is known."""
        self._rejects += rejects[: max(QUARANTINE_LIMIT - len(self._rejects), 0)]
        self._quarantined += len(rejects) + more

    def settle(self) -> None:
        """Sorts what was staged, without what comes twice or is in the store by now."""
        self._seen = newest_pin(self._connection)
        for name in self._staged:
            signal = SIGNALS[name]
            self._bounds[name] = self._extent(signal)
            self._sift(signal, self._bounds[name])

    def finish(self, committed_ns: int, warnings: tuple[str, ...]) -> IngestReport:
        """Writes the batch; call it inside the transaction, after `settle`.

        Args:
            committed_ns: The time of the commit.
            warnings: For the report.
        """
        batch_id = newest_pin(self._connection) + 1
        rows: dict[str, int] = {}
        duplicates = 0
        for name, staged in self._staged.items():
            kept = self._move(SIGNALS[name], self._bounds[name], batch_id)
            self._count(SIGNALS[name], batch_id)
            for tally in totals(self._connection, SIGNALS[name], batch_id):
                warnings += tally.warnings
            duplicates += staged - kept
            if kept:
                rows[name] = kept
        extents = [bounds for bounds in self._bounds.values() if bounds is not None]
        if self._quarantined > QUARANTINE_LIMIT:
            warnings += (f"only the first {QUARANTINE_LIMIT} rejected records were kept",)
        report = IngestReport(
            name=self._source.name,
            format=self._source.format,
            digest=self._source.digest,
            already=False,
            batch_id=batch_id,
            rows=rows,
            duplicates=duplicates,
            quarantined=self._quarantined,
            first_time_ns=min((first // 1000 * 1000 for first, _ in extents), default=None),
            last_time_ns=max((last // 1000 * 1000 for _, last in extents), default=None),
            warnings=tuple(dict.fromkeys(warnings)),
        )
        rejects = ((batch_id, report.name, reject) for reject in self._rejects)
        add_rejects(self._connection, rejects)
        self._add_row(report, committed_ns)
        return report

    def _extent(self, signal: Signal) -> tuple[int, int] | None:
        if not signal.timed:
            return None
        rows = self._connection.execute(
            f"SELECT min(time_ns), max(time_ns) FROM staged_{signal.name}"  # noqa: S608
        ).fetchall()
        return int(rows[0][0]), int(rows[0][1])

    def _sift(self, signal: Signal, bounds: tuple[int, int] | None) -> None:
        """From the staged table to one that holds what is new, in order, with its key."""
        staged = f"staged_{signal.name}"
        key = ", ".join(f"{part} AS key_{number}" for number, part in enumerate(signal.key))
        named = ", ".join(f"key_{number}" for number in range(len(signal.key)))
        order = "time_ns" if signal.timed else "name"
        self._connection.execute(
            f"""
            CREATE TEMP TABLE fresh_{signal.name} AS
            WITH first AS (SELECT min(rowid) AS row, {key} FROM {staged} GROUP BY {named}),
            fresh AS (SELECT * FROM first ANTI JOIN ({_stored(signal, bounds)}) stored
                      ON {_equal(signal, "first")})
            SELECT {staged}.*, {named} FROM {staged} JOIN fresh ON {staged}.rowid = fresh.row
            ORDER BY {order}, {staged}.rowid
            """  # noqa: S608 - names are those of the schema
        )
        self._connection.execute(
            f"CREATE TEMP TABLE came_{signal.name} AS SELECT service, count(*) AS came,"  # noqa: S608
            f" min(time) AS first_time, max(time) AS last_time FROM ({_told(signal, staged)})"
            " GROUP BY service"
        )
        self._connection.execute(f"DROP TABLE {staged}")

    def _count(self, signal: Signal, batch_id: int) -> None:
        """Late is nothing in a file: nobody knows when it should have come."""
        count_services(
            self._connection,
            signal,
            f"""
            SELECT {batch_id} AS batch_id, came.service, coalesce(kept, 0) AS rows,
                   came - rows AS duplicates, NULL AS late, NULL AS ahead, first_time, last_time
            FROM came_{signal.name} came LEFT JOIN (
                SELECT service, count(*) AS kept FROM (
                    {_told(signal, f"raw.{signal.name}")} WHERE batch_id = {batch_id}
                ) GROUP BY service
            ) stored ON came.service IS NOT DISTINCT FROM stored.service
            """,  # noqa: S608 - names of the schema
        )

    def _move(self, signal: Signal, bounds: tuple[int, int] | None, batch_id: int) -> int:
        """Inserts what is new, but for what was committed since `settle`."""
        fresh = f"fresh_{signal.name}"
        since = f"batch_id > {self._seen}"
        stored = _stored(signal, bounds, since)
        if not self._connection.execute(f"SELECT EXISTS ({stored})").fetchall()[0][0]:
            anti = ""
        else:
            anti = f"ANTI JOIN ({stored}) stored ON {_equal(signal, fresh)}"
        names = ", ".join(signal.names)
        chosen = ", ".join(f"{fresh}.{name}" for name in signal.names)
        order = "time_ns" if signal.timed else "name"
        self._connection.execute(noting(signal, fresh))
        result = self._connection.execute(
            f"INSERT INTO raw.{signal.name} ({names}, batch_id)"  # noqa: S608
            f" SELECT {chosen}, {batch_id} FROM {fresh} {anti}"
            + (f" ORDER BY {fresh}.{order}" if anti else "")
        ).fetchall()
        return int(result[0][0])

    def _add_row(self, report: IngestReport, committed_ns: int) -> None:
        source = self._source
        times = {
            "committed_at": committed_ns,
            "first_time": report.first_time_ns,
            "last_time": report.last_time_ns,
            "received_at": source.received_ns,
        }
        add_batch(
            self._connection,
            {
                "batch_id": report.batch_id,
                "name": report.name,
                "format": report.format,
                "adapter_version": str(source.version),
                "content_digest": report.digest,
                "mapping_digest": source.mapping_digest,
                "bytes": source.size,
                **{signal: report.rows.get(signal, 0) for signal in SIGNALS},
                "duplicates": report.duplicates,
                "quarantined": report.quarantined,
                "warnings": list(report.warnings),
            },
            {name: None if ns is None else ns // 1000 for name, ns in times.items()},
        )


def _stored(signal: Signal, bounds: tuple[int, int] | None, also: str = "") -> str:
    """SQL for the keys in the store among which duplicates can be."""
    conditions = [also] if also else []
    if bounds is not None and signal.ranged:
        conditions.append(
            f"time >= make_timestamptz({bounds[0] // 1000})"
            f" AND time <= make_timestamptz({bounds[1] // 1000})"
        )
    key = ", ".join(f"{part} AS key_{number}" for number, part in enumerate(signal.key))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {key} FROM {present(signal)}{where}"  # noqa: S608 - names of the schema


def _told(signal: Signal, table: str) -> str:
    """SQL for what is counted of each row; DuckDB 1.5 must not find these names made beside."""
    columns = "service, time"
    if not signal.timed:
        columns = "NULL::VARCHAR AS service, NULL::TIMESTAMPTZ AS time"
    return f"SELECT {columns} FROM {table}"  # noqa: S608 - names of the schema


def _equal(signal: Signal, new: str) -> str:
    return " AND ".join(
        f"{new}.key_{number} IS NOT DISTINCT FROM stored.key_{number}"
        for number in range(len(signal.key))
    )
