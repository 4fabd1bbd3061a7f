"""Who did it: from a caller's report to events with their actors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workspace_ext.access.model import Principal
from workspace_ext.foundation.actor import Actor
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.ledger.model import Event
from workspace_ext.protocol.messages import EventIn, InvestigationState, TestOutcome


def told_event(state: InvestigationState, event: EventIn, principal: Principal) -> Event:
    """What a client reports, with its actor: see the room card."""
    actor, behind = principal.actor, principal.on_behalf_of
    data = event["data"]
    if principal.kind == "service":
        actor = Actor.parse(event["actor"]) if "actor" in event else actor
    else:  # a kernel may report only what a person does in code
        actor, behind = person_behind(state, data.get("run"), principal) or actor, None
        if _is_foreign(state, data.get("run"), principal):
            data = {name: value for name, value in data.items() if name not in ("run", "cell")}
    return Event(
        event["type"],
        data,
        actor,
        id=event["id"],
        subject=event["subject"],
        time=event["time"],
        source=str(principal.actor),
        investigation=state["uid"],
        on_behalf_of=behind,
        rationale=event.get("rationale", ""),
    )


def query_events(
    uid: str | None,
    state: InvestigationState | None,
    record: QueryRecord,
    digest: str,
    outcome: TestOutcome | None,
    principal: Principal,
) -> Sequence[Event]:
    """What a query is in the ledger: that it was asked, and what it says of its hypothesis.

    Args:
        uid: The investigation, if any.
        state: Its state, if any.
        record: The query.
        digest: Of the query as it is kept.
        outcome: Of the test that it is, if it is one.
        principal: Who asked.
    """
    behind = person_behind(state, record.run, principal)
    asked = Event(
        "query.answered" if record.ok else "query.failed",
        {**record.summary(), "record": digest},
        principal.actor,
        id=record.id,
        subject=record.id,
        time=record.at,
        investigation=uid,
        on_behalf_of=behind,
    )
    if outcome is None:
        return [asked]
    data = {**outcome, "query": record.id, "run": record.run, "cell": record.cell}
    key = outcome["hypothesis"]
    test = replace(asked, type="hypothesis.tested", data=data, id=f"{record.id}.test", subject=key)
    return [asked, test]


def placed(
    state: InvestigationState | None, record: QueryRecord, principal: Principal
) -> QueryRecord:
    """A query with its run and cell as the server knows them, not as the kernel says."""
    if _is_foreign(state, record.run, principal):
        return replace(record, run=None, cell=None)
    step = state["steps"].get(record.run or "") if state else None
    return replace(record, cell=step["cell"]) if step and step["cell"] != record.cell else record


def person_behind(
    state: InvestigationState | None, run: object, principal: Principal
) -> Actor | None:
    """The person behind a principal: whose run it is, if the server recorded it in this kernel."""
    step = state["steps"].get(str(run)) if state and run else None
    if step is None or _is_foreign(state, run, principal):
        return principal.on_behalf_of
    return Actor.parse(step["by"])


def _is_foreign(state: InvestigationState | None, run: object, principal: Principal) -> bool:
    """Whether a kernel names a run that the server recorded in another kernel."""
    step = state["steps"].get(str(run)) if state and run else None
    return bool(step and principal.kernel and step["kernel"] not in (None, principal.kernel))
