"""Rooms that lose nothing: a shared document, its file and its history kept together.

jupyter-server-ydoc takes the file for the truth whenever it differs from the document: after a kill
it puts the last save over what was typed since, and a change from outside puts the file over what
is being typed. It gives a save up when it fails, and takes a file whose time goes back for its own.
Here both are merged over what they had in common (`merging`), a failed save is tried again until it
succeeds, and a room with anything unsaved stays. So nothing on disk conflicts with an open
document, and JupyterLab is not told what would have it ask which of the two to lose.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import jupyter_server_ydoc.app
import jupyter_server_ydoc.handlers
from jupyter_core.utils import ensure_async
from jupyter_server.services.contents.handlers import ContentsHandler
from jupyter_server_ydoc.handlers import SERVER_SESSION, YDocWebSocketHandler
from jupyter_server_ydoc.loaders import FileLoader
from jupyter_server_ydoc.rooms import DocumentRoom
from jupyter_server_ydoc.utils import LogLevel, OutOfBandChanges
from jupyter_ydoc import YNotebook
from tornado import web

from workspace_ext.server.ending import needed
from workspace_ext.server.history import HistoryStore
from workspace_ext.server.live import open_rooms
from workspace_ext.server.merging import base_of, merge, named
from workspace_ext.server.rewriting import content_of, rewrite

RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0)
"""The pauses between tries to save; the last one again and again."""

NEVER = datetime.min.replace(tzinfo=UTC)
"""Of a file that has to be read: every change is later."""

_MERGED = ("notebook", "file")

Trouble = Callable[[str, str], None]
"""Told of a path why it cannot be saved; of nothing when it can again."""


class JointRoom(DocumentRoom):  # type: ignore[misc] # it has no types
    """A shared document that no failure takes anything from. Notebooks are merged, texts too."""

    ready: bool
    _saving_document: asyncio.Task[None] | None
    trouble: Trouble = staticmethod(lambda _path, _why: None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._base: dict[str, Any] | None = None
        self._began_from_history = False
        self._failed = ""
        self._dirty = False
        self._merges = 0

    @property
    def is_kept(self) -> bool:
        """Whether the file or the history has everything."""
        is_whole = isinstance(self.ystore, HistoryStore) and self.ystore.is_whole
        return is_whole or not (self._dirty or self._failed)

    @property
    def told_hash(self) -> str | None:
        """What browsers know as the hash of its file.

        Before Ctrl-S they ask for it, and offer to overwrite or to revert when it is another. What
        is merged has the same for ever: of a save that the room makes by itself they would learn
        later than the file shows it.
        """
        told: str | None = self._document.hash
        return told

    def knows_earlier(self) -> bool:
        """Whether a browser that was here before a restart may come back with what it has.

        A document that was made anew from its file counts its changes anew; merged with an earlier
        copy it would have everything twice, or silently nothing.
        """
        if self.ready:
            return self._began_from_history
        return isinstance(self.ystore, HistoryStore) and self.ystore.knows()

    async def initialize(self) -> None:
        """Loads history and file, and makes one of them where they differ."""
        if self.ready or self._file_type not in _MERGED:
            await super().initialize()
            return
        await self._begin()
        async with self._update_lock:
            self._document.hash = f"joint:{self.room_id}"

    async def _begin(self) -> None:
        store = self.ystore
        if not isinstance(store, HistoryStore):
            await super().initialize()
            return
        known = store.knows()
        held = await asyncio.to_thread(store.bases) if known else []
        if known:
            await self._bring_back(store, held)
        else:
            # What the file has, not the document made of it, which has a kernelspec and a first
            # cell even if the file has none: after a kill it would pass for changed outside.
            model = await self._file.load_content(self._file_format, self._file_type)
            await super().initialize()
            theirs = named(_notebook(model["content"]), self._content()["cells"])
            self._base = base_of(theirs)
            await store.keep_bases(self._base)
        self._began_from_history = known

    async def stop(self) -> None:
        """Ends; the history is whole before."""
        if isinstance(self.ystore, HistoryStore) and self.ready:
            await asyncio.shield(self.ystore.settle())
        await super().stop()

    # -- the file ----------------------------------------------------------------------------

    async def _bring_back(self, store: HistoryStore, held: list[dict[str, Any]]) -> None:
        model = await self._file.load_content(self._file_format, self._file_type)
        async with self._update_lock:
            if self.ready:
                return
            async with store.start_lock:
                if not store.started.is_set():
                    self.create_task(store.start())
                    await store.started.wait()
            await store.apply_updates(self.ydoc)
            theirs = _notebook(model["content"])
            self._base = next(
                (base for base in held if base_of(named(theirs, base["cells"])) == base),
                held[-1] if held else None,
            )
            changed = self._take(model["content"])
            assert self._base is not None  # it was taken
            await store.keep_bases(self._base)
            self.ready = True
        self._emit(LogLevel.INFO, "load", "Content loaded from its history and its file.")
        if changed:
            self._on_document_change("cells", None)

    def _take(self, content: Any) -> bool:
        """Merges what the file holds into the document, at once; whether they differ now.

        Nothing else runs meanwhile: what somebody types comes before or after it.
        """
        self._merges += 1
        ours, theirs = self._content(), _notebook(content)
        merged = merge(self._base, ours, theirs)
        if isinstance(self._document, YNotebook):
            rewrite(self._document, merged)
        elif merged["cells"][0]["source"] != ours["cells"][0]["source"]:
            self._document.set(merged["cells"][0]["source"])
        self._base = base_of(named(theirs, merged["cells"]))
        return base_of(merged) != self._base

    async def _on_outofband_change(self) -> None:
        if self._file_type not in _MERGED:
            await super()._on_outofband_change()
            return
        if not await self._merge_file():
            self._again()

    async def _merge(self, content: Any) -> None:
        self.log.info("%s was changed outside; it is merged", self.path)
        async with self._update_lock:
            differs = self._take(content)
            self._document.dirty = False
        self._emit(LogLevel.INFO, "overwrite", "Changed outside: merged.")
        if differs or self._dirty:
            self._again()
        if isinstance(self.ystore, HistoryStore) and self._base is not None:
            self.create_task(self.ystore.keep_bases(self._base))

    # -- saving ------------------------------------------------------------------------------

    def _on_document_change(self, target: str, event: Any) -> None:
        if target != "state":  # which says whether it is saved, and where it lies
            self._dirty = not self._update_lock.locked() or self._dirty
        super()._on_document_change(target, event)

    def _again(self) -> None:
        self._saving_document = asyncio.create_task(
            self._maybe_save_document(self._saving_document)
        )

    async def _maybe_save_document(
        self, saving_document: asyncio.Task[None] | None, save_now: bool = False
    ) -> None:
        if self._file_type not in _MERGED:
            await super()._maybe_save_document(saving_document, save_now)
            return
        if self._save_delay is None and not save_now:
            return
        needed(asyncio.current_task())
        if saving_document is not None and not saving_document.done():
            saving_document.cancel()
        with suppress(asyncio.CancelledError):
            if not save_now:
                await asyncio.sleep(self._save_delay or 0)
            tries = 0
            while not await self._try_to_save():
                await asyncio.sleep(RETRY_SECONDS[min(tries, len(RETRY_SECONDS) - 1)])
                tries += 1

    async def _try_to_save(self) -> bool:
        """Saves, after a merge if need be; False when that has to be tried again."""
        self._dirty = False
        try:
            await self._save()
        except OutOfBandChanges:
            self._dirty = True
            return await self._merge_file()
        except asyncio.CancelledError:
            self._dirty = True
            raise
        except Exception as error:  # edge: whatever a disk does
            self._dirty = True
            self._fails(_reason(error))
            return False
        return True

    async def _save(self) -> None:
        content, merges = self._document.get(), self._merges
        store = self.ystore if isinstance(self.ystore, HistoryStore) else None
        base = base_of(self._content())
        if store is not None and base != self._base:
            await store.keep_bases(*([self._base] if self._base else []), base)
        if merges != self._merges:
            return  # what was to be saved is old, and the merge saves
        model = {"format": self._file_format, "type": self._file_type, "content": content}
        before = self._file.last_modified
        saved = await self._file.maybe_save_content(model)
        if saved is not None:
            await self._saved(base, store)
        elif self._file.last_modified != before:
            self._base = base  # it was saved, and something newer is about to be
        elif await self._is_writable():
            raise asyncio.CancelledError  # it failed, and something newer is about to be saved
        else:
            raise PermissionError("it is read-only on the server")

    async def _merge_file(self) -> bool:
        """Merges what something else wrote; False when it cannot be read yet."""
        try:
            found = await self._file.load_content(self._file_format, self._file_type)
        except Exception as error:  # edge: the file is being written just now, or is none
            self.log.warning("%s was changed outside and cannot be read yet: %r", self.path, error)
            self._file.last_modified = NEVER  # so that no save takes it for our own
            return False
        await self._merge(found["content"])
        return True

    async def _saved(self, base: dict[str, Any], store: HistoryStore | None) -> None:
        async with self._update_lock:
            self._document.dirty = False
        if store is not None and base != self._base:
            await store.keep_bases(base)
        self._base = base
        self._document.undo_manager.clear()  # nobody undoes here, and it keeps what was deleted
        if self._failed:
            self._failed = ""
            self.trouble(self.path, "")
        self._emit(LogLevel.INFO, "save", "Content saved.")

    def _fails(self, why: str) -> None:
        if why != self._failed:
            self._failed = why
            self.log.error("%s is not saved and is tried again: %s", self.path, why)
            self._emit(LogLevel.ERROR, None, f"not saved: {why}")
            self.trouble(self.path, why)

    async def _is_writable(self) -> bool:
        contents = self._file._contents_manager  # noqa: SLF001
        found = await ensure_async(contents.get(self._file.path, content=False))
        return bool(found["writable"])

    def _content(self) -> dict[str, Any]:
        """The document as a notebook whose cells all have an id."""
        if isinstance(self._document, YNotebook):
            return content_of(self._document)
        return _notebook(self._document.get())

    @property
    def path(self) -> str:
        """Of its file, from the server's root."""
        return str(self._document.path)


def use_joint_rooms(trouble: Trouble) -> None:
    """Has shared documents live in rooms of ours; once is enough for a process.

    Args:
        trouble: Told of notebooks that cannot be saved.
    """
    JointRoom.trouble = staticmethod(trouble)
    if jupyter_server_ydoc.handlers.DocumentRoom is JointRoom:
        return
    jupyter_server_ydoc.handlers.DocumentRoom = JointRoom
    jupyter_server_ydoc.app.DocumentRoom = JointRoom
    _see_older_files()
    _tell_no_conflicts()
    begin, clean = YDocWebSocketHandler.open, YDocWebSocketHandler._clean_room  # noqa: SLF001

    async def opened(self: Any, room_id: str) -> None:
        session = self.get_query_argument("sessionId", "")
        room = self.room
        if isinstance(room, JointRoom) and session != SERVER_SESSION and not room.knows_earlier():
            self.reads_only = True  # until the other side agrees to the end
            told = {"reason": "unknown_session", "sessionId": session, "reloadable": True}
            self.close(1003, json.dumps(told))
            return
        await begin(self, room_id)

    async def cleaned(self: Any) -> None:
        room = self.room
        if isinstance(room, JointRoom):
            while not room.is_kept:
                await asyncio.sleep(RETRY_SECONDS[-1])
        await clean(self)

    YDocWebSocketHandler.open = opened
    YDocWebSocketHandler._clean_room = cleaned  # noqa: SLF001


def _see_older_files() -> None:
    """Has a file's change seen whichever way its time goes: a copy may bring back an older one."""
    look = FileLoader.maybe_notify

    async def maybe_notify(self: Any) -> None:
        if self.last_modified is not None:
            contents = self._contents_manager
            async with self._lock:
                found = await ensure_async(contents.get(self.path, content=False))
                if found["last_modified"] < self.last_modified:
                    self.last_modified = NEVER
        await look(self)

    FileLoader.maybe_notify = maybe_notify


def _tell_no_conflicts() -> None:
    tell = ContentsHandler._finish_model  # noqa: SLF001 # it gives no other way

    def told(self: Any, model: dict[str, Any], location: bool = True) -> None:
        if model.get("hash"):
            for room in open_rooms(self.serverapp).values():
                if isinstance(room, JointRoom) and room.path == model["path"] and room.told_hash:
                    model["hash"] = room.told_hash
        tell(self, model, location)

    setattr(ContentsHandler, "_finish_model", told)  # noqa: B010


def _notebook(content: Any) -> dict[str, Any]:
    """A text as a notebook of one cell, so that all is merged alike."""
    if isinstance(content, dict):
        return content
    return {"metadata": {}, "cells": [{"id": "text", "cell_type": "raw", "source": str(content)}]}


def _reason(error: Exception) -> str:
    if isinstance(error, web.HTTPError):
        return str(error.log_message or error.reason or error)
    return str(error) or type(error).__name__
