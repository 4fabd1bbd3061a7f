"""Events: who may say which, and one as it is reported.

What each must hold is in ``schemas/events.schema.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspace_ext.foundation.clock import now_ns, to_rfc3339
from workspace_ext.foundation.ids import new_id
from workspace_ext.protocol.messages import EventIn

FROM_PEOPLE = frozenset(
    {
        "investigation.scoped",
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
    }
)
"""What people say, from their code as in the browser."""

FROM_BROWSER = FROM_PEOPLE | {"investigation.pinned", "agenda.changed"}
"""What a person may say in the browser: pins are told by who knows the person."""

FROM_KERNEL = FROM_PEOPLE | {"file.read", "kernel.described"}
"""What code may say: it knows what it reads and where it runs."""

FROM_CLIENTS = (
    FROM_BROWSER
    | FROM_KERNEL
    | {"run.started", "run.finished", "archive.created", "archive.replayed"}
)
"""What the broker takes from its clients; all others it writes itself."""


def event(
    kind: str,
    subject: str,
    data: Mapping[str, Any],
    *,
    event_id: str = "",
    actor: str = "",
    rationale: str = "",
    attached: Mapping[str, str] | None = None,
) -> EventIn:
    """An event of this moment, as a client reports it.

    Args:
        kind: Its type, as in ``note.added``.
        subject: What it is about.
        data: What its type wants.
        event_id: The same id again is the same event: the broker takes it once. A new one if empty.
        actor: Who did it; a service says so, for others the broker knows.
        rationale: Why.
        attached: Texts that the data name by digest.
    """
    told: EventIn = {
        "id": event_id or new_id(),
        "type": kind,
        "subject": subject,
        "time": to_rfc3339(now_ns()),
        "data": dict(data),
    }
    if actor:
        told["actor"] = actor
    if rationale:
        told["rationale"] = rationale
    if attached:
        told["attached"] = dict(attached)
    return told
