"""Actions, the agenda, and a pin that two people move at once."""

import pytest

from tests.unit.inquiry_investigations.conftest import Desk, event
from workspace_ext.foundation.errors import BadInput, Conflict


def test_an_action_has_an_owner_and_is_ticked_off(desk: Desk) -> None:
    desk.say("action.added", text="Roll back", owner="carol")
    (action,) = desk.state["actions"].values()
    assert (action["text"], action["owner"], action["done"]) == ("Roll back", "carol", False)
    done = event("action.changed", action=action["id"], done=True, _actor="user:bob")
    desk.service.report(desk.uid, [done], desk.server)
    assert desk.state["actions"][action["id"]]["done_by"] == "user:bob"
    before = desk.state["actions"][action["id"]]
    desk.say("action.changed", action=action["id"], done=True)
    assert desk.state["actions"][action["id"]] == before
    desk.say("action.changed", action=action["id"], done=False, owner="dan")
    (action,) = desk.state["actions"].values()
    assert (action["owner"], action["done"], action["done_at"]) == ("dan", False, None)
    desk.reopen()
    assert desk.state["actions"] == {action["id"]: action}
    with pytest.raises(BadInput, match="no action 'x'"):
        desk.say("action.changed", action="x", done=True)
    with pytest.raises(BadInput):
        desk.say("action.changed", action=action["id"])


def test_the_agenda_knows_when_its_current_item_began(desk: Desk) -> None:
    items = [
        {"id": "a", "title": "Impact", "minutes": 5},
        {"id": "b", "title": "Why", "minutes": 9},
    ]
    desk.say("agenda.changed", items=items, current="a")
    agenda = desk.state["agenda"]
    assert (agenda["current"], agenda["since"]) == ("a", "2023-01-29T09:00:00Z")
    desk.say("agenda.changed", items=[items[1]])
    assert (desk.state["agenda"]["current"], desk.state["agenda"]["since"]) == (None, None)
    for wrong in ({"current": "a"}, {"items": [items[0], items[0]]}):
        with pytest.raises(BadInput):
            desk.say("agenda.changed", **wrong)
    with pytest.raises(BadInput):
        desk.say("agenda.changed", items=[{**items[0], "minutes": -1}])


def test_a_pin_that_somebody_moved_meanwhile_is_not_moved_over_their_head(desk: Desk) -> None:
    desk.catalog.newest = 9
    moved = event(
        "investigation.pinned", pin=5, **{"from": 3}, _actor="user:bob", _rationale="the trace"
    )
    desk.service.report(desk.uid, [moved], desk.server)
    assert desk.state["pinned"] == {
        "by": "user:bob",
        "at": "2023-01-29T09:00:00Z",
        "why": "the trace",
    }
    with pytest.raises(Conflict, match="bob moved the pin to batch 5 meanwhile: the trace"):
        desk.say("investigation.pinned", pin=9, **{"from": 3})
    desk.say("investigation.pinned", pin=9, **{"from": 5})
    desk.say("investigation.pinned", pin=4)
    assert desk.state["pin"] == 4
