"""A file on its way to the broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

_BLOCK_BYTES = 1 << 20


class CountedFile:
    """Reads a file in large blocks, no further than its size was, and tells how far it is."""

    def __init__(
        self, file: BinaryIO, size: int, progress: Callable[[int, int | None], None] | None
    ) -> None:
        self._file = file
        self._size = size
        self._sent = 0
        self._progress = progress

    def read(self, size: int = -1, /) -> bytes:
        """The next block; its size is ours to choose (HTTP libraries ask for little at once)."""
        left = self._size - self._sent
        block = self._file.read(min(max(size, _BLOCK_BYTES), left))
        self._sent += len(block)
        if self._progress is not None and block:
            self._progress(self._sent, self._size)
        return block
