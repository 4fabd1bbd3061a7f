"""Those who follow an investigation as it changes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

_log = logging.getLogger(__name__)

Callback = Callable[[dict[str, Any]], None]
"""Gets each delta of an investigation, in order, in the thread that made the change: be quick."""


class Followers:
    """Callbacks by investigation; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: dict[str, tuple[Callback, ...]] = {}

    def add(self, uid: str, callback: Callback) -> Callable[[], None]:
        """Adds one.

        Returns:
            What takes it away; a second time does nothing.
        """
        token: list[Callback] = [callback]
        with self._lock:
            self._callbacks[uid] = (*self._callbacks.get(uid, ()), callback)

        def remove() -> None:
            with self._lock:
                if not token:
                    return
                left = list(self._callbacks[uid])
                left.remove(token.pop())
                self._callbacks[uid] = tuple(left)

        return remove

    def tell(self, uid: str, change: dict[str, Any]) -> None:
        """Calls all of an investigation; one that fails disturbs neither the others nor us."""
        for callback in self._callbacks.get(uid, ()):
            try:
                callback(change)
            except Exception:
                _log.exception("a follower of investigation %s failed", uid)
