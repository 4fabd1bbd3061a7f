"""The way back after a notebook was lost: every cell that was ever saved or run.

The order is that of the newest version. A cell that it has no more stands after the cell that
it followed when it was last seen, and a cell that was run and never saved after the one that was
run before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.versions import blobs, store
from workspace_ext.inquiry.versions.content import join
from workspace_ext.inquiry.versions.model import NOTHING, CellParts, Layout
from workspace_ext.protocol.messages import METADATA_KEY, METADATA_SCHEMA, InvestigationState, Step

_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # nbformat 4.5
_KERNELSPEC = {
    "name": "investigation",
    "display_name": "Investigation (Python)",
    "language": "python",
}


def recover(connection: Connection, uid: str, state: InvestigationState) -> dict[str, Any]:
    """A notebook with all cells of an investigation.

    A cell has its last source, be it saved or only run, and the outputs of the version that it
    was last seen in, as long as they are of that source.

    Args:
        connection: For reading.
        uid: The investigation.
        state: Its state: the runs.
    """
    cells, seen_at, head = _saved(connection, uid)
    runs = last_runs(state)
    wanted = [digest for cell in cells for digest in cell.digests()]
    wanted += [step["source_digest"] for step in runs.values()]
    texts = blobs.texts(connection, [*wanted, *([head] if head else [])])
    runs = {cell: step for cell, step in runs.items() if step["source_digest"] in texts}
    notebook = _empty(uid)
    if head:
        notebook = join(Layout(head, tuple(cells)), texts, uid=uid)
    for cell, kept in zip(notebook["cells"], cells, strict=True):
        step = runs.pop(kept.uid, None)
        if step is not None and step["seq"] > seen_at[kept.uid] and cell["cell_type"] == "code":
            _put_source(cell, texts[step["source_digest"]])
    _insert_runs(notebook["cells"], [cell.uid for cell in cells], runs, state, texts)
    _name(notebook["cells"])
    notebook["nbformat_minor"] = max(5, notebook.get("nbformat_minor", 5))  # they have ids now
    return notebook


def _saved(connection: Connection, uid: str) -> tuple[list[CellParts], dict[str, int], str]:
    """What was saved.

    Returns:
        All cells ever saved, how far the ledger went when each was last seen, and the newest
        head of a notebook that is one.
    """
    newest = store.last(connection, uid)
    if newest is None:
        return [], {}, ""
    cells = list((store.layout(connection, uid, newest.revision) or NOTHING).cells)
    seen_at = {cell.uid: newest.seq for cell in cells}
    gone: dict[int, set[str]] = {}
    for row in store.cell_history(connection, uid):  # the newest first
        if row["cell"] and row["cell"] not in seen_at:
            version = store.get(connection, uid, row["revision"])
            assert version is not None
            last = version.parent if row["what"] == "removed" else version.revision
            gone.setdefault(last, set()).add(row["cell"])
            seen_at[row["cell"]] = version.seq
    for revision in sorted(gone, reverse=True):
        layout = store.layout(connection, uid, revision) or NOTHING
        _insert(cells, layout, gone[revision])
    return cells, seen_at, _head(connection, uid, newest.revision)


def _insert(cells: list[CellParts], layout: Layout, uids: set[str]) -> None:
    place = 0
    where = {cell.uid: index for index, cell in enumerate(cells, start=1)}
    for cell in layout.cells:
        if cell.uid in uids:
            cells.insert(place, cell)
            where = {cell.uid: index for index, cell in enumerate(cells, start=1)}
        place = where.get(cell.uid, place)


def _head(connection: Connection, uid: str, revision: int) -> str:
    """The newest head with a format: a notebook cut to ``{}`` has none."""
    while revision > 0:
        layout = store.layout(connection, uid, revision) or NOTHING
        text = blobs.texts(connection, [layout.notebook]).get(layout.notebook, "{}")
        if "nbformat" in json.loads(text):
            return layout.notebook
        revision -= 1
    return ""


def last_runs(state: InvestigationState) -> dict[str, Step]:
    """The last run of each cell, ended or not; runs that belong to no cell are left out."""
    runs = sorted(state["steps"].values(), key=lambda step: step["seq"])
    return {step["cell"]: step for step in runs if step["cell"] != step["id"]}


def _put_source(cell: dict[str, Any], source: str) -> None:
    if cell["source"] != source:
        cell.update(source=source, outputs=[], execution_count=None)


def _insert_runs(
    cells: list[dict[str, Any]],
    uids: list[str],
    runs: Mapping[str, Step],
    state: InvestigationState,
    texts: Mapping[str, str],
) -> None:
    before = ""
    for step in sorted(state["steps"].values(), key=lambda step: step["seq"]):
        uid = step["cell"]
        if uid in runs and uid not in uids:
            place = uids.index(before) + 1 if before in uids else len(uids)
            uids.insert(place, uid)
            cells.insert(
                place,
                {
                    "id": uid,
                    "cell_type": "code",
                    "metadata": {},
                    "source": texts[runs[uid]["source_digest"]],
                    "outputs": [],
                    "execution_count": None,
                },
            )
        before = uid if uid in uids else before


def _name(cells: list[dict[str, Any]]) -> None:
    """Gives each cell an id that no other has; its uid is kept beside it."""
    taken: set[str] = set()
    for cell in cells:
        name = str(cell.get("id", ""))
        if name in taken or not _CELL_ID.fullmatch(name):
            if name:
                cell["metadata"].setdefault(METADATA_KEY, {"uid": name})
            name = cell["id"] = new_id()[:8]
        taken.add(name)


def _empty(uid: str) -> dict[str, Any]:
    return {
        "metadata": {
            "kernelspec": _KERNELSPEC,
            METADATA_KEY: {"schema": METADATA_SCHEMA, "uid": uid},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
        "cells": [],
    }
