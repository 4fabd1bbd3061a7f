"""What stands between a notebook and its file just now, told to whoever has it open."""

from __future__ import annotations

from collections.abc import Callable

from workspace_ext.foundation.errors import Unavailable

Listener = Callable[[Unavailable | None], None]


class Troubles:
    """Lives on the server's event loop."""

    def __init__(self) -> None:
        self._now: dict[str, Unavailable] = {}
        self._listeners: dict[str, list[Listener]] = {}

    def tell(self, path: str, why: str) -> None:
        """A notebook cannot be saved, for a reason; without one, it was saved again."""
        trouble = _trouble(path, why) if why else None
        if trouble is None:
            self._now.pop(path, None)
        else:
            self._now[path] = trouble
        for listener in tuple(self._listeners.get(path, ())):
            listener(trouble)

    def watch(self, path: str, listener: Listener) -> Callable[[], None]:
        """Calls with what the trouble is now, if there is any, and at each change.

        Returns:
            What ends it.
        """
        self._listeners.setdefault(path, []).append(listener)
        if path in self._now:
            listener(self._now[path])

        def unwatch() -> None:
            self._listeners[path].remove(listener)
            if not self._listeners[path]:
                del self._listeners[path]

        return unwatch


def _trouble(path: str, why: str) -> Unavailable:
    return Unavailable(
        f"{path} cannot be saved: {why}",
        hint="go on: everything typed is kept, and it is saved as soon as that is possible",
        code="not_saved",
    )
