"""What an archived investigation tells as an incident."""

from __future__ import annotations

import json
from typing import Any, cast

from workspace_ext.inquiry.archive.incident import incident
from workspace_ext.protocol.messages import InvestigationState, LedgerEntry

WINDOW = {"start": "2024-05-01T10:00:00Z", "end": "2024-05-01T10:10:00Z"}
FOUND = {"root_cause": "No connections left", "at": "2024-05-01T11:00:00Z", "outcome": None}
ENTRIES = [(7, "conclusion.reached"), (8, "note.added")]


def told(*, entries: list[tuple[int, str]] | None = None, **changes: Any) -> dict[str, Any] | None:
    state = {
        "uid": "u1",
        "title": "Carts fail",
        "severity": "",
        "state": "concluded",
        "window": WINDOW,
        "services": ["cart"],
        "conclusion": FOUND,
        **changes,
    }
    ledger = [{"seq": seq, "id": f"e{seq}", "type": kind} for seq, kind in entries or ENTRIES]
    content = incident(
        cast("InvestigationState", state),
        cast("list[LedgerEntry]", ledger),
        ["alert CartFails cart", "cart: no connection"],
    )
    return None if content is None else cast("dict[str, Any]", json.loads(content))


def test_an_incident_names_its_cause_and_symptoms() -> None:
    assert told() == {
        "time": WINDOW["start"],
        "end_time": WINDOW["end"],
        "severity": None,
        "title": "Carts fail",
        "service": "cart",
        "fingerprint": "u1 e7",
        "investigation": "u1",
        "root_cause": "No connections left",
        "symptoms": "alert CartFails cart; cart: no connection",
        "entry": "000000000007",
    }


def test_how_it_turned_out_is_another_state() -> None:
    wrong = {**FOUND, "outcome": {"correct": False, "at": "2024-06-01T00:00:00Z"}}
    found = told(conclusion=wrong, entries=[*ENTRIES, (9, "outcome.recorded")])

    assert found is not None
    assert found["fingerprint"] == "u1 e9"
    assert found["root_cause"] == "No connections left (turned out to be wrong)"


def test_what_is_not_known_is_left_out() -> None:
    found = told(window=None, services=["cart", "pay"])

    assert found is not None
    assert (found["time"], found["end_time"], found["service"]) == (FOUND["at"], None, None)


def test_without_a_conclusion_there_is_no_incident() -> None:
    assert told(conclusion=None, state="open") is None
    assert told(state="open") is None
