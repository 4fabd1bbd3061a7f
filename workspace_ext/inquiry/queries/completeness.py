"""How complete the data is that a template looked at: asked beside the query, remembered by pin."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.templates.quality import Part, Probe, parts_of, reach_of, reach_sql

if TYPE_CHECKING:
    from workspace_ext.inquiry.queries.question import Question
    from workspace_ext.telemetry.query.model import Limits, Scan
    from workspace_ext.telemetry.query.runner import QueryRunner

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_THREADS = 4
_REMEMBERED = 1000


class Completeness:
    """Runs probes. On one pin the data stays the same, so each window is looked at once."""

    def __init__(self, runner: QueryRunner) -> None:
        self._runner = runner
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="probe")
        self._known: dict[tuple[Part, int], list[str]] = {}

    def begin(
        self, question: Question, pin: int, limits: Limits, cancelled: threading.Event
    ) -> Future[list[str]]:
        """Starts to look; the future has the warnings."""
        parts = parts_of(question.template, question.arguments) if question.template else []
        known = {part: self._known.get((part, pin)) for part in parts}
        if None not in known.values():
            done: Future[list[str]] = Future()
            done.set_result([warning for found in known.values() for warning in found or ()])
            return done
        return self._threads.submit(self._look, known, pin, limits, cancelled)

    def any_rows(self, scans: Iterable[Scan], pin: int, limits: Limits) -> bool:
        """Whether one of the places that a query read holds anything.

        Raises:
            LimitExceeded: It took too long to find out.
        """
        for scan in scans:
            sql = f"SELECT count(*) AS n FROM (SELECT 1 FROM {scan.table} LIMIT 1)"  # noqa: S608
            values: dict[str, object] = {}
            if scan.window is not None:
                bounds = "time >= $start AND time < $end"
                sql = sql.replace(" LIMIT 1", f" WHERE {bounds} LIMIT 1")
                values = {
                    "start": _moment(scan.window.start_ns),
                    "end": _moment(scan.window.end_ns),
                }
            look = self._runner.look(
                sql, values, pin=pin, limits=limits, cancelled=threading.Event()
            )
            if any(row["n"] for batch in look for row in batch.to_pylist()):
                return True
        return False

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look(
        self,
        known: dict[Part, list[str] | None],
        pin: int,
        limits: Limits,
        cancelled: threading.Event,
    ) -> list[str]:
        probe = Probe([part for part, found in known.items() if found is None])
        assert probe.sql is not None

        def rows_of(sql: str, values: Mapping[str, object]) -> list[dict[str, Any]]:
            batches = self._runner.look(sql, values, pin=pin, limits=limits, cancelled=cancelled)
            return [row for batch in batches for row in batch.to_pylist()]

        try:
            rows = rows_of(probe.sql, probe.values)
            without = sorted({row["signal"] for row in rows if not row["n"]})
            reach = reach_of(rows_of(reach_sql(without), {})) if without else {}
        except InvestigationError as error:
            return [f"how complete the data is could not be checked: {error.message}"]
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        for part, found in probe.findings(rows, reach):
            known[part] = self._known[part, pin] = found
        return [warning for found in known.values() for warning in found or ()]


def _moment(time_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=-(-time_ns // 1000))
