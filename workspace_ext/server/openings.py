"""Beginning an investigation: in a new notebook, in one that is there, or by its first run."""

from __future__ import annotations

import asyncio
import json
import posixpath
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePosixPath
from typing import Any
from weakref import WeakValueDictionary

from jupyter_core.utils import ensure_async

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, NotFound, Unavailable
from workspace_ext.foundation.ids import new_id, stable_id
from workspace_ext.foundation.shipped import shipped
from workspace_ext.inquiry.metadata.beginning import from_template
from workspace_ext.protocol.events import event
from workspace_ext.protocol.messages import InvestigationState
from workspace_ext.protocol.teamwork import AgendaItem
from workspace_ext.server.link import BrokerLink
from workspace_ext.server.notebooks import Notebooks
from workspace_ext.server.reporter import OPENED, Reporter

TITLE_LENGTH = 200
NAME_LENGTH = 60
_DISK_SECONDS = 0.2

_SCOPE = ("severity", "services", "window", "baseline", "pin")


class Openings:
    """Lives on the server's event loop.

    Args:
        link: The line to the broker.
        reporter: Takes the opening of an investigation when it must not wait for the broker.
        notebooks: Knows which notebook is an investigation.
        contents: The contents manager.
    """

    def __init__(
        self, link: BrokerLink, reporter: Reporter, notebooks: Notebooks, contents: Any
    ) -> None:
        self._link = link
        self._reporter = reporter
        self._notebooks = notebooks
        self._contents = contents
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def create(
        self,
        title: object,
        actor: Actor,
        *,
        directory: object = "",
        scope: Mapping[str, Any] | None = None,
        wish: object = "",
    ) -> dict[str, str]:
        """Makes a notebook that is an investigation from the start, from the notebook template.

        Args:
            title: What it is about.
            actor: Who begins it.
            directory: Where, below the server's root.
            scope: Its severity, window, baseline, services and pin, as far as they are known.
            wish: An id of the wish, where it may come again: the same person's same one makes
                nothing new, whatever became of the first try.

        Returns:
            Its ``path`` and ``uid``.

        Raises:
            BadInput: The title, the directory, the id or a part of the scope is wrong.
            InvestigationError: The broker could not open it; no file is made then.
        """
        checked = _title(title)
        folder = _text("directory", directory).strip("/")
        wanted = _scope(scope or {})
        again = _text("id", wish)
        uid = stable_id("new", str(actor), again) if again else new_id()
        async with self._lock(f"{folder}/"):  # two of one title get two names
            begun = await self._known(uid) if again else None
            made = await self._made(begun) if begun else None
            if made is not None:
                return {"path": made, "uid": uid}
            path = await self._free_path(folder, checked)
            state = begun or await self._open(checked, path, actor, {**wanted, "uid": uid})
            content, agenda = from_template(await asyncio.to_thread(_template), state)
            await self._set_agenda(uid, agenda, actor)
            model = {"type": "notebook", "format": "json", "content": content}
            await ensure_async(self._contents.save(model, path))
        self._notebooks.bind(path, uid)
        return {"path": path, "uid": uid}

    async def adopt(self, path: object, actor: Actor) -> dict[str, str]:
        """Makes an existing notebook an investigation; one that is one stays what it is.

        Raises:
            NotFound: There is no such notebook.
            InvestigationError: The broker could not open it.
        """
        named = _text("path", path).strip("/")
        async with self._lock(named):
            view = await self._notebooks.look(named)
            uid = self._notebooks.uid(named, view)
            if uid is None or await self._known(uid) is None:
                uid = (await self._open(_title_of(named), named, actor))["uid"]
                self._notebooks.remember(named, uid)
            self._notebooks.bind(named, uid)
        return {"path": named, "uid": uid}

    async def begin(self, path: str, actor: Actor, *, patience: float) -> None:
        """Opens the investigation of a notebook whose first run is waiting for it.

        The uid is ours, so that the record can begin even where the broker hears of it later.

        Args:
            path: The notebook.
            actor: Whose run it is.
            patience: How many seconds to wait for the broker, and for a full disk.
        """
        async with self._lock(path):
            view = await self._notebooks.look(path)
            if self._notebooks.uid(path, view) is not None:
                return
            self._link.make()
            uid = new_id()
            data = {"uid": uid, "title": _title_of(path), "notebook": path}
            opened = event(OPENED, uid, data, event_id=uid, actor=str(actor))
            self._reporter.report(uid, [opened])
            try:
                await asyncio.gather(
                    self._remember(path, uid, patience),
                    asyncio.to_thread(self._reporter.flush, patience),
                )
            finally:
                self._notebooks.bind(path, uid)

    async def _remember(self, path: str, uid: str, patience: float) -> None:
        """Before anything is recorded: a killed server would leave a record without a notebook."""
        deadline = time.monotonic() + patience
        while not self._notebooks.remember(path, uid) and time.monotonic() < deadline:
            await asyncio.sleep(_DISK_SECONDS)

    def _lock(self, name: str) -> asyncio.Lock:
        return self._locks.setdefault(name, asyncio.Lock())

    async def _open(
        self, title: str, path: str, actor: Actor, scope: Mapping[str, Any] | None = None
    ) -> InvestigationState:
        self._link.make()
        about = {**(scope or {}), "notebook": path, "actor": str(actor)}
        return await self._link.call(lambda client: client.open_investigation(title, **about))

    async def _set_agenda(self, uid: str, items: Sequence[AgendaItem], actor: Actor) -> None:
        changed = event(
            "agenda.changed",
            uid,
            {"items": list(items)},
            event_id=stable_id("agenda", uid),
            actor=str(actor),
        )
        if items:
            await self._link.call(lambda client: client.report(uid, [changed]))

    async def _known(self, uid: str) -> InvestigationState | None:
        try:
            return await self._link.call(lambda client: client.state(uid))
        except NotFound:
            return None

    async def _made(self, state: InvestigationState) -> str | None:
        """The notebook that was made for an investigation, if it came to that."""
        for path in (*self._notebooks.paths(state["uid"]), state["notebook"]):
            if await ensure_async(self._contents.file_exists(path)):
                with suppress(NotFound):  # it is damaged
                    if (await self._notebooks.look(path)).uid == state["uid"]:
                        return path
        return None

    async def _free_path(self, folder: str, title: str) -> str:
        if not await ensure_async(self._contents.dir_exists(folder)):
            raise BadInput(
                f"no directory {folder!r}",
                hint="give a directory below the server's root folder",
                code="no_directory",
            )
        name = f"{_slug(title)}.ipynb"
        free: str = await ensure_async(self._contents.increment_filename(name, folder, insert="-"))
        return posixpath.join(folder, free)


def _template() -> dict[str, Any]:
    """The notebook that every new investigation begins with.

    Raises:
        Unavailable: It did not come with the installation.
    """
    path = shipped("notebooks/investigation.ipynb")
    try:
        template: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Unavailable(
            f"the notebook template cannot be read: {error}",
            hint="install investigation-workspace again",
        ) from error
    return template


def _scope(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen; what was left open is left out. Its values are the broker's to check."""
    unknown = sorted(given.keys() - set(_SCOPE))
    if unknown:
        raise BadInput(
            f"an investigation begins without {unknown[0]!r}",
            hint=f"there is: title, directory, {', '.join(_SCOPE)}",
        )
    _text("severity", given.get("severity", ""))
    return {name: value for name, value in given.items() if value is not None}


def _title(title: object) -> str:
    text = " ".join(_text("title", title).split())
    if not text or len(text) > TITLE_LENGTH:
        raise BadInput(
            "the title is empty" if not text else f"the title has {len(text)} characters",
            hint=f"say in up to {TITLE_LENGTH} characters what the investigation is about",
            code="bad_title",
        )
    return text


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{name} is not text: {value!r}", hint="send a JSON string")
    return value


def _title_of(path: str) -> str:
    return " ".join(re.split(r"[-_\s]+", PurePosixPath(path).stem)).strip()[:TITLE_LENGTH] or path


def _slug(title: str) -> str:
    """A file name that every system takes; letters of all scripts stay."""
    return re.sub(r"[^\w]+", "-", title).strip("-_").lower()[:NAME_LENGTH] or "investigation"
