"""The threads that questions are worked on in."""

from __future__ import annotations

import os
import sys
import threading
import weakref

import pytest

from tests.support.waiting import PATIENCE_SECONDS, until
from workspace_ext.telemetry.query.threads import KeptThread, KeptThreads


def worker(kept: KeptThread) -> threading.Thread:
    """The thread that does its work."""
    return kept.submit(threading.current_thread).result(PATIENCE_SECONDS)


def test_one_is_kept_for_the_next_piece_of_work() -> None:
    pool = KeptThreads()
    first = pool.take(0)
    thread = worker(first)
    other = pool.take(0)
    assert worker(other) is not thread

    pool.give_back(first)

    assert worker(pool.take(0)) is thread


def test_what_goes_wrong_is_told_and_the_next_work_goes_on() -> None:
    kept = KeptThread()

    with pytest.raises(ZeroDivisionError):
        kept.submit(lambda: 1 // 0).result(PATIENCE_SECONDS)

    assert kept.submit(lambda: 2).result(PATIENCE_SECONDS) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_one_that_was_told_to_yield_is_kept_for_work_that_may_wait() -> None:
    pool = KeptThreads()
    slow = pool.take(0)
    thread = worker(slow)
    usual = os.getpriority(os.PRIO_PROCESS, 0)

    slow.slow(7)
    slow.slow(3)
    pool.give_back(slow)

    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert pool.take(0).submit(priority).result(PATIENCE_SECONDS) == usual
    again = pool.take(7)
    assert worker(again) is thread
    assert again.submit(priority).result(PATIENCE_SECONDS) == min(usual + 7, 19)


def test_those_that_are_too_many_end_and_all_when_it_is_closed() -> None:
    pool = KeptThreads()
    taken = [pool.take(0) for _ in range(6)]
    threads = [worker(kept) for kept in taken]
    for kept in taken[:5]:
        pool.give_back(kept)
    until(lambda: sum(thread.is_alive() for thread in threads) == 5, "the fifth idle one ended")

    pool.close()
    pool.give_back(taken[5])

    until(lambda: not any(thread.is_alive() for thread in threads), "all ended")


def test_nothing_of_the_work_is_held_when_it_is_done() -> None:
    class Rows:
        pass

    kept, rows = KeptThread(), Rows()
    gone = weakref.ref(rows)
    assert kept.submit(lambda rows=rows: rows).result(PATIENCE_SECONDS) is rows

    del rows

    until(lambda: gone() is None, "what it gave was let go")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the clock counts")
def test_it_is_work_that_counts_not_the_clock() -> None:
    kept, end = KeptThread(), threading.Event()

    idle = kept.submit(lambda: end.wait(30))
    threading.Timer(0.3, end.set).start()
    assert kept.is_done(idle, within=0.1)

    end.clear()

    def busy() -> None:
        while not end.is_set():
            pass

    worked = kept.submit(busy)
    assert not kept.is_done(worked, within=0.05)
    end.set()
    worked.result(PATIENCE_SECONDS)
    kept.end()
