"""The live story of one notebook, pushed to a browser."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from tornado import web
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from workspace_ext.foundation.errors import Conflict, InvestigationError, Unavailable
from workspace_ext.protocol.people import Me
from workspace_ext.server.followers import Message
from workspace_ext.server.roles import me
from workspace_ext.server.troubles import Troubles
from workspace_ext.server.workspace import Workspace

RESOURCE = "investigation"


class StreamHandler(WebSocketMixin, WebSocketHandler, JupyterHandler):
    """First the state, null while the notebook is no investigation; then each change.

    A state comes with who the browser's user is here, and what they may do.
    """

    auth_resource = RESOURCE
    open_to_all = True
    tells_role = True
    _me: Me
    _unwatch: Callable[[], None] | None = None
    _unsubscribe: Callable[[], None] | None = None
    _untrouble: Callable[[], None] | None = None
    _uid: str | None = None

    @property
    def _workspace(self) -> Workspace:
        workspace: Workspace = self.settings["investigation_workspace"]
        return workspace

    def set_default_headers(self) -> None:
        """None: those of a page make no sense here."""

    def get_compression_options(self) -> Any:
        """As the server is configured for websockets."""
        return self.settings.get("websocket_compression_options", None)

    @ws_authenticated
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Opens the websocket for who may read."""
        user = self.current_user
        allowed = self.authorizer.is_authorized(self, user, "read", RESOURCE)
        if not await ensure_async(allowed):
            raise web.HTTPError(403)
        self._me = await me(self)
        await super().get(*args, **kwargs)

    async def open(self, *args: Any, **kwargs: Any) -> None:
        """Begins to tell."""
        super().open(*args, **kwargs)
        self._workspace.link.hurry()  # who comes, or comes again, waits for no pause
        path = self.get_query_argument("path", "").strip("/")
        self._unwatch = self._workspace.notebooks.watch(path, self._look_again)
        try:
            # In a task of its own: a thread that reads a file ends with the task that it began in,
            # and this one lasts as long as the connection, beyond the server's stop.
            await asyncio.create_task(self._workspace.notebooks.look(path))
        except InvestigationError as error:
            self._send({"type": "error", "data": error.to_dict()})
            self.close(1008, "no such notebook")
            return
        troubles: Troubles = self.settings["investigation_troubles"]
        self._untrouble = troubles.watch(path, self._tell_trouble)
        self._look_again()
        if self._uid is None and not _is_newer(self._workspace, path):
            self._send({"type": "state", "data": None})

    def on_message(self, message: str | bytes) -> None:
        """The browser has nothing to say here."""

    def on_close(self) -> None:
        """Stops telling."""
        for stop in (self._unwatch, self._unsubscribe, self._untrouble):
            if stop is not None:
                stop()
        self._unwatch = self._unsubscribe = self._untrouble = None

    def _tell_trouble(self, trouble: Unavailable | None) -> None:
        """Says that the notebook cannot be saved; once it can, all is as the state says."""
        if trouble is not None:
            self._send({"type": "error", "data": trouble.to_dict()})
            return
        state = self._workspace.followers.state(self._uid) if self._uid else None
        self._send({"type": "state", "data": state})

    def _look_again(self) -> None:
        """Follows the investigation that the notebook belongs to now."""
        path = self.get_query_argument("path", "").strip("/")
        notebooks = self._workspace.notebooks
        view = notebooks.view(path)
        uid = notebooks.uid(path, view)
        if view is not None and view.newer and self._unwatch is not None:
            self._send({"type": "error", "data": _newer(path).to_dict()})
            return
        if uid is None or uid == self._uid or self._unwatch is None:
            return
        if self._unsubscribe is not None:
            self._unsubscribe()
        self._uid = uid
        self._unsubscribe = self._workspace.followers.subscribe(uid, self._send)
        self._workspace.touch(uid)  # it may have been opened after the last change

    def _send(self, message: Message) -> None:
        if message["type"] == "state":
            message = {**message, "me": self._me}
        try:
            self.write_message(json.dumps(message))
        except WebSocketClosedError:
            self.on_close()


class DataStreamHandler(StreamHandler):
    """The newest pin of the store, whenever something came in."""

    async def open(self, *args: Any, **kwargs: Any) -> None:
        """Begins to tell."""
        WebSocketMixin.open(self, *args, **kwargs)
        self._workspace.link.hurry()
        self._unsubscribe = self._workspace.data.subscribe("store", self._send)


def _is_newer(workspace: Workspace, path: str) -> bool:
    view = workspace.notebooks.view(path)
    return view is not None and view.newer


def _newer(path: str) -> Conflict:
    return Conflict(
        f"{path} was written by a newer version of Investigation Workspace",
        hint="its investigation is read-only here, and its metadata stay as they are;"
        " upgrade investigation-workspace to go on with it",
        code="newer_metadata",
    )
