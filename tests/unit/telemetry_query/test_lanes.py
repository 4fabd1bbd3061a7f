"""Lanes and deadlines."""

from __future__ import annotations

import threading
import time
from functools import partial
from types import SimpleNamespace

import pytest

from tests.support.waiting import PATIENCE_SECONDS, until
from workspace_ext.foundation.errors import LimitExceeded
from workspace_ext.telemetry.query import lanes
from workspace_ext.telemetry.query.lanes import Effort, Lane, Pace
from workspace_ext.telemetry.query.watch import Cancelled, Watch, Watchdog


def watch(seconds: float = 30, cancelled: threading.Event | None = None) -> Watch:
    return Watch(seconds, cancelled or threading.Event(), lambda: None)


def order_of_turns(*tickets: dict[str, float]) -> list[int]:
    """Numbers of those who wait, one coming after the other, as they get their turns."""
    lane = Lane(1)
    order: list[int] = []
    lane.enter(watch())

    def waiting(many: int) -> bool:
        return len(lane._waiting) == many

    def wait(number: int) -> None:
        lane.enter(watch(), **tickets[number])  # type: ignore[arg-type]
        order.append(number)
        lane.leave()

    threads = [threading.Thread(target=wait, args=(number,)) for number in range(len(tickets))]
    for number, thread in enumerate(threads):
        thread.start()
        until(partial(waiting, number + 1), "it waits")
    lane.leave()
    for thread in threads:
        thread.join()
    return order


def test_first_in_first_out() -> None:
    assert order_of_turns({}, {}, {}, {}, {}) == [0, 1, 2, 3, 4]


def test_what_has_begun_goes_first() -> None:
    tickets = [{"begun": begun, "needed": 9.0} for begun in (False, True, False, True)]
    assert order_of_turns(*tickets, {}) == [1, 3, 4, 0, 2]


def test_who_needs_little_goes_before_who_needs_much() -> None:
    assert order_of_turns(*({"needed": each} for each in (300.0, 100.0, 200.0))) == [1, 2, 0]


def test_who_needs_much_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1_000, 15))  # one comes each 15 s
    monkeypatch.setattr(lanes, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    tickets = [{"needed": 3.0}, {"needed": 0.1}, {"needed": 0.1}, {"needed": 0.1}]
    assert order_of_turns(*tickets) == [1, 0, 2, 3]


def test_who_pushes_in_lets_the_next_wait_for_longer() -> None:
    lane = Lane(1)
    lane.push_in()
    lane.push_in()
    for _ in range(2):
        with pytest.raises(LimitExceeded):
            lane.enter(watch(0.01))
        lane.leave()
    lane.enter(watch())


def work(seconds: float) -> None:
    """Keeps a processor busy for so many of its seconds."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_work_is_that_of_its_thread_and_a_share_of_what_others_do_for_it() -> None:
    """One thread helps two others, as the engine's do; all have done their part at the end."""
    effort = Effort(2)
    seconds: list[float] = []
    both_begun, all_done = threading.Barrier(3), threading.Barrier(3)

    def piece() -> None:
        with effort.of_this(seconds.append):
            both_begun.wait(PATIENCE_SECONDS)
            work(0.2)
            all_done.wait(PATIENCE_SECONDS)

    threads = [threading.Thread(target=piece) for _ in range(2)]
    process = time.process_time()
    for thread in threads:
        thread.start()
    both_begun.wait(PATIENCE_SECONDS)
    work(0.2)
    all_done.wait(PATIENCE_SECONDS)
    for thread in threads:
        thread.join()
    assert min(seconds) >= 0.29
    assert 0.59 <= sum(seconds) <= time.process_time() - process


def test_no_more_is_shared_than_the_other_processors_can_do_meanwhile() -> None:
    effort = Effort(2)
    seconds: list[float] = []
    own = time.thread_time()
    with effort.of_this(seconds.append):
        work(0.05)
        other = threading.Thread(target=work, args=(0.2,))
        other.start()
        other.join()
    own = time.thread_time() - own
    assert 0.1 <= seconds[0] <= 2 * own


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
    assert ended.wait(PATIENCE_SECONDS)
    assert due.reason == "deadline"
    dog.forget(due)
    ended.clear()
    cancelled = threading.Event()
    other = dog.watch(60, cancelled, ended.set)
    cancelled.set()
    assert ended.wait(PATIENCE_SECONDS)
    with pytest.raises(Cancelled):
        other.check()
    dog.close()


def test_how_it_went_decides_how_it_goes() -> None:
    pace = Pace()
    assert pace.seconds("SELECT 1") == 0
    pace.took("SELECT 1", 3.0, large=True)
    assert pace.seconds("SELECT 1") == 3.0
    assert pace.is_large("SELECT 1")
    pace.took("SELECT 1", 0.1, large=False)
    assert not pace.is_large("SELECT 1")


def test_what_was_slow_beside_others_is_not_taken_for_long() -> None:
    pace = Pace()
    for seconds in (0.2, 0.5, 0.4):
        pace.took("SELECT 1", seconds, large=False)
    assert pace.seconds("SELECT 1") == 0.2
    for seconds in (0.5, 0.4, 0.6, 0.5, 0.4):
        pace.took("SELECT 1", seconds, large=False)
    assert pace.seconds("SELECT 1") == 0.4  # it has become longer


def test_what_was_ended_needs_no_less_than_it_was_worked_on() -> None:
    pace = Pace()
    pace.ended("SELECT 1", 8.0)
    assert pace.seconds("SELECT 1") == 8.0
    pace.took("SELECT 1", 3.0, large=True)
    pace.ended("SELECT 1", 0.2)  # somebody went away
    assert pace.seconds("SELECT 1") == 3.0
    pace.ended("SELECT 1", 9.0)  # of a longer window
    assert pace.seconds("SELECT 1") == 3.0
    assert pace.is_large("SELECT 1")
