"""Many requests become one transaction: without duplicates, in order, with their lineage.

Each adapter and source of a merge has a batch of its own, so that one can walk back from a row
to where it came from; all of them appear at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from workspace_ext.foundation.canonical import digest_json
from workspace_ext.telemetry.ingest.batches import add_batch, add_rejects
from workspace_ext.telemetry.ingest.live.delivery import Delivery
from workspace_ext.telemetry.ingest.offering import offered, registered
from workspace_ext.telemetry.ingest.tally import Tally, count_services, totals
from workspace_ext.telemetry.pin import newest_pin
from workspace_ext.telemetry.schema import SIGNALS, Signal, noting, present

ROW_GROUP_ROWS = 122_880
"""Of DuckDB: what a transaction brings of a row group whole is compressed and written at once."""

MOST_SOURCES = 16
"""So many sources of one adapter have a batch of their own in a merge; more share one."""

MOST_WARNINGS = 100
"""So many different ones are kept of a batch."""

LATE_NS = 5 * 60 * 1_000_000_000
"""A record this much older than its arrival is late; this much newer, and a clock is wrong."""

_MOST_RANGES = 16
_GAP_NS = 10 * 60 * 1_000_000_000

_COUNTED = """
SELECT batch_id, service,
       count(*) FILTER (fresh) AS rows, count(*) FILTER (NOT fresh) AS duplicates,
       sum(late::INTEGER) AS late, sum(ahead::INTEGER) AS ahead,
       min(time) AS first_time, max(time) AS last_time
FROM came GROUP BY ALL
"""

Numbers = npt.NDArray[np.int64]


@dataclass
class LiveBatch:
    """What one source sent through one adapter, as a batch of a merge.

    Attributes:
        batch_id: Its number.
        adapter: What decoded it.
        source: Where it came from.
        deliveries: Its requests.
        rows: New records by signal.
        late: How many of the new ones are late.
        ahead: How many of the new ones lie in the future.
        first_us: Of the earliest record, in microseconds; None when none has a time.
        last_us: Of the latest record.
        told: What it warns of as a whole.
    """

    batch_id: int
    adapter: str
    source: str
    deliveries: list[Delivery]
    rows: dict[str, int] = field(default_factory=dict)
    late: int = 0
    ahead: int = 0
    first_us: int | None = None
    last_us: int | None = None
    told: dict[str, None] = field(default_factory=dict)

    @property
    def warnings(self) -> list[str]:
        """What its requests, and all of them together, warn of; each once."""
        every = (text for delivery in self.deliveries for text in delivery.warnings)
        return list({**self.told, **dict.fromkeys(every)})[:MOST_WARNINGS]

    @property
    def records(self) -> int:
        """How many records came, unreadable ones not counted."""
        return sum(delivery.rows for delivery in self.deliveries)

    @property
    def duplicates(self) -> int:
        """How many of them were there before, or came twice."""
        return self.records - sum(self.rows.values())

    @property
    def rejected(self) -> int:
        """How many records could not be read."""
        return sum(delivery.rejected for delivery in self.deliveries)

    def note(self, signal: Signal, tally: Tally) -> None:
        """Adds what it brought of a signal."""
        if tally.rows:
            self.rows[signal.name] = tally.rows
        self.told |= dict.fromkeys(tally.warnings)
        self.late += tally.late or 0
        self.ahead += tally.ahead or 0
        firsts = [us for us in (self.first_us, tally.first_us) if us is not None]
        lasts = [us for us in (self.last_us, tally.last_us) if us is not None]
        self.first_us, self.last_us = min(firsts, default=None), max(lasts, default=None)


def merge(
    connection: duckdb.DuckDBPyConnection,
    deliveries: Sequence[Delivery],
    journal: int,
    committed_ns: int,
) -> list[LiveBatch]:
    """Writes deliveries into the store.

    Args:
        connection: In a transaction, which the caller commits.
        deliveries: In the order of their arrival.
        journal: The number of the journal's file that they complete; noted in the same
            transaction, so that no file is ever merged twice.
        committed_ns: The time of the commit.

    Returns:
        The batches.
    """
    batches = _batches(deliveries, newest_pin(connection) + 1)
    for signal in SIGNALS.values():
        _merge_signal(connection, signal, batches)
    add_rejects(
        connection,
        (
            (batch.batch_id, batch.source, reject)
            for batch in batches
            for delivery in batch.deliveries
            for reject in delivery.rejects
        ),
    )
    for batch in batches:
        _add(connection, batch, committed_ns)
    connection.execute("UPDATE raw.journal SET merged = $1", [journal])
    return batches


def merged_upto(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the last journal file that is in the store."""
    return int(connection.execute("SELECT merged FROM raw.journal").fetchall()[0][0])


def _batches(deliveries: Sequence[Delivery], first: int) -> list[LiveBatch]:
    by_adapter: dict[str, dict[str, list[Delivery]]] = {}
    for delivery in deliveries:
        sources = by_adapter.setdefault(delivery.adapter, {})
        sources.setdefault(delivery.source, []).append(delivery)
    batches: list[LiveBatch] = []
    for adapter, sources in by_adapter.items():
        if len(sources) > MOST_SOURCES:
            together = [delivery for part in sources.values() for delivery in part]
            sources = {f"{len(sources)} sources": together}  # noqa: PLW2901 - shared by all
        batches += [
            LiveBatch(first + len(batches) + number, adapter, source, part)
            for number, (source, part) in enumerate(sources.items())
        ]
    return batches


@dataclass(frozen=True)
class _Part:
    """One delivery's records of one signal, and the place of its batch among those of the merge."""

    batch: int
    received_ns: int
    records: pa.Table


def _merge_signal(
    connection: duckdb.DuckDBPyConnection, signal: Signal, batches: list[LiveBatch]
) -> None:
    parts = _parts(signal, batches)
    if not parts:
        return
    records = pa.concat_tables([part.records for part in parts])
    sizes = [len(part.records) for part in parts]
    owner = np.repeat([part.batch for part in parts], sizes)
    arrivals = np.repeat([part.received_ns for part in parts], sizes)
    times = records["time_ns"].to_numpy() if signal.timed else None
    fresh = np.zeros(len(records), np.bool_)
    fresh[_fresh(connection, signal, records, times)] = True
    _tally(connection, signal, batches, owner, records, arrivals, fresh)
    batch_ids = np.array([batch.batch_id for batch in batches])[owner]
    kept = records.append_column("batch_id", pa.array(batch_ids))
    if not fresh.all():
        kept = _only(kept, sizes, fresh)
    if kept.num_rows:
        _insert(connection, signal, kept)


def _parts(signal: Signal, batches: list[LiveBatch]) -> list[_Part]:
    """In the order of time: to order requests costs nothing, to order their records would."""
    found: list[tuple[int, int, _Part]] = []
    for number, batch in enumerate(batches):
        for delivery in batch.deliveries:
            table = delivery.tables.get(signal.name)
            if table is not None and table.num_rows:
                first = table["time_ns"][0].as_py() if signal.timed else 0
                part = _Part(number, delivery.received_ns, table)
                found.append((first, len(found), part))
    return [part for _, _, part in sorted(found)]


def _only(records: pa.Table, sizes: list[int], fresh: npt.NDArray[np.bool_]) -> pa.Table:
    """Without the duplicates: mostly they are whole requests, which were sent again."""
    parts = []
    start = 0
    for size in sizes:
        wanted = fresh[start : start + size]
        part = records.slice(start, size)
        if wanted.any():
            parts.append(part if wanted.all() else part.filter(pa.array(wanted)))
        start += size
    return pa.concat_tables(parts) if parts else records.slice(0, 0)


def _fresh(
    connection: duckdb.DuckDBPyConnection,
    signal: Signal,
    records: pa.Table,
    times: Numbers | None,
) -> Numbers:
    """The numbers of the rows that are not in the store, the first one where several are equal."""
    names = [f"key_{number}" for number in range(len(signal.key))]
    key = ", ".join(f"{part} AS {name}" for name, part in zip(names, signal.key, strict=True))
    equal = " AND ".join(f"new.{name} IS NOT DISTINCT FROM old.{name}" for name in names)
    stored = f"SELECT {key} FROM {present(signal)}"  # noqa: S608 - names are those of the schema
    if times is not None and signal.ranged:
        stored = " UNION ALL ".join(
            f"{stored} WHERE time BETWEEN make_timestamptz({first // 1000})"
            f" AND make_timestamptz({last // 1000})"
            for first, last in _ranges(times)
        )
    numbered = records.append_column("row_number", pa.array(np.arange(len(records))))
    with registered(connection, "incoming", numbered):
        found = connection.execute(
            f"""
            SELECT min(row_number) AS row_number
            FROM (SELECT row_number, {key} FROM incoming) new
            WHERE NOT EXISTS (SELECT 1 FROM ({stored}) old WHERE {equal})
            GROUP BY {", ".join(names)}
            """  # noqa: S608
        ).fetchnumpy()
    return np.sort(np.asarray(found["row_number"], dtype=np.int64))


def _ranges(times: Numbers) -> list[tuple[int, int]]:
    """The spans of time in which equal records can lie: a late record must not widen them all."""
    ordered = np.sort(times)
    gaps = np.diff(ordered)
    wide = np.flatnonzero(gaps > _GAP_NS)
    if len(wide) >= _MOST_RANGES:
        wide = np.sort(wide[np.argsort(gaps[wide])[-(_MOST_RANGES - 1) :]])
    starts = np.concatenate(([0], wide + 1))
    ends = np.concatenate((wide, [len(ordered) - 1]))
    return [(int(ordered[a]), int(ordered[b])) for a, b in zip(starts, ends, strict=True)]


def _tally(
    connection: duckdb.DuckDBPyConnection,
    signal: Signal,
    batches: list[LiveBatch],
    owner: Numbers,
    records: pa.Table,
    arrivals: Numbers,
    fresh: npt.NDArray[np.bool_],
) -> None:
    nothing = pa.nulls(len(records), pa.string())
    columns = {
        "batch_id": pa.array(np.array([batch.batch_id for batch in batches])[owner]),
        "service": records["service"] if signal.timed else nothing,
        "time": records["time"] if signal.timed else nothing.cast(pa.timestamp("us", "UTC")),
        "fresh": pa.array(fresh),
        "late": nothing.cast(pa.bool_()),
        "ahead": nothing.cast(pa.bool_()),
    }
    if signal.timed:
        age = arrivals - records["time_ns"].to_numpy()
        columns["late"] = pa.array((age > LATE_NS) & fresh)
        columns["ahead"] = pa.array((age < -LATE_NS) & fresh)
    with registered(connection, "came", pa.table(columns)):
        count_services(connection, signal, _COUNTED)
    for tally in totals(connection, signal, batches[0].batch_id):
        batches[tally.batch_id - batches[0].batch_id].note(signal, tally)


def _insert(connection: duckdb.DuckDBPyConnection, signal: Signal, records: pa.Table) -> None:
    names = ", ".join((*signal.names, "batch_id"))
    for start in range(0, len(records), ROW_GROUP_ROWS):
        with offered(connection, records.slice(start, ROW_GROUP_ROWS)) as source:
            connection.execute(noting(signal, source))
            connection.execute(
                f"INSERT INTO raw.{signal.name} ({names}) SELECT {names} FROM {source}"  # noqa: S608
            )


def _add(connection: duckdb.DuckDBPyConnection, batch: LiveBatch, committed_ns: int) -> None:
    digests = [delivery.digest for delivery in batch.deliveries]
    values = {
        "batch_id": batch.batch_id,
        "name": batch.source,
        "format": batch.adapter,
        "adapter_version": str(batch.deliveries[0].version),
        "content_digest": digests[0] if len(digests) == 1 else digest_json(digests),
        "bytes": sum(delivery.size for delivery in batch.deliveries),
        **{signal: batch.rows.get(signal, 0) for signal in SIGNALS},
        "duplicates": batch.duplicates,
        "quarantined": batch.rejected,
        "requests": len(batch.deliveries),
        "records": batch.records + batch.rejected,
        "late": batch.late,
        "ahead": batch.ahead,
        "warnings": batch.warnings,
    }
    times = {
        "committed_at": committed_ns // 1000,
        "received_at": min(delivery.received_ns for delivery in batch.deliveries) // 1000,
        "first_time": batch.first_us,
        "last_time": batch.last_us,
    }
    add_batch(connection, values, times)
