"""The life of a review: which action may follow which state, and who may do it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, Denied
from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.protocol.reviews import ReviewAction, ReviewState

LEADS_TO: Mapping[ReviewAction, ReviewState] = {
    "request": "in_review",
    "approve": "approved",
    "changes": "changes_requested",
    "archive": "archived",
}
"""The state that each action makes."""

ALLOWED: Mapping[ReviewState, tuple[ReviewAction, ...]] = {
    "draft": ("request",),
    "in_review": ("approve", "changes"),
    "changes_requested": ("request", "archive"),
    "approved": ("request", "approve", "changes", "archive"),
    "archived": ("request",),
}
"""What may be done in each state: an approval is renewed or withdrawn, an archived one reopened."""

_DONE: Mapping[ReviewAction, str] = {
    "request": "sent to review",
    "approve": "approved",
    "changes": "sent back for changes",
    "archive": "archived",
}
JUDGEMENTS = frozenset({"approve", "changes"})
"""What nobody does to their own work, nor without a name."""


def said(state: str) -> str:
    """A state as people write it."""
    return state.replace("_", " ")


def check_action(action: str) -> ReviewAction:
    """An action that there is.

    Raises:
        BadInput: There is none of that name.
    """
    for known in LEADS_TO:
        if action == known:
            return known
    raise BadInput(
        f"a review knows no {action!r}",
        hint=did_you_mean(action, LEADS_TO),
        code="unknown_action",
    )


def check_follows(state: ReviewState, action: ReviewAction, *, lapsed: str) -> None:
    """Refuses what may not follow.

    Args:
        state: Of the review.
        action: What is to be done.
        lapsed: Why its approval no longer holds; empty when it does, or there is none.

    Raises:
        BadInput: It may not follow.
    """
    if action not in ALLOWED[state]:
        ways = ", ".join(f"{name} ({said(LEADS_TO[name])})" for name in ALLOWED[state])
        raise BadInput(
            f"an investigation whose review is {said(state)} cannot be {_DONE[action]}",
            hint=f"from {said(state)} one can: {ways}",
            code="illegal_transition",
        )
    if action == "archive" and lapsed:
        raise BadInput(
            f"an approval that lapsed cannot be archived: {lapsed}",
            hint="let it be approved again first: request, or approve",
            code="approval_lapsed",
        )


def check_reviewer(action: ReviewAction, by: Actor, authors: Collection[str]) -> None:
    """Refuses who cannot judge: nobody in particular, a program, or an author.

    Raises:
        Denied: With the reason.
    """
    if by.kind != "user":
        raise Denied(f"{by} is no person", hint="a review is the word of a person")
    if action not in JUDGEMENTS:
        return
    if by.name == "unknown":
        raise Denied(
            "nobody knows who you are, and a review is somebody's word",
            hint="log in to the Jupyter server, or use the command line",
            code="nobody",
        )
    if str(by) in authors:
        named = ", ".join(sorted(author.removeprefix("user:") for author in authors))
        raise Denied(
            f"{by.name} ran, edited or reported in this investigation and cannot review it",
            hint=f"ask somebody other than: {named}",
            code="own_work",
        )


def check_reason(action: ReviewAction, reason: str) -> None:
    """Refuses to send somebody's work back without a word.

    Raises:
        BadInput: The reason is missing.
    """
    if action == "changes" and not reason.strip():
        raise BadInput(
            "changes are requested without a reason",
            hint="say what is missing or wrong: --reason TEXT",
            code="no_rationale",
        )
