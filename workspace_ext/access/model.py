"""Principals, and what each of them may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import Denied

Action = Literal[
    "catalog.read",
    "template.read",
    "query.ask",
    "query.read",
    "investigation.read",
    "investigation.open",
    "investigation.archive",
    "event.report",
    "version.save",
    "review.act",
    "comment.write",
    "template.review",
    "data.ingest",
    "data.remove",
    "token.issue",
    "ledger.read",
    "lease.hold",
]
"""What can be asked of the broker. For ``event.report`` the resource is the event's type."""

KERNEL_EVENTS = frozenset(
    {
        "hypothesis.proposed",
        "hypothesis.predicted",
        "hypothesis.changed",
        "note.added",
        "finding.added",
        "decision.made",
        "action.added",
        "action.changed",
        "conclusion.reached",
        "outcome.recorded",
        "file.read",
        "kernel.described",
        "investigation.scoped",
    }
)
"""What people do from their code. Runs, pins and saves are told by who knows the person."""

_KERNEL_ACTIONS: frozenset[Action] = frozenset(
    {
        "catalog.read",
        "template.read",
        "query.ask",
        "query.read",
        "investigation.read",
        "event.report",
    }
)


@dataclass(frozen=True)
class Principal:
    """Who calls the broker, as its token says.

    A service (the Jupyter server, the command line) knows its people and may name the actor of
    what it reports. A kernel is a shell: it acts for the user its token was made for, or for
    the user whose run the server recorded.
    """

    actor: Actor
    kind: Literal["service", "kernel"]
    on_behalf_of: Actor | None = None
    kernel: str | None = None
    notebook: str | None = None


@dataclass(frozen=True)
class Decision:
    """Whether something is allowed, and why."""

    allowed: bool
    reason: str


def decide(principal: Principal, action: Action, resource: str = "") -> Decision:
    """Whether a principal may do something; what is not allowed is refused.

    Args:
        principal: Who asks.
        action: What for.
        resource: On what: the type of the event for ``event.report``.
    """
    if principal.kind == "service":
        return Decision(allowed=True, reason="a service of this store may do everything")
    if action not in _KERNEL_ACTIONS:
        return Decision(allowed=False, reason=f"a kernel's token does not allow {action}")
    if action == "event.report" and resource not in KERNEL_EVENTS:
        return Decision(allowed=False, reason=f"a kernel cannot report {resource or 'this'}")
    return Decision(allowed=True, reason=f"a kernel may do {action}")


def require(principal: Principal, action: Action, resource: str = "") -> None:
    """Refuses what is not allowed.

    Raises:
        Denied: With the reason.
    """
    decision = decide(principal, action, resource)
    if not decision.allowed:
        raise Denied(
            f"{principal.actor} may not do this: {decision.reason}",
            hint="do it from JupyterLab or with the jupyter investigation command",
        )
