"""Lanes and deadlines."""

from __future__ import annotations

import threading

import pytest

from workspace_ext.foundation.errors import LimitExceeded
from workspace_ext.telemetry.query.lanes import Lane, Pace
from workspace_ext.telemetry.query.watch import Cancelled, Watch, Watchdog


def watch(seconds: float = 30, cancelled: threading.Event | None = None) -> Watch:
    return Watch(seconds, cancelled or threading.Event(), lambda: None)


def test_first_in_first_out() -> None:
    lane = Lane(1)
    order: list[int] = []
    lane.enter(watch())
    threads = []
    for number in range(5):
        queued = threading.Event()

        def wait(number: int = number, queued: threading.Event = queued) -> None:
            queued.set()
            with lane.turn(watch()):
                order.append(number)

        thread = threading.Thread(target=wait)
        thread.start()
        threads.append(thread)
        queued.wait()
        while len(lane._waiting) <= number:
            pass
    lane.leave()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]


def test_waiting_ends_at_the_deadline_and_when_cancelled() -> None:
    lane = Lane(1)
    lane.enter(watch())
    with pytest.raises(LimitExceeded, match=r"longer than 0.05 s"):
        lane.enter(watch(0.05))
    gone = threading.Event()
    gone.set()
    with pytest.raises(Cancelled):
        lane.enter(watch(cancelled=gone))
    lane.leave()
    lane.enter(watch())  # nobody who gave up kept a place


def test_the_watchdog_ends_what_is_due() -> None:
    dog = Watchdog()
    ended = threading.Event()
    due = dog.watch(0.01, threading.Event(), ended.set)
    assert ended.wait(5)
    assert due.reason == "deadline"
    dog.forget(due)
    ended.clear()
    cancelled = threading.Event()
    other = dog.watch(60, cancelled, ended.set)
    cancelled.set()
    assert ended.wait(5)
    with pytest.raises(Cancelled):
        other.check()
    dog.close()


def test_how_it_went_decides_how_it_goes() -> None:
    pace = Pace()
    assert not pace.is_heavy("SELECT 1")
    pace.took("SELECT 1", 3.0, large=True)
    assert pace.is_heavy("SELECT 1")
    assert pace.is_large("SELECT 1")
    pace.took("SELECT 1", 0.1, large=False)
    assert not pace.is_heavy("SELECT 1")
    assert not pace.is_large("SELECT 1")
