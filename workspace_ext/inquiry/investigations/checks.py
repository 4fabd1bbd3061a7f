"""What may be reported to an investigation: checked before anything is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workspace_ext.foundation.canonical import digest_text
from workspace_ext.foundation.clock import Window, parse_rfc3339
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.protocol.messages import EventIn, InvestigationState
from workspace_ext.protocol.validation import validate

REPORTED = frozenset(
    {
        "investigation.scoped",
        "investigation.pinned",
        "run.started",
        "run.finished",
        "hypothesis.proposed",
        "hypothesis.changed",
        "note.added",
        "decision.made",
        "conclusion.reached",
        "archive.created",
    }
)
"""The types that clients report; the broker writes all others itself."""


def check_shape(event: EventIn) -> None:
    """Checks an event by itself.

    Raises:
        BadInput: Unknown type, or a field is missing or wrong.
    """
    validate("messages", event, definition="EventIn")
    kind = event["type"]
    if kind not in REPORTED:
        raise BadInput(
            f"{kind!r} is not a type of event that can be reported",
            hint=did_you_mean(kind, REPORTED),
            code="unknown_event",
        )
    validate("events", event["data"], definition=kind)
    for digest, text in event.get("attached", {}).items():
        if digest_text(text) != digest:
            raise BadInput(f"the text attached as {digest} is another one", hint="attach it again")
    if event["time"]:
        parse_rfc3339(event["time"])
    if kind == "hypothesis.changed" and not event.get("rationale", "").strip():
        raise BadInput(
            "a hypothesis is judged without a reason",
            hint="say why: the rationale of the event",
            code="no_rationale",
        )
    for name in ("window", "baseline"):
        if event["data"].get(name) is not None:
            Window.parse(event["data"][name])


def check_against(state: InvestigationState, event: EventIn, *, newest_pin: int) -> None:
    """Checks an event against what is known so far.

    Raises:
        BadInput: It names a hypothesis or a query that is not there, or repeats an id.
    """
    data = event["data"]
    check = _CHECKS.get(event["type"])
    if check is not None:
        check(state, data)
    if event["type"] == "investigation.pinned" and data["pin"] > newest_pin:
        raise BadInput(
            f"there is no data of pin {data['pin']} yet, the newest is {newest_pin}",
            hint="see the catalog's batches",
            code="bad_pin",
        )


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


def _proposed(state: InvestigationState, data: Mapping[str, Any]) -> None:
    if data["hypothesis"] in state["hypotheses"]:
        raise BadInput(
            f"hypothesis {data['hypothesis']!r} was stated before",
            hint="give a new id; a hypothesis is corrected by a new one",
            code="hypothesis_exists",
        )


def _judged(state: InvestigationState, data: Mapping[str, Any]) -> None:
    require_hypothesis(state, data["hypothesis"])
    _evidence(state, data)


def _concluded(state: InvestigationState, data: Mapping[str, Any]) -> None:
    if data.get("hypothesis"):
        require_hypothesis(state, data["hypothesis"])
    _evidence(state, data)


def _evidence(state: InvestigationState, data: Mapping[str, Any]) -> None:
    unknown = [key for key in data.get("evidence") or () if key not in state["queries"]]
    if unknown:
        raise BadInput(
            f"evidence {unknown[0]!r} is not a query of this investigation",
            hint="evidence holds ids of recorded queries (result.answer['query'])",
            code="unknown_evidence",
        )


_CHECKS: dict[str, Callable[[InvestigationState, Mapping[str, Any]], None]] = {
    "hypothesis.proposed": _proposed,
    "hypothesis.changed": _judged,
    "conclusion.reached": _concluded,
}
