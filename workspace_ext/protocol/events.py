"""Who may say which event; what each must hold is in ``schemas/events.schema.json``."""

from __future__ import annotations

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
