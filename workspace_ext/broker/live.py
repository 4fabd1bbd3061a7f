"""Routes about the broker itself, answered on the loop: health, leases, leaving."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from tornado.iostream import StreamClosedError

import workspace_ext
from workspace_ext.broker.handlers import BaseHandler
from workspace_ext.foundation.errors import BadInput, Unavailable

HEARTBEAT_SECONDS = 5.0
_LOOK_SECONDS = 1.0


class HealthHandler(BaseHandler):
    """Who is there."""

    async def get(self) -> None:
        """Answers from the loop: a loop that hangs is not healthy."""
        self.allow("catalog.read")
        runtime = self.runtime
        store = str(runtime.services.folder.path)
        self.answer(
            {
                "status": "leaving" if runtime.stopping.is_set() else "ready",
                "instance": runtime.instance,
                "store": store if self.principal.kind == "service" else None,
                "pid": os.getpid(),
                "version": workspace_ext.__version__,
                "started": runtime.started,
                "leases": runtime.presence.leases,
            }
        )


class LeaseHandler(BaseHandler):
    """A connection that keeps the broker; heartbeats tell both ends that the other lives."""

    _lease: str | None = None

    async def get(self) -> None:
        """Open until it is given back, the caller is gone, or the broker stops."""
        self.allow("lease.hold")
        if self.runtime.stopping.is_set():
            raise Unavailable("the broker is leaving", hint="start another", code="broker_leaving")
        over = asyncio.Event()
        with self.runtime.presence.lease(over.set) as self._lease, suppress(StreamClosedError):
            self.write(json.dumps({"lease": self._lease}) + "\n")
            await self.flush()
            while not await _within(over, HEARTBEAT_SECONDS):
                self.write("\n")
                await self.flush()

    def on_connection_close(self) -> None:
        """The caller is gone."""
        super().on_connection_close()
        if self._lease is not None:
            self.runtime.presence.drop(self._lease)


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True


class ReleaseHandler(BaseHandler):
    """Gives a lease back on purpose."""

    async def post(self) -> None:
        """``{"lease": id}``; says whether the broker leaves now."""
        self.allow("lease.hold")
        body = self.json()
        lease = body.get("lease") if isinstance(body, dict) else None
        if not isinstance(lease, str):
            raise BadInput("no lease in the body", hint='send {"lease": "…"}')
        with self.runtime.presence.request():
            self.answer({"leaving": self.runtime.presence.release(lease)})


class FollowHandler(BaseHandler):
    """GET /v1/investigations/UID/stream: server-sent events, ``state`` and then ``delta``s."""

    _end: Callable[[], None] | None = None

    async def get(self, uid: str) -> None:
        """Open until the caller is gone or the broker stops."""
        self.allow("investigation.read")
        investigations = self.runtime.services.investigations
        loop = asyncio.get_running_loop()
        changes: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

        def changed(delta: dict[str, Any]) -> None:
            loop.call_soon_threadsafe(changes.put_nowait, delta)

        self._end = partial(changes.put_nowait, None)
        with self.runtime.presence.stream(self._end):
            unsubscribe = await self.runtime.call(investigations.subscribe, uid, changed)
            try:
                state = await self.runtime.call(investigations.state, uid)
                await self._follow(state, changes)
            except StreamClosedError:
                pass
            finally:
                await self.runtime.call(unsubscribe)

    async def _follow(self, state: Any, changes: asyncio.Queue[dict[str, Any] | None]) -> None:
        self.set_header("Content-Type", "text/event-stream")
        await self._send("state", state)
        while True:
            try:
                delta = await asyncio.wait_for(changes.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                self.write(": alive\n\n")
                await self.flush()
                continue
            if delta is None:
                return
            if delta["seq"] > state["seq"]:
                await self._send("delta", delta)

    async def _send(self, event: str, data: Any) -> None:
        self.write(f"event: {event}\ndata: {json.dumps(data)}\n\n")
        await self.flush()

    def on_connection_close(self) -> None:
        """The caller is gone."""
        super().on_connection_close()
        if self._end is not None:
            self._end()


class FollowDataHandler(FollowHandler):
    """GET /v1/catalog/stream: the newest pin, whenever something was committed to the store."""

    async def get(self) -> None:  # type: ignore[override]
        """Open until the caller is gone or the broker stops."""
        self.allow("catalog.read")
        changes: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._end = partial(changes.put_nowait, None)
        with self.runtime.presence.stream(self._end), suppress(StreamClosedError):
            commits = self.runtime.services.telemetry.commits  # before the pin: none is missed
            state = {"uid": "store", "seq": 0, "pin": await self._newest()}
            looking = asyncio.ensure_future(self._look(changes, commits))
            try:
                await self._follow(state, changes)
            finally:
                looking.cancel()

    async def _look(self, changes: asyncio.Queue[dict[str, Any] | None], commits: int) -> None:
        """Compares a number a second: many commits in a moment are one change."""
        telemetry = self.runtime.services.telemetry
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if telemetry.commits != commits:
                commits = telemetry.commits
                pin = await self._newest()
                changes.put_nowait({"uid": "store", "seq": commits, "pin": pin})

    async def _newest(self) -> int:
        return await self.runtime.call(self.runtime.services.catalog.newest)
