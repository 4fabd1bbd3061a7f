"""A hypothesis: a claim, what it predicts, and tests whose outcome is recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, overload

from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.ids import hypothesis_id, new_id, stable_id
from workspace_ext.protocol.hypotheses import Hypothesis as HypothesisDict
from workspace_ext.protocol.hypotheses import HypothesisState
from workspace_ext.protocol.messages import Expectation
from workspace_kernel.asking import Asker, is_sql
from workspace_kernel.cards import Card
from workspace_kernel.events import Reporter
from workspace_kernel.functions import run_function
from workspace_kernel.result import Result
from workspace_kernel.values import text_of

_INTERESTING = "interesting"


class Hypothesis:
    """A claim under test; made by ``investigation.hypothesis``.

    The same text is the same hypothesis, in whatever cell, of code or of text, and however often
    it is stated. Its prediction may be written or changed later; once a test has begun, that is
    marked as late.
    """

    def __init__(self, text: str, reporter: Reporter, asker: Asker) -> None:
        self.text = text
        self.id = hypothesis_id(reporter.uid, text)
        self._reporter = reporter
        self._asker = asker

    def propose(self, prediction: str = "") -> Hypothesis:
        """Reports it, once, and a new prediction: ``h.propose("…")``; it was, when it was made."""
        found = self._recorded()
        if found is None:
            data = {"hypothesis": self.id, "text": self.text, "prediction": prediction}
            event = stable_id(self.id, "proposed")
            self._reporter.report("hypothesis.proposed", self.id, data, event_id=event)
        elif prediction:
            self.predict(prediction)
        return self

    def predict(self, prediction: str) -> Hypothesis:
        """Writes what must show if it is true: ``h.predict("the pool is full before")``.

        After a test has begun, this is marked as late.
        """
        said = text_of(prediction, "prediction")
        if not said:
            raise BadInput(
                "the prediction is empty", hint="say it in a sentence", code="empty_text"
            )
        found = self._recorded()
        if found is None or found["prediction"] != said:
            data = {"hypothesis": self.id, "prediction": said}
            self._reporter.report("hypothesis.predicted", self.id, data)
        return self

    @overload
    def test(self, question: str, /, *, expect: str = ..., **params: Any) -> Result: ...

    @overload
    def test(
        self, question: Callable[..., Any], /, *, expect: str = ..., **params: Any
    ) -> Card: ...

    def test(
        self, question: str | Callable[..., Any], /, *, expect: str = _INTERESTING, **params: Any
    ) -> Result | Card:
        """Runs a test whose outcome counts for or against the hypothesis.

        ::

            h.test("latency.shift", service="cart", expect="interesting")
            h.test("latency.shift", service="cart", expect="max(ratio) > 2 AND count(*) >= 3")
            h.test("SELECT count(*) AS n FROM logs WHERE body LIKE '%refused%'", expect="n > 100")
            h.test(function)       # returns True or False, or (True, evidence)
            h.test(function, expect="max(share) > 0.5")       # returns rows: a frame, a map

        No data is inconclusive, never support. A cell that is run again with other tests
        replaces those that it ran before; the record keeps all.

        Args:
            question: A template's id, one SELECT, or a Python function; that runs here, and is
                recorded as what the kernel reported.
            expect: What the answer is if the claim is true: "interesting" or "not interesting"
                (a template's verdict), or a condition over the answer's columns.
            params: The template's parameters, the SQL's ``$names``, or the function's arguments.

        Returns:
            The answer; ``result.answer["test"]`` says what it did to the hypothesis.
        """
        if callable(question):
            self._begin("its first test begins")
            said = "" if expect == _INTERESTING else expect
            return run_function(self.id, question, params, expect=said, reporter=self._reporter)
        text_of(question, "question")
        test: Expectation = {"hypothesis": self.id, "expect": text_of(expect, "expect")}
        if is_sql(question):
            if expect == _INTERESTING:
                raise BadInput(
                    "SQL has no rule that could find it interesting",
                    hint='say what its rows must show, as in expect="max(ratio) > 2"',
                    code="bad_expectation",
                )
            return self._asker.sql(question, params, test=test)
        return self._asker.template(question, params, test=test)

    def support(self, reason: str, *, evidence: Any = (), despite: str = "") -> Hypothesis:
        """Judges it supported: ``h.support("both pods were full", evidence=[slower])``.

        Args:
            reason: What shows it.
            evidence: The results that do.
            despite: Why it holds although a test failed or had no data; without this it is
                refused, with it the hypothesis is marked.
        """
        return self._judge("supported", reason, evidence, despite)

    def refute(self, reason: str, *, evidence: Any = ()) -> Hypothesis:
        """Judges it refuted; it stays, and is found: ``h.refute("the pool was never full")``."""
        return self._judge("refuted", reason, evidence)

    def leave_open(self, reason: str, *, evidence: Any = ()) -> Hypothesis:
        """Judges that nothing shows it either way: ``h.leave_open("no metrics of the pool")``."""
        return self._judge("inconclusive", reason, evidence)

    def contributing(self, reason: str, *, evidence: Any = (), despite: str = "") -> Hypothesis:
        """Says that it had a part: ``h.contributing("it made retries slower")``; see `support`."""
        return self._judge("contributing", reason, evidence, despite)

    def rule_out(self, reason: str, *, evidence: Any = ()) -> Hypothesis:
        """Says that it is not what caused this: ``h.rule_out("it began an hour later")``."""
        return self._judge("ruled_out", reason, evidence)

    @property
    def prediction(self) -> str:
        """What it predicts, as recorded."""
        found = self._recorded()
        return found["prediction"] if found else ""

    @property
    def state(self) -> HypothesisState:
        """How it stands now, for everybody."""
        found = self._recorded()
        return found["state"] if found else "proposed"

    def _begin(self, reason: str) -> None:
        """From proposed to testing: nothing is judged before."""
        if self.state == "proposed":
            data = {"hypothesis": self.id, "state": "testing", "evidence": []}
            self._reporter.report("hypothesis.changed", self.id, data, rationale=reason)

    def _judge(
        self, state: HypothesisState, reason: str, evidence: Any, despite: str = ""
    ) -> Hypothesis:
        said = state.replace("_", " ")
        if not text_of(reason, "reason"):
            raise BadInput(
                f"a hypothesis is not {said} without a reason",
                hint="say in a sentence what shows it",
                code="no_reason",
            )
        if state in ("supported", "refuted", "inconclusive"):
            self._begin("somebody looks at it")
        carried_by = evidence_ids(evidence)
        data = {"hypothesis": self.id, "state": state, "evidence": carried_by, "override": despite}
        # The same judgement again says nothing new, unless it takes back another one.
        for event in (stable_id(self.id, state, reason, despite, *carried_by), new_id()):
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
        if found is None:
            return Card("Hypothesis", self.text, (), "proposed")
        late = " (written after a test began)" if found["prediction_late"] else ""
        details = [f"Predicts{late}: {found['prediction']}"] if found["prediction"] else []
        counted = [test for test in found["tests"].values() if not test["replaced"]]
        details += [f"{t['outcome'].capitalize()} by {t['name']}: {t['reason']}" for t in counted]
        replaced = len(found["tests"]) - len(counted)
        details += [f"{replaced} earlier tests replaced"] if replaced else []
        details += (
            [f"Published despite its tests: {found['override']}"] if found["override"] else []
        )
        return Card("Hypothesis", self.text, tuple(details), found["state"].replace("_", " "))

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
