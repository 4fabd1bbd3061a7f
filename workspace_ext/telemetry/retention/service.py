"""Retention, as edges see it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import duckdb

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.clock import Clock, now_ns, to_rfc3339
from workspace_ext.foundation.ids import new_id
from workspace_ext.storage.failures import explain
from workspace_ext.storage.files import size_of
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.pin import newest_pin
from workspace_ext.telemetry.retention import store
from workspace_ext.telemetry.retention.model import Piece, Plan, Policy, Spared
from workspace_ext.telemetry.retention.plan import pieces

Needed = Callable[[bool], Sequence[Spared]]
"""Tells what is needed; given whether unarchived investigations do not count."""

STEP_ROWS = 250_000
"""So many rows at most go in one transaction: some ten milliseconds."""


class RetentionService:
    """Removes what is too old or too much. Safe to use from several threads: one run at a time.

    Args:
        engine: The store.
        needed: What is spared.
        removed: Called after rows are gone, for whoever remembers what is there.
        clock: Tells the time.
        step_rows: See `STEP_ROWS`.
    """

    def __init__(
        self,
        engine: TelemetryEngine,
        needed: Needed,
        removed: Callable[[], None] = lambda: None,
        clock: Clock = now_ns,
        step_rows: int = STEP_ROWS,
    ) -> None:
        self._engine = engine
        self._needed = needed
        self._removed = removed
        self._clock = clock
        self._step_rows = step_rows
        self._running = threading.Lock()
        self._stopped = False

    def policy(self) -> tuple[Policy | None, int | None]:
        """The policy that the broker applies by itself, and when it did last (nanoseconds)."""
        with self._engine.cursor() as cursor:
            return store.get_policy(cursor)

    def set_policy(self, policy: Policy | None) -> None:
        """Keeps a policy for the broker to apply; None ends that."""
        with self._engine.write() as connection:
            store.put_policy(connection, policy)

    def plan(self, policy: Policy) -> Plan:
        """What a policy would remove now.

        Raises:
            Unavailable: The store cannot be read.
        """
        needed = self._needed(policy.even_unarchived)
        spared = [each for each in needed if each.table in store.TIMED]
        try:
            with self._engine.cursor() as cursor:
                cursor.execute("BEGIN")  # all of it of one moment
                return self._planned(cursor, policy, spared)
        except duckdb.Error as error:
            raise explain(error, self._engine.folder.telemetry) from error

    def apply(self, policy: Policy, actor: Actor, *, kept: bool = False) -> dict[str, Any]:
        """Removes what a policy says; live data is merged between its steps.

        Args:
            policy: The policy.
            actor: Who wants it.
            kept: Whether it is the store's own policy, which notes when it was applied.

        Returns:
            The plan as `Plan.to_dict`, with ``run``, the name of this run in ``raw.removals``, or
            None when nothing went.
        """
        with self._running:
            plan = self.plan(policy)
            run = new_id() if plan.pieces else None
            note = {
                "run": run,
                "removed_ns": self._clock(),
                "actor": str(actor),
                "reason": plan.reason,
            }
            for piece in plan.pieces:
                self._remove(piece, note)
            if self._stopped:
                return {**plan.to_dict(), "run": run}
            if plan.quarantined or kept:
                with self._engine.write() as connection:
                    store.remove_quarantine(connection, plan)
                    if kept:
                        store.note_applied(connection, self._clock())
            if plan.pieces:
                self._engine.checkpoint()
                self._removed()
            return {**plan.to_dict(), "run": run}

    def stop(self) -> None:
        """Ends a run between two of its steps; the next one goes on from there."""
        self._stopped = True

    def removals(self, run: str | None = None) -> dict[str, Any] | None:
        """What a run removed, as it was noted; the latest when None; None when there is none."""
        with self._engine.cursor() as cursor:
            return store.removed(cursor, run)

    def _remove(self, piece: Piece, note: dict[str, Any]) -> None:
        left = piece.rows
        while left > 0:
            with self._engine.cursor() as cursor:
                places = list(store.row_ranges(cursor, piece, self._step_rows))
            if not places:
                return
            for place in places:
                if self._stopped:
                    return
                with self._engine.write() as connection:
                    left -= store.remove(connection, piece, place, note)

    def _planned(
        self, cursor: duckdb.DuckDBPyConnection, policy: Policy, spared: Sequence[Spared]
    ) -> Plan:
        used = self._used(cursor)
        upto, reason = self._upto(cursor, policy, spared, used)
        found = [
            store.counted(cursor, piece)
            for signal in store.TIMED
            for piece in pieces(signal, spared, upto)
        ]
        plan = Plan(
            policy,
            upto,
            reason,
            tuple(piece for piece in found if piece.rows),
            tuple(_spared(cursor, spared, upto)),
            store.count_quarantine(cursor, upto),
            used,
        )
        share = sum(plan.rows.values()) / max(store.total_rows(cursor), 1)
        return replace(plan, freed_bytes=int(share * used))

    def _upto(
        self,
        cursor: duckdb.DuckDBPyConnection,
        policy: Policy,
        spared: Sequence[Spared],
        used: int,
    ) -> tuple[int, str]:
        upto, reason = 0, "nothing is too old or too much"
        age, size = policy.age_ns, policy.size_bytes
        if age is not None:
            cutoff = self._clock() - age
            upto = store.newest_before(cursor, cutoff // 1000)
            if upto:
                reason = f"came before {to_rfc3339(cutoff // 10**9 * 10**9)} ({policy.older_than})"
        if size is not None and used > size:
            beyond = _by_size(cursor, spared, 1 - size / used)
            if beyond > upto:
                upto, reason = beyond, f"the store uses more than {policy.larger_than}"
        return upto, reason

    def _used(self, cursor: duckdb.DuckDBPyConnection) -> int:
        folder = self._engine.folder
        log = folder.telemetry.with_name(folder.telemetry.name + ".wal")
        beside = (log, *folder.segments.glob("*/*.parquet"))
        return store.used_bytes(cursor) + sum(size_of(path) for path in beside)


def _by_size(cursor: duckdb.DuckDBPyConnection, spared: Sequence[Spared], share: float) -> int:
    """The batch up to which a share of all rows lies that may go; all of it when that is less."""
    last = newest_pin(cursor)
    removable = [piece for signal in store.TIMED for piece in pieces(signal, spared, last)]
    wanted = share * store.total_rows(cursor)
    upto = 0
    for batch, rows in store.rows_by_batch(cursor, removable):
        if wanted <= 0:
            break
        upto = int(batch)
        wanted -= rows
    return upto


def _spared(
    cursor: duckdb.DuckDBPyConnection, spared: Sequence[Spared], upto: int
) -> list[tuple[str, str, int]]:
    """For whom how many rows of each signal stay, where there are any."""
    found: dict[tuple[str, str], int] = {}
    together: dict[tuple[str, str], list[Spared]] = {}
    for each in spared:
        together.setdefault((each.why, each.table), []).append(each)
    for (why, signal), parts in together.items():
        gone = sum(store.counted(cursor, piece).rows for piece in pieces(signal, parts, upto))
        stays = store.count(cursor, signal, upto) - gone
        if stays:
            found[why, signal] = stays
    return [(why, signal, rows) for (why, signal), rows in sorted(found.items())]
