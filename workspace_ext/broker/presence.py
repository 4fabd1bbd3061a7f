"""Who uses this broker, and when nobody does any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from workspace_ext.foundation.ids import new_id


class Presence:
    """Counts leases and requests; lives on the event loop's thread.

    Args:
        linger: Seconds after the last one at which to leave; None means never.
        leave: Called once when it is time.
    """

    def __init__(self, linger: float | None, leave: Callable[[], None]) -> None:
        self._linger = linger
        self._leave = leave
        self._requests = 0
        self._leases: dict[str, Callable[[], None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def leases(self) -> int:
        """How many leases are held."""
        return len(self._leases)

    @contextmanager
    def request(self) -> Iterator[None]:
        """For as long as somebody waits for an answer."""
        self._requests += 1
        self._stop_timer()
        try:
            yield
        finally:
            self._requests -= 1
            self.settle()

    def lend(self, end: Callable[[], None]) -> str:
        """Gives out a lease and returns its id; ``end`` is called when it is given back."""
        lease = new_id()
        self._leases[lease] = end
        self._stop_timer()
        return lease

    def drop(self, lease: str) -> None:
        """A lease is over; dropping it twice is harmless."""
        end = self._leases.pop(lease, None)
        if end is not None:
            end()
            self.settle()

    def end_all(self) -> None:
        """Ends all leases: the broker stops."""
        for lease in list(self._leases):
            self.drop(lease)

    def release(self, lease: str) -> bool:
        """A lease is given back on purpose; True when the broker leaves because of that.

        No lingering then: whoever needs a broker next starts one, and finds no leftovers.
        """
        known = lease in self._leases
        self.drop(lease)
        others = self._leases or self._requests > 1  # one is the request that releases
        if self._linger is None or others or not known:
            return False
        asyncio.get_running_loop().call_soon(self._leave)
        return True

    def settle(self) -> None:
        """Starts the clock when nobody is there."""
        self._stop_timer()
        if self._linger is not None and not self._requests and not self._leases:
            self._timer = asyncio.get_running_loop().call_later(self._linger, self._leave)

    async def quiet(self, seconds: float) -> bool:
        """Waits until no request is left; False when one still is after the time."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._requests:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
