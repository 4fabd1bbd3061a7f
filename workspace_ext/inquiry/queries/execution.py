"""Execution: SQL, the step after it, and the condition on what they give."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from workspace_ext.inquiry.queries.cache import AnswerCache, Key
from workspace_ext.inquiry.queries.filtering import Filtered
from workspace_ext.inquiry.steps.job import StepJob
from workspace_ext.inquiry.steps.runner import StepRunner
from workspace_ext.inquiry.templates.stepping import columns_of

if TYPE_CHECKING:
    from workspace_ext.inquiry.queries.question import Question
    from workspace_ext.telemetry.catalog.service import Catalog
    from workspace_ext.telemetry.query.model import Limits, RunningQuery
    from workspace_ext.telemetry.query.runner import QueryRunner


class Execution:
    """Runs questions the way each needs. Safe to use from many threads.

    Args:
        runner: Runs SQL.
        catalog: Tells how much was removed.
    """

    def __init__(self, runner: QueryRunner, catalog: Catalog) -> None:
        self._runner = runner
        self._catalog = catalog
        self._cache = AnswerCache()
        self._steps = StepRunner()

    def run(
        self, question: Question, pin: int, limits: Limits, cancelled: threading.Event
    ) -> RunningQuery:
        """Starts a question; it has its first rows when this returns.

        Raises:
            BadInput: SQL, step or condition does not fit the data.
            LimitExceeded: Time, memory or rows ran out.
        """
        key = Key.of(question, pin, self._catalog.held().removed)
        known = self._cache.find(key, limits) if key and not cancelled.is_set() else None
        running = known or self._answer(question, pin, limits, cancelled)
        if key and known is None:
            running = self._cache.keeping(key, running)
        return Filtered(running, question.where) if question.where else running

    def close(self) -> None:
        """Ends the processes of steps; the runner is closed by whoever made it."""
        self._steps.close()

    def _answer(
        self, question: Question, pin: int, limits: Limits, cancelled: threading.Event
    ) -> RunningQuery:
        template = question.template
        step = template.step if template else ""
        if step:
            self._steps.warm()
        running = self._runner.run(
            question.sql,
            question.values,
            pin=pin,
            limits=limits,
            free=template is None,
            cancelled=cancelled,
        )
        if template is None or not step:
            return running
        returns = columns_of(template)
        job = StepJob(step, template.id, question.arguments, returns, limits.rows)
        return self._steps.run(running, job, limits, cancelled)
