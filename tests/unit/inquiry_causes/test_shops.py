"""Faults of machines and networks, in made-up shops and by the parts that see them."""

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.support.planted import SCHEMA, SECOND, START
from tests.support.shops import Shop
from workspace_ext.inquiry.causes.named import with_named
from workspace_ext.inquiry.causes.ranking import rank
from workspace_ext.inquiry.causes.silence import silences
from workspace_ext.inquiry.causes.suspects import Suspects
from workspace_ext.inquiry.causes.visits import SPANS


@pytest.mark.parametrize("kind", ["socket", "disk", "loss", "gone"])
def test_a_fault_in_a_shop_ranks_first(kind: str) -> None:
    shop = Shop(7100, kind)
    first = rank(shop.table(), shop.params).to_pylist()[0]
    assert first["service"] == shop.truth
    assert first["evidence"]


def test_a_dead_service_is_known_by_its_silence_alone() -> None:
    shop = Shop(7104, "gone")
    table = shop.table()
    metrics = table.filter(pc.equal(table.column("part"), "metric"))
    first, *others = silences(metrics)
    assert first.service == shop.truth
    assert (first.strength, len(first.ceased)) == (1.0, first.known)
    assert not others


def points(service: str, *seconds: int) -> list[dict[str, object]]:
    return [
        {
            "service": service,
            "pod": None,
            "name": "cpu",
            "is_now": at >= 0,
            "time_ns": START + at * SECOND,
        }
        for at in seconds
    ]


@pytest.mark.parametrize(
    ("seconds", "silent"),
    [
        (range(-60, 20, 5), True),
        (range(-60, 60, 5), False),
        ((*range(-300, 0, 5), 0, 5, 35), False),
        ((-300, -200, -100, -50, -20, 0), False),
        (range(-600, -300, 5), False),
        ((-10, -5, 0), False),
    ],
    ids=["ended", "goes on", "a pause", "always rare", "ended long ago", "too few"],
)
def test_silence_is_longer_than_any_pause_before(seconds: range, silent: bool) -> None:
    rows = points("cart", *seconds)
    for other in ("web", "pay"):
        rows += points(other, *range(-600, 60, 5))
    found = silences(pa.Table.from_pylist(rows, schema=SCHEMA))
    assert [one.service for one in found] == ["cart"] * silent


def test_when_all_fall_silent_it_is_nobodys() -> None:
    rows = [
        row for name in ("web", "pay", "cart") for row in points(name, *range(-60, 20, 5))
    ] + points("late", *range(-60, 60, 5))
    assert silences(pa.Table.from_pylist(rows, schema=SCHEMA)) == []


def span(number: int, service: str, name: str, kind: str, parent: str | None) -> dict[str, object]:
    return {
        "trace_id": "t",
        "span_id": f"s{number}",
        "parent_span_id": parent,
        "service": service,
        "name": name,
        "text": kind,
        "time_ns": START,
        "duration_ns": SECOND,
        "is_now": True,
        "failed": False,
    }


def test_a_call_that_names_an_unseen_service_is_a_visit_to_it() -> None:
    spans = pa.Table.from_pylist(
        [
            span(0, "web", "GET /", "server", None),
            span(1, "web", "shop.CartService/Get", "client", "s0"),
            span(2, "web", "pay-service/charge", "client", "s0"),
            span(3, "pay-service", "charge", "server", "s2"),
            span(4, "web", "render cart", "internal", "s1"),
            span(5, "web", "grpc cart-service/Add", "client", "s0"),
            span(6, "web", "/cart-service", "server", "s0"),
        ],
        schema=SPANS,
    )
    seen = with_named(spans, ["cart-service", "pay-service", "db", None])
    added = seen.slice(spans.num_rows).to_pylist()
    assert [(one["service"], one["parent_span_id"]) for one in added] == [("cart-service", "s5")]
    # how much of the call was the way, nobody knows who has no span of the callee
    assert [one["duration_ns"] for one in added] == [0]
    assert with_named(spans, []) is spans


def test_what_a_callee_has_for_itself_explains_its_callers_symptoms() -> None:
    suspects = Suspects(edges={("web", "cart"), ("cart", "db")})
    suspects.of("web").suspect("flow", 0.9)
    suspects.of("mail").suspect("flow", 0.8)
    suspects.of("db").suspect("resources", 0.75)
    suspects.of("db").suspect("flow", 0.4)
    suspects.explain()
    strengths = {name: one.strength.get("flow") for name, one in suspects.by_service.items()}
    assert strengths == pytest.approx({"web": 0.225, "mail": 0.8, "db": 0.4})


def test_one_who_died_explains_what_callers_do_without_it() -> None:
    suspects = Suspects(edges={("web", "cart")})
    suspects.of("web").suspect("behaviour", 0.9)
    suspects.of("mail").suspect("behaviour", 0.5)
    suspects.of("cart").suspect("silence", 1.0)
    suspects.explain()
    assert [one.service for one in suspects.ranked()] == ["cart", "mail", "web"]
    assert suspects.of("web").score == 0
