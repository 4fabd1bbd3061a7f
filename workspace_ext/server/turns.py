"""One save of a file at a time, so that what is read, changed and saved takes nobody's save away.

Jupyter's contents manager works in threads: it would begin a save while another of the same file
is under way, and whoever reads a file and saves it again would put back what somebody else saved
over meanwhile.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any
from weakref import WeakValueDictionary

from jupyter_core.utils import ensure_async


class Turns:
    """Lives on the server's event loop. From its making on, all saves take their turns.

    Args:
        contents: The contents manager; one that is not asynchronous has no other way anyhow.
    """

    def __init__(self, contents: Any) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._save = contents.save
        if inspect.iscoroutinefunction(contents.save):
            contents.save = self._save_in_turn

    def of(self, path: str) -> asyncio.Lock:
        """For as long as this is held, nobody else saves the file. Only `save` does."""
        return self._locks.setdefault(path.strip("/"), asyncio.Lock())

    async def save(self, model: dict[str, Any], path: str) -> None:
        """Saves a file whose turn is held."""
        await ensure_async(self._save(model, path))

    async def _save_in_turn(self, model: dict[str, Any], path: str = "") -> Any:
        async with self.of(path):
            return await self._save(model, path)
