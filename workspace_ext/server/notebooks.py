"""Notebooks: which of them are investigations, and what is written into them.

Three places hold a notebook's metadata, and each has one way in: the open shared document is
written directly; a file is written by whoever saves it, through the pre-save hook; and a file
that nobody has open is read and saved, so that the hook does its work. A file is never written
while somebody may have it open: that would cost them what they typed.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from jupyter_core.utils import ensure_async
from jupyter_server.utils import ApiPath, to_os_path

from workspace_ext.foundation.errors import NotFound
from workspace_ext.inquiry.capture.prose import Text, texts
from workspace_ext.inquiry.metadata.notebook import (
    apply_projection,
    read_metadata,
    read_uid,
    stamp_uid,
)
from workspace_ext.inquiry.metadata.projection import project
from workspace_ext.protocol.messages import (
    METADATA_KEY,
    InvestigationState,
    NotebookProjection,
)
from workspace_ext.server.live import LiveNotebooks
from workspace_ext.server.turns import Turns
from workspace_ext.server.unstamped import Unstamped
from workspace_ext.server.view import View

_log = logging.getLogger(__name__)

T = TypeVar("T")
Watcher = Callable[[], None]


class HasSessions(Protocol):
    """What this needs of the session manager."""

    def is_open(self, path: str) -> bool:
        """Whether a kernel runs for a notebook."""
        ...


class Notebooks:
    """Lives on the server's event loop.

    Args:
        contents: The contents manager.
        live: The notebooks open in shared editing.
        sessions: Tells which notebooks have a kernel.
        state: Gives the state of an investigation that is followed now.
        said: Told, at each save, what the text cells of an investigation's notebook say.
        unstamped: Remembers what a file does not say yet, for the next server.
        turns: Of those who save.
    """

    def __init__(
        self,
        contents: Any,
        live: LiveNotebooks,
        sessions: HasSessions,
        state: Callable[[str], InvestigationState | None],
        said: Callable[[str, str, Sequence[Text]], None],
        unstamped: Unstamped,
        turns: Turns,
    ) -> None:
        self._contents = contents
        self._live = live
        self._sessions = sessions
        self._state = state
        self._said = said
        self._unstamped = unstamped
        self._turns = turns
        self._saved: dict[str, View] = {}
        self._bound = unstamped.left()
        self._projections: dict[str, NotebookProjection] = {}
        self._watchers: dict[str, set[Watcher]] = {}
        self.on_bound: Callable[[str], None] = lambda _path: None

    # -- what a notebook is ------------------------------------------------------------------

    def view(self, path: str) -> View | None:
        """What is known of a notebook without reading its file; None when nothing is."""
        live = self._live.find(path)
        return self._saved.get(path) if live is None else live.view()

    async def look(self, path: str) -> View:
        """What a notebook is, from its file if need be.

        Raises:
            NotFound: There is no such notebook.
        """
        known = self.view(path)
        if known is None:
            known = View.of(await self._load(path))
            self._saved[path] = known
        return known

    def uid(self, path: str, view: View | None) -> str | None:
        """The notebook's investigation: as it says itself, else as it was bound here."""
        return (view.uid if view else None) or self._bound.get(path)

    async def investigation_of(self, path: str) -> str | None:
        """The investigation of any notebook, from its file if need be; None when it is none.

        Raises:
            NotFound: There is no such notebook.
        """
        return self.uid(path, await self.look(path))

    def paths(self, uid: str) -> list[str]:
        """The notebooks seen here that belong to an investigation."""
        known = {path: view.uid for path, view in self._saved.items()} | self._bound
        return [path for path, bound in known.items() if bound == uid]

    def bind(self, path: str, uid: str) -> None:
        """Makes a notebook part of an investigation; where it is open, it says so at once.

        So all who have it open know what it is, whatever becomes of this server and its disk.
        """
        if self._bound.get(path) != uid:
            self._bound[path] = uid
            self._stamp_live(path, uid)
            self.on_bound(path)
            for watcher in tuple(self._watchers.get(path, ())):
                watcher()

    def remember(self, path: str, uid: str) -> bool:
        """Keeps what a notebook was just made part of, also for the next server.

        Returns:
            Whether the disk took it.
        """
        view = self.view(path)
        return self._unstamped.keep(path, uid, view.cells if view else ())

    def watch(self, path: str, watcher: Watcher) -> Callable[[], None]:
        """Calls when a path is bound; returns what ends it."""
        self._watchers.setdefault(path, set()).add(watcher)

        def unwatch() -> None:
            watchers = self._watchers.get(path, set())
            watchers.discard(watcher)
            if not watchers:
                self._watchers.pop(path, None)

        return unwatch

    # -- what happens to files ---------------------------------------------------------------

    def moved(self, old: str, new: str) -> None:
        """A file, or a folder of files, has another name now."""
        rename(self._saved, old, new)
        rename(self._bound, old, new)
        self._unstamped.moved(old, new)

    def removed(self, path: str) -> None:
        """A file is gone."""
        self._saved.pop(path, None)
        self._bound.pop(path, None)
        self._unstamped.forget(path)

    def before_save(self, model: dict[str, Any], path: str, **_: Any) -> None:
        """The contents manager's pre-save hook: puts our metadata into what is saved."""
        content = model.get("content")
        if model.get("type") != "notebook" or not isinstance(content, dict):
            return
        path = path.strip("/")
        uid = self.uid(path, View.of(content)) or self.uid(path, self._saved.get(path))
        projection = self._projection(uid)
        if projection is not None:
            apply_projection(content, projection)
        elif read_uid(content) is None and (uid is not None or path not in self._saved):
            self._restore(path, content)
            if uid is not None:
                stamp_uid(content, uid)
        self._saved[path] = View.of(content)
        written = texts(content) if uid else []
        if uid and written:
            self._said(uid, path, written)

    def after_save(self, model: dict[str, Any], **_: Any) -> None:
        """The contents manager's post-save hook: what the file says need not be kept."""
        path = str(model.get("path", "")).strip("/")
        saved = self._saved.get(path)
        if saved is not None and saved.uid is not None:
            self._unstamped.forget(path)

    def _projection(self, uid: str | None) -> NotebookProjection | None:
        """What belongs into the notebooks of an investigation, as far as it is known here."""
        state = self._state(uid) if uid else None
        if uid and state is not None:
            self._projections[uid] = project(state)
        return self._projections.get(uid) if uid else None

    def _restore(self, path: str, content: dict[str, Any]) -> None:
        """Takes our metadata over from the file.

        A browser without shared editing never hears of it; after a restart of the server its
        first save would otherwise take the metadata away.
        """
        root = getattr(self._contents, "root_dir", None)
        file = Path(to_os_path(ApiPath(path), root)) if root else None
        if file is None or not file.is_file():
            return
        raw = file.read_bytes()
        if b'"investigation"' not in raw:
            return
        before = json.loads(raw)
        known = (cell for cell in before.get("cells") or () if cell.get("id"))
        held = {cell["id"]: read_metadata(cell) for cell in known}
        ours = [(content, read_metadata(before))]
        ours += [(cell, held.get(cell.get("id"))) for cell in content.get("cells") or ()]
        for holder, metadata in ours:
            if metadata is not None:
                holder.setdefault("metadata", {}).setdefault(METADATA_KEY, metadata)

    # -- writing -----------------------------------------------------------------------------

    async def write(self, uid: str) -> None:
        """Brings what is known of an investigation into its notebooks, open and closed."""
        projection = self._projection(uid)
        if projection is None:
            return
        for path in self.paths(uid):
            if not self._write_live(path, projection):
                await self._write_file(path, projection)

    async def closed(self, path: str) -> None:
        """A notebook's kernel is gone: what its file does not tell yet is written now."""
        projection = self._projection(self.uid(path, self._saved.get(path)))
        if projection is not None:
            await self._write_file(path, projection)

    def bring(self, uid: str, content: dict[str, Any]) -> None:
        """Puts what is known of an investigation into a notebook's content."""
        projection = self._projection(uid)
        if projection is not None:
            apply_projection(content, projection)

    async def read(self, path: str) -> dict[str, Any] | None:
        """A notebook's content as its file has it; None when there is none, or it is damaged."""
        try:
            return await self._load(path)
        except NotFound:
            return None

    async def rewrite(
        self, path: str, change: Callable[[dict[str, Any] | None], dict[str, Any]]
    ) -> None:
        """Reads a notebook's file, changes it and saves it; nobody else saves it between.

        Args:
            path: The notebook.
            change: Makes what is saved of what the file has.
        """
        async with self._turns.of(path):
            content = change(await self.read(path))
            await self._turns.save({"type": "notebook", "format": "json", "content": content}, path)

    def shares(self, path: str) -> bool:
        """Whether a notebook is open in shared editing."""
        return self._live.find(path) is not None

    def shows(self, path: str, cell_id: str, outputs: list[dict[str, Any]]) -> bool:
        """Whether a cell of the open document has these outputs; True when it is not open."""
        live = self._live.find(path)
        return live is None or live.shows(cell_id, outputs)

    async def show(
        self,
        path: str,
        cell_id: str,
        outputs: list[dict[str, Any]],
        count: int | None,
        *,
        again: bool = False,
    ) -> bool:
        """Makes a cell's outputs these, in the open document, else in the file.

        With ``again`` only in a document that has these and more.

        Returns:
            False while the notebook is being opened, or has no such cell yet: try again.
        """
        live = self._live.find(path)
        if live is not None:
            return live.show(cell_id, outputs, count, again=again)
        if again:
            return True
        async with self._turns.of(path):
            notebook = None if self._live.is_open(path) else await self.read(path)
            if self._live.is_open(path):
                return False
            for cell in (notebook or {}).get("cells", ()):
                if cell.get("id") == cell_id and cell.get("cell_type") == "code":
                    cell.update(outputs=outputs, execution_count=count)
                    model = {"type": "notebook", "format": "json", "content": notebook}
                    await self._turns.save(model, path)
                    return True
        return False

    def _stamp_live(self, path: str, uid: str) -> None:
        live = self._live.find(path)
        notebook = live.read() if live is not None else {}
        if live is not None and stamp_uid(notebook, uid):
            live.write(notebook)

    def _write_live(self, path: str, projection: NotebookProjection) -> bool:
        live = self._live.find(path)
        if live is None:
            return False
        notebook = live.read()
        if read_uid(notebook) in (None, projection["notebook"]["uid"]):
            before = copy.deepcopy(notebook)
            apply_projection(notebook, projection)
            if notebook != before:
                live.write(notebook)
        return True

    async def _write_file(self, path: str, projection: NotebookProjection) -> None:
        async with self._turns.of(path):
            if self._sessions.is_open(path) or self._live.is_open(path):
                return
            try:
                notebook = await self._load(path)
            except NotFound:
                self.removed(path)
                return
            named = read_uid(notebook)
            if named not in (None, projection["notebook"]["uid"]) or self._live.is_open(path):
                return
            if apply_projection(notebook, projection):
                model = {"type": "notebook", "format": "json", "content": notebook}
                await self._turns.save(model, path)

    async def _load(self, path: str) -> dict[str, Any]:
        from tornado.web import HTTPError

        try:
            model = await ensure_async(self._contents.get(path, type="notebook", content=True))
        except HTTPError as error:
            raise NotFound(
                f"no notebook {path!r}: {error.log_message or error.reason}",
                hint="check the path, relative to the server's root folder",
                code="no_notebook",
            ) from error
        content: dict[str, Any] = model["content"]
        return content


def rename(known: dict[str, T], old: str, new: str) -> None:
    """Moves what is known of a file, or of a folder of files, to its new name."""
    for path in [path for path in known if path == old or path.startswith(f"{old}/")]:
        known[new + path[len(old) :]] = known.pop(path)
