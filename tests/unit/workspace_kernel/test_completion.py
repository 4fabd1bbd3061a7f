"""What the Tab key proposes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from workspace_kernel.catalogue import Catalogue
from workspace_kernel.completion import Completer, Lookup

from tests.support.waiting import PATIENCE_SECONDS, until

TEMPLATES = [
    {"id": "errors.origin", "params": []},
    {
        "id": "latency.shift",
        "params": [
            {"name": "window", "type": "window"},
            {"name": "service", "type": "service"},
            {"name": "by", "type": "choice", "of": ["service", "operation"]},
        ],
    },
]


class Client:
    def __init__(self) -> None:
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()

    def templates(self) -> list[dict[str, Any]]:
        self.asked += 1
        self.answers.wait(PATIENCE_SECONDS)
        return TEMPLATES

    def catalog(self) -> dict[str, Any]:
        return {"services": ["ts-order", "ts-seat"]}


class Connected:
    def __init__(self) -> None:
        self.client = Client()


@pytest.fixture
def connected() -> Connected:
    return Connected()


@pytest.fixture
def completer(connected: Connected) -> Completer:
    catalogue = Catalogue(connected)  # type: ignore[arg-type]
    return Completer(catalogue, lambda name, _method: name in {"investigation", "h"})


@pytest.mark.parametrize(
    ("before", "proposed"),
    [
        ('investigation.run("', ["errors.origin", "latency.shift"]),
        ("investigation.help('lat", ["latency.shift"]),
        ('x = h.test(\n    "err', ["errors.origin"]),
        ('investigation.run("latency.shift", ', ["window=", "service=", "by="]),
        ('investigation.run("latency.shift", service="ts-seat", b', ["by="]),
        ('h.test("latency.shift", ex', ["expect="]),
        ('h.test("latency.shift", expect="n', ["not interesting"]),
        ('investigation.run("latency.shift", service="ts-s', ["ts-seat"]),
        ('investigation.run("latency.shift", by="', ["service", "operation"]),
        ('investigation.run("latency.shift", window=f(1, 2), se', ["service="]),
        ('investigation.run("no.such", ', []),
    ],
)
def test_proposals(completer: Completer, before: str, proposed: list[str]) -> None:
    found = completer.complete(before)
    assert found is not None
    assert found[1] == proposed


@pytest.mark.parametrize(
    "before",
    [
        "",
        "investigation.",
        'other.run("',
        'investigation.run("latency.shift", service="a").df.he',
        'investigation.run("latency.shift", service="a"); x',
        'print("investigation.run',
    ],
)
def test_elsewhere_it_keeps_out(completer: Completer, before: str) -> None:
    assert completer.complete(before) is None


def test_templates_are_asked_for_once_in_a_while(
    completer: Completer, connected: Connected
) -> None:
    for _ in range(5):
        completer.complete('investigation.run("')
    assert connected.client.asked == 1


def test_nobody_waits_for_a_broker_at_the_tab_key(
    completer: Completer, connected: Connected
) -> None:
    connected.client.answers.clear()
    lookup = Lookup(completer)
    assert [lookup.complete('investigation.run("') for _ in range(3)] == [None] * 3
    assert connected.client.asked == 1
    connected.client.answers.set()
    found = until(lambda: lookup.complete('investigation.run("'), "the templates are known")
    assert found == ("", ["errors.origin", "latency.shift"])


def test_a_broker_that_fails_leaves_the_tab_key_alone(
    completer: Completer, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connected.client, "templates", lambda: 1 / 0)
    assert Lookup(completer).complete('investigation.run("') is None
