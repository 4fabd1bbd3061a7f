"""A thread that lets the others go first."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from workspace_ext.foundation.priority import PATIENCE, Precedence, yield_to_others


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_only_this_thread_yields() -> None:
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    seen: list[int] = []

    def work() -> None:
        yield_to_others()
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen[0] > before
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def compute(seconds: float) -> None:
    """Uses so much of the processor."""
    started = time.thread_time()
    while time.thread_time() - started < seconds:
        pass


def test_work_pauses_while_somebody_asks_but_not_for_ever() -> None:
    precedence = Precedence()
    with precedence.asking():
        begun = time.monotonic()
        with precedence.piece():
            compute(0.02)
        assert time.monotonic() - begun >= 0.02 * (1 + PATIENCE)


def test_work_goes_on_as_soon_as_nobody_asks() -> None:
    precedence = Precedence(patience=1e9)
    asking, worked = threading.Event(), threading.Event()

    def ask() -> None:
        with precedence.asking():
            asking.set()
            assert worked.wait(30)

    asker = threading.Thread(target=ask)
    asker.start()
    assert asking.wait(30)
    with precedence.piece():
        compute(0.001)
        worked.set()
    asker.join()
    with precedence.piece():
        compute(0.001)
