"""The state of an investigation: a pure fold over the entries of its ledger stream.

A state is never changed; `apply` gives a new one that shares what did not change. That makes a
delta cheap: what is not the same object is what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, compress, repeat
from operator import is_not
from typing import Any, cast

from workspace_ext.inquiry.investigations.beliefs import CHANGES, Change, Data, Handler, person
from workspace_ext.inquiry.investigations.scope import scoped
from workspace_ext.inquiry.investigations.teamwork import TEAMWORK
from workspace_ext.protocol.messages import InvestigationState, LedgerEntry, Step

MAPS = ("hypotheses", "steps", "queries", "notes", "actions", "participants")
"""The parts of a state that are keyed by id; a delta carries only their changed entries."""

BESIDE = frozenset({"notebook.saved", "archive.created", "kernel.described"})
"""Entries that tell of the record itself, and leave the state as it is: the head that a saved
notebook carries would otherwise change by saving it."""


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
    who, known = person(entry), state["participants"]
    if who.startswith("user:") and who not in known and "participants" not in change:
        change["participants"] = {**known, who: "participant" if known else "owner"}
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
            if news := _news(old[name], value):
                changed[name] = news
        elif value != old[name]:
            changed[name] = value
    return changed


def _news(old: Data, new: Data) -> dict[str, Any]:
    """The new and changed entries of a map, which only grows: each key keeps its place."""
    changed = map(is_not, new.values(), chain(old.values(), repeat(None)))
    return {key: new[key] for key in compress(new, changed)}


def merge(before: InvestigationState | None, change: Mapping[str, Any]) -> InvestigationState:
    """The state that `delta` described, as every follower computes it."""
    if before is None:
        return cast(InvestigationState, dict(change))
    merged = cast(dict[str, Any], dict(before))
    for name, value in change.items():
        merged[name] = {**merged[name], **value} if name in MAPS else value
    return cast(InvestigationState, merged)


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
        "pinned": None,
        "notebook": str(data.get("notebook") or ""),
        "opened_at": entry["time"],
        "seq": 0,
        "head": "",
        "hypotheses": {},
        "steps": {},
        "queries": {},
        "notes": {},
        "actions": {},
        "agenda": None,
        "conclusion": None,
        "participants": {},
        "replay": None,
    }


def _scoped(_state: InvestigationState, _entry: LedgerEntry, data: Data) -> Change:
    known = ("title", "severity", "window", "baseline", "services", "notebook")
    return {name: data[name] for name in known if name in data}


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
        "duration_ms": None,
        "source_digest": str(data["source_digest"]),
        "outputs_digest": None,
        # A query may be recorded before the run that asks it: they come from two processes.
        "queries": [key for key, query in state["queries"].items() if query["run"] == run],
        "files": [],
    }
    return {"steps": {**state["steps"], run: step}}


def _run_finished(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    step = state["steps"].get(str(data["run"]))
    if step is None or step["status"] != "running":
        return {}
    told = {name: data.get(name) for name in ("error", "duration_ms", "outputs_digest")}
    unseen = data["status"] == "unknown" and told["duration_ms"] is None
    at = None if unseen else entry["time"]
    ended = {**step, **told, "ended": at, "status": data["status"]}
    return {"steps": {**state["steps"], step["id"]: ended}}


def _query(state: InvestigationState, _entry: LedgerEntry, data: Data) -> Change:
    query = str(data["id"])
    told = {name: value for name, value in data.items() if name != "record"}
    told["scoped"] = scoped(state, data.get("params") or {})
    change: Change = {"queries": {**state["queries"], query: {"outcome": None, **told}}}
    step = state["steps"].get(str(data.get("run")))
    if step is not None and query not in step["queries"]:
        longer = {**step, "queries": [*step["queries"], query]}
        change["steps"] = {**state["steps"], step["id"]: longer}
    return change


def _file_read(state: InvestigationState, _entry: LedgerEntry, data: Data) -> Change:
    step = state["steps"].get(str(data.get("run")))
    file = {name: data[name] for name in ("name", "size", "digest")}
    if step is None or file in step["files"]:
        return {}
    read = {**step, "files": [*step["files"], file]}
    return {"steps": {**state["steps"], step["id"]: read}}


def _replayed(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    """Each run that the archive holds has its verdict; a later run has none."""
    runs = {run: verdict for run, verdict in data["runs"].items() if run in state["steps"]}
    steps = {run: {**state["steps"][run], "replay": verdict} for run, verdict in runs.items()}
    told = {"verdict": str(data["verdict"]), "at": entry["time"], "by": person(entry)}
    return {"steps": {**state["steps"], **steps}, "replay": told}


def _role_taken(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    return {"participants": {**state["participants"], person(entry): str(data["role"])}}


_CHANGES: dict[str, Handler] = {
    "investigation.scoped": _scoped,
    "role.taken": _role_taken,
    "run.started": _run_started,
    "run.finished": _run_finished,
    "file.read": _file_read,
    "archive.replayed": _replayed,
    "query.answered": _query,
    "query.failed": _query,
    **CHANGES,
    **TEAMWORK,
}
