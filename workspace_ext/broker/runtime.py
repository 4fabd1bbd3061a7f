"""What every handler of one broker process shares."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from workspace_ext.broker.intake import Intake
from workspace_ext.broker.keeping import Keeper
from workspace_ext.broker.metrics import Metrics
from workspace_ext.broker.presence import Presence
from workspace_ext.broker.services import Services
from workspace_ext.foundation.clock import now_ns, to_rfc3339
from workspace_ext.foundation.ids import new_id
from workspace_ext.foundation.priority import Precedence

T = TypeVar("T")

_CALL_THREADS = 32
_QUERY_THREADS = 64  # most of them wait: how many queries run at once is the lanes' decision


class Runtime:
    """The services, the threads they work in, and the state of this process.

    Args:
        services: What the routes are over.
        linger: See `Presence`.

    Attributes:
        doors: Where it receives, by the name of the door: the address, and who may send there.
        precedence: Of those who ask over what comes in.
    """

    def __init__(self, services: Services, linger: float | None) -> None:
        self.services = services
        self.instance = new_id()
        self.started = to_rfc3339(now_ns())
        self.doors: dict[str, dict[str, str]] = {}
        self.stopping = asyncio.Event()
        self.presence = Presence(linger, self.stopping.set)
        self.metrics = Metrics(services)
        self.precedence = Precedence()
        self.intake = Intake(services.live, self.precedence)
        self.keeper = Keeper(services)
        self._calls = ThreadPoolExecutor(_CALL_THREADS, thread_name_prefix="call")
        self._queries = ThreadPoolExecutor(_QUERY_THREADS, thread_name_prefix="query")
        self._running: set[threading.Event] = set()

    async def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs a service's function in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._calls, function, *arguments)

    async def query(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs a part of a query in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._queries, function, *arguments)

    @contextmanager
    def cancellable(self) -> Iterator[threading.Event]:
        """An event that is set when the process stops; whoever gave it out may set it too."""
        cancelled = threading.Event()
        if self.stopping.is_set():
            cancelled.set()
        self._running.add(cancelled)
        try:
            yield cancelled
        finally:
            self._running.discard(cancelled)

    def cancel_all(self) -> None:
        """Cancels everything that runs."""
        for cancelled in self._running:
            cancelled.set()

    def close(self) -> None:
        """Lets the threads end."""
        self.keeper.close()
        self.intake.close()
        self._calls.shutdown(wait=False, cancel_futures=True)
        self._queries.shutdown(wait=False, cancel_futures=True)
