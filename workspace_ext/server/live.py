"""Notebooks that are open in shared editing: the document that people type in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from workspace_ext.foundation.actor import Actor
from workspace_ext.protocol.messages import METADATA_KEY
from workspace_ext.server.view import View

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp
    from pycrdt import Array, Doc
    from pycrdt import Map as YMap

ORIGIN = "investigation"
"""Marks our changes for everyone who watches a document."""

_EXTENSION = "jupyter_server_ydoc"
_NOTEBOOK = "json:notebook:"  # begins the names of notebooks' rooms
_HANG_UP_SECONDS = 6.0


class LiveNotebook:
    """One open notebook. Lives on the event loop.

    What is written is plain JSON, each key whole: nested shared types inside a notebook's
    metadata break JupyterLab. Each write touches our key alone, so nobody's typing is in the way.

    Args:
        room: Where it is shared; its document is laid out as `jupyter_ydoc.YNotebook` says.
        changed: Told which cells somebody changed; "" is the notebook itself.

    Attributes:
        author: Who sent the change that is being taken; None when it is the server's own.
    """

    author: Actor | None = None

    def __init__(self, room: Any, changed: Callable[[str, list[str], Actor], None]) -> None:
        from pycrdt import Array, Map

        self._room = room
        self._changed = changed
        self._document: Doc[Any] = room.ydoc
        document = self._document
        self._meta: YMap[Any] = document.get("meta", type=Map)
        self._cells: Array[Any] = document.get("cells", type=Array)
        self._view: View | None = None
        self._subscriptions = [
            (self._meta, self._meta.observe_deep(self._meta_changed)),
            (self._cells, self._cells.observe_deep(self._cells_changed)),
        ]

    def view(self) -> View:
        """What the notebook is now; reading all cells is for large notebooks too slow each time."""
        if self._view is None:
            self._view = View.of(self.read())
        return self._view

    def forget(self) -> None:
        """Stops watching the document."""
        for watched, subscription in self._subscriptions:
            watched.unobserve(subscription)

    def _meta_changed(self, _: list[Any]) -> None:
        self._view = None
        self._note([""])

    def _cells_changed(self, events: list[Any]) -> None:
        if any(_matters(event) for event in events):
            self._view = None
        if self.author is not None:
            self._note([cell for event in events for cell in self._of(event)])

    def _of(self, event: Any) -> list[str]:
        """The ids of the cells that an event is about."""
        if event.path:
            return [str(self._cells[event.path[0]].get("id"))]
        added = (cell for part in event.delta for cell in part.get("insert", ()))
        return ["", *(str(cell.get("id")) for cell in added)]

    def _note(self, cells: list[str]) -> None:
        if self.author is not None:
            self._changed(str(self._own.path), cells, self.author)

    @property
    def _own(self) -> Any:
        """The document as shared editing itself sees it."""
        return getattr(self._room, "_document")  # noqa: B009 # it gives no other way

    def content(self) -> dict[str, Any]:
        """All of the notebook, as a save would have it."""
        content: dict[str, Any] = self._own.get()
        return content

    def replace(self, content: dict[str, Any], actor: Actor) -> None:
        """Makes it another notebook, in everybody's browser; cells that stay are kept."""
        self.author = actor
        try:
            self._own.set(content)
        finally:
            self.author = None

    def shows(self, cell_id: str, outputs: list[dict[str, Any]]) -> bool:
        """Whether a cell has these outputs, or is not there."""
        cell = self._code_cell(cell_id)
        return cell is None or _plain(cell["outputs"]) == outputs

    def _code_cell(self, cell_id: str) -> Any:
        cell = next((cell for cell in self._cells if cell.get("id") == cell_id), None)
        return cell if cell is not None and cell.get("cell_type") == "code" else None

    def show(
        self,
        cell_id: str,
        outputs: list[dict[str, Any]],
        count: int | None,
        *,
        again: bool = False,
    ) -> bool:
        """Makes a cell's outputs and execution count these; False when there is no such cell.

        With ``again`` only where it has these and more: they came twice.
        """
        cell = self._code_cell(cell_id)
        if cell is None:
            return False
        if again:
            shown = _plain(cell["outputs"])
            if len(shown) <= len(outputs) or not all(one in shown for one in outputs):
                return True
        from jupyter_ydoc.utils import cast_all

        set_outputs = getattr(self._own, "_set_ycell_outputs")  # noqa: B009 # as above
        with self._document.transaction(origin=ORIGIN):
            if _plain(cell["outputs"]) != outputs:
                set_outputs(cell, cast_all(outputs, int, float))  # else a browser gets BigInts
            cell["execution_count"] = None if count is None else float(count)
            cell["execution_state"] = "idle"
        return True

    async def save(self) -> None:
        """Saves it now, as when somebody asks for it."""
        saving = getattr(self._room, "_save_to_disc")()  # noqa: B009 # as above
        if saving is not None:
            await saving

    def read(self) -> dict[str, Any]:
        """The notebook without sources and outputs; of the metadata, what says what it is."""
        metadata = self._meta.get("metadata") or {}
        kept = {key: metadata[key] for key in (METADATA_KEY, "kernelspec") if key in metadata}
        return {
            "metadata": {key: _plain(value) for key, value in kept.items()},
            "cells": [
                {"id": cell.get("id"), "metadata": _ours(cell.get("metadata"))}
                for cell in self._cells
            ],
        }

    def write(self, notebook: Mapping[str, Any]) -> None:
        """Makes our key everywhere what it is in ``notebook``, as `read` gave it.

        Cells are found by their place: nothing else may run between `read` and `write`.
        """
        with self._document.transaction(origin=ORIGIN):
            metadata = self._meta.get("metadata")
            if metadata is not None:
                _put(metadata, notebook["metadata"].get(METADATA_KEY))
            for cell, wanted in zip(self._cells, notebook["cells"], strict=True):
                metadata = cell.get("metadata")
                if metadata is not None:
                    _put(metadata, wanted["metadata"].get(METADATA_KEY))


class LiveNotebooks:
    """Finds open notebooks by their paths.

    Args:
        serverapp: The server; without shared editing on it, no notebook is ever open here.
        changed: Told which cells of a notebook somebody changed, and who; see `LiveNotebook`.
    """

    def __init__(
        self, serverapp: ServerApp, changed: Callable[[str, list[str], Actor], None]
    ) -> None:
        self._serverapp = serverapp
        self._changed = changed
        self._known: dict[int, tuple[Any, LiveNotebook]] = {}

    def find(self, path: str) -> LiveNotebook | None:
        """The open notebook of a path; None when it is not open, or not loaded yet."""
        room = self._room(path)
        return None if room is None else self._of(room)

    def authored(self, room: Any, actor: Actor | None) -> None:
        """A room is about to take somebody's change; None: it has taken it."""
        if str(getattr(room, "room_id", "")).startswith(_NOTEBOOK):
            live = self._of(room)
            if live is not None:
                live.author = actor

    def _of(self, room: Any) -> LiveNotebook | None:
        if not room.ready:
            return None
        known = self._known.get(id(room))
        if known is None or known[0] is not room:
            self._forget_closed()
            self._known[id(room)] = known = (room, LiveNotebook(room, self._changed))
        return known[1]

    def _forget_closed(self) -> None:
        rooms = set(map(id, self._rooms().values()))
        for key, (_, live) in tuple(self._known.items()):
            if key not in rooms:
                self._known.pop(key)
                live.forget()

    def is_open(self, path: str) -> bool:
        """Whether somebody has it open, or is about to."""
        return self._room(path) is not None

    async def hang_up(self) -> None:
        """Closes everybody's connection to shared documents, as the server stops.

        While one is open, threads of the documents' store live on, and the server's process
        would never end (jupyter-collaboration 5.0 leaves them to whoever goes first).
        """
        deadline = time.monotonic() + _HANG_UP_SECONDS
        for client in self._clients():
            client.close(1001, "the server stops")
        while self._clients() and time.monotonic() < deadline:
            await asyncio.sleep(0.05)

    def _clients(self) -> list[Any]:
        return [client for room in self._rooms().values() for client in tuple(room.clients)]

    def _room(self, path: str) -> Any:
        rooms, ids = self._rooms(), self._serverapp.web_app.settings.get("file_id_manager")
        file_id = ids.get_id(path) if rooms and ids is not None else None
        return rooms.get(f"{_NOTEBOOK}{file_id}") if file_id else None

    def _rooms(self) -> Mapping[str, Any]:
        return open_rooms(self._serverapp)


def open_rooms(serverapp: ServerApp) -> Mapping[str, Any]:
    """The rooms of shared editing, by their ids; none without it."""
    apps = serverapp.extension_manager.extension_apps.get(_EXTENSION) or ()
    for app in apps:
        server = getattr(app, "ywebsocket_server", None)
        if server is not None:
            return cast("Mapping[str, Any]", server.rooms)
    return {}


def _matters(event: Any) -> bool:
    """Whether a change to cells adds, moves or renames some; typing and outputs are the others."""
    path = event.path
    if len(path) < 2:
        return not path or bool({"metadata", "id"} & set(event.keys))
    return bool(path[1] == "metadata")


def _ours(metadata: Any) -> dict[str, Any]:
    found = metadata.get(METADATA_KEY) if metadata is not None else None
    return {} if found is None else {METADATA_KEY: _plain(found)}


def _put(metadata: Any, wanted: Any) -> None:
    held = metadata.get(METADATA_KEY)
    if wanted is None:
        if held is not None:
            del metadata[METADATA_KEY]
    elif held is None or _plain(held) != wanted:
        metadata[METADATA_KEY] = wanted


def _plain(value: Any) -> Any:
    """Plain JSON, with whole numbers as integers: a shared document keeps floats only."""
    if hasattr(value, "to_py"):  # a browser may have put a shared type here
        value = value.to_py()
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
