"""Asking: from a request to rows, verdict and record."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from workspace_ext.access.model import Principal
from workspace_ext.foundation.clock import Window, now_ns, to_rfc3339
from workspace_ext.foundation.errors import BadInput, InvestigationError
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.queries.asked import Asked
from workspace_ext.inquiry.queries.asking import Asking
from workspace_ext.inquiry.queries.completeness import Completeness
from workspace_ext.inquiry.queries.execution import Execution
from workspace_ext.inquiry.queries.expectation import check_columns, judge_function
from workspace_ext.inquiry.queries.question import Question, check_request, free_question, titled
from workspace_ext.inquiry.queries.recording import QueryRecorder
from workspace_ext.inquiry.templates.binding import BindContext, bind
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.protocol.messages import (
    FunctionTest,
    InvestigationState,
    QueryRequest,
    TestOutcome,
)
from workspace_ext.telemetry.catalog.service import Catalog
from workspace_ext.telemetry.query.model import Limits, RunningQuery
from workspace_ext.telemetry.query.runner import QueryRunner

_BEHIND = (
    "some of what was received before this question is not in the answer: more comes in than can be"
    " merged; ask again in a moment"
)


class QueryService:
    """Answers questions and records them. Safe to use from many threads.

    Args:
        runner: Runs SQL.
        catalog: Tells the newest pin and the known services.
        templates: The templates there are.
        investigations: Keeps the records.
        whole: Whether it is a store that data comes into, not a part of one; see `Completeness`.
        cautions: Tells what people should know of a template when they use it.
    """

    def __init__(
        self,
        runner: QueryRunner,
        catalog: Catalog,
        templates: TemplateLibrary,
        investigations: InvestigationService,
        *,
        whole: bool = True,
        cautions: Callable[[Template], list[str]] | None = None,
    ) -> None:
        self._runner = runner
        self._catalog = catalog
        self._templates = templates
        self._investigations = investigations
        self._cautions = cautions
        self._completeness = Completeness(runner, catalog, whole=whole)
        self._execution = Execution(runner, catalog)
        self._recorder = QueryRecorder(investigations, templates)

    def ask(self, request: QueryRequest, principal: Principal, cancelled: threading.Event) -> Asked:
        """Asks one question; it has its first rows when this returns.

        Args:
            request: The question.
            principal: Who asks.
            cancelled: Set it when nobody wants the answer any more.

        Raises:
            BadInput: The question is wrong; recorded, unless it names no known investigation. One
                whose condition cannot be put to its answer is no test.
            LimitExceeded: Time or memory ran out before the first rows; recorded.
        """
        check_request(request)
        uid = request.get("investigation")
        state = self._investigations.state(uid) if uid is not None else None
        self._check_test(request, uid)
        _check_parent(request, state)
        asking = Asking(request, principal, to_rfc3339(now_ns()), *self._pin(request, state))
        try:
            limits = self._runner.limits.narrowed(request.get("limits"))
            asking.question = self._question(request, state)
            return self._start(asking, limits, cancelled)
        except InvestigationError as error:
            self._recorder.failed(asking, error)
            raise

    def report_test(self, uid: str, test: FunctionTest, principal: Principal) -> TestOutcome:
        """Takes what a function in a kernel found out about a hypothesis.

        Returns:
            What it says about the hypothesis.

        Raises:
            BadInput: The report is wrong.
            NotFound: There is no such investigation or hypothesis.
        """
        told = judge_function(test)
        return self._investigations.record_test(uid, test, told, principal)

    def close(self) -> None:
        """Ends its threads; the runner is closed by whoever made it."""
        self._execution.close()
        self._completeness.close()

    # -- before the rows -----------------------------------------------------------------------

    def _check_test(self, request: QueryRequest, uid: str | None) -> None:
        test = request.get("test")
        if not test:
            return
        if uid is None:
            raise BadInput(
                "a test of a hypothesis belongs to an investigation",
                hint="name the investigation in the request",
                code="bad_request",
            )
        self._investigations.require_hypothesis(uid, test["hypothesis"])

    def _check_condition(self, asking: Asking, running: RunningQuery) -> None:
        test = asking.request.get("test")
        if not test:
            return
        try:
            check_columns(test["expect"], running.schema)
        except BadInput:
            running.close()
            asking.refused = True
            raise

    def _pin(self, request: QueryRequest, state: InvestigationState | None) -> tuple[int, bool]:
        """The pin, and whether data that was accepted before is missing from it."""
        asked = request.get("pin")
        if asked is None and state is not None:
            return state["pin"], False
        if asked is None:
            behind = not self._catalog.settle()
            return self._catalog.newest(), behind
        newest = self._catalog.newest()
        if not 0 <= asked <= newest:
            raise BadInput(
                f"there is no pin {asked}",
                hint=f"the newest data has pin {newest}",
                code="unknown_pin",
            )
        return asked, False

    def _question(self, request: QueryRequest, state: InvestigationState | None) -> Question:
        name = request.get("template")
        if not name:
            return free_question(request, self._runner.named_values(request["sql"]), state)
        template = self._templates.get(name, request.get("version"))
        given = request.get("params") or {}
        bound = bind(template, given, self._context(template, given, state))
        return Question(
            sql=template.sql,
            values=bound.values,
            recorded=dict(bound.recorded),
            title=titled(template.title, request),
            where=request.get("where") or "",
            template=template,
            arguments=bound.arguments,
        )

    def _context(
        self, template: Template, given: dict[str, Any], state: InvestigationState | None
    ) -> BindContext:
        named = any(given.get(p.name) for p in template.params.values() if p.type == "service")
        services = self._catalog.services() if named else ()
        if state is None:
            return BindContext(services=services)
        return BindContext(_window(state["window"]), _window(state["baseline"]), services)

    def _start(self, asking: Asking, limits: Limits, cancelled: threading.Event) -> Asked:
        question = asking.question
        assert question is not None
        about = (asking.pin, limits, cancelled)
        behind = [_BEHIND] if asking.behind else []
        warnings = self._completeness.begin(question, *about) if question.template else None
        running = self._execution.run(question, *about)
        self._check_condition(asking, running)
        self._recorder.begin_test(asking)
        if warnings is not None and question.template is not None:
            self._templates.keep(question.template)
            told = question.template.cautions()
            told += self._cautions(question.template) if self._cautions is not None else []
            return Asked(
                self._recorder,
                asking,
                running,
                warnings=lambda: [*behind, *told, *warnings.result()],
                # A template without rows has no verdict, and no condition that holds.
                saw_data=lambda: True,
            )
        look = self._completeness  # free SQL has its plan when its rows are through
        return Asked(
            self._recorder,
            asking,
            running,
            warnings=lambda: [*behind, *look.of_scans(question, running.scan, *about)],
            saw_data=lambda: look.any_rows(running.scan, asking.pin, self._runner.limits),
        )


def _check_parent(request: QueryRequest, state: InvestigationState | None) -> None:
    parent = request.get("parent")
    if parent and (state is None or parent not in state["queries"]):
        raise BadInput(
            f"the investigation has no query {parent!r} that could lead to this one",
            hint="leave parent out",
            code="unknown_parent",
        )


def _window(value: Any) -> Window | None:
    return Window.parse(value) if value is not None else None
