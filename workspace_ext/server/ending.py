"""The end of a server: what is about to be written is written, and no thread is left.

Jupyter's server leaves its tasks as they are when it stops. A thread that reads or writes a file
lives as long as the task that it began in (anyio), so with one such task left the server's process
would never end; and a save that is due in a moment would not come.
"""

from __future__ import annotations

import asyncio

_SECONDS = 5.0
"""Most time for what is needed, and again for all others to take notice."""

_needed: set[asyncio.Task[None]] = set()


def needed(task: asyncio.Task[None] | None) -> None:
    """A task that the server's end waits for."""
    if task is not None:
        _needed.add(task)
        task.add_done_callback(_needed.discard)


async def end_tasks() -> None:
    """Waits for what is needed and ends everything else on this loop, but for the caller."""
    if _needed:
        await asyncio.wait(_needed, timeout=_SECONDS)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_SECONDS)
