"""The server's line to the broker: started on demand, never waited for on the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.supervisor import BrokerState, Supervisor
from workspace_ext.foundation.errors import NotFound
from workspace_ext.server.placement import has_store
from workspace_ext.storage.folder import StoreFolder

T = TypeVar("T")

CALL_SECONDS = 30.0
"""How long a call waits for a broker that is starting."""


class BrokerLink:
    """Calls the broker in threads.

    Args:
        store: The store's folder.
        may_make: Whether a store that is not there may be made, once somebody needs one: not
            where a user named the folder, who may have misspelt it.
    """

    def __init__(self, store: Path, *, may_make: bool) -> None:
        self.store = store
        self._may_make = may_make
        self._supervisor = Supervisor(store)
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="investigation")

    @property
    def state(self) -> BrokerState:
        """How the broker is now."""
        return self._supervisor.state

    def make(self) -> None:
        """Makes the store if it is not there and may be made: somebody begins to work with it.

        Raises:
            InvestigationError: It cannot be made.
        """
        if self._may_make and not has_store(self.store):
            StoreFolder.create(self.store)

    def start(self) -> None:
        """Sees to it that a broker runs or is being started; returns at once.

        Raises:
            NotFound: There is no store, and nobody needed one yet.
        """
        if not has_store(self.store):
            raise NotFound(
                f"no store in {self.store}",
                hint="begin an investigation"
                if self._may_make
                else f"make one with: jupyter investigation init {self.store}",
                code="no_store",
            )
        self._supervisor.start()

    def hurry(self) -> None:
        """Tries again at once to start a broker that could not be started."""
        self._supervisor.hurry()

    def client(self, seconds: float = CALL_SECONDS) -> BrokerClient:
        """The broker's client, for threads of the caller's own. Blocks.

        Raises:
            InvestigationError: Why there is none.
        """
        self.start()
        return self._supervisor.client(seconds)

    async def call(self, use: Callable[[BrokerClient], T], *, seconds: float = CALL_SECONDS) -> T:
        """Runs something that uses the client in a thread.

        Args:
            use: What to do.
            seconds: How long to wait for a broker that is starting.

        Raises:
            InvestigationError: Why there is no broker, or what it answered.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: use(self.client(seconds)))

    def stop(self) -> None:
        """Gives the broker up: it leaves when nobody else uses it. Blocks, bounded."""
        self._supervisor.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)
