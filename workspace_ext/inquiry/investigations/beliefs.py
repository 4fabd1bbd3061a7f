"""What events make of hypotheses, notes and the conclusion: a part of the fold. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from workspace_ext.inquiry.investigations.lifecycle import after_tests, verdict
from workspace_ext.protocol.hypotheses import Hypothesis, HypothesisTest, Note
from workspace_ext.protocol.messages import InvestigationState, LedgerEntry

Data = Mapping[str, Any]
Change = dict[str, Any]
Handler = Callable[[InvestigationState, LedgerEntry, Data], Change]


def person(entry: LedgerEntry) -> str:
    """Who did it: the person, when a program did it for one."""
    actor, behind = entry["actor"], entry["on_behalf_of"]
    return behind if behind is not None and not actor.startswith("user:") else actor


def cell_of(state: InvestigationState, data: Data) -> str | None:
    """The cell an event belongs to: that of its run as the server told it, or as it says."""
    step = state["steps"].get(str(data.get("run")))
    if step is not None:
        return step["cell"]
    return str(data["cell"]) if data.get("cell") else None


def begun(hypothesis: Hypothesis) -> bool:
    """Whether a test of it has begun: what is predicted from then on is predicted late."""
    return hypothesis["state"] != "proposed"


def _proposed(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    key, prediction = str(data["hypothesis"]), str(data.get("prediction") or "")
    hypotheses = state["hypotheses"]
    old = hypotheses.get(str(data.get("supersedes")))
    known = hypotheses.get(key)
    if known is not None:  # said again, in the place of what had replaced it
        stated: Hypothesis = {**known, "superseded_by": None}
        if prediction:
            stated = _with_prediction(stated, prediction)
    else:
        late = bool(prediction and old and begun(old)) and (
            old is None or old["prediction_late"] or old["prediction"] != prediction
        )
        stated = {
            "id": key,
            "text": str(data["text"]),
            "prediction": prediction,
            "prediction_late": late,
            "state": "proposed",
            "why": "",
            "override": "",
            "by": person(entry),
            "at": entry["time"],
            "evidence": [],
            "tests": {},
            "judged": None,
            "cell": cell_of(state, data),
            "superseded_by": None,
        }
    changed = {**hypotheses, key: stated}
    if old is not None and old["id"] != key:
        changed[old["id"]] = {**old, "superseded_by": key}
    return {"hypotheses": changed}


def _predicted(state: InvestigationState, _entry: LedgerEntry, data: Data) -> Change:
    found = state["hypotheses"].get(str(data["hypothesis"]))
    if found is None:
        return {}
    return _put(state, _with_prediction(found, str(data["prediction"])))


def _with_prediction(found: Hypothesis, prediction: str) -> Hypothesis:
    if found["prediction"] == prediction:
        return found
    late = found["prediction_late"] or begun(found)
    return {**found, "prediction": prediction, "prediction_late": late}


def _tested(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    found = state["hypotheses"].get(str(data["hypothesis"]))
    if found is None:
        return {}
    query, cell, run = data.get("query"), cell_of(state, data), data.get("run")
    key = str(data.get("test") or query)
    test: HypothesisTest = {
        "id": key,
        "name": str(data.get("name") or "a test"),
        "expect": str(data.get("expect") or ""),
        "outcome": data["outcome"],
        "reason": str(data.get("reason") or ""),
        "judge": data.get("judge") or "broker",
        "query": query,
        "run": run,
        "cell": cell,
        "at": entry["time"],
        "elapsed_ms": int(data.get("elapsed_ms") or 0),
        "source_digest": data.get("source_digest"),
        "result_digest": data.get("result_digest"),
        "replaced": False,
    }
    tests: dict[str, HypothesisTest] = {}
    for name, other in found["tests"].items():
        again = cell is not None and other["cell"] == cell and other["run"] != run
        tests[name] = {**other, "replaced": True} if again else other
    tests.pop(key, None)
    tests[key] = test
    outcome, why = verdict(tests)
    evidence = [str(each) for each in (query, *(data.get("evidence") or ())) if each]
    now = after_tests(found["state"], outcome)
    return _judge(state, entry, {**found, "tests": tests}, now, evidence, why)


def _changed(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    found = state["hypotheses"].get(str(data["hypothesis"]))
    if found is None:
        return {}
    override = str(data.get("override") or "")
    evidence = data.get("evidence") or []
    why = entry["rationale"] or found["why"]
    found = {**found, "override": override}
    return _judge(state, entry, found, data["state"], evidence, why)


def _judge(
    state: InvestigationState,
    entry: LedgerEntry,
    found: Hypothesis,
    verdict: str,
    evidence: Iterable[str],
    why: str,
) -> Change:
    more = [each for each in dict.fromkeys(evidence) if each not in found["evidence"]]
    judged: Hypothesis = {**found, "why": why, "evidence": [*found["evidence"], *more]}
    return _put(state, _brought(judged, verdict, entry))


def _brought(found: Hypothesis, to: str, entry: LedgerEntry) -> Hypothesis:
    """It in a state; who brought it there first stays who did."""
    if found["state"] == to:
        return found
    judged = {"by": person(entry), "at": entry["time"]}
    return cast(Hypothesis, {**found, "state": to, "judged": judged})


def _put(state: InvestigationState, hypothesis: Hypothesis) -> Change:
    return {"hypotheses": {**state["hypotheses"], hypothesis["id"]: hypothesis}}


_KINDS = {"decision.made": "decision", "finding.added": "finding", "note.added": "note"}


def _noted(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    note = cast(
        Note,
        {
            "id": entry["id"],
            "kind": _KINDS[entry["type"]],
            "text": str(data["text"]),
            "because": str(data.get("because") or ""),
            "by": person(entry),
            "at": entry["time"],
            "cell": cell_of(state, data),
            "superseded_by": None,
        },
    )
    notes = {**state["notes"], entry["id"]: note}
    old = state["notes"].get(str(data.get("supersedes")))
    if old is not None:
        notes[old["id"]] = {**old, "superseded_by": entry["id"]}
    return {"notes": notes}


def _concluded(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    key = data.get("hypothesis")
    change: Change = {
        "state": "concluded",
        "conclusion": {
            "root_cause": str(data["root_cause"]),
            "confidence_percent": int(data["confidence_percent"]),
            "evidence": list(data.get("evidence") or ()),
            "hypothesis": key,
            "by": person(entry),
            "at": entry["time"],
            "cell": cell_of(state, data),
            "outcome": None,
        },
    }
    hypotheses = dict(state["hypotheses"])
    before = state["conclusion"]["hypothesis"] if state["conclusion"] else None
    if before in hypotheses and before != key and hypotheses[before]["state"] == "root_cause":
        hypotheses[before] = _brought(hypotheses[before], "supported", entry)
    if key in hypotheses:
        override = str(data.get("override") or hypotheses[key]["override"])
        published: Hypothesis = {**hypotheses[key], "override": override}
        hypotheses[key] = _brought(published, "root_cause", entry)
    if hypotheses != state["hypotheses"]:
        change["hypotheses"] = hypotheses
    return change


def _turned_out(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    if state["conclusion"] is None:
        return {}
    outcome = {
        "correct": bool(data["correct"]),
        "because": entry["rationale"],
        "by": person(entry),
        "at": entry["time"],
    }
    return {"conclusion": {**state["conclusion"], "outcome": outcome}}


CHANGES: dict[str, Handler] = {
    "hypothesis.proposed": _proposed,
    "hypothesis.predicted": _predicted,
    "hypothesis.tested": _tested,
    "hypothesis.changed": _changed,
    "note.added": _noted,
    "finding.added": _noted,
    "decision.made": _noted,
    "conclusion.reached": _concluded,
    "outcome.recorded": _turned_out,
}
"""What each type of event makes of the state."""
