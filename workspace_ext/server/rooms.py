"""What the websocket of a shared document takes from people who only read.

jupyter-server-ydoc lets everybody write who may read: its websocket begins with a GET. So of those
who may not edit only two kinds of messages go on: who is present, and the question for what is
there (y-protocols, ``sync.js``: step 1). Everything else, saving too, is dropped.
"""

from __future__ import annotations

from typing import Any

from workspace_ext.server.roles import may_edit, reads_only

_SYNC, _AWARENESS = 0, 1
_QUESTION = 0


def is_harmless(message: Any) -> bool:
    """Whether a message changes no document."""
    if not isinstance(message, bytes) or not message:
        return False
    return message[0] == _AWARENESS or (message[0] == _SYNC and message[1:2] == bytes([_QUESTION]))


def hold_readers() -> None:
    """Has the messages of all who may not edit looked at; once is enough for a process."""
    from jupyter_server_ydoc.handlers import YDocWebSocketHandler

    begin, take = YDocWebSocketHandler.get, YDocWebSocketHandler.on_message
    if getattr(take, "asks_roles", False):
        return

    async def get(self: Any, *args: Any, **kwargs: Any) -> Any:
        self.reads_only = self.current_user is None or not await may_edit(self)
        return await begin(self, *args, **kwargs)

    async def on_message(self: Any, message: Any) -> None:
        if reads_only(self) and not is_harmless(message):
            self.log.debug("dropped a change of %s, who may not edit", self.current_user.username)
            return
        await take(self, message)

    setattr(on_message, "asks_roles", True)  # noqa: B010 # mypy knows no attributes of functions
    YDocWebSocketHandler.get = get
    YDocWebSocketHandler.tells_role = True  # what was dropped is asked for anew
    YDocWebSocketHandler.on_message = on_message
