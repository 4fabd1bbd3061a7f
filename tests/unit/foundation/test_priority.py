"""A thread that lets the others go first."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from workspace_ext.foundation.priority import yield_to_others


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
