"""Every save is a version: what was saved, by whom, on its way to the record.

Nothing here waits for the broker, and nothing that goes wrong here reaches the user's save. A
version leaves when the file is written, in order with the runs, by the same spool.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_server.base.call_context import CallContext
from jupyter_server.services.contents.handlers import ContentsHandler
from jupyter_server.utils import ApiPath, to_os_path

from workspace_ext.foundation.actor import Actor
from workspace_ext.inquiry.metadata.notebook import is_newer, read_uid
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.model import NOTHING, Content, Layout, changes
from workspace_ext.inquiry.versions.sending import OUTSIDE, UNKNOWN, placed, version_in
from workspace_ext.protocol.messages import EventIn
from workspace_ext.server.editors import Editors
from workspace_ext.server.identity import current_actor
from workspace_ext.server.live import LiveNotebooks
from workspace_ext.server.notebooks import Notebooks, rename
from workspace_ext.server.placement import has_store
from workspace_ext.server.reporter import SAVED

_log = logging.getLogger(__name__)

Signature = tuple[int, int, int]
"""Of a file as it lies: it changes with every write."""


@dataclass(frozen=True)
class _Save:
    """A save between its beginning and its end."""

    actor: Actor | None  # None: whoever was seen to edit
    uid: str | None
    content: Content | None


class Saves:
    """Lives on the server's event loop.

    Args:
        contents: The contents manager.
        notebooks: Knows which notebook is an investigation.
        live: Knows which are open in shared editing.
        editors: Knows who changed what in those.
        record: Takes the events of an investigation.
        store: The store's folder; as long as there is none, nothing is told.
    """

    def __init__(
        self,
        contents: Any,
        notebooks: Notebooks,
        live: LiveNotebooks,
        editors: Editors,
        *,
        record: Callable[[str, Sequence[EventIn]], None],
        store: Path,
    ) -> None:
        self._contents = contents
        self._notebooks = notebooks
        self._live = live
        self._editors = editors
        self._record = record
        self._store = store
        self._saving: dict[str, _Save] = {}
        self._written: dict[str, Signature] = {}  # as we know the file
        self._by: dict[str, Actor] = {}  # who saved what was no investigation then
        self._sent: dict[str, Layout] = {}
        self._reasons: dict[str, str] = {}
        self._strange: set[str] = set()  # investigations of other stores

    # -- the contents manager's hooks --------------------------------------------------------

    def before(self, model: dict[str, Any], path: str, **_: Any) -> None:
        """Before a save, with our metadata already in what is saved."""
        content = model.get("content")
        if model.get("type") != "notebook" or not isinstance(content, dict):
            return
        path = path.strip("/")
        self._saving.pop(path, None)
        try:
            uid = self._uid(path, content)
            if uid is not None:
                self._look(path, uid)
            taken = split(content) if uid is not None else None
            self._saving[path] = _Save(self._saver(path), uid, taken)
        except Exception:
            _log.exception("gap in the record: the save of %s is no version", path)

    def after(self, model: dict[str, Any], os_path: str, **_: Any) -> None:
        """After a save, when the file is written."""
        path = str(model.get("path", "")).strip("/")
        save = self._saving.pop(path, None)
        if save is None:
            return
        try:
            self._written[path] = _signature(Path(os_path))
            if save.uid is None or save.content is None:
                self._by[path] = save.actor or UNKNOWN
                return
            by = self._authors(path, save)
            actors = [save.actor] if save.actor else list(_all(by)) or [UNKNOWN]
            reason = self._reasons.pop(path, "")
            self._tell(path, save.uid, save.content, actors=actors, by=by, reason=reason)
        except Exception:
            _log.exception("gap in the record: the save of %s is no version", path)

    # -- what happens to files ---------------------------------------------------------------

    def opened(self, path: str) -> None:
        """Somebody looks at a file: was it changed outside?"""
        if path in self._saving or not path.endswith(".ipynb"):
            return
        view = self._notebooks.view(path)
        uid = self._notebooks.uid(path, view)
        if view is None or uid is None or view.newer:
            return
        try:
            self._look(path, uid)
        except Exception:
            _log.exception("gap in the record: %s could not be looked at", path)

    def moved(self, old: str, new: str) -> None:
        """A file, or a folder of files, has another name now."""
        kept: tuple[dict[str, Any], ...] = (self._written, self._by, self._sent, self._reasons)
        for known in (*kept, self._saving):
            rename(known, old, new)
        self._editors.moved(lambda noted: rename(noted, old, new))

    def refused(self, uid: str, event: EventIn, code: str) -> None:
        """The broker did not take a version: the next one is sent whole. Any thread calls this."""
        if event["type"] != SAVED:
            return
        if code == "unknown_investigation":
            self._strange.add(uid)
        self._sent.clear()

    def because(self, path: str, reason: str) -> None:
        """Why the next version of a notebook will be made; empty takes it back."""
        if reason:
            self._reasons[path] = reason
        else:
            self._reasons.pop(path, None)

    # -- in steps ----------------------------------------------------------------------------

    def _uid(self, path: str, content: Mapping[str, Any]) -> str | None:
        """The investigation that a save belongs to; None when it makes no version."""
        if is_newer(content):
            return None
        return read_uid(content) or self._notebooks.uid(path, self._notebooks.view(path))

    def _saver(self, path: str) -> Actor | None:
        """Who saves; None when the server does, for those who edit together."""
        handler = CallContext.get(CallContext.JUPYTER_HANDLER)
        if self._live.is_open(path) and not isinstance(handler, ContentsHandler):
            return None
        return current_actor()

    def _authors(self, path: str, save: _Save) -> dict[str, list[Actor]]:
        """Who changed which cells, by uid."""
        if save.actor is not None or save.content is None:
            return {}
        layout = save.content.layout
        before = self._sent.get(path, NOTHING)
        ids = {cell.uid: _id_of(save.content, cell.cell) or cell.uid for cell in layout.cells}
        changed = [*changes(before, layout), ""]
        found = self._editors.take(path, dict.fromkeys(ids.get(uid, uid) for uid in changed))
        return {uid: found[ids.get(uid, uid)] for uid in changed if ids.get(uid, uid) in found}

    def _look(self, path: str, uid: str) -> None:
        """Tells what lies there, unless we wrote it."""
        file = self._file(path)
        if file is None or not file.is_file():
            return
        signature = _signature(file)
        ours = self._written.get(path) == signature
        if ours and path not in self._by:
            return
        self._written[path] = signature
        saver = self._by.pop(path, UNKNOWN)
        actor = saver if ours else UNKNOWN
        try:
            found = json.loads(file.read_bytes())
        except ValueError:
            _log.warning("%s is no notebook any more; its versions are kept", path)
            return
        if isinstance(found, dict) and isinstance(found.get("cells"), list) and not is_newer(found):
            reason = "" if ours else OUTSIDE
            self._tell(path, read_uid(found) or uid, split(found), actors=[actor], reason=reason)

    def _tell(
        self,
        path: str,
        uid: str,
        content: Content,
        *,
        actors: Sequence[Actor],
        reason: str,
        by: Mapping[str, Sequence[Actor]] | None = None,
    ) -> None:
        known = self._sent.get(path, NOTHING)
        if known.digest == content.layout.digest or uid in self._strange:
            return
        if not has_store(self._store):
            return
        sent = version_in(
            content,
            path=placed(self._file(path) or Path(path), self._store),
            actors=actors,
            reason=reason,
            known=known,
            by={cell: who for cell, who in (by or {}).items() if cell},
        )
        event: EventIn = {
            "id": sent["id"],
            "type": SAVED,
            "subject": path,
            "time": sent["time"],
            "data": dict(sent),
        }
        self._sent[path] = content.layout
        self._record(uid, [event])

    def _file(self, path: str) -> Path | None:
        """Where a notebook lies; None when the contents manager keeps no files."""
        root = getattr(self._contents, "root_dir", None)
        return Path(to_os_path(ApiPath(path), root)) if root else None


def _signature(file: Path) -> Signature:
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _id_of(content: Content, digest: str) -> str:
    return str(json.loads(content.parts[digest]).get("id", ""))


def _all(by: Mapping[str, Sequence[Actor]]) -> dict[Actor, None]:
    return {actor: None for actors in by.values() for actor in actors}
