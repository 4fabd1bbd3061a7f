"""What each batch brought of each service: counted once, when the batch is written."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from workspace_ext.telemetry.schema import Signal

MOST_SERVICES = 1_000
"""So many services of one signal are told apart in a batch, the largest; the rest is one more row
without a name."""


@dataclass(frozen=True)
class Tally:
    """What one batch brought of one signal.

    Attributes:
        batch_id: The batch.
        rows: New records.
        duplicates: Records that were there before, or came twice.
        late: How many of the new ones are late; None when nobody knows when they should have come.
        ahead: How many of the new ones lie in the future; None as for ``late``.
        first_us: Of the earliest record, in microseconds; None when none has a time.
        last_us: Of the latest record.
        services: How many are told apart.
    """

    batch_id: int
    rows: int
    duplicates: int
    late: int | None
    ahead: int | None
    first_us: int | None
    last_us: int | None
    services: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """That there are too many services to tell them apart."""
        if self.services < MOST_SERVICES:
            return ()
        why = "is a value such as an id taken for the name of a service?"
        return (f"only the {MOST_SERVICES} largest services are told apart: {why}",)


def count_services(connection: duckdb.DuckDBPyConnection, signal: Signal, counted: str) -> None:
    """Fills ``raw.batch_services`` for one signal of the batches that are being written.

    Args:
        connection: In the transaction that writes the batches.
        signal: The signal.
        counted: SQL with a row for each batch and service: ``batch_id``, ``service``, ``rows``,
            ``duplicates``, ``late``, ``ahead``, ``first_time``, ``last_time``.
    """
    connection.execute(
        f"""
        INSERT INTO raw.batch_services BY NAME
        WITH named AS (
            SELECT * REPLACE (CASE WHEN row_number() OVER (
                PARTITION BY batch_id ORDER BY service IS NULL, rows + duplicates DESC, service
            ) <= {MOST_SERVICES} THEN service END AS service)
            FROM ({counted})
        )
        SELECT batch_id, '{signal.name}' AS signal, service, sum(rows) AS rows,
               sum(duplicates) AS duplicates, sum(late) AS late, sum(ahead) AS ahead,
               min(first_time) AS first_time, max(last_time) AS last_time
        FROM named GROUP BY batch_id, service
        """  # noqa: S608 - names of the schema, and the caller's own SQL
    )


def totals(connection: duckdb.DuckDBPyConnection, signal: Signal, first_batch: int) -> list[Tally]:
    """The sums over all services of one signal, for each batch from a number on."""
    rows = connection.execute(
        """
        SELECT batch_id, sum(rows)::BIGINT, sum(duplicates)::BIGINT, sum(late)::BIGINT,
               sum(ahead)::BIGINT, epoch_us(min(first_time)), epoch_us(max(last_time)),
               count(service)
        FROM raw.batch_services WHERE batch_id >= $1 AND signal = $2 GROUP BY batch_id
        """,
        [first_batch, signal.name],
    ).fetchall()
    return [Tally(*row) for row in rows]
