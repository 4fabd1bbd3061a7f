"""A hypothesis: a claim, what it predicts, and tests whose outcome is recorded."""

from __future__ import annotations

from typing import Any, Literal

from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.ids import new_id
from workspace_ext.protocol.messages import Expectation, HypothesisState
from workspace_ext.protocol.messages import Hypothesis as HypothesisDict
from workspace_kernel.asking import Asker, is_sql
from workspace_kernel.cards import Card
from workspace_kernel.events import Reporter
from workspace_kernel.ids import stable_id
from workspace_kernel.result import Result

EXPECTATIONS: tuple[Literal["interesting", "not interesting"], ...] = (
    "interesting",
    "not interesting",
)


class Hypothesis:
    """A claim under test; made by ``investigation.hypothesis``.

    The same text with the same prediction is the same hypothesis, in whatever cell and however
    often it is stated. Another prediction makes another hypothesis: a prediction that could be
    changed after the test would predict nothing.
    """

    def __init__(self, text: str, prediction: str, reporter: Reporter, asker: Asker) -> None:
        self.text = text
        self.prediction = prediction
        self.id = stable_id(reporter.uid, "hypothesis", text, prediction)
        self._reporter = reporter
        self._asker = asker

    def propose(self) -> Hypothesis:
        """Reports it, once."""
        data = {"hypothesis": self.id, "text": self.text, "prediction": self.prediction}
        event = stable_id(self.id, "proposed")
        self._reporter.report("hypothesis.proposed", self.id, data, event_id=event)
        return self

    def test(self, question: str, /, *, expect: str = "interesting", **params: Any) -> Result:
        """Runs a template whose verdict counts for or against the hypothesis.

        SQL may be given too; it has no verdict, so that it is kept as evidence and you judge by
        `support` or `refute`.

        Args:
            question: A template's id, or one SELECT.
            expect: "interesting" or "not interesting": what the answer is if the claim is true.
            params: The template's parameters, or the SQL's ``$names``.

        Returns:
            The answer; ``result.answer["test"]`` says what it did to the hypothesis.
        """
        expected = next((known for known in EXPECTATIONS if known == expect), None)
        if expected is None:
            raise BadInput(
                f"expect={expect!r} is no expectation",
                hint='write expect="interesting" or expect="not interesting"',
                code="bad_expectation",
            )
        test: Expectation = {"hypothesis": self.id, "expect": expected}
        if is_sql(question):
            return self._asker.sql(question, params, test=test)
        return self._asker.template(question, params, test=test)

    def support(self, reason: str, *, evidence: Any = ()) -> Hypothesis:
        """Judges it supported, for a reason."""
        return self._judge("supported", reason, evidence)

    def refute(self, reason: str, *, evidence: Any = ()) -> Hypothesis:
        """Judges it refuted, for a reason; it stays in the record, and can be found."""
        return self._judge("refuted", reason, evidence)

    @property
    def state(self) -> HypothesisState:
        """How it stands now, for everybody."""
        found = self._recorded()
        return found["state"] if found else "proposed"

    def _judge(self, state: HypothesisState, reason: str, evidence: Any) -> Hypothesis:
        if not reason.strip():
            raise BadInput(
                f"a hypothesis is not {state} without a reason",
                hint="say in a sentence what shows it",
                code="no_reason",
            )
        carried_by = evidence_ids(evidence)
        data = {"hypothesis": self.id, "state": state, "evidence": carried_by}
        # The same judgement again says nothing new, unless it takes back another one.
        for event in (stable_id(self.id, state, reason, *carried_by), new_id()):
            self._reporter.report(
                "hypothesis.changed", self.id, data, rationale=reason, event_id=event
            )
            if self.state == state:
                break
        return self

    def _recorded(self) -> HypothesisDict | None:
        return self._reporter.state()["hypotheses"].get(self.id)

    def _card(self) -> Card:
        found = self._recorded()
        tests = len(found["evidence"]) if found else 0
        details = [f"Predicts: {self.prediction}"] if self.prediction else []
        details += [f"Evidence: {tests} test{'s' if tests != 1 else ''}"] if tests else []
        state = found["state"].replace("_", " ") if found else "proposed"
        return Card("Hypothesis", self.text, tuple(details), state)

    def __repr__(self) -> str:
        return repr(self._card())

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        card = self._card()
        return {"text/plain": repr(card), "text/html": card._repr_html_()}


def evidence_ids(evidence: Any) -> list[str]:
    """Query ids from results, ids, or a list of them.

    Raises:
        BadInput: Something in it is neither.
    """
    given = evidence if isinstance(evidence, (list, tuple, set)) else [evidence]
    ids = []
    for item in given:
        if isinstance(item, Result):
            ids.append(item.run_id)
        elif isinstance(item, str) and item:
            ids.append(item)
        else:
            raise BadInput(
                f"a {type(item).__name__} is no evidence",
                hint="give results of investigation.run, .sql or .test, in a list",
                code="bad_evidence",
            )
    return list(dict.fromkeys(ids))
