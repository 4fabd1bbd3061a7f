"""Which thread goes first when there is more to do than processors."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

_NICE = 5


def yield_to_others() -> None:
    """Lets all other threads go before this one, for as long as it lives.

    On Linux only: elsewhere a thread has no priority that is not its whole process's.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            usual = os.getpriority(os.PRIO_PROCESS, thread)
            os.setpriority(os.PRIO_PROCESS, thread, usual + _NICE)
