"""Our key in a notebook: read it, place it. Pure functions on notebook JSON.

Only uids are ever read from it, and what people declare of how a replay may compare; all else is
written anew from the record, so that metadata of an older schema needs no more to become today's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from workspace_ext.protocol.messages import METADATA_KEY, METADATA_SCHEMA, NotebookProjection

DECLARED = ("masks", "traits")
"""What people write under ``compare``; `inquiry.archive.masks` says what it means."""


def read_metadata(holder: Mapping[str, Any]) -> dict[str, Any] | None:
    """Our metadata in a notebook or a cell; None when there is none, or it is no map."""
    metadata = holder.get("metadata")
    found = metadata.get(METADATA_KEY) if isinstance(metadata, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else None


def read_uid(notebook: Mapping[str, Any]) -> str | None:
    """The uid of a notebook's investigation; None when it is no investigation."""
    uid = (read_metadata(notebook) or {}).get("uid")
    return uid if isinstance(uid, str) and uid else None


def is_newer(notebook: Mapping[str, Any]) -> bool:
    """Whether the metadata is of a schema that is not known here: then it is left alone."""
    schema = (read_metadata(notebook) or {}).get("schema")
    return isinstance(schema, (int, float)) and schema > METADATA_SCHEMA


def cell_uid(cells: Sequence[Mapping[str, Any]], cell_id: str) -> str:
    """The uid of the cell with this id.

    It is the uid in the cell's metadata, if no cell before it holds the same (a copied cell
    takes its metadata along); else the cell's id, made different from all uids held.

    Args:
        cells: All cells of the notebook, in order.
        cell_id: The id of the cell, in this notebook, now.
    """
    return cell_uids(cells).get(cell_id, cell_id)


def cell_uids(cells: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """The uid of every cell, by cell id."""
    held = zip(cells, uids_of(cells), strict=True)
    return {str(cell["id"]): uid for cell, uid in held if cell.get("id")}


def stamp_uid(notebook: dict[str, Any], uid: str) -> bool:
    """Says which investigation a notebook is that says nothing of it, until there is more to say.

    Returns:
        Whether it said nothing before.
    """
    if read_metadata(notebook) is not None:
        return False
    return _put(notebook, {"schema": METADATA_SCHEMA, "uid": uid})


def apply_projection(notebook: dict[str, Any], projection: NotebookProjection) -> bool:
    """Writes a projection into a notebook, in place; only our key is touched.

    A cell that carries our key for another cell (it was copied, or comes from another
    investigation) loses what it cannot claim.

    Returns:
        Whether anything differs from before. Metadata of a newer schema is left alone.
    """
    if is_newer(notebook):
        return False
    cells = notebook.get("cells") or []
    uids = uids_of(cells)
    changed = _put(notebook, projection["notebook"])
    for cell, uid in zip(cells, uids, strict=True):
        held = read_metadata(cell)
        if uid in projection["cells"]:
            changed |= _put(cell, projection["cells"][uid])
        elif held is not None:
            changed |= _put(cell, {"uid": uid} if held.get("uid") == uid else None)
    return changed


def uids_of(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """The uid of each cell, in order: its own if it holds it first, else one from its id."""
    uids: list[str | None] = []
    taken: set[str] = set()
    for cell in cells:
        uid = (read_metadata(cell) or {}).get("uid")
        own = uid if isinstance(uid, str) and uid and uid not in taken else None
        uids.append(own)
        taken.update([own] if own else [])
    named: list[str] = []
    for cell, own in zip(cells, uids, strict=True):
        if own is None:
            own = base = str(cell.get("id") or "")  # noqa: PLW2901
            count = 2
            while own and own in taken:
                own = f"{base}-{count}"  # noqa: PLW2901
                count += 1
            taken.add(own)
        named.append(own)
    return named


def _with_declared(before: object, value: dict[str, Any] | None) -> dict[str, Any] | None:
    """With what people declared of how a replay may compare: only that is theirs to write."""
    held = before.get("compare") if isinstance(before, Mapping) else None
    theirs = (
        {key: held[key] for key in DECLARED if key in held} if isinstance(held, Mapping) else {}
    )
    if not theirs:
        return value
    return {**(value or {}), "compare": {**(value or {}).get("compare", {}), **theirs}}


def _put(holder: dict[str, Any], value: dict[str, Any] | None) -> bool:
    metadata = holder.setdefault("metadata", {})
    before = metadata.get(METADATA_KEY)
    value = _with_declared(before, value)
    if value is None:
        metadata.pop(METADATA_KEY, None)
        return before is not None
    # Shared documents give whole numbers back as floats: equal, but other bytes in the file.
    if json.dumps(before, sort_keys=True, default=repr) != json.dumps(value, sort_keys=True):
        metadata[METADATA_KEY] = value
    return bool(before != value)
