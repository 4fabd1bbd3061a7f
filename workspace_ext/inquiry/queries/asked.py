"""An answer on its way, from its first rows to its record."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.queries.asking import Asking
from workspace_ext.inquiry.queries.expectation import VERDICTS, Condition
from workspace_ext.inquiry.queries.recording import QueryRecorder
from workspace_ext.inquiry.queries.tally import Tallied, Tally
from workspace_ext.inquiry.templates.judge import Judge
from workspace_ext.protocol.messages import Answer, TestOutcome
from workspace_ext.telemetry.query.model import RunningQuery
from workspace_ext.telemetry.query.watch import Cancelled

if TYPE_CHECKING:
    import pyarrow as pa


class Asked:
    """An answer on its way. Iterate it once, to the end, then take `answer`; or close it.

    An error after the first rows does not raise: it is recorded, ends the rows, and stands in
    the answer.

    Args:
        recorder: Records how it ends.
        asking: The question.
        running: The query, which has its first rows.
        warnings: What to say with the answer; asked when the rows are through.
        saw_data: Whether there was anything where the query looked, asked likewise: a count over
            nothing is a row, too, and says nothing about the system.
    """

    def __init__(
        self,
        recorder: QueryRecorder,
        asking: Asking,
        running: RunningQuery,
        *,
        warnings: Callable[[], list[str]],
        saw_data: Callable[[], bool],
    ) -> None:
        self.schema: pa.Schema = running.schema
        self.query_id = asking.id
        self.lane = running.lane
        self._recorder = recorder
        self._asking = asking
        self._running = running
        self._warnings = warnings
        self._saw_data = saw_data
        question = asking.question
        assert question is not None
        template = question.template
        judge = Judge(template, question.arguments) if template is not None else None
        test = asking.request.get("test")
        expect = test["expect"] if test else VERDICTS[0]
        self._condition = None if expect in VERDICTS else Condition(expect)
        self._tally = Tally(running.schema, judge, running.compare)
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
                    if self._condition is not None:
                        self._condition.feed(batch)
            tallied = self._tally.finish(self._warnings)
            judged = self._judged(tallied)
            self._answer = self._recorder.answered(self._asking, self._running, tallied, judged)
        except InvestigationError as error:
            self._answer = self._recorder.failed(self._asking, error)
        finally:
            self.close()

    def close(self) -> None:
        """Ends the query if it still runs; that is recorded as a failure."""
        self._running.close()
        self._tally.close()
        if self._answer is None:
            self._answer = self._recorder.failed(self._asking, Cancelled())

    def _judged(self, tallied: Tallied) -> TestOutcome | None:
        """What a condition says of the hypothesis; None when the verdict decides, or nothing."""
        test = self._asking.request.get("test")
        if self._condition is None or not test:
            return None
        outcome, reason = self._condition.outcome()
        question, verdict = self._asking.question, tallied.verdict
        if question and question.template is not None and verdict["interesting"] is None:
            outcome, reason = "inconclusive", verdict["reason"]  # its rule had nothing to go by
        elif outcome != "inconclusive" and not self._saw_data():
            outcome, reason = "inconclusive", "no data: nothing is there where it looked"
        return {
            "hypothesis": test["hypothesis"],
            "expect": test["expect"],
            "outcome": outcome,
            "reason": reason,
        }
