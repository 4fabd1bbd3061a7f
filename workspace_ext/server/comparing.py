"""What differs between a notebook's versions, or between one and what is open now."""

from __future__ import annotations

import asyncio
from typing import Any

from workspace_ext.foundation.errors import NotFound
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.lines import cell_diffs
from workspace_ext.inquiry.versions.model import changes
from workspace_ext.protocol.provenance import VersionDiff
from workspace_ext.server.link import BrokerLink
from workspace_ext.server.live import LiveNotebooks
from workspace_ext.server.notebooks import Notebooks


class Comparing:
    """Lives on the server's event loop.

    Args:
        link: The line to the broker.
        notebooks: Knows which notebook is an investigation.
        live: The notebooks open in shared editing.
    """

    def __init__(self, link: BrokerLink, notebooks: Notebooks, live: LiveNotebooks) -> None:
        self._link = link
        self._notebooks = notebooks
        self._live = live

    async def compare(self, path: str, old: int, new: int | None) -> VersionDiff:
        """What differs.

        Args:
            path: The notebook.
            old: The older revision.
            new: The newer one; None: the notebook as it is, also what nobody saved yet.

        Raises:
            NotFound: It is no investigation, or has no such revision.
            InvestigationError: The broker could not be asked.
        """
        uid = await self._notebooks.investigation_of(path)
        if uid is None:
            raise NotFound(f"{path} is no investigation", hint="it has no versions yet")
        before = await self._version(uid, old)
        after = await (self._now(path) if new is None else self._version(uid, new))
        return await asyncio.to_thread(_difference, before, after, old, new)

    async def _version(self, uid: str, revision: int) -> dict[str, Any]:
        found = await self._link.call(lambda client: client.version(uid, revision))
        notebook: dict[str, Any] = found["notebook"]
        return notebook

    async def _now(self, path: str) -> dict[str, Any]:
        live = self._live.find(path)
        if live is not None:
            return live.content()
        content = await self._notebooks.read(path)
        if content is None:
            raise NotFound(
                f"{path} is not there, or no notebook",
                hint="compare two of its revisions, or restore one",
                code="no_notebook",
            )
        return content


def _difference(
    before: dict[str, Any], after: dict[str, Any], old: int, new: int | None
) -> VersionDiff:
    was, now = split(before), split(after)
    cells = cell_diffs(was, now)
    gone = sum(cell["after"] is None for cell in cells)
    return {
        "old": old,
        "new": new,
        "cells": cells,
        "unchanged": len(now.layout.cells) - (len(cells) - gone),
        "metadata": "" in changes(was.layout, now.layout),
    }
