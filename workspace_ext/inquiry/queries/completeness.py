"""How complete the data is that a template looked at: asked beside the query, remembered by pin."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.templates.quality import Probe

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.inquiry.queries.question import Question
    from workspace_ext.telemetry.query.model import Limits
    from workspace_ext.telemetry.query.runner import QueryRunner

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_THREADS = 4
_REMEMBERED = 500


class Completeness:
    """Runs probes. On one pin the data stays the same, so each is run once."""

    def __init__(self, runner: QueryRunner) -> None:
        self._runner = runner
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="probe")
        self._known: dict[str, list[str]] = {}

    def begin(
        self, question: Question, pin: int, limits: Limits, cancelled: threading.Event
    ) -> Future[list[str]]:
        """Starts to look; the future has the warnings."""
        return self._threads.submit(self._look, question, pin, limits, cancelled)

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look(
        self, question: Question, pin: int, limits: Limits, cancelled: threading.Event
    ) -> list[str]:
        if question.template is None:
            return []
        probe = Probe(question.template, question.arguments)
        if probe.sql is None:
            return []
        key = repr((probe.sql, sorted(probe.values.items()), pin))
        if key not in self._known:
            try:
                running = self._runner.run(
                    probe.sql,
                    probe.values,
                    pin=pin,
                    limits=limits,
                    free=False,
                    cancelled=cancelled,
                )
                rows = [row for batch in running for row in _rows(batch)]
            except InvestigationError as error:
                return [f"how complete the data is could not be checked: {error.message}"]
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = probe.warnings(rows)
        return list(self._known[key])


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Rows with times as aware datetimes; Arrow's own way would import pandas for them."""
    import pyarrow as pa

    columns = []
    for column in batch.columns:
        if pa.types.is_timestamp(column.type):
            moments = column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_pylist()
            columns.append(
                [None if m is None else _EPOCH + timedelta(microseconds=m) for m in moments]
            )
        else:
            columns.append(column.to_pylist())
    for values in zip(*columns, strict=True):
        yield dict(zip(batch.schema.names, values, strict=True))
