"""The state of an investigation: a pure fold over the entries of its ledger stream.

A state is never changed; `apply` gives a new one that shares what did not change. That makes a
delta cheap: what is not the same object is what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from workspace_ext.protocol.messages import Hypothesis, InvestigationState, LedgerEntry, Step

MAPS = ("hypotheses", "steps", "queries", "notes", "participants")
"""The parts of a state that are keyed by id; a delta carries only their changed entries."""

BESIDE = frozenset({"notebook.saved", "archive.created"})
"""Entries that tell of the record itself, and leave the state as it is: the head that a saved
notebook carries would otherwise change by saving it."""

Data = Mapping[str, Any]
Change = dict[str, Any]


def fold(
    entries: Iterable[LedgerEntry], state: InvestigationState | None = None
) -> InvestigationState | None:
    """The state after some entries; None as long as nothing was opened."""
    for entry in entries:
        state = apply(state, entry)
    return state


def apply(state: InvestigationState | None, entry: LedgerEntry) -> InvestigationState | None:
    """The state after one more entry. Entries of an unknown type move only ``seq`` and ``head``."""
    if entry["type"] in BESIDE:
        return state
    data = entry.get("data")
    change: Change = {}
    if state is None:
        if entry["type"] != "investigation.opened" or data is None:
            return None
        state = _opened(entry, data)
    elif data is not None and entry["type"] in _CHANGES:
        change = _CHANGES[entry["type"]](state, entry, data)
    who = person(entry)
    if who.startswith("user:") and who not in state["participants"]:
        role = "participant" if state["participants"] else "owner"
        change["participants"] = {**state["participants"], who: role}
    return cast(InvestigationState, {**state, **change, "seq": entry["seq"], "head": entry["hash"]})


def delta(before: InvestigationState | None, after: InvestigationState) -> dict[str, Any]:
    """What changed, in the shape of a state: always ``uid``, ``seq`` and ``head``, else the rest.

    Maps hold only their new and changed entries, each whole; other values replace.
    """
    if before is None:
        return dict(after)
    changed: dict[str, Any] = {"uid": after["uid"], "seq": after["seq"], "head": after["head"]}
    old, new = cast(dict[str, Any], before), cast(dict[str, Any], after)
    for name, value in new.items():
        if value is old[name]:
            continue
        if name in MAPS:
            value = {key: item for key, item in value.items() if old[name].get(key) is not item}  # noqa: PLW2901
            if value:
                changed[name] = value
        elif value != old[name]:
            changed[name] = value
    return changed


def merge(before: InvestigationState | None, change: Mapping[str, Any]) -> InvestigationState:
    """The state that `delta` described, as every follower computes it."""
    if before is None:
        return cast(InvestigationState, dict(change))
    merged = cast(dict[str, Any], dict(before))
    for name, value in change.items():
        merged[name] = {**merged[name], **value} if name in MAPS else value
    return cast(InvestigationState, merged)


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


def _opened(entry: LedgerEntry, data: Data) -> InvestigationState:
    return {
        "uid": str(data["uid"]),
        "title": str(data["title"]),
        "severity": str(data.get("severity") or ""),
        "state": "open",
        "window": data.get("window"),
        "baseline": data.get("baseline"),
        "services": list(data.get("services") or ()),
        "pin": int(data["pin"]),
        "notebook": str(data.get("notebook") or ""),
        "opened_at": entry["time"],
        "seq": 0,
        "head": "",
        "hypotheses": {},
        "steps": {},
        "queries": {},
        "notes": {},
        "conclusion": None,
        "participants": {},
    }


def _scoped(_state: InvestigationState, _entry: LedgerEntry, data: Data) -> Change:
    known = ("title", "severity", "window", "baseline", "services", "notebook")
    return {name: data[name] for name in known if name in data}


def _pinned(_state: InvestigationState, _entry: LedgerEntry, data: Data) -> Change:
    return {"pin": int(data["pin"])}


def _run_started(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    run = str(data["run"])
    if run in state["steps"]:
        return {}
    step: Step = {
        "id": run,
        "seq": entry["seq"],
        "cell": str(data["cell"]),
        "kernel": data.get("kernel"),
        "by": person(entry),
        "started": entry["time"],
        "ended": None,
        "status": "running",
        "error": None,
        "source_digest": str(data["source_digest"]),
        # A query may be recorded before the run that asks it: they come from two processes.
        "queries": [key for key, query in state["queries"].items() if query["run"] == run],
    }
    return {"steps": {**state["steps"], run: step}}


def _run_finished(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    step = state["steps"].get(str(data["run"]))
    if step is None or step["status"] != "running":
        return {}
    ended = {**step, "ended": entry["time"], "status": data["status"], "error": data.get("error")}
    return {"steps": {**state["steps"], step["id"]: ended}}


def _query(state: InvestigationState, _entry: LedgerEntry, data: Data) -> Change:
    query = str(data["id"])
    told = {name: value for name, value in data.items() if name != "record"}
    change: Change = {"queries": {**state["queries"], query: told}}
    step = state["steps"].get(str(data.get("run")))
    if step is not None and query not in step["queries"]:
        longer = {**step, "queries": [*step["queries"], query]}
        change["steps"] = {**state["steps"], step["id"]: longer}
    return change


def _proposed(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    key = str(data["hypothesis"])
    proposed: Hypothesis = {
        "id": key,
        "text": str(data["text"]),
        "prediction": str(data.get("prediction") or ""),
        "state": "proposed",
        "by": person(entry),
        "at": entry["time"],
        "evidence": [],
        "cell": cell_of(state, data),
    }
    return {"hypotheses": {**state["hypotheses"], key: proposed}}


def _tested(state: InvestigationState, _entry: LedgerEntry, data: Data) -> Change:
    found = state["hypotheses"].get(str(data["hypothesis"]))
    if found is None:
        return {}
    outcome, now = data["outcome"], found["state"]
    if outcome == "inconclusive" and now in ("supported", "refuted", "root_cause"):
        outcome = now  # a test without an answer takes nothing back
    elif outcome == "supported" and now == "root_cause":
        outcome = now
    return _judge(state, found["id"], outcome, [str(data["query"])])


def _changed(state: InvestigationState, _entry: LedgerEntry, data: Data) -> Change:
    if str(data["hypothesis"]) not in state["hypotheses"]:
        return {}
    return _judge(state, str(data["hypothesis"]), data["state"], data.get("evidence") or [])


def _judge(state: InvestigationState, key: str, verdict: str, evidence: Iterable[str]) -> Change:
    found = state["hypotheses"][key]
    more = [query for query in dict.fromkeys(evidence) if query not in found["evidence"]]
    judged = {**found, "state": verdict, "evidence": [*found["evidence"], *more]}
    return {"hypotheses": {**state["hypotheses"], key: judged}}


def _noted(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    note = {
        "id": entry["id"],
        "kind": "decision" if entry["type"] == "decision.made" else "note",
        "text": str(data["text"]),
        "because": str(data.get("because") or ""),
        "by": person(entry),
        "at": entry["time"],
        "cell": cell_of(state, data),
    }
    return {"notes": {**state["notes"], entry["id"]: note}}


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
        },
    }
    hypotheses = dict(state["hypotheses"])
    before = state["conclusion"]["hypothesis"] if state["conclusion"] else None
    if before in hypotheses and before != key and hypotheses[before]["state"] == "root_cause":
        hypotheses[before] = {**hypotheses[before], "state": "supported"}
    if key in hypotheses:
        hypotheses[key] = {**hypotheses[key], "state": "root_cause"}
    if hypotheses != state["hypotheses"]:
        change["hypotheses"] = hypotheses
    return change


_CHANGES: dict[str, Callable[[InvestigationState, LedgerEntry, Data], Change]] = {
    "investigation.scoped": _scoped,
    "investigation.pinned": _pinned,
    "run.started": _run_started,
    "run.finished": _run_finished,
    "query.answered": _query,
    "query.failed": _query,
    "hypothesis.proposed": _proposed,
    "hypothesis.tested": _tested,
    "hypothesis.changed": _changed,
    "note.added": _noted,
    "decision.made": _noted,
    "conclusion.reached": _concluded,
}
