"""Which thread goes first when there is more to do than processors."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

_NICE = 5


def yield_to_others(thread: int | None = None, *, nice: int = _NICE) -> None:
    """Lets all other threads go before a thread, for as long as it lives.

    On Linux only: elsewhere a thread has no priority that is not its whole process's.

    Args:
        thread: Its native id; the calling thread when None.
        nice: How much it yields, 1 to 19.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread or threading.get_native_id(), nice)
