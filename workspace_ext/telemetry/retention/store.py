"""The policy's row, the notes of removals, and what is counted and removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from workspace_ext.storage.telemetry import CATALOG
from workspace_ext.telemetry.retention.model import Piece, Plan, Policy
from workspace_ext.telemetry.schema import SIGNALS

Connection = duckdb.DuckDBPyConnection

TIMED = tuple(signal.name for signal in SIGNALS.values() if signal.timed)
"""What retention is about; services are few, and hold until somebody says otherwise."""


def get_policy(connection: Connection) -> tuple[Policy | None, int | None]:
    """The policy, and when it was applied last (nanoseconds)."""
    rows = connection.execute("SELECT policy, applied_ns FROM raw.retention").fetchall()
    if not rows:
        return None, None
    return Policy.parse(json.loads(rows[0][0])), rows[0][1]


def put_policy(connection: Connection, policy: Policy | None) -> None:
    """Keeps a policy, or that there is none."""
    connection.execute("DELETE FROM raw.retention")
    if policy is not None:
        connection.execute(
            "INSERT INTO raw.retention VALUES ($1, NULL)", [json.dumps(policy.to_dict())]
        )


def note_applied(connection: Connection, at_ns: int) -> None:
    """Notes that the policy was applied."""
    connection.execute("UPDATE raw.retention SET applied_ns = $1", [at_ns])


def used_bytes(connection: Connection) -> int:
    """What the database uses of its file; the rest of it is used again before it grows."""
    rows = connection.execute(
        "SELECT used_blocks * block_size FROM pragma_database_size() WHERE database_name = $1",
        [CATALOG],
    ).fetchall()
    return int(rows[0][0]) if rows else 0


def total_rows(connection: Connection) -> int:
    """Of all signals that have a time."""
    parts = " + ".join(f"(SELECT count(*) FROM raw.{signal})" for signal in TIMED)  # noqa: S608
    return int(connection.execute(f"SELECT {parts}").fetchall()[0][0])


def newest_before(connection: Connection, cutoff_us: int) -> int:
    """The last batch before the first one that is committed at a time or later; 0 for none."""
    rows = connection.execute(
        """
        SELECT coalesce(min(batch_id) FILTER (committed_at >= make_timestamptz($1::BIGINT)) - 1,
                        max(batch_id), 0)
        FROM raw.batches
        """,
        [cutoff_us],
    ).fetchall()
    return int(rows[0][0])


def rows_by_batch(connection: Connection, pieces: list[Piece]) -> list[tuple[int, int]]:
    """How many rows of some pieces each batch has, the oldest first."""
    if not pieces:
        return []
    parts = " UNION ALL ".join(
        f"SELECT batch_id FROM raw.{piece.signal} WHERE {piece.condition()}"  # noqa: S608
        for piece in pieces
    )
    return connection.execute(
        f"SELECT batch_id, count(*) FROM ({parts}) GROUP BY batch_id ORDER BY batch_id"  # noqa: S608
    ).fetchall()


def counted(connection: Connection, piece: Piece) -> Piece:
    """The piece with its rows."""
    row = connection.execute(
        "SELECT count(*), epoch_us(min(time)), epoch_us(max(time))"  # noqa: S608
        f" FROM raw.{piece.signal} WHERE {piece.condition()}"
    ).fetchall()[0]
    return piece.counted(*row) if row[0] else piece


def count(connection: Connection, signal: str, upto_batch: int) -> int:
    """The rows of a signal up to a batch."""
    rows = connection.execute(
        f"SELECT count(*) FROM raw.{signal} WHERE batch_id <= {upto_batch}"  # noqa: S608
    ).fetchall()
    return int(rows[0][0])


def count_quarantine(connection: Connection, upto_batch: int) -> int:
    """The refused records kept up to a batch."""
    rows = connection.execute(
        "SELECT count(*) FROM raw.quarantine WHERE batch_id <= $1", [upto_batch]
    ).fetchall()
    return int(rows[0][0])


def row_ranges(connection: Connection, piece: Piece, step: int) -> Iterator[tuple[int, int]]:
    """The physical places of a piece's rows, in ranges of so many, the last first.

    The last first: a checkpoint between two steps may move rows, but only those behind a gap.
    """
    row = connection.execute(
        f"SELECT min(rowid), max(rowid) FROM raw.{piece.signal} WHERE {piece.condition()}"  # noqa: S608
    ).fetchall()[0]
    if row[0] is None:
        return
    high = int(row[1])
    while high >= row[0]:
        low = max(high - step + 1, int(row[0]))
        yield low, high
        high = low - 1


def remove(
    connection: Connection, piece: Piece, places: tuple[int, int], note: dict[str, Any]
) -> int:
    """Removes a piece's rows in a range of places, and notes it; how many rows went.

    Args:
        connection: In a transaction, which the caller commits.
        piece: What goes.
        places: The first and the last row number.
        note: ``run``, ``removed_ns``, ``actor`` and ``reason``.
    """
    low, high = places
    gone = int(
        connection.execute(
            f"DELETE FROM raw.{piece.signal}"  # noqa: S608 - own names and numbers
            f" WHERE rowid BETWEEN {low} AND {high} AND {piece.condition()}"
        ).fetchall()[0][0]
    )
    if gone:
        connection.execute(
            """
            INSERT INTO raw.removals (
                number, removed_at, signal, from_time, upto_time, from_batch, upto_batch, rows,
                reason, run, actor
            )
            SELECT (SELECT coalesce(max(number), 0) + 1 FROM raw.removals),
                   make_timestamptz($removed_ns // 1000), $signal,
                   make_timestamptz($from_us::BIGINT), make_timestamptz($upto_us::BIGINT),
                   $from_batch, $upto_batch, $rows, $reason, $run, $actor
            """,
            {
                **note,
                "signal": piece.signal,
                "from_us": piece.from_us,
                "upto_us": piece.upto_us,
                "from_batch": piece.from_batch,
                "upto_batch": piece.upto_batch,
                "rows": gone,
            },
        )
    return gone


def remove_quarantine(connection: Connection, plan: Plan) -> None:
    """Removes the refused records that a plan names."""
    connection.execute("DELETE FROM raw.quarantine WHERE batch_id <= $1", [plan.upto_batch])


def removed(connection: Connection, run: str | None) -> dict[str, Any] | None:
    """What a run removed: the latest one when not named; None when there was none."""
    rows = connection.execute(
        """
        WITH latest AS (SELECT coalesce($1, (SELECT run FROM raw.removals
                                             ORDER BY number DESC LIMIT 1)) AS run),
        parts AS (SELECT signal, sum(rows)::BIGINT AS rows, min(from_time) AS first,
                         max(upto_time) AS upto, max(upto_batch) AS batch, any_value(reason) AS why,
                         any_value(actor) AS actor, any_value(run) AS run
                  FROM raw.removals SEMI JOIN latest USING (run) GROUP BY signal ORDER BY signal)
        SELECT signal, rows, epoch_us(first), epoch_us(upto), batch, why, actor, run FROM parts
        """,
        [run],
    ).fetchall()
    if not rows:
        return None
    return {
        "run": rows[0][7],
        "actor": rows[0][6],
        "reason": rows[0][5],
        "upto_batch": rows[0][4],
        "removed": {
            signal: {"rows": number, "from_us": first, "upto_us": upto}
            for signal, number, first, upto, *_ in rows
        },
    }
