"""What is written of a batch beside its records: its row, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import duckdb
import pyarrow as pa

from workspace_ext.telemetry.ingest.model import Reject
from workspace_ext.telemetry.ingest.offering import registered

_QUARANTINE = pa.schema(
    [
        ("batch_id", pa.int64()),
        ("name", pa.string()),
        ("line", pa.int64()),
        ("reason", pa.string()),
        ("record", pa.string()),
    ]
)


def add_batch(
    connection: duckdb.DuckDBPyConnection,
    values: Mapping[str, object],
    times_us: Mapping[str, int | None],
) -> None:
    """Writes a row of ``raw.batches``; columns that are not given are null.

    Args:
        connection: In the transaction that writes the batch.
        values: By column.
        times_us: The columns that are times, in microseconds since the epoch.
    """
    shown = [f"${name}" for name in values]
    shown += [f"make_timestamptz(${name}::BIGINT)" for name in times_us]
    given = {**values, **times_us}
    connection.execute(
        f"INSERT INTO raw.batches ({', '.join(given)}) VALUES ({', '.join(shown)})",  # noqa: S608
        given,
    )


def add_rejects(
    connection: duckdb.DuckDBPyConnection, rejects: Iterable[tuple[int, str, Reject]]
) -> None:
    """Puts records that could not be read into quarantine.

    Args:
        connection: In the transaction that writes their batches.
        rejects: Each with the number of its batch, and the file or sender it came from.
    """
    rows = [
        (batch_id, name, reject.line, reject.reason, reject.record)
        for batch_id, name, reject in rejects
    ]
    if not rows:
        return
    columns = [list(column) for column in zip(*rows, strict=True)]
    with registered(connection, "incoming", pa.table(columns, schema=_QUARANTINE)):
        connection.execute("INSERT INTO raw.quarantine BY NAME SELECT * FROM incoming")
