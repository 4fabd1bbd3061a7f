"""Asking: from a request to rows, verdict and record."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workspace_ext.access.model import Principal
from workspace_ext.foundation.clock import Window, now_ns, to_rfc3339
from workspace_ext.foundation.errors import BadInput, InvestigationError
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.queries.completeness import Completeness
from workspace_ext.inquiry.queries.question import Question, check_request, free_question
from workspace_ext.inquiry.queries.tally import Tallied, Tally
from workspace_ext.inquiry.templates.chart import vega_lite
from workspace_ext.inquiry.templates.judge import Judge
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.inquiry.templates.model import BindContext, Template
from workspace_ext.protocol.messages import (
    Answer,
    Compare,
    InvestigationState,
    QueryRequest,
    TestOutcome,
)
from workspace_ext.telemetry.catalog.service import Catalog
from workspace_ext.telemetry.query.model import Limits, RunningQuery
from workspace_ext.telemetry.query.runner import QueryRunner
from workspace_ext.telemetry.query.watch import Cancelled

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)

_JUDGES = 4
_FAILED: Compare = {"mode": "none", "reason": "the query failed"}


class QueryService:
    """Answers questions and records them. Safe to use from many threads.

    Args:
        runner: Runs SQL.
        catalog: Tells the newest pin and the known services.
        templates: The templates there are.
        investigations: Keeps the records.
        whole: Whether it is a store that data comes into, not a part of one; see `Completeness`.
    """

    def __init__(
        self,
        runner: QueryRunner,
        catalog: Catalog,
        templates: TemplateLibrary,
        investigations: InvestigationService,
        *,
        whole: bool = True,
    ) -> None:
        self._runner = runner
        self._catalog = catalog
        self._templates = templates
        self._investigations = investigations
        self._completeness = Completeness(runner, catalog, whole=whole)
        self.side = ThreadPoolExecutor(_JUDGES, thread_name_prefix="judge")

    def ask(self, request: QueryRequest, principal: Principal, cancelled: threading.Event) -> Asked:
        """Asks one question; it has its first rows when this returns.

        Args:
            request: The question.
            principal: Who asks.
            cancelled: Set it when nobody wants the answer any more.

        Raises:
            BadInput: The question is wrong; recorded, unless it names no known investigation.
            LimitExceeded: Time or memory ran out before the first rows; recorded.
        """
        check_request(request)
        uid = request.get("investigation")
        state = self._investigations.state(uid) if uid is not None else None
        self._check_test(request, uid)
        asking = _Asking(request, principal, to_rfc3339(now_ns()), self._pin(request, state))
        try:
            limits = self._runner.limits.narrowed(request.get("limits"))
            asking.question = self._question(request, state)
            return self._start(asking, limits, cancelled)
        except InvestigationError as error:
            self._record_failure(asking, error)
            raise

    def close(self) -> None:
        """Ends its threads; the runner is closed by whoever made it."""
        self._completeness.close()
        self.side.shutdown(wait=False, cancel_futures=True)

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

    def _pin(self, request: QueryRequest, state: InvestigationState | None) -> int:
        asked = request.get("pin")
        if asked is None:
            return state["pin"] if state is not None else self._catalog.pin()
        newest = self._catalog.newest()
        if not 0 <= asked <= newest:
            raise BadInput(
                f"there is no pin {asked}",
                hint=f"the newest data has pin {newest}",
                code="unknown_pin",
            )
        return asked

    def _question(self, request: QueryRequest, state: InvestigationState | None) -> Question:
        name = request.get("template")
        if not name:
            return free_question(request, self._runner.named_values(request["sql"]), state)
        template = self._templates.get(name, request.get("version"))
        given = request.get("params") or {}
        bound = template.bind(given, self._context(template, given, state))
        return Question(
            sql=template.sql,
            values=bound.values,
            recorded=dict(bound.recorded),
            title=template.title,
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

    def _start(self, asking: _Asking, limits: Limits, cancelled: threading.Event) -> Asked:
        question = asking.question
        assert question is not None
        about = (asking.pin, limits, cancelled)
        warnings = self._completeness.begin(question, *about) if question.template else None
        running = self._runner.run(
            question.sql,
            question.values,
            pin=asking.pin,
            limits=limits,
            free=question.template is None,
            cancelled=cancelled,
        )
        if warnings is not None:
            return Asked(self, asking, running, warnings.result)
        look = self._completeness.of_scans  # free SQL has its plan when its rows are through
        return Asked(self, asking, running, lambda: look(question, running.scan, *about))

    # -- after the rows ------------------------------------------------------------------------

    def record(self, asking: _Asking, running: RunningQuery, tallied: Tallied) -> Answer:
        """Records an answer and makes the message that goes with its rows."""
        question = asking.question
        assert question is not None
        record = replace(
            asking.record(),
            compare=running.compare,
            verdict=tallied.verdict,
            rows=tallied.rows,
            digest=tallied.digest,
            unordered_digest=tallied.unordered_digest,
            scan={"tables": [scan.to_dict() for scan in running.scan]},
            kept=tallied.kept,
        )
        outcome = self._investigations.record_query(
            asking.request.get("investigation"), record, asking.principal
        )
        return _answer(asking, record, outcome, None)

    def fail(self, asking: _Asking, error: InvestigationError) -> Answer:
        """Records that a query failed half-way and makes the message that says so."""
        self._record_failure(asking, error)
        return _answer(asking, asking.record(), None, error)

    def _record_failure(self, asking: _Asking, error: InvestigationError) -> None:
        record = replace(asking.record(), ok=False, error=error.message)
        try:
            self._investigations.record_query(
                asking.request.get("investigation"), record, asking.principal
            )
        except InvestigationError:
            _log.exception("a failed query could not be recorded")


@dataclass
class _Asking:
    """A question under way."""

    request: QueryRequest
    principal: Principal
    at: str
    pin: int
    question: Question | None = None

    def __post_init__(self) -> None:
        self.id = new_id()
        self._started = time.monotonic()

    def record(self) -> QueryRecord:
        """What is known of it whatever its outcome."""
        request, question = self.request, self.question
        template = question.template if question else None
        run = request.get("run") or None
        return QueryRecord(
            id=self.id,
            at=self.at,
            title=question.title if question else request.get("template") or "SQL",
            params=question.recorded if question else dict(request.get("params") or {}),
            pin=self.pin,
            compare=_FAILED,
            run=run["id"] if run else None,
            cell=run["cell"] if run else None,
            kernel=self.principal.kernel,
            template=template.ref() if template else None,
            sql=request.get("sql") or None,
            statement=question.sql if question else "",
            test=request.get("test") or None,
            elapsed_ms=round((time.monotonic() - self._started) * 1000),
        )


class Asked:
    """An answer on its way. Iterate it once, to the end, then take `answer`; or close it.

    An error after the first rows does not raise: it is recorded, ends the rows, and stands in
    the answer.
    """

    def __init__(
        self,
        service: QueryService,
        asking: _Asking,
        running: RunningQuery,
        warnings: Callable[[], list[str]],
    ) -> None:
        self.schema: pa.Schema = running.schema
        self.query_id = asking.id
        self._service = service
        self._asking = asking
        self._running = running
        self._warnings = warnings
        question = asking.question
        assert question is not None
        template = question.template
        judge = Judge(template, question.arguments) if template is not None else None
        self._tally = Tally(running.schema, judge, service.side)
        self._answer: Answer | None = None

    @property
    def answer(self) -> Answer:
        """What goes with the rows.

        Raises:
            RuntimeError: The rows are not exhausted.
        """
        if self._answer is None:
            raise RuntimeError("the rows are not exhausted")
        return self._answer

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The rows; recorded when they end."""
        try:
            for batch in self._running:
                if batch.num_rows:
                    yield batch
                    self._tally.feed(batch)
            self._answer = self._service.record(self._asking, self._running, self._finish())
        except InvestigationError as error:
            self._answer = self._service.fail(self._asking, error)
        finally:
            self.close()

    def close(self) -> None:
        """Ends the query if it still runs; that is recorded as a failure."""
        self._running.close()
        self._tally.close()
        if self._answer is None:
            self._answer = self._service.fail(self._asking, Cancelled())

    def _finish(self) -> Tallied:
        unordered = self._running.compare["mode"] == "unordered"
        return self._tally.finish(self._warnings, unordered=unordered)


def _window(value: Any) -> Window | None:
    return Window.parse(value) if value is not None else None


def _answer(
    asking: _Asking,
    record: QueryRecord,
    outcome: TestOutcome | None,
    error: InvestigationError | None,
) -> Answer:
    template = asking.question.template if asking.question else None
    return {
        "query": record.id,
        "template": record.template,
        "title": record.title,
        "question": template.question if template else "",
        "params": record.params,
        "pin": record.pin,
        "rows": record.rows,
        "digest": record.digest or "",
        "unordered_digest": record.unordered_digest,
        "verdict": record.verdict
        or {
            "interesting": None,
            "reason": error.message if error else "",
            "rows": record.rows,
            "interesting_rows": 0,
            "warnings": [],
        },
        "compare": record.compare,
        "chart": vega_lite(template) if template else None,
        "test": outcome,
        "elapsed_ms": record.elapsed_ms,
        "error": error.to_dict() if error else None,
    }
