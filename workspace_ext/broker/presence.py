"""Who uses this broker, and when nobody does any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workspace_ext.foundation.ids import new_id

End = Callable[[], None]
"""Asks something that is held open to end; may be called more than once."""


class Presence:
    """Counts leases, requests and streams; lives on the event loop's thread.

    Leases and requests keep the broker; a stream does not: whoever reads one holds a lease.

    Args:
        linger: Seconds after the last use at which to leave; None means never.
        leave: Called when it is time.
    """

    def __init__(self, linger: float | None, leave: Callable[[], None]) -> None:
        self._linger = linger
        self._leave = leave
        self._requests = 0
        self._streams: dict[str, End] = {}
        self._leases: dict[str, End] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def leases(self) -> int:
        """How many leases are held."""
        return len(self._leases)

    @contextmanager
    def request(self) -> Iterator[None]:
        """For as long as somebody waits for an answer."""
        self._requests += 1
        self.settle()
        try:
            yield
        finally:
            self._requests -= 1
            self.settle()

    @contextmanager
    def stream(self, end: End) -> Iterator[None]:
        """For as long as somebody is told what happens."""
        stream = new_id()
        self._streams[stream] = end
        try:
            yield
        finally:
            del self._streams[stream]

    @contextmanager
    def lease(self, end: End) -> Iterator[str]:
        """Gives out a lease, and takes it back at the end; `drop` does so before."""
        lease = new_id()
        with self.stream(end):
            self._leases[lease] = end
            self.settle()
            try:
                yield lease
            finally:
                self.drop(lease)

    def drop(self, lease: str) -> bool:
        """Ends a lease; False when it was over already."""
        end = self._leases.pop(lease, None)
        if end is None:
            return False
        end()
        self.settle()
        return True

    def release(self, lease: str) -> bool:
        """A lease is given back on purpose; True when the broker leaves because of that.

        No lingering then: whoever needs a broker next starts one, and finds no leftovers.
        """
        dropped = self.drop(lease)
        others = self._leases or self._requests > 1  # one is the request that releases
        if self._linger is None or others or not dropped:
            return False
        self._leave()  # at once: whoever asks for a lease from now on is refused
        return True

    def settle(self) -> None:
        """Lets the clock run while nobody is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._linger is not None and not self._requests and not self._leases:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self._leave)

    async def clear(self, seconds: float) -> bool:
        """Ends what is held open and waits for the rest; False when some stays after the time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self._requests or self._streams:
            for end in tuple(self._streams.values()):
                end()
            if loop.time() > deadline:
                return False
            await asyncio.sleep(0.01)
        return True
