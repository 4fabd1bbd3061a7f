"""Routes about the broker itself, answered on the loop: health, leases, leaving."""

from __future__ import annotations

import asyncio
import json
import os
from contextlib import suppress

from tornado.iostream import StreamClosedError

import workspace_ext
from workspace_ext.broker.handlers import BaseHandler
from workspace_ext.foundation.errors import BadInput, Unavailable

HEARTBEAT_SECONDS = 5.0


class HealthHandler(BaseHandler):
    """Who is there."""

    async def get(self) -> None:
        """Answers from the loop: a loop that hangs is not healthy."""
        self.allow("catalog.read")
        runtime = self.runtime
        self.answer(
            {
                "status": "leaving" if runtime.stopping.is_set() else "ready",
                "instance": runtime.instance,
                "store": str(runtime.services.folder.path),
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
        self._lease = self.runtime.presence.lend(over.set)
        try:
            self.write(json.dumps({"lease": self._lease}) + "\n")
            await self.flush()
            while not over.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), HEARTBEAT_SECONDS)
                    break
                self.write("\n")
                await self.flush()
        except StreamClosedError:
            pass
        finally:
            self.runtime.presence.drop(self._lease)

    def on_connection_close(self) -> None:
        """The caller is gone."""
        if self._lease is not None:
            self.runtime.presence.drop(self._lease)


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
