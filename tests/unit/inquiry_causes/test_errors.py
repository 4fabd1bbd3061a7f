"""Errors and waits that travel up from whom they began at."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from tests.support.planted import SCHEMA, SECOND, START, asked
from workspace_ext.inquiry.causes.ranking import rank

PARAMS = asked(120, 120)


def ranked(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    table = pa.Table.from_pylist(list(rows), schema=SCHEMA)
    found: list[dict[str, Any]] = rank(table, PARAMS).to_pylist()
    return found


def moments() -> Iterator[tuple[int, bool]]:
    """One a second, and whether the fault is there."""
    yield from ((second, second >= 60) for second in range(-120, 120))


def page(second: int, broken: bool) -> Iterator[dict[str, Any]]:
    """A page that asks the cart four times; one time in four, that fails, and so the page does."""
    failed = [broken and (second + call) % 4 == 0 and second % 8 < 7 for call in range(4)]
    for number, (service, wrong) in enumerate(
        [("web", any(failed)), *(("cart", each) for each in failed)]
    ):
        yield {
            "part": "span",
            "is_now": second >= 0,
            "time_ns": START + second * SECOND + number * 10**7,
            "duration_ns": 5 * 10**7 if number == 0 else 10**6,
            "trace_id": f"t{second}",
            "span_id": f"s{number}",
            "parent_span_id": None if number == 0 else "s0",
            "service": service,
            "name": "GET",
            "text": "server",
            "failed": wrong,
        }


def test_what_fails_above_a_failure_is_not_to_blame_however_often_it_does() -> None:
    first, *others = ranked(row for moment in moments() for row in page(*moment))
    assert (first["service"], first["verdict"]) == ("cart", "likely")
    assert "web" not in [one["service"] for one in others]


def line(service: str, second: int, number: int, said: str, *, error: bool) -> dict[str, Any]:
    return {
        "part": "line",
        "is_now": second >= 0,
        "time_ns": START + second * SECOND + number * 10**6,
        "service": service,
        "failed": error,
        "text": said,
    }


_SAID = (
    *("request came in", "user is known, go on", "reads its settings from the store"),
    *("one item of those was found there", "kept", "answer sent back to whom asked", "done"),
)


def talk(second: int, broken: bool) -> Iterator[dict[str, Any]]:
    """A request of which two services write seven lines each, and then tell what went wrong."""
    for service in ("web", "cart"):
        for number, said in enumerate(_SAID):
            yield line(service, second, number, said, error=False)
    if broken and second % 2:
        yield line("cart", second, 8, "ERROR no such item", error=True)
        yield line("web", second, 9, "ERROR could not show it", error=True)


def test_errors_in_lines_on_no_trace_count_by_request_and_for_whom_was_asked_last() -> None:
    calls = {"part": "edge", "service": "web", "name": "cart"}
    rows = [calls, *(row for moment in moments() for row in talk(*moment))]
    first, *others = ranked(iter(rows))
    assert (first["service"], first["verdict"]) == ("cart", "likely")
    assert "ERROR no such item" in first["evidence"]
    assert all(one["score"] < first["score"] / 5 for one in others)


def call(
    trace: str, caller: str, callee: str, second: int, wait_ms: float
) -> Iterator[dict[str, Any]]:
    """A request in which one service calls another, and waits longer than that takes."""
    now, start = second >= 0, START + second * SECOND
    spans = (
        ("r", None, caller, "server", 20 + wait_ms),
        ("k", "r", caller, "client", 10 + wait_ms),
        ("c", "k", callee, "server", 10),
    )
    for span, parent, service, kind, took in spans:
        yield {
            "part": "span",
            "is_now": now,
            "time_ns": start,
            "duration_ns": int(took * 1e6),
            "trace_id": trace,
            "span_id": span,
            "parent_span_id": parent,
            "service": service,
            "name": f"{caller} asks {callee}",
            "text": kind,
            "failed": False,
        }


def test_a_wait_that_is_hardly_longer_does_not_outweigh_a_long_one() -> None:
    rows: list[dict[str, Any]] = []
    for second, broken in moments():
        late = 2000.0 if broken else 0.0
        rows += call(f"a{second}", "web", "food", second, late)
        rows += call(f"b{second}", "web", "cart", second, 1.0 if broken else 0.0)
        rows += call(f"c{second}", "shop", "food", second, late if second % 10 else 0.0)
    assert ranked(iter(rows))[0]["service"] == "food"
