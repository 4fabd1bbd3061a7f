"""A notebook, or one of its cells, as it was: where it is open, before everybody's eyes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.errors import BadInput, Conflict, NotFound
from workspace_ext.inquiry.versions.restoring import reason_of, restored
from workspace_ext.server.link import BrokerLink
from workspace_ext.server.live import LiveNotebooks
from workspace_ext.server.notebooks import HasSessions, Notebooks
from workspace_ext.server.saves import Saves

DELIVERY_SECONDS = 20.0
"""How long the answer waits until the broker has the new version."""


class Restores:
    """Lives on the server's event loop.

    Args:
        link: The line to the broker.
        notebooks: Knows which notebook is an investigation.
        live: The notebooks open in shared editing.
        sessions: Tells which notebooks have a kernel.
        saves: Told why the next version is made.
        delivered: Waits until the broker has all versions; blocks.
    """

    def __init__(
        self,
        link: BrokerLink,
        notebooks: Notebooks,
        live: LiveNotebooks,
        sessions: HasSessions,
        saves: Saves,
        *,
        delivered: Callable[[float], bool],
    ) -> None:
        self._link = link
        self._notebooks = notebooks
        self._live = live
        self._sessions = sessions
        self._saves = saves
        self._delivered = delivered

    def is_open(self, path: str) -> bool:
        """Whether somebody may have a notebook open here."""
        return self._live.is_open(path) or self._sessions.is_open(path)

    async def restore(
        self,
        path: str,
        actor: Actor,
        *,
        revision: int | None,
        cell: str | None = None,
        reason: str = "",
        uid: str | None = None,
    ) -> dict[str, Any]:
        """Brings a notebook back to a revision, as a new version.

        Args:
            path: The notebook.
            actor: Who wants it.
            revision: The revision; None brings back all cells that were ever saved or run.
            cell: The uid of the only cell to restore.
            reason: Why.
            uid: The investigation of a notebook that does not say so any more.

        Returns:
            The newest version.

        Raises:
            NotFound: It is no investigation, or has no such revision or cell.
            Conflict: A browser has it open, and it cannot be changed there.
            InvestigationError: The broker could not be asked.
        """
        named = uid or await self._notebooks.investigation_of(path)
        if named is None:
            raise NotFound(f"{path} is no investigation", hint="it has no versions yet")
        before = await self._link.call(
            lambda client: (
                client.recovered(named)
                if revision is None
                else client.version(named, revision)["notebook"]
            )
        )
        self._saves.because(path, reason_of(revision, cell, reason))
        try:
            await self._change(path, named, before, cell, actor)
            await asyncio.to_thread(self._delivered, DELIVERY_SECONDS)
        finally:
            self._saves.because(path, "")
        return await self._link.call(lambda client: dict(client.version(named)["version"]))

    async def _change(
        self, path: str, uid: str, before: dict[str, Any], cell: str | None, actor: Actor
    ) -> None:
        live = self._live.find(path)
        if live is not None:
            content = restored(live.content(), before, cell)
            self._notebooks.bring(uid, content)
            live.replace(content, actor)
            await live.save()
        elif self.is_open(path):
            raise Conflict(
                f"{path} is open in JupyterLab, where it cannot be changed from here",
                hint="close it there and shut its kernel down, then restore it again",
                code="notebook_open",
            )
        else:

            def change(now: dict[str, Any] | None) -> dict[str, Any]:
                content = restored(now, before, cell)
                self._notebooks.bring(uid, content)
                return content

            await self._notebooks.rewrite(path, change)


def check_wish(body: dict[str, Any]) -> dict[str, Any]:
    """A browser's or the command line's wish, as `Restores.restore` takes it.

    Raises:
        BadInput: A field is wrong.
    """
    kinds: dict[str, tuple[type, ...]] = {
        "revision": (int, type(None)),
        "cell": (str, type(None)),
        "reason": (str,),
        "uid": (str, type(None)),
    }
    for name, value in body.items():
        fits = isinstance(value, kinds.get(name, ())) and not isinstance(value, bool)
        if name != "path" and not fits:
            raise BadInput(
                f"{name} cannot be {value!r}",
                hint='send {"path": "…", "revision": 3, "cell": null, "reason": ""}',
            )
    if "revision" not in body:
        raise BadInput("no version is named", hint="null restores all that was ever saved or run")
    return {name: value for name, value in body.items() if name != "path"}
