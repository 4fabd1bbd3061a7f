"""How many requests are decoded at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.live import live_ingest
from tests.support.store import open_store
from workspace_ext.broker import intake
from workspace_ext.broker.intake import Intake, Request, _Asked, _Lane
from workspace_ext.foundation.priority import Precedence
from workspace_ext.telemetry.ingest.live.decoding import Decoded, decode
from workspace_ext.telemetry.ingest.model import Parsed

SECONDS = 30.0


def asked() -> _Asked:
    """A request."""
    return _Asked(Request("otlp-proto", "spans", "test", "", {}, b"-", 1))


def lane(work: Callable[[list[_Asked]], None]) -> _Lane:
    """A lane that takes many at once."""
    return _Lane("test", 1 << 20, Precedence(), work)


def test_those_who_send_at_once_are_decoded_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_GATHER_SECONDS", SECONDS)
    pieces: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(taken: list[_Asked]) -> None:
        pieces.append(len(taken))
        begun.set()
        go_on.wait(SECONDS)
        for one in taken:
            one.answer.set_result(Parsed({}))

    tested = lane(work)
    sent = [asked() for _ in range(7)]
    tested.put(sent[0])
    assert begun.wait(SECONDS)  # alone, it waited for nobody
    for one in sent[1:4]:
        tested.put(one)
    go_on.set()
    sent[3].answer.result(SECONDS)
    for one in sent[4:6]:  # three were under way at once, so the first of these waits for another
        tested.put(one)
    sent[5].answer.result(SECONDS)
    tested.put(sent[6])  # nobody is waited for that did not come again
    sent[6].answer.result(SECONDS)
    tested.close()
    assert pieces == [1, 3, 2, 1]


def test_none_waits_for_more_than_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_GATHER_SECONDS", 0.001)
    pieces: list[int] = []
    tested = lane(lambda taken: pieces.append(len(taken)))
    sent = [asked() for _ in range(3)]
    for one in sent:  # none of them is ever answered
        tested.put(one)
    tested.close()
    assert sum(pieces) == len(sent)


def test_a_request_holds_its_room_until_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when its sender has left, as a call of gRPC is cancelled then."""
    begun, go_on = threading.Event(), threading.Event()

    def slowly(came: Request) -> Decoded:
        begun.set()
        assert go_on.wait(SECONDS)
        return decode(came)

    async def leave(tested: Intake) -> None:
        came = Request("loki", "", "test", "", {}, b'{"streams": []}')
        tested.reserve(len(came.body))
        waiting = asyncio.ensure_future(tested.receive(came))
        assert await asyncio.to_thread(begun.wait, SECONDS)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        assert tested.in_flight_bytes == len(came.body)
        go_on.set()
        async with asyncio.timeout(SECONDS):
            while tested.in_flight_bytes:
                await asyncio.sleep(0.01)

    monkeypatch.setattr(intake, "decode", slowly)
    with open_store(tmp_path / "store") as store, live_ingest(store) as live:
        tested = Intake(live, Precedence())
        asyncio.run(leave(tested))
        tested.close()
