"""How a review stands: a pure fold over the entries of an investigation's ledger stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from workspace_ext.inquiry.investigations.beliefs import person
from workspace_ext.practice.review.lifecycle import ALLOWED, LEADS_TO, said
from workspace_ext.protocol.messages import LedgerEntry
from workspace_ext.protocol.reviews import Lapse, Review, ReviewState, ReviewStep, Thread

NEUTRAL = frozenset(
    {
        "review.changed",
        "comment.added",
        "comment.settled",
        "role.taken",
        "archive.created",
        "archive.replayed",
        "kernel.described",
        "outcome.recorded",
        "action.changed",
        "agenda.changed",
    }
)
"""Entries that say something about an investigation and change nothing in it: whoever made them
is no author by that, and an approval holds on."""

_WHAT = {
    "run.started": "cell {cell} was run",
    "run.finished": "a run ended",
    "notebook.saved": "version {revision} was saved",
    "investigation.pinned": "the pin was moved to {pin}",
    "investigation.scoped": "the scope was changed",
}


@dataclass(frozen=True)
class Folded:
    """What the entries up to ``seq`` make of a review.

    Attributes:
        seq: The last entry's number, ``head`` its hash.
        revision: Of the newest version, ``digest`` its content's.
        authors: Everybody who ran, edited or reported something.
        steps: What was done, in order.
        lapse: The first change since the approval, if the last step was one, or archived it.
        threads: By the id of the first comment.
    """

    seq: int = 0
    head: str = ""
    revision: int = 0
    digest: str = ""
    authors: frozenset[str] = frozenset()
    steps: tuple[ReviewStep, ...] = ()
    lapse: Lapse | None = None
    threads: Mapping[str, Thread] = field(default_factory=dict)

    @property
    def state(self) -> ReviewState:
        """The state that the last step made."""
        return self.steps[-1]["state"] if self.steps else "draft"

    @property
    def approved(self) -> ReviewStep | None:
        """The approval that stands, whether it lapsed or not."""
        if self.state not in ("approved", "archived"):
            return None
        return next((step for step in reversed(self.steps) if step["action"] == "approve"), None)

    def why_lapsed(self) -> str:
        """Why the approval no longer holds; empty when it does, or there is none."""
        if self.lapse is None:
            return ""
        who = self.lapse["by"].removeprefix("user:")
        return f"{self.lapse['what']} by {who} at {self.lapse['at'][:19]}Z"

    def to_review(self, uid: str) -> Review:
        """The form that travels; the templates are added by who knows them."""
        label = said(self.state)
        if self.lapse is not None:
            label += f", lapsed: {self.why_lapsed()}"
        return {
            "investigation": uid,
            "state": self.state,
            "label": label,
            "actions": list(ALLOWED[self.state]),
            "lapse": self.lapse,
            "revision": self.revision,
            "digest": self.digest,
            "authors": sorted(self.authors),
            "steps": list(self.steps),
            "threads": dict(self.threads),
            "templates": [],
        }


def fold(entries: Iterable[LedgerEntry], folded: Folded | None = None) -> Folded:
    """How a review stands after some entries."""
    folded = folded or Folded()
    for entry in entries:
        folded = _apply(folded, entry)
    return folded


def _apply(folded: Folded, entry: LedgerEntry) -> Folded:
    data = entry.get("data") or {}
    change: dict[str, Any] = {}
    kind = entry["type"]
    if kind in NEUTRAL:
        handler = _CHANGES.get(kind)
        if handler is not None and data:
            change = handler(folded, entry, data)
    else:
        people = _people(entry, data)
        if not people <= folded.authors:
            change["authors"] = folded.authors | people
        same = False
        if kind == "notebook.saved" and data:
            same = data["digest"] == folded.digest
            change |= {"revision": int(data["revision"]), "digest": str(data["digest"])}
        if folded.approved is not None and folded.lapse is None and not same:
            change["lapse"] = _lapse(entry, data, people)
    return replace(folded, seq=entry["seq"], head=entry["hash"], **change)


def _people(entry: LedgerEntry, data: Mapping[str, Any]) -> frozenset[str]:
    told = data.get("actors") if entry["type"] == "notebook.saved" else None
    who = told or [person(entry)]
    return frozenset(name for name in who if name.startswith("user:"))


def _lapse(entry: LedgerEntry, data: Mapping[str, Any], people: Iterable[str]) -> Lapse:
    known = {"cell": "", "revision": "", "pin": "", **data}
    thing, _, done = entry["type"].partition(".")
    return {
        "seq": entry["seq"],
        "at": entry["time"],
        "by": ", ".join(sorted(people)) or entry["actor"],
        "what": _WHAT.get(entry["type"], f"a {thing} was {done}").format(**known),
    }


def _reviewed(folded: Folded, entry: LedgerEntry, data: Mapping[str, Any]) -> dict[str, Any]:
    action = data["action"]
    step: ReviewStep = {
        "action": action,
        "state": LEADS_TO[action],
        "by": person(entry),
        "at": entry["time"],
        "reason": entry["rationale"],
        "revision": int(data["revision"]),
        "digest": str(data["digest"]),
        "seq": int(data["seq"]),
        "head": str(data["head"]),
    }
    lapse = folded.lapse if action == "archive" else None
    return {"steps": (*folded.steps, step), "lapse": lapse}


def _commented(folded: Folded, entry: LedgerEntry, data: Mapping[str, Any]) -> dict[str, Any]:
    key = str(data["thread"])
    thread: Thread = folded.threads.get(key) or {
        "id": key,
        "cell": data.get("cell"),
        "hypothesis": data.get("hypothesis"),
        "comments": [],
        "resolved_by": None,
        "resolved_at": None,
    }
    comment = {
        "id": entry["subject"],
        "text": str(data["text"]),
        "by": person(entry),
        "at": entry["time"],
    }
    longer = {**thread, "comments": [*thread["comments"], comment]}
    return {"threads": {**folded.threads, key: longer}}


def _settled(folded: Folded, entry: LedgerEntry, data: Mapping[str, Any]) -> dict[str, Any]:
    thread = folded.threads.get(str(data["thread"]))
    if thread is None:
        return {}
    done = bool(data["resolved"])
    told = {
        "resolved_by": person(entry) if done else None,
        "resolved_at": entry["time"] if done else None,
    }
    return {"threads": {**folded.threads, thread["id"]: {**thread, **told}}}


_CHANGES: dict[str, Callable[[Folded, LedgerEntry, Mapping[str, Any]], dict[str, Any]]] = {
    "review.changed": _reviewed,
    "comment.added": _commented,
    "comment.settled": _settled,
}
