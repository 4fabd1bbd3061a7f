"""Text cells that say what somebody believes, found or decided become records by themselves.

A cell that begins with *Hypothesis:*, *Finding:* or *Decision:*, emphasised or as a heading or
plain, is read; what it says is compared with what is recorded of that cell, and only a
difference is reported. Saving again adds nothing; other words take the place of the earlier
ones, which stay in the record; so does what a deleted cell said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.ids import hypothesis_id, stable_id
from workspace_ext.inquiry.metadata.notebook import uids_of
from workspace_ext.protocol.events import event
from workspace_ext.protocol.hypotheses import Hypothesis, Note
from workspace_ext.protocol.messages import EventIn, InvestigationState

Kind = Literal["hypothesis", "finding", "decision"]


class Text(NamedTuple):
    """A text cell: its uid, its source, and the id that it has in the notebook."""

    uid: str
    source: str
    id: str = ""


CLAIM_LENGTH = 2000
TEXT_LENGTH = 20_000

NOBODY_ELSE: Mapping[str, Actor] = {}

_BEFORE = r"\s{0,3}(?:\#{1,6}\s+|>\s*|[-+]\s+)?"
_LABEL = re.compile(
    rf"{_BEFORE}(?P<mark>[*_]{{0,3}})(?P<word>hypothesis|finding|decision)"
    r"(?P<closed>[*_]{0,3})\s*:(?P<after>[*_]{0,3})(?P<rest>.*)",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"\s{0,3}\#{1,6}\s+[*_]{0,3}(?P<word>hypothesis|finding|decision)[*_]{0,3}\s*\#*\s*",
    re.IGNORECASE,
)
_PART = re.compile(
    rf"{_BEFORE}[*_]{{0,3}}(?P<word>prediction|predicts|because)[*_]{{0,3}}\s*:"
    r"[*_]{0,3}(?P<rest>.*)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Said:
    """What a text cell says; ``prediction`` of a hypothesis, ``because`` of a decision."""

    kind: Kind
    text: str
    prediction: str = ""
    because: str = ""


def texts(notebook: Mapping[str, Any]) -> list[Text]:
    """The text cells of a notebook that say something."""
    cells = notebook.get("cells") or []
    found = []
    for uid, cell in zip(uids_of(cells), cells, strict=True):
        source = cell.get("source") or ""
        source = "".join(source) if isinstance(source, list) else str(source)
        if uid and cell.get("cell_type") == "markdown" and read(source) is not None:
            found.append(Text(uid, source, str(cell.get("id") or "")))
    return found


def read(source: str) -> Said | None:
    """What a text cell says; None when it is no such cell, or says nothing yet."""
    lines = source.encode(errors="replace").decode().splitlines()
    while lines and not lines[0].strip():
        lines.pop(0)
    if not lines:
        return None
    label, heading = _LABEL.fullmatch(lines[0]), _HEADING.fullmatch(lines[0])
    if label is not None:
        kind, lines = label["word"], [label["rest"], *lines[1:]]
        if label["mark"] and not label["closed"] and not label["after"]:
            lines = _unmark(lines, label["mark"])
    elif heading is not None:
        kind, lines = heading["word"], "\n".join(lines[1:]).strip().splitlines()
    else:
        return None
    parts = _parts(lines)
    if kind.lower() == "hypothesis":
        claim = " ".join(parts["text"].strip().split("\n\n")[0].split())
        prediction = " ".join(parts["prediction"].split())
        said = Said("hypothesis", claim[:CLAIM_LENGTH], prediction[:CLAIM_LENGTH])
    else:
        because = " ".join(parts["because"].split())[:TEXT_LENGTH]
        text = parts["text"].strip()[:TEXT_LENGTH]
        if kind.lower() == "decision":
            said = Said("decision", text, because=because)
        else:
            said = Said("finding", text)
    return said if said.text else None


def events(
    state: InvestigationState,
    cells: Iterable[Text],
    actor: Actor | None,
    *,
    by: Mapping[str, Actor] = NOBODY_ELSE,
) -> list[EventIn]:
    """What text cells say that is not recorded yet.

    Args:
        state: What is recorded. An older state does no harm: what it misses is reported under
            the same ids, or changes nothing.
        cells: The notebook's text cells.
        actor: Who wrote them; None when nobody knows.
        by: Who else wrote some of them, by their uids.
    """
    found: list[EventIn] = []
    for cell, source, _ in cells:
        said = read(source)
        if said is None:
            continue
        told = (
            _claimed(state, cell, said) if said.kind == "hypothesis" else _noted(state, cell, said)
        )
        who = by.get(cell, actor)
        found += [
            event(
                kind,
                subject,
                {**data, "cell": cell},
                event_id=event_id,
                actor=str(who) if who else "",
            )
            for kind, event_id, subject, data in told
        ]
    return found


_Told = tuple[str, str, str, dict[str, Any]]
"""Type, id and subject of an event, and its data."""


def _claimed(state: InvestigationState, cell: str, said: Said) -> Iterator[_Told]:
    key, now = hypothesis_id(state["uid"], said.text), str(state["seq"])
    known = state["hypotheses"].get(key)
    before = _claim_of(state, cell, key)
    if known is None or known["superseded_by"] is not None or before is not None:
        data: dict[str, Any] = {"hypothesis": key, "text": said.text}
        data["prediction"] = said.prediction
        data["supersedes"] = before["id"] if before else None
        again = (cell, now) if known else ()
        yield "hypothesis.proposed", stable_id(key, "proposed", *again), key, data
    elif said.prediction and said.prediction != known["prediction"]:
        data = {"hypothesis": key, "prediction": said.prediction}
        event = stable_id(key, "predicted", said.prediction, now)
        yield "hypothesis.predicted", event, key, data


def _claim_of(state: InvestigationState, cell: str, key: str) -> Hypothesis | None:
    """What this cell claimed until now, if that was something else."""
    claims = (found for found in state["hypotheses"].values() if found["cell"] == cell)
    stands = [found for found in claims if found["superseded_by"] is None and found["id"] != key]
    return stands[-1] if stands else None


def _noted(state: InvestigationState, cell: str, said: Said) -> Iterator[_Told]:
    before = _note_of(state, cell)
    same = (said.kind, said.text, said.because)
    if before is not None and (before["kind"], before["text"], before["because"]) == same:
        return
    old = before["id"] if before else None
    data: dict[str, Any] = {"text": said.text, "supersedes": old}
    if said.kind == "decision":
        data["because"] = said.because
    event = stable_id(state["uid"], "text", cell, *same, old or "")
    yield "decision.made" if said.kind == "decision" else "finding.added", event, event, data


def _note_of(state: InvestigationState, cell: str) -> Note | None:
    notes = (note for note in state["notes"].values() if note["cell"] == cell)
    stands = [note for note in notes if note["superseded_by"] is None]
    return stands[-1] if stands else None


def _parts(lines: list[str]) -> dict[str, str]:
    """The text, and what stands behind *Prediction:* and *Because:*, up to an empty line."""
    parts = {"text": "", "prediction": "", "because": ""}
    into = "text"
    for line in lines:
        part = _PART.fullmatch(line)
        if part is not None:
            into = "because" if part["word"].lower() == "because" else "prediction"
            line = part["rest"]  # noqa: PLW2901
        elif not line.strip():
            into = "text"
        parts[into] += f"{line.rstrip()}\n"
    return parts


def _unmark(lines: list[str], mark: str) -> list[str]:
    """Takes away the emphasis that goes to the end of the paragraph, or of a line."""
    for number, line in enumerate(lines):
        if line.rstrip().endswith(mark):
            return [*lines[:number], line.rstrip().removesuffix(mark), *lines[number + 1 :]]
        if not line.strip():
            break
    return lines
