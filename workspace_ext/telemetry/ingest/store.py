"""One batch, inside one transaction: records are staged, freed of duplicates, sorted, kept."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa

from workspace_ext.telemetry.ingest.model import IngestReport, Reject
from workspace_ext.telemetry.ingest.tally import Tally, count_services
from workspace_ext.telemetry.schema import SIGNALS, Signal

QUARANTINE_LIMIT = 10_000
"""So many rejects of one file are kept with their record; all are counted."""


@dataclass(frozen=True)
class Source:
    """The file that a batch comes from."""

    name: str
    format: str
    digest: str
    mapping_digest: str | None
    size: int


def find_batch(connection: duckdb.DuckDBPyConnection, source: Source) -> IngestReport | None:
    """The report of the batch that already holds this content, read in the same way."""
    rows = connection.execute(
        """
        SELECT batch_id, spans, logs, metrics, events, services, duplicates, quarantined,
               epoch_us(first_time) * 1000, epoch_us(last_time) * 1000, warnings
        FROM raw.batches
        WHERE content_digest = $digest AND format = $format
          AND mapping_digest IS NOT DISTINCT FROM $mapping
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


class Batch:
    """Collects a file's records in temporary tables; `finish` moves them into the store.

    Args:
        connection: In a transaction, which the caller commits.
        source: The file.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, source: Source) -> None:
        self._connection = connection
        self._source = source
        self._staged: dict[str, int] = {}
        self._quarantined = 0
        rows = connection.execute("SELECT coalesce(max(batch_id), 0) FROM raw.batches").fetchall()
        self._batch_id = int(rows[0][0]) + 1

    def add(self, signal: str, records: pa.Table) -> None:
        """Stages records."""
        if not records.num_rows:
            return
        if signal not in self._staged:
            columns = ", ".join(f"{name} {kind}" for name, kind in SIGNALS[signal].columns)
            self._connection.execute(f"CREATE TEMP TABLE staged_{signal} ({columns})")
            self._staged[signal] = 0
        self._connection.register("incoming", records)
        try:
            self._connection.execute(f"INSERT INTO staged_{signal} SELECT * FROM incoming")  # noqa: S608
        finally:
            self._connection.unregister("incoming")
        self._staged[signal] += records.num_rows

    def reject(self, rejects: tuple[Reject, ...], more: int = 0) -> None:
        """Puts bad records into quarantine; of ``more`` of them nothing but the number is known."""
        room = max(QUARANTINE_LIMIT - self._quarantined, 0)
        self._quarantined += len(rejects) + more
        kept = rejects[:room]
        if not kept:
            return
        rows = pa.table(
            {
                "line": pa.array([reject.line for reject in kept], pa.int64()),
                "reason": pa.array([reject.reason for reject in kept], pa.string()),
                "record": pa.array([reject.record for reject in kept], pa.string()),
            }
        )
        self._connection.register("incoming", rows)
        try:
            self._connection.execute(
                "INSERT INTO raw.quarantine"
                " SELECT $batch, $name, line, reason, record FROM incoming",
                {"batch": self._batch_id, "name": self._source.name},
            )
        finally:
            self._connection.unregister("incoming")

    def finish(self, committed_ns: int, warnings: tuple[str, ...]) -> IngestReport:
        """Writes the batch: new records only, sorted by time.

        Args:
            committed_ns: The time of the commit.
            warnings: For the report.
        """
        tallies: dict[str, Tally] = {}
        for name in self._staged:
            self._move(SIGNALS[name])
            (tallies[name],) = self._count(SIGNALS[name])
            self._connection.execute(f"DROP TABLE staged_{name}")
        firsts = [tally.first_us for tally in tallies.values() if tally.first_us is not None]
        lasts = [tally.last_us for tally in tallies.values() if tally.last_us is not None]
        if self._quarantined > QUARANTINE_LIMIT:
            warnings += (f"only the first {QUARANTINE_LIMIT} rejected records were kept",)
        report = IngestReport(
            name=self._source.name,
            format=self._source.format,
            digest=self._source.digest,
            already=False,
            batch_id=self._batch_id,
            rows={name: tally.rows for name, tally in tallies.items() if tally.rows},
            duplicates=sum(tally.duplicates for tally in tallies.values()),
            quarantined=self._quarantined,
            first_time_ns=min(firsts) * 1000 if firsts else None,
            last_time_ns=max(lasts) * 1000 if lasts else None,
            warnings=warnings,
        )
        self._book(report, committed_ns)
        return report

    def _move(self, signal: Signal) -> None:
        """Inserts what is new; duplicates are looked for in the batch's own span of time only."""
        named = ", ".join(f"key_{number}" for number in range(len(signal.key)))
        key = ", ".join(f"{part} AS key_{number}" for number, part in enumerate(signal.key))
        same = " AND ".join(
            f"first.key_{number} IS NOT DISTINCT FROM stored.key_{number}"
            for number in range(len(signal.key))
        )
        staged, raw = f"staged_{signal.name}", f"raw.{signal.name}"
        order = "time_ns" if signal.timed else "name"
        names = ", ".join(signal.names)
        self._connection.execute(
            f"""
            CREATE OR REPLACE TEMP TABLE fresh AS
            WITH first AS (SELECT min(rowid) AS row, {key} FROM {staged} GROUP BY {named}),
            stored AS (SELECT {key} FROM {raw}{self._within(signal)})
            SELECT row FROM first ANTI JOIN stored ON {same}
            """  # noqa: S608 - names are those of the schema
        )
        self._connection.execute(
            f"INSERT INTO {raw} ({names}, batch_id) SELECT {names}, {self._batch_id} FROM {staged}"  # noqa: S608
            f" WHERE rowid IN (SELECT row FROM fresh) ORDER BY {order}"
        )

    def _within(self, signal: Signal) -> str:
        if not signal.timed or not signal.ranged:
            return ""
        first, last = self._connection.execute(
            f"SELECT min(time_ns) // 1000, max(time_ns) // 1000 FROM staged_{signal.name}"  # noqa: S608
        ).fetchall()[0]
        return f" WHERE time BETWEEN make_timestamptz({first}) AND make_timestamptz({last})"

    def _count(self, signal: Signal) -> list[Tally]:
        """Late is nothing in a file: nobody knows when it should have come."""
        told = "service, time" if signal.timed else "NULL::VARCHAR AS service, NULL AS time"
        staged = (
            f"SELECT {self._batch_id} AS batch_id, {told}, rowid IN (SELECT row FROM fresh)"  # noqa: S608
            f" AS fresh, NULL AS late, NULL AS ahead FROM staged_{signal.name}"
        )
        return count_services(self._connection, signal, staged, self._batch_id)

    def _book(self, report: IngestReport, committed_ns: int) -> None:
        counts = [report.rows.get(signal, 0) for signal in SIGNALS]
        times = [
            None if ns is None else ns // 1000
            for ns in (committed_ns, report.first_time_ns, report.last_time_ns)
        ]
        self._connection.execute(
            """
            INSERT INTO raw.batches (
                batch_id, committed_at, name, format, content_digest, mapping_digest, bytes,
                spans, logs, metrics, events, services, duplicates, quarantined,
                first_time, last_time, warnings
            )
            SELECT $1, make_timestamptz($2::BIGINT), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
                   $13, $14, make_timestamptz($15::BIGINT), make_timestamptz($16::BIGINT), $17
            """,
            [
                report.batch_id,
                times[0],
                report.name,
                report.format,
                report.digest,
                self._source.mapping_digest,
                self._source.size,
                *counts,
                report.duplicates,
                report.quarantined,
                times[1],
                times[2],
                list(report.warnings),
            ],
        )
