"""How complete the data is that a template looked at: asked beside the query, remembered by pin."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.templates.quality import Part, Probe, parts_of, reach_of, reach_sql

if TYPE_CHECKING:
    from workspace_ext.inquiry.queries.question import Question
    from workspace_ext.telemetry.query.model import Limits
    from workspace_ext.telemetry.query.runner import QueryRunner

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
