"""The catalog, as edges see it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import duckdb

from workspace_ext.foundation.clock import Window
from workspace_ext.storage.telemetry import TelemetryEngine
from workspace_ext.telemetry.catalog import batches, happenings, services
from workspace_ext.telemetry.catalog.times import told
from workspace_ext.telemetry.pin import newest_pin
from workspace_ext.telemetry.schema import SIGNALS

_WITH_SERVICE = ("spans", "logs", "metrics", "events")
_OWN_NAMES = "name, batch_id FROM raw.services"

_Extent = tuple[int, int | None, int | None]


_REMOVALS = """
SELECT signal, epoch_us(min(from_time)), epoch_us(max(upto_time)), min(from_batch),
       sum(rows)::BIGINT, epoch_us(max(removed_at))
FROM raw.removals GROUP BY run, signal ORDER BY run, signal
"""


@dataclass(frozen=True)
class Removal:
    """What one run of retention removed of a signal.

    Attributes:
        signal: The table.
        first_us: The time of its earliest record, in microseconds.
        last_us: The time of its latest record.
        from_batch: The lowest batch that lost records.
        rows: How many.
        removed_us: When.
    """

    signal: str
    first_us: int
    last_us: int
    from_batch: int
    rows: int
    removed_us: int


@dataclass(frozen=True)
class Held:
    """What the store holds: while it stays equal, the rows at a pin do."""

    newest: int = 0
    removals: tuple[Removal, ...] = ()

    @cached_property
    def removed(self) -> int:
        """How many rows were removed: more with each step of a run of retention."""
        return sum(each.rows for each in self.removals)


@dataclass(frozen=True)
class _Known:
    """What lies up to a pin: rows, first and last time (microseconds) of each signal; services."""

    pin: int = -1
    extents: dict[str, _Extent] = field(
        default_factory=lambda: dict.fromkeys(SIGNALS, (0, None, None))
    )
    services: frozenset[str] = frozenset()


class Catalog:
    """Answers what is there. Safe to be called from several threads.

    Args:
        engine: The store.
        settle: Has what was accepted until now in the store, and says whether all of it is.
    """

    def __init__(self, engine: TelemetryEngine, settle: Callable[[], bool] = lambda: True) -> None:
        self._engine = engine
        self.settle = settle
        self._lock = threading.Lock()
        self._known = _Known()
        self._held: tuple[int, Held] | None = None

    def pin(self) -> int:
        """The number of the newest batch, with what was accepted until now; 0 for none.

        Where it cannot all be there soon, `settle` says so.
        """
        self.settle()
        return self.newest()

    def newest(self) -> int:
        """The number of the newest batch that can be seen at once; 0 when there is none."""
        return self.held().newest

    def held(self) -> Held:
        """The newest batch, and what was removed; the tables are asked once for each commit."""
        commits = self._engine.commits
        if self._held is None or self._held[0] != commits:
            with self._engine.cursor() as cursor:
                removals = (Removal(*row) for row in cursor.execute(_REMOVALS).fetchall())
                self._held = commits, Held(newest_pin(cursor), tuple(removals))
        return self._held[1]

    def overview(self) -> dict[str, Any]:
        """Rows, first and last time of each signal, the pin, and the names of services.

        Of these at most `services.MOST_NAMES`: more is a value taken for a name.
        """
        with self._lock:
            if self._known.pin != self.newest():
                with self._engine.cursor() as cursor:
                    cursor.execute("BEGIN")
                    pin = newest_pin(cursor)
                    # only the batches since are looked at: they only grow
                    self._known = _widened(self._known, cursor, pin)
                    cursor.execute("COMMIT")
            known = self._known
        return {
            "pin": known.pin,
            "signals": {
                name: {"rows": rows, "first_time": told(first), "last_time": told(last)}
                for name, (rows, first, last) in known.extents.items()
            },
            "services": sorted(known.services),
        }

    def forget(self) -> None:
        """What was known is not true any more: rows were removed."""
        with self._lock:
            self._known = _Known()

    def services(self) -> list[str]:
        """The names of services in any signal, sorted; none when there are more than are told."""
        names: list[str] = self.overview()["services"]
        return names if len(names) < services.MOST_NAMES else []

    def described(self, pin: int | None = None) -> list[dict[str, Any]]:
        """All services with owner, tier, lifecycle and signals, at a pin; see `services.known`."""
        with self._engine.cursor() as cursor:
            return services.known(cursor, self.newest() if pin is None else pin)

    def batches(self, limit: int = 100, *, files: bool = False) -> list[dict[str, Any]]:
        """The newest batches, newest first; only those of files when asked."""
        with self._engine.cursor() as cursor:
            return batches.newest(cursor, limit, files=files)

    def happenings(
        self,
        window: Window | None,
        *,
        pin: int | None = None,
        kind: str | None = None,
        limit: int = happenings.MOST,
    ) -> list[dict[str, Any]]:
        """Alerts, deploys and other events of a window at a pin; see `happenings.newest`."""
        with self._engine.cursor() as cursor:
            pin = self.newest() if pin is None else pin
            return happenings.newest(cursor, window, pin=pin, kind=kind, limit=limit)

    def quarantine(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest records that could not be read, in the order of their file."""
        with self._engine.cursor() as cursor:
            cursor.execute(
                "SELECT batch_id, name, line, reason, record FROM raw.quarantine"
                " ORDER BY batch_id DESC, line, reason LIMIT $1",
                [limit],
            )
            names = ("batch_id", "name", "line", "reason", "record")
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def columns(self) -> dict[str, list[dict[str, str]]]:
        """The columns of each table that queries see."""
        return {
            name: [
                {"name": column, "type": kind}
                for column, kind in (*signal.columns, ("batch_id", "BIGINT"))
            ]
            for name, signal in SIGNALS.items()
        }


def _widened(known: _Known, cursor: duckdb.DuckDBPyConnection, pin: int) -> _Known:
    """What is known, with the batches since."""
    extents = dict(known.extents)
    for name, (rows, first, last) in known.extents.items():
        times = "epoch_us(min(time)), epoch_us(max(time))" if SIGNALS[name].timed else "NULL, NULL"
        new = cursor.execute(
            f"SELECT count(*), {times} FROM raw.{name} WHERE batch_id > $1",  # noqa: S608
            [known.pin],
        ).fetchall()[0]
        extents[name] = (
            rows + new[0],
            min((time for time in (first, new[1]) if time is not None), default=None),
            max((time for time in (last, new[2]) if time is not None), default=None),
        )
    columns = [f"service AS name, batch_id FROM raw.{signal}" for signal in _WITH_SERVICE]
    parts = " UNION ALL ".join(f"SELECT {part}" for part in (*columns, _OWN_NAMES))
    found = cursor.execute(
        f"SELECT name FROM ({parts}) WHERE name IS NOT NULL AND batch_id > $1"  # noqa: S608
        " GROUP BY name ORDER BY count(*) DESC, name LIMIT $2",
        [known.pin, max(services.MOST_NAMES - len(known.services), 0)],
    ).fetchall()
    return _Known(pin, extents, known.services | {row[0] for row in found})
