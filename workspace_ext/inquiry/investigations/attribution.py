"""Who did it: from a caller's report to events with their actors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from workspace_ext.access.model import Principal
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.ids import new_id, stable_id
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.ledger.model import Event
from workspace_ext.protocol.messages import (
    EventIn,
    FunctionTest,
    InvestigationState,
    RunRef,
    TestOutcome,
)


def role_event(state: InvestigationState, who: Actor, role: str | None) -> Event | None:
    """That somebody acts with a role from here on; None where that is on record already."""
    if role is None or who.kind != "user" or state["participants"].get(str(who)) == role:
        return None
    uid, data = state["uid"], {"role": role}
    return Event("role.taken", data, who, id=new_id(), subject=str(who), investigation=uid)


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
    data = {
        **outcome,
        "test": record.test_id or record.id,
        "name": record.template["id"] if record.template else record.title,
        "judge": "broker",
        "query": record.id,
        "run": record.run,
        "cell": record.cell,
        "elapsed_ms": record.elapsed_ms,
        "result_digest": record.digest,
    }
    test = replace(
        asked,
        type="hypothesis.tested",
        data=data,
        id=f"{record.id}.test",
        subject=outcome["hypothesis"],
        rationale=outcome["reason"],
    )
    return [asked, test]


def testing_event(
    state: InvestigationState, hypothesis: str, run: RunRef | None, principal: Principal
) -> Event:
    """That the first test of a hypothesis begins."""
    told: dict[str, Any] = {"hypothesis": hypothesis, "state": "testing", "evidence": []}
    data = {**told, **_place(state, run, principal)}
    return _of_kernel(state, "hypothesis.changed", data, principal, "its first test begins")


def function_event(
    state: InvestigationState, test: FunctionTest, told: TestOutcome, principal: Principal
) -> Event:
    """What a function in a kernel found out; a kernel's word, and marked as that."""
    place = _place(state, test.get("run"), principal)
    named = [test["name"], test["expect"], place["cell"] or ""]
    data = {
        **told,
        "test": stable_id("function", *named),
        "name": test["name"],
        "judge": "kernel",
        "query": None,
        "evidence": list(test.get("queries") or ()),
        "elapsed_ms": test["elapsed_ms"],
        "source_digest": test["source_digest"],
        "result_digest": test["result_digest"],
        **place,
    }
    return _of_kernel(state, "hypothesis.tested", data, principal, told["reason"])


def _place(
    state: InvestigationState, run: RunRef | None, principal: Principal
) -> dict[str, str | None]:
    """Run and cell, as far as the kernel may name them."""
    if run is None or _is_foreign(state, run["id"], principal):
        return {"run": None, "cell": None}
    step = state["steps"].get(run["id"])
    return {"run": run["id"], "cell": step["cell"] if step else run["cell"]}


def _of_kernel(
    state: InvestigationState, kind: str, data: dict[str, Any], principal: Principal, why: str
) -> Event:
    return Event(
        kind,
        data,
        principal.actor,
        id=new_id(),
        subject=data["hypothesis"],
        source=str(principal.actor),
        investigation=state["uid"],
        on_behalf_of=person_behind(state, data["run"], principal),
        rationale=why,
    )


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
