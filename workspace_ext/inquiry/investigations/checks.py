"""What may be reported to an investigation: checked before anything is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from workspace_ext.foundation.canonical import digest_text
from workspace_ext.foundation.clock import Window, parse_rfc3339
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.inquiry.investigations.lifecycle import check_transition
from workspace_ext.inquiry.investigations.teamwork import check_action, check_agenda, check_pin
from workspace_ext.ledger.service import Batch
from workspace_ext.protocol.events import FROM_CLIENTS
from workspace_ext.protocol.messages import EventIn, InvestigationState
from workspace_ext.protocol.validation import validate

_REASONED = {
    "hypothesis.changed": "a hypothesis is judged",
    "outcome.recorded": "a conclusion is said to be right or wrong",
}


def check_shape(event: EventIn) -> None:
    """Checks an event by itself.

    Raises:
        BadInput: Unknown type, or a field is missing or wrong.
    """
    validate("messages", event, definition="EventIn")
    kind = event["type"]
    if kind not in FROM_CLIENTS:
        raise BadInput(
            f"{kind!r} is not a type of event that can be reported",
            hint=did_you_mean(kind, FROM_CLIENTS),
            code="unknown_event",
        )
    validate("events", event["data"], definition=kind)
    for digest, text in event.get("attached", {}).items():
        if digest_text(text) != digest:
            raise BadInput(f"the text attached as {digest} is another one", hint="attach it again")
    if event["time"]:
        parse_rfc3339(event["time"])
    if kind in _REASONED and not event.get("rationale", "").strip():
        raise BadInput(
            f"{_REASONED[kind]} without a reason",
            hint='say why: because="…", in the shell --because …',
            code="no_rationale",
        )
    for name in ("window", "baseline"):
        if event["data"].get(name) is not None:
            Window.parse(event["data"][name])


def check_against(state: InvestigationState, event: EventIn, *, newest_pin: int) -> None:
    """Checks an event against what is known so far.

    Raises:
        BadInput: It names a hypothesis or a query that is not there, or repeats an id.
        Conflict: It moves the pin from where it no longer is.
    """
    data = event["data"]
    check = _CHECKS.get(event["type"])
    if check is not None:
        check(state, data)
    if event["type"] == "investigation.pinned":
        check_pin(state, data, newest_pin)


def require_hypothesis(state: InvestigationState, key: str) -> None:
    """Refuses an unknown hypothesis.

    Raises:
        NotFound: There is no such hypothesis in the investigation.
    """
    if key in state["hypotheses"]:
        return
    known = ", ".join(state["hypotheses"]) or "none yet"
    raise NotFound(
        f"no hypothesis {key!r} in this investigation",
        hint=f"known: {known}",
        code="unknown_hypothesis",
    )


def check_evidence(state: InvestigationState, given: Iterable[str]) -> None:
    """Refuses evidence that is not there.

    Raises:
        BadInput: Something in it is neither a query nor a cell that ran.
    """
    unknown = [key for key in given if key not in state["queries"]]
    if unknown:
        cells = {step["cell"] for step in state["steps"].values()}
        unknown = [key for key in unknown if key not in cells]
    if unknown:
        raise BadInput(
            f"evidence {unknown[0]!r} is neither a query nor a cell of this investigation",
            hint="evidence holds ids of recorded queries (result.run_id) or uids of cells",
            code="unknown_evidence",
        )


def _proposed(state: InvestigationState, data: Mapping[str, Any]) -> None:
    known = state["hypotheses"].get(data["hypothesis"])
    said_again = known is not None and (known["superseded_by"] or data.get("supersedes"))
    if known is not None and not said_again:
        raise BadInput(
            f"hypothesis {data['hypothesis']!r} was stated before",
            hint="give a new id; a hypothesis is corrected by a new one",
            code="hypothesis_exists",
        )
    if data.get("supersedes"):
        require_hypothesis(state, data["supersedes"])


def _predicted(state: InvestigationState, data: Mapping[str, Any]) -> None:
    require_hypothesis(state, data["hypothesis"])


def _judged(state: InvestigationState, data: Mapping[str, Any]) -> None:
    require_hypothesis(state, data["hypothesis"])
    check_evidence(state, data.get("evidence") or ())
    _allowed(state, data, data["state"])


def _concluded(state: InvestigationState, data: Mapping[str, Any]) -> None:
    check_evidence(state, data.get("evidence") or ())
    if data.get("hypothesis"):
        require_hypothesis(state, data["hypothesis"])
        _allowed(state, data, "root_cause")


def _allowed(state: InvestigationState, data: Mapping[str, Any], to: str) -> None:
    found = state["hypotheses"][data["hypothesis"]]
    evidence, override = data.get("evidence") or (), data.get("override") or ""
    check_transition(found, to, evidence=evidence, override=override)


def _turned_out(state: InvestigationState, _data: Mapping[str, Any]) -> None:
    if state["conclusion"] is None:
        raise BadInput(
            "there is no conclusion that could be right or wrong",
            hint="conclude first: investigation.conclude(…)",
            code="no_conclusion",
        )


def _noted(state: InvestigationState, data: Mapping[str, Any]) -> None:
    old = data.get("supersedes")
    if old and old not in state["notes"]:
        raise BadInput(
            f"there is no note {old!r} that it could replace",
            hint="supersedes holds the id of a note of this investigation",
            code="unknown_note",
        )


_CHECKS: dict[str, Callable[[InvestigationState, Mapping[str, Any]], None]] = {
    "hypothesis.proposed": _proposed,
    "hypothesis.predicted": _predicted,
    "hypothesis.changed": _judged,
    "finding.added": _noted,
    "decision.made": _noted,
    "action.changed": check_action,
    "agenda.changed": check_agenda,
    "conclusion.reached": _concluded,
    "outcome.recorded": _turned_out,
}


def check_archive(batch: Batch, uid: str, event: EventIn) -> None:
    """Refuses a replay of an archive that this store did not make.

    Raises:
        BadInput: No entry of the ledger tells of such an archive.
    """
    if event["type"] != "archive.replayed":
        return
    made = batch.find(uid, event["data"]["archive"])
    if made is None or made["type"] != "archive.created":
        raise BadInput(
            "the archive that was replayed was not made of this investigation, here",
            hint="tell it to the workspace that it came from",
            code="other_archive",
        )
