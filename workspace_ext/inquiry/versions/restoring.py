"""What a notebook becomes when a version of it is restored. Pure functions on notebook JSON."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from workspace_ext.foundation.errors import NotFound
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.metadata.notebook import uids_of
from workspace_ext.protocol.messages import METADATA_KEY


def restored(
    now: Mapping[str, Any] | None, before: Mapping[str, Any], cell: str | None = None
) -> dict[str, Any]:
    """The notebook after a restore.

    Args:
        now: As it is; None when there is none.
        before: The version to go back to.
        cell: The uid of the one cell to bring back; all when None. A cell that is there is
            replaced, one that is not comes back after the cell that it followed.

    Raises:
        NotFound: The version has no such cell.
    """
    if cell is None or now is None:
        if cell is not None:
            _place(before, cell)
        return copy.deepcopy(dict(before))
    place = _place(before, cell)
    whole = copy.deepcopy(dict(now))
    cells: list[dict[str, Any]] = whole.setdefault("cells", [])
    back = copy.deepcopy(before["cells"][place])
    uids = uids_of(cells)
    if cell in uids:
        at = uids.index(cell)
        back["id"] = cells[at].get("id", back.get("id"))
        cells[at] = back
        return whole
    if back.get("id") in {other.get("id") for other in cells}:
        back["id"] = new_id()[:8]
    if back.get("id") != cell:
        back["metadata"].setdefault(METADATA_KEY, {"uid": cell})
    followed = [uids.index(uid) for uid in uids_of(before["cells"])[:place] if uid in uids]
    cells.insert(followed[-1] + 1 if followed else 0, back)
    return whole


def reason_of(revision: int | None, cell: str | None, reason: str) -> str:
    """What the new version says of itself."""
    what = "everything that was ever saved or run" if revision is None else f"version {revision}"
    said = f"restored {f'cell {cell} of ' if cell else ''}{what}"
    return f"{said}: {reason}" if reason else said


def _place(notebook: Mapping[str, Any], cell: str) -> int:
    uids = uids_of(notebook["cells"])
    if cell not in uids:
        raise NotFound(
            f"there is no cell {cell!r} in that version",
            hint="`jupyter investigation history NOTEBOOK --cell UID` shows where it was changed",
            code="unknown_cell",
        )
    return uids.index(cell)
