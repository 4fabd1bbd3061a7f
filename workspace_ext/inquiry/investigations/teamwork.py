"""What events make of the team's own matters: the pin, actions, the agenda. A part of the fold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from workspace_ext.foundation.errors import BadInput, Conflict
from workspace_ext.inquiry.investigations.beliefs import Change, Data, Handler, cell_of, person
from workspace_ext.protocol.messages import InvestigationState, LedgerEntry
from workspace_ext.protocol.teamwork import ActionItem, Agenda


def _pinned(_state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    pin = int(data["pin"])
    moved = {"by": person(entry), "at": entry["time"], "why": entry["rationale"]}
    return {"pin": pin, "pinned": moved}


def _action_added(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    action: ActionItem = {
        "id": entry["id"],
        "text": str(data["text"]),
        "owner": str(data.get("owner") or ""),
        "done": False,
        "done_by": None,
        "done_at": None,
        "by": person(entry),
        "at": entry["time"],
        "cell": cell_of(state, data),
    }
    return {"actions": {**state["actions"], action["id"]: action}}


def _action_changed(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    found = state["actions"].get(str(data["action"]))
    if found is None:
        return {}
    changed: dict[str, Any] = {**found}
    if "owner" in data:
        changed["owner"] = str(data["owner"] or "")
    if "done" in data and bool(data["done"]) != found["done"]:
        done = bool(data["done"])
        changed["done"] = done
        changed["done_by"] = person(entry) if done else None
        changed["done_at"] = entry["time"] if done else None
    return {"actions": {**state["actions"], found["id"]: cast(ActionItem, changed)}}


def _agenda_changed(state: InvestigationState, entry: LedgerEntry, data: Data) -> Change:
    before = state["agenda"] or {"items": [], "current": None, "since": None, "by": None}
    agenda: Agenda = {**before}
    if "items" in data:
        agenda["items"] = list(data["items"])
    if "current" in data and data["current"] != before["current"]:
        agenda["current"] = data["current"]
        agenda["since"] = entry["time"] if data["current"] is not None else None
        agenda["by"] = person(entry)
    if agenda["current"] not in {item["id"] for item in agenda["items"]}:
        agenda["current"] = agenda["since"] = None
    return {"agenda": agenda}


TEAMWORK: dict[str, Handler] = {
    "investigation.pinned": _pinned,
    "action.added": _action_added,
    "action.changed": _action_changed,
    "agenda.changed": _agenda_changed,
}
"""What each type of event makes of the state."""


def check_pin(state: InvestigationState, data: Mapping[str, Any], newest: int) -> None:
    """Refuses a pin on data that are not there, and one moved from where it no longer is.

    Raises:
        BadInput: There is no such data yet.
        Conflict: Somebody moved it meanwhile.
    """
    check_newest(data["pin"], newest)
    moved = state["pinned"]
    if moved is not None and data.get("from") not in (None, state["pin"]):
        who, why = moved["by"].removeprefix("user:"), moved["why"]
        raise Conflict(
            f"{who} moved the pin to batch {state['pin']} meanwhile" + (f": {why}" if why else ""),
            hint="look at it there; move it again if you still want to",
            code="pin_moved",
        )


def check_newest(pin: int, newest: int) -> None:
    """Refuses a pin on data that are not there.

    Raises:
        BadInput: There is no such data yet.
    """
    if pin > newest:
        raise BadInput(
            f"there is no data of pin {pin} yet, the newest is {newest}",
            hint="see the catalog's batches",
            code="bad_pin",
        )


def check_action(state: InvestigationState, data: Mapping[str, Any]) -> None:
    """Refuses a change of an action that is not there.

    Raises:
        BadInput: There is none of this id.
    """
    if data["action"] not in state["actions"]:
        raise BadInput(
            f"there is no action {data['action']!r} in this investigation",
            hint="add it first; ids of actions stand in the investigation's state",
            code="unknown_action",
        )


def check_agenda(state: InvestigationState, data: Mapping[str, Any]) -> None:
    """Refuses an agenda whose current item is none of it, or with one id twice.

    Raises:
        BadInput: See above.
    """
    agenda = state["agenda"]
    ids = [item["id"] for item in data.get("items", agenda["items"] if agenda else ())]
    current = data.get("current")
    if len(set(ids)) < len(ids) or (current is not None and current not in ids):
        raise BadInput(
            "the agenda has an item twice"
            if len(set(ids)) < len(ids)
            else f"the agenda has no item {current!r}",
            hint="each item has an id of its own, and current names one of them or is null",
            code="bad_agenda",
        )
