"""Investigations that are in use here, followed live: one thread for each."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from workspace_ext.client.events import EventStream
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.investigations.fold import merge
from workspace_ext.protocol.messages import InvestigationState

_log = logging.getLogger(__name__)

LINGER_SECONDS = 30.0
"""How long an investigation is followed after its last user went: the end of a run that a
closing kernel cut off is still to come, and a page that is reloaded comes back."""

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0

Message = dict[str, Any]
"""As the browser gets it: ``{"type": "state" | "delta" | "error", "data": …}``."""


class _Follower:
    """Reads one investigation's stream in a thread, again and again, until it is stopped."""

    def __init__(
        self, uid: str, follow: Callable[[str], EventStream], tell: Callable[[Message], None]
    ) -> None:
        self._uid = uid
        self._follow = follow
        self._tell = tell
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._stream: EventStream | None = None
        self.thread = threading.Thread(target=self._run, name=f"follow-{uid[:8]}", daemon=True)
        self.thread.start()

    def hurry(self) -> None:
        self._wake.set()

    def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        stream = self._stream
        if stream is not None:
            stream.close()

    def _run(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            try:
                self._stream = stream = self._follow(self._uid)
                for name, data in stream:
                    if self._stopping.is_set():
                        stream.close()
                        return
                    pause = _FIRST_PAUSE_SECONDS
                    self._tell({"type": name, "data": data})
            except InvestigationError as error:
                self._tell({"type": "error", "data": error.to_dict()})
            except Exception:
                _log.exception("following %s failed; trying again", self._uid)
            asked = self._wake.wait(pause)
            self._wake.clear()
            pause = _FIRST_PAUSE_SECONDS if asked else min(pause * 2, _LONGEST_PAUSE_SECONDS)


class Followers:
    """Lives on the server's event loop.

    Args:
        follow: Opens a stream of the broker, or raises why there is none; may block.
        on_change: Told which investigation's state changed.
    """

    def __init__(
        self,
        follow: Callable[[str], EventStream],
        on_change: Callable[[str], None],
    ) -> None:
        self._follow = follow
        self._on_change = on_change
        self._following: dict[str, _Follower] = {}
        self._users: dict[str, set[object]] = {}
        self._listeners: dict[str, list[Callable[[Message], None]]] = {}
        self._states: dict[str, Message] = {}
        self._errors: dict[str, Message] = {}  # why there is no state, or no newer one
        self._stopped = False

    def use(self, uid: str, user: object) -> None:
        """Follows an investigation for as long as somebody uses it."""
        self._users.setdefault(uid, set()).add(user)
        if uid not in self._following and not self._stopped:
            loop = asyncio.get_running_loop()

            def tell(message: Message) -> None:
                with suppress(RuntimeError):  # the loop is closed: the server is gone
                    loop.call_soon_threadsafe(self._came, uid, message)

            self._following[uid] = _Follower(uid, self._follow, tell)

    def release(self, user: object) -> None:
        """Somebody uses nothing any more."""
        for uid, users in self._users.items():
            if user in users:
                users.discard(user)
                if not users:
                    asyncio.get_running_loop().call_later(LINGER_SECONDS, self._drop, uid)

    def subscribe(self, uid: str, listener: Callable[[Message], None]) -> Callable[[], None]:
        """Hands the present state, as soon as it is known, and then each change to a listener.

        What stands in the way of newer changes is told after the state, and tried again: the
        listener may be somebody who has put it right.

        Returns:
            What ends it.
        """
        self.use(uid, listener)
        self._listeners.setdefault(uid, []).append(listener)
        for known in (self._states, self._errors):
            if uid in known:
                listener(known[uid])
        if uid in self._errors and uid in self._following:
            self._following[uid].hurry()

        def unsubscribe() -> None:
            listeners = self._listeners.get(uid, [])
            if listener in listeners:
                listeners.remove(listener)
            self.release(listener)

        return unsubscribe

    def state(self, uid: str) -> InvestigationState | None:
        """An investigation as it is now; None when it is not followed, or not known yet."""
        known = self._states.get(uid)
        return cast(InvestigationState, known["data"]) if known else None

    def stop(self) -> list[threading.Thread]:
        """Ends all threads, and returns those that are still ending."""
        self._stopped = True
        followers = list(self._following.values())
        self._following.clear()
        for follower in followers:
            follower.stop()
        return [follower.thread for follower in followers]

    def _drop(self, uid: str) -> None:
        if not self._users.get(uid):
            self._users.pop(uid, None)
            self._states.pop(uid, None)
            self._errors.pop(uid, None)
            follower = self._following.pop(uid, None)
            if follower is not None:
                follower.stop()

    def _came(self, uid: str, message: Message) -> None:
        if uid not in self._following:
            return
        known = self.state(uid)
        if message["type"] == "error":
            self._errors[uid] = message
        elif message["type"] == "state" or known is not None:  # a state comes first
            state = merge(known if message["type"] == "delta" else None, message["data"])
            self._states[uid] = {"type": "state", "data": state}
            self._errors.pop(uid, None)
            self._on_change(uid)
        for listener in tuple(self._listeners.get(uid, ())):
            listener(message)
