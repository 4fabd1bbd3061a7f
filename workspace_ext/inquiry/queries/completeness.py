"""How complete the data is that a query looked at: asked beside it, remembered by pin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.queries.regard import looks_of_parts, looks_of_scans
from workspace_ext.inquiry.templates.quality import Part, Probe, parts_of, reach_of, reach_sql
from workspace_ext.telemetry.catalog.cautions import Cautions, Look
from workspace_ext.telemetry.catalog.times import within

if TYPE_CHECKING:
    from workspace_ext.inquiry.queries.question import Question
    from workspace_ext.telemetry.catalog.service import Catalog
    from workspace_ext.telemetry.query.model import Limits, Scan
    from workspace_ext.telemetry.query.runner import QueryRunner

_THREADS = 4
_REMEMBERED = 1000

_Ask = Callable[[str, Mapping[str, object]], list[dict[str, Any]]]
_At = tuple[Part, int, int]  # with pin and removed rows


class Completeness:
    """Runs probes. On one pin the data stays the same, so each window is looked at once.

    Of windows that are almost the same, what lies within all of them is looked at; most often that
    says enough of each.

    Args:
        runner: Runs SQL.
        catalog: Tells the newest pin, and which services there are.
        whole: Whether the store is one that data comes into, batch by batch; a replay's holds
            parts of one, and says nothing about gaps, clocks and what came later.
    """

    def __init__(self, runner: QueryRunner, catalog: Catalog, *, whole: bool = True) -> None:
        self._runner = runner
        self._catalog = catalog
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="probe")
        self._known: dict[_At, list[str]] = {}
        self._inside: dict[_At, Mapping[str, Any]] = {}
        self._cautions = Cautions() if whole else None

    def begin(
        self, question: Question, pin: int, limits: Limits, cancelled: threading.Event
    ) -> Future[list[str]]:
        """Starts to look at what a template requires; the future has the warnings."""
        parts = parts_of(question.template, question.arguments) if question.template else []
        removed = self._catalog.held().removed
        known = {part: self._finding(part, pin, removed) for part in parts}
        looks = looks_of_parts(parts, question)
        if None not in known.values():
            cautions = self._remembered(looks, pin)
            if cautions is not None:
                done: Future[list[str]] = Future()
                found = [warning for each in known.values() for warning in each or ()]
                done.set_result(found + cautions)
                return done
        return self._threads.submit(self._look, known, looks, pin, limits, cancelled)

    def of_scans(
        self,
        question: Question,
        scans: Sequence[Scan],
        pin: int,
        limits: Limits,
        cancelled: threading.Event,
    ) -> list[str]:
        """Looks at what a free query scanned, once that is known."""
        looks = looks_of_scans(scans, question, self._catalog.services)
        found = self._remembered(looks, pin)
        return self._look({}, looks, pin, limits, cancelled) if found is None else found

    def any_rows(self, scans: Iterable[Scan], pin: int, limits: Limits) -> bool:
        """Whether one of the places that a query read holds anything.

        Raises:
            LimitExceeded: It took too long to find out.
        """
        for scan in scans:
            bounds = "true" if scan.window is None else within(scan.window)
            sql = f"SELECT 1 FROM {scan.table} WHERE {bounds} LIMIT 1"  # noqa: S608 - a known name
            look = self._runner.look(sql, {}, pin=pin, limits=limits, cancelled=threading.Event())
            if any(batch.num_rows for batch in look):
                return True
        return False

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _finding(self, part: Part, pin: int, removed: int) -> list[str] | None:
        found = self._known.get((part, pin, removed))
        row = self._inside.get((part.inside, pin, removed)) if found is None else None
        return [] if row is not None and not part.warnings(row) else found

    def _probed(self, parts: Sequence[Part], pin: int, ask: _Ask) -> dict[Part, list[str]]:
        """What parts warn of that nothing is known of."""
        removed = self._catalog.held().removed
        for memory in (self._known, self._inside):
            if len(memory) >= _REMEMBERED:
                memory.clear()
        inside = Probe(
            [part.inside for part in parts if (part.inside, pin, removed) not in self._inside]
        )
        if inside.sql is not None:
            for part, row in inside.answers(ask(inside.sql, inside.values)):
                self._inside[part, pin, removed] = row
        found = {part: self._finding(part, pin, removed) for part in parts}
        probe = Probe([part for part, warnings in found.items() if warnings is None])
        if probe.sql is not None:
            rows = ask(probe.sql, probe.values)
            without = sorted({row["signal"] for row in rows if not row["n"]})
            reach = reach_of(ask(reach_sql(without), {}), pin) if without else {}
            for part, warnings in probe.findings(rows, reach):
                found[part] = self._known[part, pin, removed] = warnings
        return {part: warnings or [] for part, warnings in found.items()}

    def _remembered(self, looks: Sequence[Look], pin: int) -> list[str] | None:
        if self._cautions is None:
            return []
        return self._cautions.known(looks, pin, self._catalog.held())

    def _look(
        self,
        known: dict[Part, list[str] | None],
        looks: Sequence[Look],
        pin: int,
        limits: Limits,
        cancelled: threading.Event,
    ) -> list[str]:
        def ask(sql: str, values: Mapping[str, object], at: int = pin) -> list[dict[str, Any]]:
            batches = self._runner.look(sql, values, pin=at, limits=limits, cancelled=cancelled)
            return [row for batch in batches for row in batch.to_pylist()]

        cautions = []
        try:
            unknown = [part for part, found in known.items() if found is None]
            if unknown:
                known |= self._probed(unknown, pin, ask)
            if self._cautions is not None:
                cautions = self._cautions.find(looks, pin, self._catalog.held(), ask)
        except InvestigationError as error:
            return [f"how complete the data is could not be checked: {error.message}"]
        return [warning for found in known.values() for warning in found or ()] + cautions
