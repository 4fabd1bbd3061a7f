"""What changed in an investigation, for somebody who was away: one merged list. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from workspace_ext.foundation.clock import parse_rfc3339
from workspace_ext.inquiry.investigations.beliefs import person
from workspace_ext.inquiry.versions.model import Version
from workspace_ext.practice.review.lifecycle import said
from workspace_ext.protocol.messages import InvestigationState, LedgerEntry
from workspace_ext.protocol.reviews import Change

_SHORT = 200


def changes(
    entries: Iterable[LedgerEntry], state: InvestigationState, versions: Sequence[Version]
) -> list[Change]:
    """All changes in the order of time; runs and edits of a cell are one line each.

    Args:
        entries: The ledger's since then.
        state: The investigation as it stands.
        versions: Those saved since then, in any order.
    """
    runs: dict[str, list[LedgerEntry]] = {}
    told: list[Change] = []
    for entry in entries:
        data = entry.get("data") or {}
        if entry["type"] == "run.started":
            runs.setdefault(str(data.get("cell")), []).append(entry)
        elif data and entry["type"] in _TOLD and data.get("state") != "testing":
            kind, words = _TOLD[entry["type"]]
            line = _line(kind, entry["subject"], words(data, state), [person(entry)], entry["time"])
            if entry["rationale"] and kind in ("hypothesis", "review"):
                line["what"] += f": {_short(entry['rationale'])}"
            told.append(line)
    told += [_run(cell, of, state) for cell, of in runs.items()]
    return sorted([*told, *_cells(versions)], key=lambda line: parse_rfc3339(line["at"]))


def _cells(versions: Sequence[Version]) -> list[Change]:
    lines: dict[str, Change] = {}
    for version in sorted(versions, key=lambda one: one.revision):
        for cell, words in version.changes.items():
            if words == "outputs" or not cell:
                continue  # a run says more
            what = words if words in ("added", "removed") else "edited"
            before = lines.get(cell)
            by = list(dict.fromkeys([*(before["by"] if before else ()), *version.actors]))
            if before and before["what"] == "added" and what == "edited":
                what = "added"
            lines[cell] = _line("cell", cell, what, by, version.at)
    return list(lines.values())


def _run(cell: str, runs: Sequence[LedgerEntry], state: InvestigationState) -> Change:
    last = runs[-1]
    step = state["steps"].get(str((last.get("data") or {}).get("run")))
    by = list(dict.fromkeys(person(run) for run in runs))
    often = "ran once" if len(runs) == 1 else f"ran {len(runs)} times, last"
    what = f"{often}: {step['status'] if step else 'unknown'}"
    return _line("run", cell, what, by, last["time"])


def _line(kind: str, subject: str, what: str, by: list[str], at: str) -> Change:
    return {"kind": kind, "subject": subject, "what": what, "by": by, "at": at}


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


def _claim(data: Mapping[str, Any], state: InvestigationState) -> str:
    found = state["hypotheses"].get(str(data.get("hypothesis")))
    return _short(found["text"] if found else str(data.get("text", "")))


def _action(data: Mapping[str, Any], state: InvestigationState) -> str:
    found = state["actions"].get(str(data.get("action")))
    if "done" in data:
        what = "done" if data["done"] else "open again"
    else:
        what = f"now of {data.get('owner') or 'nobody'}"
    return f"{_short(found['text']) if found else ''} → {what}"


def _place(data: Mapping[str, Any], state: InvestigationState) -> str:
    if data.get("hypothesis"):
        return f"on the hypothesis “{_claim(data, state)}”"
    return f"on cell {data['cell']}"


Words = Callable[[Mapping[str, Any], InvestigationState], str]

_TOLD: dict[str, tuple[str, Words]] = {
    "investigation.opened": ("scope", lambda data, _: f"opened: {_short(data['title'])}"),
    "investigation.scoped": ("scope", lambda data, _: f"changed: {', '.join(sorted(data))}"),
    "investigation.pinned": ("pin", lambda data, _: f"moved to {data['pin']}"),
    "hypothesis.proposed": ("hypothesis", lambda data, at: f"proposed: {_claim(data, at)}"),
    "hypothesis.predicted": (
        "hypothesis",
        lambda data, at: f"{_claim(data, at)} → predicts {_short(data['prediction'])}",
    ),
    "hypothesis.tested": (
        "hypothesis",
        lambda data, at: f"{_claim(data, at)} → test {data.get('name', '')}: {data['outcome']}",
    ),
    "hypothesis.changed": (
        "hypothesis",
        lambda data, at: f"{_claim(data, at)} → {said(data['state'])}",
    ),
    "note.added": ("note", lambda data, _: _short(data["text"])),
    "finding.added": ("finding", lambda data, _: _short(data["text"])),
    "decision.made": ("decision", lambda data, _: _short(data["text"])),
    "action.added": ("action", lambda data, _: _short(data["text"])),
    "action.changed": ("action", _action),
    "conclusion.reached": (
        "conclusion",
        lambda data, _: f"{_short(data['root_cause'])} ({data['confidence_percent']} %)",
    ),
    "outcome.recorded": (
        "conclusion",
        lambda data, _: "turned out to be right" if data["correct"] else "turned out to be wrong",
    ),
    "comment.added": ("comment", lambda data, at: f"{_place(data, at)}: {_short(data['text'])}"),
    "comment.settled": (
        "comment",
        lambda data, _: "thread resolved" if data["resolved"] else "thread opened again",
    ),
    "review.changed": ("review", lambda data, _: f"{data['action']} (version {data['revision']})"),
    "archive.created": ("archive", lambda data, _: f"archived as {data['digest'][:19]}"),
    "archive.replayed": ("archive", lambda data, _: f"replayed: {data['verdict']}"),
}
