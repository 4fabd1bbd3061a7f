"""Onward: the questions that an answer leads to, with what fills their parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb

from workspace_ext.inquiry.templates.judge import hits
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.inquiry.templates.model import Next, Template
from workspace_ext.protocol.templates import NextStep

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.inquiry.queries.question import Question

_ROWS = 1000
"""Of how many rows it is told where each leads; nobody drills into more."""


class Onward:
    """Feed it every batch of an answer, then ask for its `steps`.

    Args:
        question: What was asked.
        templates: The templates there are; an entry that names another one is left out.
    """

    def __init__(self, question: Question, templates: TemplateLibrary) -> None:
        self._question = question
        self._templates = templates
        self._declared = question.template.next if question.template else ()
        self._held: list[pa.RecordBatch] = []
        self._rows = 0

    def feed(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows."""
        if self._declared and self._rows < _ROWS:
            self._held.append(batch.slice(0, _ROWS - self._rows))
            self._rows += batch.num_rows

    def steps(self) -> list[NextStep]:
        """Where the answer leads, in the header's order; nowhere when it has no rows."""
        if not self._held:
            return []
        import pyarrow as pa

        known = self._templates.known()
        onward = [each for each in self._declared if each.template in known]
        asked = [each.when for each in onward if each.when]
        answer = pa.Table.from_batches(self._held)
        met = iter(self._hits(asked, answer))
        return [
            self._step(each, known[each.template], next(met) if each.when else None)
            for each in onward
        ]

    def _hits(self, conditions: list[str], answer: pa.Table) -> list[list[int]]:
        try:
            return hits(conditions, self._question.arguments, answer) if conditions else []
        except duckdb.Error:  # what may be next never costs the answer: it leads nowhere
            return [[] for _ in conditions]

    def _step(self, each: Next, target: Template, rows: list[int] | None) -> NextStep:
        recorded = self._question.recorded
        windows = [name for name, param in target.params.items() if param.type == "window"]
        same = {name: recorded[name] for name in windows if name in recorded}
        given = {name: recorded[other] for name, other in each.given.items()}
        return {
            "template": target.id,
            "title": target.title,
            "question": target.question,
            "params": {**same, **given, **each.values},
            "columns": dict(each.columns),
            "rows": rows,
        }
