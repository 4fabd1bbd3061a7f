"""One notebook, one kernel; and the way from a kernel back to its notebooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any
from weakref import WeakValueDictionary

from jupyter_server.services.sessions.sessionmanager import SessionManager

starting_path: ContextVar[str] = ContextVar("starting_path", default="")
"""The notebook that a kernel is being started for."""


class InvestigationSessionManager(SessionManager):
    """Sessions as Jupyter has them, but two browsers that open one notebook get one kernel."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.on_closed: list[Callable[[str], None]] = []

    async def create_session(
        self,
        path: str | None = None,
        name: Any = None,
        type: str | None = None,  # noqa: A002 # Jupyter's name for it
        kernel_name: Any = None,
        kernel_id: str | None = None,
    ) -> dict[str, Any]:
        """The path's session: a new one, or the one that another browser was quicker to make."""
        if path is None:
            return await super().create_session(path, name, type, kernel_name, kernel_id)
        lock = self._locks.setdefault(path, asyncio.Lock())
        async with lock:
            if await self.session_exists(path=path):
                found: dict[str, Any] = await self.get_session(path=path)
                return found
            starting_path.set(path)
            return await super().create_session(path, name, type, kernel_name, kernel_id)

    async def delete_session(self, session_id: str) -> None:
        """Ends a session, and says so: its notebook may be closed now."""
        rows = self.cursor.execute("SELECT path FROM session WHERE session_id=?", (session_id,))
        paths = [row["path"] for row in rows.fetchall()]
        await super().delete_session(session_id)
        for path in paths:
            for tell in self.on_closed:
                tell(path)

    def paths_of(self, kernel_id: str) -> list[str]:
        """The notebooks that run on a kernel, in the order they were opened."""
        rows = self.cursor.execute(
            "SELECT path FROM session WHERE kernel_id=? AND type='notebook'", (kernel_id,)
        )
        return [str(row["path"]) for row in rows.fetchall()]

    def is_open(self, path: str) -> bool:
        """Whether a kernel runs for a notebook."""
        rows = self.cursor.execute("SELECT 1 FROM session WHERE path=?", (path,))
        return rows.fetchone() is not None
