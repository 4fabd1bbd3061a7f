"""Behind JupyterHub: whom it does not let in any more, or tells other groups of, is noticed.

The hub is asked when a connection begins, and a websocket may last for days. So it is asked again
about everybody who has one open.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakSet

from jupyter_core.utils import ensure_async
from tornado import web
from tornado.ioloop import PeriodicCallback
from tornado.websocket import WebSocketHandler

from workspace_ext.server.login import NEW_ROLE, REMOVED, hang_up

ASK_MILLISECONDS = 10_000
"""How often the hub is asked; what it said counts as long for requests."""


class HubWatch:
    """Lives on the server's event loop.

    Args:
        provider: JupyterHub's identity provider (``jupyterhub.singleuser.extension``).
    """

    def __init__(self, provider: Any) -> None:
        self._auth = provider.hub_auth
        self._auth.cache_max_age = self._auth.cache.max_age = ASK_MILLISECONDS / 1000
        self._get_user = provider.get_user
        self._sockets: WeakSet[WebSocketHandler] = WeakSet()
        self._asking: PeriodicCallback | None = None

    async def get_user(self, handler: Any) -> Any:
        """Takes the provider's place: who opens a websocket is noted."""
        user = await ensure_async(self._get_user(handler))
        if user is not None and isinstance(handler, WebSocketHandler):
            self._sockets.add(handler)
            if self._asking is None:
                self._asking = PeriodicCallback(self._ask, ASK_MILLISECONDS)
                self._asking.start()
        return user

    async def _ask(self) -> None:
        by_token: dict[str, list[Any]] = {}
        for handler in tuple(self._sockets):
            by_token.setdefault(self._auth.get_token(handler) or "", []).append(handler)
        await asyncio.gather(*(self._look(token, those) for token, those in by_token.items()))

    async def _look(self, token: str, handlers: list[Any]) -> None:
        """Closes the websockets of whom the hub says something else now, or nothing."""
        try:
            told = await self._auth.user_for_token(token, use_cache=False, sync=False)
        except web.HTTPError:
            return  # it cannot be asked just now
        may_come = told is not None and self._auth.check_scopes(self._auth.access_scopes, told)
        for handler in handlers:
            if not may_come:
                hang_up(handler, REMOVED, "the hub does not let you in any more")
            elif told["groups"] != handler.current_user.hub_user["groups"]:
                hang_up(handler, NEW_ROLE, "your role changed")
            else:
                continue
            self._sockets.discard(handler)
            self._auth.cache.clear()  # requests are refused from now on, too


def watch_hub(provider: Any) -> None:
    """Has a hub asked again and again, if the server is behind one.

    Args:
        provider: The server's identity provider.
    """
    if hasattr(provider, "hub_auth"):
        provider.get_user = HubWatch(provider).get_user
