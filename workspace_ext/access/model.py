"""Principals, and what each of them may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workspace_ext.access.roles import Ability, Decision, Role, may
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import Denied
from workspace_ext.protocol.events import FROM_KERNEL

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


_NEEDED: dict[str, Ability] = {
    **dict.fromkeys(
        ("catalog.read", "template.read", "query.read", "investigation.read", "ledger.read"), "read"
    ),
    "lease.hold": "read",
    "comment.write": "comment",
    "query.ask": "run",
    "token.issue": "run",
    "investigation.open": "open",
    "review.act": "review",
    "template.review": "approve",
    "data.remove": "close",
    "investigation.pinned": "pin",
    "archive": "close",
}
"""What people need for an action, or for what it is done to; for all others they may edit."""


@dataclass(frozen=True)
class Principal:
    """Who calls the broker, as its token says.

    A service (the Jupyter server, the command line) knows its people and may name the actor of
    what it reports. A kernel is a shell: it acts for the user its token was made for, or for
    the user whose run the server recorded. ``role`` is that of the person for whom a service
    calls, where it says so: the call is then held to what they may do.
    """

    actor: Actor
    kind: Literal["service", "kernel"]
    on_behalf_of: Actor | None = None
    kernel: str | None = None
    notebook: str | None = None
    role: Role | None = None


def decide(principal: Principal, action: Action, resource: str = "") -> Decision:
    """Whether a principal may do something; what is not allowed is refused.

    Args:
        principal: Who asks.
        action: What for.
        resource: On what: the type of the event for ``event.report``, the step of a review.
    """
    if principal.kind == "service":
        if principal.role is not None:
            return may(principal.role, _NEEDED.get(resource) or _NEEDED.get(action, "edit"))
        return Decision(allowed=True, reason="a service of this store may do everything")
    if action not in _KERNEL_ACTIONS:
        return Decision(allowed=False, reason=f"a kernel's token does not allow {action}")
    if action == "event.report" and resource not in FROM_KERNEL:
        return Decision(allowed=False, reason=f"a kernel cannot report {resource or 'this'}")
    return Decision(allowed=True, reason=f"a kernel may do {action}")


def require(principal: Principal, action: Action, resource: str = "") -> None:
    """Refuses what is not allowed.

    Raises:
        Denied: With the reason.
    """
    decision = decide(principal, action, resource)
    if not decision.allowed:
        if decision.hint:
            raise Denied(decision.reason, hint=decision.hint)
        raise Denied(
            f"{principal.actor} may not do this: {decision.reason}",
            hint="do it from JupyterLab or with the jupyter investigation command",
        )
