"""Who changed which cell of an open notebook since it was last saved.

With shared editing a save has no author: the server saves for everybody. What is known is who
sent each change of the document, and who ran a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from workspace_ext.foundation.actor import Actor
from workspace_ext.server.presence import Presence

Noted = dict[str, dict[Actor, None]]
"""By cell id, who was seen last at the end; the key "" is the notebook itself, its order too."""


class Editors:
    """Lives on the server's event loop."""

    def __init__(self) -> None:
        self._now: dict[str, Noted] = {}
        self._before: dict[str, Noted] = {}

    def note(self, path: str, cells: Iterable[str], actor: Actor) -> None:
        """Somebody changed, or ran, some cells."""
        noted = self._now.setdefault(path, {})
        for cell in cells:
            actors = noted.setdefault(cell, {})
            actors.pop(actor, None)
            actors[actor] = None

    def take(self, path: str, changed: Iterable[str]) -> dict[str, list[Actor]]:
        """Who changed these cells, by cell; a cell that nobody was seen to change is missing.

        What came in while the server was saving is noted before the save and found in the
        next one, so what was noted for the last save still counts where there is nothing newer.
        """
        now, before = self._now.pop(path, {}), self._before.pop(path, {})
        self._before[path] = now
        found = {cell: list(now.get(cell) or before.get(cell) or ()) for cell in changed}
        return {cell: actors for cell, actors in found.items() if actors}

    def last(self, path: str, cell: str) -> Actor | None:
        """Who was last seen to change a cell since the save before the last one."""
        for noted in (self._now, self._before):
            actors = noted.get(path, {}).get(cell)
            if actors:
                return next(reversed(actors))
        return None

    def moved(self, rename: Callable[[dict[str, Any]], None]) -> None:
        """Files have other names now."""
        rename(self._now)
        rename(self._before)


def follow_authors(authored: Callable[[Any, Actor | None], None]) -> None:
    """Tells who sent the change that a shared document is about to take, and None after it.

    Who is shown as present is made true on the same way.

    jupyter-server-ydoc has no place for this: its room takes each message from the websocket's
    iterator and applies it at once, before anything else runs (`YRoom.serve`).

    Args:
        authored: Takes the room and the actor.
    """
    from jupyter_server_ydoc.handlers import YDocWebSocketHandler

    from workspace_ext.server.identity import actor_of, named_by_server
    from workspace_ext.server.roles import role_of

    take_next = YDocWebSocketHandler.__anext__
    presence = Presence()

    def stamped(handler: Any, message: bytes) -> bytes | None:
        identity, user = named_by_server(handler), handler.current_user
        try:
            return presence.stamp(handler.room, message, identity, user.username, role_of(handler))
        except Exception as error:  # edge: a browser's bytes
            handler.log.warning("a message of %s is no message: %r", handler.current_user, error)
            return None

    async def told_next(handler: Any) -> Any:
        authored(handler.room, None)
        while True:
            message = stamped(handler, await take_next(handler))
            if message is not None:
                authored(handler.room, actor_of(handler.current_user))
                return message

    YDocWebSocketHandler.__anext__ = told_next
