"""Late and skewed data is taken, flagged, and seen by pins made after it arrived only.

And whoever asks about a window with gaps, late data or clocks that differ is told so.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.live import START_NS, Receiver, receiver
from workspace_ext.foundation.clock import now_ns, to_rfc3339
from workspace_ext.foundation.errors import BadInput, NotFound

MINUTE = 60_000_000_000
SECOND = 1_000_000_000
BEGIN = START_NS // MINUTE * MINUTE
TEN = {"start": to_rfc3339(BEGIN), "end": to_rfc3339(BEGIN + 10 * MINUTE)}
COUNT = (
    "SELECT count(*) AS n FROM spans WHERE time >= $window_start AND time < $window_end"
    " AND service = $service"
)
_numbers = count(1)


def spans(service: str, times: list[int], *, caller: str = "", ahead: int = 0) -> bytes:
    """A request with spans of 100 ms; each with its caller, whose clock is so much ahead."""
    request = ExportTraceServiceRequest()
    for name, shift in ((service, 0), *([(caller, ahead)] if caller else [])):
        group = request.resource_spans.add()
        group.resource.attributes.add(key="service.name").value.string_value = name
        group.scope_spans.add()
        group.scope_spans[0].scope.name = str(shift)
    for at in times:
        number = next(_numbers)
        trace = number.to_bytes(16, "big")
        for place, group in enumerate(request.resource_spans):
            shift = int(group.scope_spans[0].scope.name)
            span = group.scope_spans[0].spans.add(
                trace_id=trace,
                span_id=(2 * number + place).to_bytes(8, "big"),
                parent_span_id=(2 * number + 1).to_bytes(8, "big") if caller and not place else b"",
                name="GET /",
                kind=2,
            )
            span.start_time_unix_nano = at + shift
            span.end_time_unix_nano = at + shift + 100_000_000
    return request.SerializeToString()


def steady(minutes: range) -> list[int]:
    """Twenty in each of these minutes."""
    return [BEGIN + minute * MINUTE + n * 3 * SECOND for minute in minutes for n in range(20)]


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with receiver(tmp_path_factory.mktemp("late") / "s") as started:
        yield started


def send(broker: Receiver, body: bytes) -> int:
    """Sends spans; gives the pin that has them."""
    assert broker.post("/v1/traces", body, "application/x-protobuf").status == 200
    return int(broker.client.catalog()["pin"])


def ask(broker: Receiver, service: str, **how: Any) -> tuple[int, list[str]]:
    values = {**{f"window_{part}": text for part, text in TEN.items()}, "service": service}
    result = broker.client.query({"sql": COUNT, "params": values, **how})  # type: ignore[typeddict-item]
    return result.table["n"][0].as_py(), result.answer["verdict"]["warnings"]


def test_late_data_is_kept_flagged_and_seen_by_later_pins_only(broker: Receiver) -> None:
    before = send(broker, spans("cart", steady(range(10))))
    uid = broker.client.open_investigation("late", window=TEN)["uid"]
    assert ask(broker, "cart", investigation=uid) == (200, [])

    after = send(broker, spans("cart", [BEGIN + SECOND * n + 7 for n in range(30)]))
    assert after > before
    newest = broker.client.batches(limit=1)[0]
    assert (newest["kept"], newest["late"], newest["ahead"]) == (30, 30, 0)

    told = (
        f"the scanned window has 30 more spans that came after pin {before}:"
        f" moving the pin to {after} would add them"
    )
    assert ask(broker, "cart", investigation=uid) == (200, [told])
    assert ask(broker, "cart", investigation=uid) == (200, [told])  # now from memory
    assert ask(broker, "cart") == (230, [])

    template = {"template": "triage.overview", "investigation": uid, "params": {"baseline": TEN}}
    warnings = broker.client.query(template).answer["verdict"]["warnings"]  # type: ignore[arg-type]
    assert any("the window has 30 more spans that came after pin" in each for each in warnings)


def test_data_of_a_fast_clock_is_kept_and_flagged(broker: Receiver) -> None:
    send(broker, spans("cart", [now_ns() + 60 * MINUTE]))
    assert broker.client.batches(limit=1)[0]["ahead"] == 1


def test_a_query_is_told_of_gaps_where_it_looks(broker: Receiver) -> None:
    send(broker, spans("cart", [*steady(range(4)), *steady(range(7, 10))]))
    send(broker, spans("stock", steady(range(10))))
    clock = to_rfc3339(BEGIN + 4 * MINUTE)[11:16]
    told = (
        "spans are missing in the scanned window: cart has none for 3 min from"
        f" {clock}Z, 20 a minute are usual"
    )
    assert ask(broker, "cart") == (140, [told])
    assert ask(broker, "stock") == (200, [])
    template = {"template": "triage.overview", "params": {"window": TEN, "baseline": TEN}}
    warnings = broker.client.query(template).answer["verdict"]["warnings"]  # type: ignore[arg-type]
    assert told.replace("scanned window", "window") in warnings


def test_a_query_is_told_that_clocks_differ(broker: Receiver) -> None:
    send(broker, spans("cart", steady(range(10)), caller="front", ahead=40_000_000))
    told = (
        "clocks differ in the scanned window: cart begins before its caller front in 200 of 200"
        " calls, by 40 ms (median)"
    )
    assert ask(broker, "cart") == (200, [told])


def test_quality_of_a_window_by_signal_and_service(broker: Receiver) -> None:
    send(broker, spans("cart", [*steady(range(4)), *steady(range(7, 10))], caller="front"))
    before = send(broker, spans("stock", steady(range(10))))
    repeated = spans("web", steady(range(2)))
    send(broker, repeated)
    send(broker, repeated)
    found = broker.client.quality(f"{TEN['start']}/{TEN['end']}")
    by_service = {each["service"]: each for each in found["signals"]}
    assert list(by_service) == ["cart", "front", "stock", "web"]
    cart, web = by_service["cart"], by_service["web"]
    assert (cart["rows"], cart["late_share"]) == (140, 1.0)
    assert [(gap["minutes"], gap["only_this_service"]) for gap in cart["gaps"]] == [(3, True)]
    assert (web["duplicates"], web["duplicate_share"], web["gaps"]) == (40, 0.5, [])
    assert web["behind_seconds"] == 8 * 60
    assert web["age_seconds"] > web["behind_seconds"]
    told = "\n".join(found["warnings"])
    assert "spans are missing in the window: cart has none for 3 min" in told
    assert "sent more than once: spans of web 50%" in told
    assert "behind the others: spans of web 480 s" in told

    assert [each["service"] for each in broker.client.quality(service="cart")["signals"]] == [
        "cart"
    ]
    older = broker.client.quality(f"{TEN['start']}/{TEN['end']}", pin=before)
    assert [each["service"] for each in older["signals"]] == ["cart", "front", "stock"]
    assert any("40 more spans that came after pin" in each for each in older["warnings"])


def test_quality_of_nothing_and_of_nonsense(broker: Receiver) -> None:
    assert broker.client.quality()["signals"] == []
    with pytest.raises(NotFound, match="no service 'nowhere'"):
        broker.client.quality(service="nowhere")
    with pytest.raises(BadInput, match="not a window"):
        broker.client.quality("yesterday")
    with pytest.raises(BadInput, match="no pin 9"):
        broker.client.quality(pin=9)
    with pytest.raises(BadInput, match="longer than 31 days"):
        broker.client.quality("2023-01-01T00:00:00Z/2024-01-01T00:00:00Z")
