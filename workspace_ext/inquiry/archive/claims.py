"""What a replay says about what was claimed: hypotheses and the conclusion. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from workspace_ext.inquiry.archive.model import (
    CellReplay,
    ConclusionReplay,
    Evidence,
    HypothesisReplay,
    QueryReplay,
)
from workspace_ext.inquiry.archive.verdicts import Captured, last_steps, same_question, title_of
from workspace_ext.inquiry.investigations.model import QueryRecord, path_to
from workspace_ext.protocol.hypotheses import Hypothesis
from workspace_ext.protocol.messages import InvestigationState

_NO_ANSWER = ("data missing", "error")


class Claims:
    """Says of hypotheses and conclusion whether they still hold, by the replayed cells.

    Args:
        then: What was captured.
        now: The state of the replay.
        cells: The cells, judged.
    """

    def __init__(
        self, then: Captured, now: InvestigationState, cells: Sequence[CellReplay]
    ) -> None:
        self._then = then
        self._now = now
        self._cells = {cell.uid: cell for cell in cells}
        self._replays = {query.query: (cell, query) for cell in cells for query in cell.queries}

    def warnings(self) -> tuple[str, ...]:
        """What the captured answers warned of, each once: a replay sees parts of the data only."""
        verdicts = [record.verdict for record in self._then.queries.values() if record.verdict]
        return tuple(dict.fromkeys(said for one in verdicts for said in one["warnings"]))

    def hypotheses(self) -> tuple[HypothesisReplay, ...]:
        """Whether each hypothesis still stands as it stood; those that do not come first."""
        return tuple(sorted(self._hypotheses(), key=lambda found: found.holds is not False))

    def _hypotheses(self) -> Iterator[HypothesisReplay]:
        for uid, hypothesis in self._then.state["hypotheses"].items():
            again = self._now["hypotheses"].get(uid)
            after = again["state"] if again else None
            evidence = self._evidence(hypothesis["evidence"])
            holds, why = self._holds(hypothesis, again, evidence)
            yield HypothesisReplay(
                uid,
                hypothesis["text"],
                hypothesis["state"],
                after,
                holds,
                why,
                evidence,
                hypothesis["prediction"],
                tuple(_marks(hypothesis)),
            )

    def conclusion(self) -> ConclusionReplay | None:
        """The conclusion with its evidence, and that of its hypothesis."""
        found = self._then.state["conclusion"]
        if found is None:
            return None
        carrier = self._then.state["hypotheses"].get(found["hypothesis"] or "")
        carried = [*found["evidence"], *(carrier["evidence"] if carrier else ())]
        return ConclusionReplay(
            found["root_cause"], found["confidence_percent"], found["by"], self._evidence(carried)
        )

    def left_out(self) -> tuple[str, ...]:
        """How many captured queries the notebook does not ask any more, and why."""
        last = last_steps(self._then.state)
        runs = {step["id"]: cell for cell, step in last.items()}
        counts = {"outside of its cells": 0, "in cells that are gone": 0}
        counts["in earlier runs of its cells"] = 0
        for record in self._then.queries.values():
            if record.run is None or record.run not in self._then.state["steps"]:
                counts["outside of its cells"] += 1
            elif self._then.state["steps"][record.run]["cell"] not in self._cells:
                counts["in cells that are gone"] += 1
            elif record.run not in runs:
                counts["in earlier runs of its cells"] += 1
        return tuple(f"{count} asked {where}" for where, count in counts.items() if count)

    def _holds(
        self, hypothesis: Hypothesis, again: Hypothesis | None, evidence: Sequence[Evidence]
    ) -> tuple[bool | None, str]:
        replays = [query for _, query in self._replays.values()]
        tests = [
            (query.title, query.then, query.now)
            for query in replays
            if query.hypothesis == hypothesis["id"]
        ]
        functions = list(_functions(hypothesis, again))
        tests += functions
        other = [test for test in tests if test[2] not in (None, test[1])]
        if other:
            told = [f"{name} {then} it then, {now} now" for name, then, now in other]
            return False, "; ".join(told).replace("inconclusive it", "was inconclusive")
        unanswered = [each for each in evidence if each.cell is None or each.verdict in _NO_ANSWER]
        if unanswered:
            what = _counted(len(unanswered), "query", "queries")
            return None, f"{what} of its evidence could not be replayed"
        hidden = [test for test in tests if test[2] is None]
        if hidden:
            why = "not run again" if hidden[0] in functions else "not compared (redacted)"
            return None, f"{_counted(len(hidden), 'test', 'tests')} {why}"
        if tests:
            how = "came out as then" if len(tests) == 1 else "all came out as then"
            return True, f"{_counted(len(tests), 'test', 'tests')} {how}"
        after = again["state"] if again else None
        return _judged_by_hand(hypothesis["state"], after, evidence)

    def _evidence(self, queries: Iterable[str]) -> tuple[Evidence, ...]:
        return tuple(
            replace(self._found(query), path=self._path(query)) for query in dict.fromkeys(queries)
        )

    def _path(self, query: str) -> tuple[str, ...]:
        return tuple(map(title_of, path_to(self._then.queries, query)))

    def _found(self, query: str) -> Evidence:
        record = self._then.queries.get(query)
        if record is None and query in self._cells:
            ran = self._cells[query]
            return Evidence(query, "a cell", ran.summary, ran.position, ran.verdict, ran.reason)
        if record is None:
            return Evidence(query, "a query", "", None, "skipped", "is not in the record")
        title, said = title_of(record), record.verdict["reason"] if record.verdict else ""
        replayed = self._replays.get(query) or self._repeated(record)
        if replayed is not None:
            at, found = replayed
            reason = found.comparison.reason
            return Evidence(query, title, said, at.position, found.verdict, reason)
        cell = self._cells.get(record.cell or "")
        if cell is None:
            return Evidence(query, title, said, None, "skipped", "no cell of the notebook asks it")
        if cell.verdict == "data missing":
            return Evidence(query, title, said, cell.position, "data missing", cell.reason)
        return Evidence(query, title, said, None, "skipped", "its cell asks something else now")

    def _repeated(self, record: QueryRecord) -> tuple[CellReplay, QueryReplay] | None:
        """An earlier run's query, as the last run of its cell repeated it."""
        cell = self._cells.get(record.cell or "")
        asks = same_question(record)
        for again in cell.queries if cell else ():
            if cell and same_question(self._then.queries[again.query]) == asks:
                return cell, again
        return None


def _functions(
    then: Hypothesis, now: Hypothesis | None
) -> Iterator[tuple[str, str | None, str | None]]:
    """The tests that are code in a kernel: name, outcome then, outcome now."""
    again = now["tests"] if now else {}
    for key, test in then["tests"].items():
        if test["judge"] == "kernel" and not test["replaced"]:
            repeated = again.get(key)
            yield test["name"], test["outcome"], repeated["outcome"] if repeated else None


def _marks(hypothesis: Hypothesis) -> Iterator[str]:
    if hypothesis["prediction_late"]:
        yield "its prediction was written after a test had begun"
    if hypothesis["override"]:
        yield f"published despite its tests: {hypothesis['override']}"
    if hypothesis["superseded_by"]:
        yield "its words were changed since"


def _judged_by_hand(
    before: str, after: str | None, evidence: Sequence[Evidence]
) -> tuple[bool | None, str]:
    if any(each.verdict != "same" for each in evidence):
        return None, "judged by hand, on evidence that is not the same now"
    if after is None:
        return None, "was not stated again"
    if after != before:
        return False, f"{before.replace('_', ' ')} then, {after.replace('_', ' ')} now"
    return True, "judged by hand, on the same evidence" if evidence else "no test of it"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
