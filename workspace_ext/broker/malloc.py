"""The process's heaps: few, so that what one thread freed is there for the next.

Decoding, the journal, merges and questions each have threads of their own, and what one decoded
another frees. With a heap for each thread, and one more of Arrow's, each kept what it had once
needed. What is larger than any batch of rows lies in no heap, and goes back to the system as soon
as it is freed; batches come and go, and would cost a page fault for every four kilobytes.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

import pyarrow as pa

_MMAP_THRESHOLD, _LARGE_BYTES = -3, 8 << 20
_ARENA_MAX, _ARENAS = -8, 2
"""glibc's M_MMAP_THRESHOLD and M_ARENA_MAX (malloc.h)."""


def share_arenas() -> None:
    """Lets all threads, and Arrow, allocate from the C library's arenas, of which there are two.

    Call it before there are threads. Other C libraries than glibc have nothing to share.
    """
    with suppress(OSError, AttributeError, TypeError):
        library = ctypes.CDLL(None)
        library.mallopt(_ARENA_MAX, _ARENAS)
        library.mallopt(_MMAP_THRESHOLD, _LARGE_BYTES)
    pa.set_memory_pool(pa.system_memory_pool())
