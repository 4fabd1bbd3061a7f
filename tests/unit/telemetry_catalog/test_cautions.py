"""What somebody is told about the data, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from workspace_ext.foundation.clock import Window
from workspace_ext.telemetry.catalog import cautions
from workspace_ext.telemetry.catalog.cautions import Cautions, Look
from workspace_ext.telemetry.catalog.gaps import minutes_of
from workspace_ext.telemetry.catalog.service import Held, Removal

WINDOW = Window.parse("2024-05-01T10:00:00Z/2024-05-01T10:20:00Z")
FIRST, END = minutes_of(WINDOW)
MINUTE_US = 60_000_000
ALL = Held(4)
REMOVED = Removal(
    "logs", (FIRST - 5) * MINUTE_US, (FIRST + 5) * MINUTE_US, 3, 1234, END * MINUTE_US
)


class Answers:
    """Answers as the store would, and counts how often it is asked."""

    def __init__(self, services: Mapping[str, set[int]] | None = None, later: int = 0) -> None:
        self.services = services or {}
        self.later = later
        self.asked = 0

    def __call__(self, sql: str, values: Mapping[str, object], pin: int) -> list[dict[str, Any]]:
        self.asked += 1
        if "batch_id > $pin" in sql:
            return [{"place": place, "n": self.later} for place in range(sql.count("count(*)"))]
        return [
            {"service": service, "minute": minute, "n": 20}
            for service, silent in self.services.items()
            for minute in range(FIRST, END)
            if minute - FIRST not in silent
        ]


def look(signal: str = "logs", *services: str) -> Look:
    return Look(signal, WINDOW, "window", frozenset(services) or None)


def found(answers: Answers, *looks: Look, pin: int = 4, held: Held = ALL) -> list[str]:
    return Cautions().find(looks, pin, held, answers)


def test_whole_data_is_no_matter() -> None:
    assert found(Answers({"cart": set(), "stock": set()}), look()) == []
    assert found(Answers(), look()) == []


def test_gaps_of_one_service_are_told_apart_from_those_of_all() -> None:
    answers = Answers({"cart": {5, 6, 12}, "stock": {12}})
    (told,) = found(answers, look())
    assert told == (
        "logs are missing in the window: no service has any for 1 min from 10:12Z;"
        " cart has none for 2 min from 10:05Z, 20 a minute are usual"
    )
    assert found(answers, look("logs", "front")) == []


def test_only_the_worst_services_are_named() -> None:
    silent = {f"s{number}": {5 + number} for number in range(6)}
    (told,) = found(Answers({**silent, "other": set()}), look())
    assert told.count("has none") == 3
    assert told.endswith(", and 3 more services")


def test_data_after_the_pin() -> None:
    (told,) = found(Answers(later=1500), look(), pin=3, held=Held(7))
    assert told == (
        "the window has 1,500 more logs that came after pin 3: moving the pin to 7 would add them"
    )
    assert found(Answers(later=0), look(), pin=3, held=Held(7)) == []


@pytest.mark.parametrize(
    ("pin", "signal", "told"), [(4, "logs", 1), (2, "logs", 0), (4, "events", 0)]
)
def test_what_retention_removed(pin: int, signal: str, told: int) -> None:
    warnings = found(Answers(), look(signal), pin=pin, held=Held(pin, (REMOVED,)))
    assert len(warnings) == told
    if told:
        assert warnings == [
            "retention removed 1,234 logs on 2024-05-01, some of them from the window"
        ]


def test_the_same_minutes_are_looked_at_once_until_something_is_removed() -> None:
    cautions, answers = Cautions(), Answers({"cart": {5}, "stock": set()})
    assert cautions.known([look()], 4, Held(4)) is None
    first = cautions.find([look()], 4, Held(4), answers)
    assert cautions.known([look()], 4, Held(4)) == first
    nearly = Look("logs", Window(WINDOW.start_ns + 1, WINDOW.end_ns - 1), "baseline")
    assert cautions.find([nearly], 4, Held(4), answers)[0].startswith(
        "logs are missing in the base"
    )
    assert answers.asked == 1
    assert cautions.known([look()], 4, Held(4, (REMOVED,))) is None


def test_who_forgets_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one question is about to tell, another may forget: they ask in threads of their own."""
    monkeypatch.setattr(cautions, "_REMEMBERED", 0)
    shared = Cautions()
    store = Answers(later=3)

    def ask(sql: str, values: Mapping[str, object], pin: int) -> list[dict[str, Any]]:
        shared.find([look("metrics")], 4, ALL, store)  # meanwhile
        return store(sql, values, pin)

    told = shared.find([look("logs"), look("spans")], 3, ALL, ask)
    assert [text.split(" that came")[0] for text in told] == [
        "the window has 3 more logs",
        "the window has 3 more spans",
    ]
