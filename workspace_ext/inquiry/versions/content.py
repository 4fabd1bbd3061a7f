"""A notebook taken apart and put together. Pure functions on notebook JSON.

A part is a text: sources as they are, all else as canonical JSON. What changes by itself is no
part: our own metadata are a projection of the record, and the execution count that a result
repeats would make the same figure another one with every run. Cells without ids (nbformat 4.4
and before) are called by their place: ``#1``, ``#2``, ….
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from workspace_ext.foundation.canonical import canonical_json, digest_text
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.metadata.notebook import is_newer, read_uid, uids_of
from workspace_ext.inquiry.versions.model import CellParts, Content, Layout
from workspace_ext.protocol.messages import METADATA_KEY, METADATA_SCHEMA

_TRANSIENT = frozenset({"orig_nbformat", "orig_nbformat_minor", "signature", "trusted"})
"""Metadata that nbformat never writes into a file (`nbformat.v4.rwbase.strip_transient`)."""

_ITS_OWN_PARTS = frozenset({"source", "outputs", "execution_count", "metadata"})
_SAME_COUNT = "investigation:the cell's"


def split(notebook: Mapping[str, Any]) -> Content:
    """Takes a notebook apart.

    Args:
        notebook: A notebook's JSON, from a file or as a browser sends it.
    """
    parts: dict[str, str] = {}

    def keep(text: str) -> str:
        digest = digest_text(text)
        parts[digest] = text
        return digest

    ours = not is_newer(notebook)  # what another version wrote is kept as it is
    cells = notebook.get("cells") or []
    uids = [uid or f"#{place}" for place, uid in enumerate(uids_of(cells), start=1)]
    head = {name: value for name, value in notebook.items() if name not in ("cells", "metadata")}
    head["metadata"] = _kept(notebook.get("metadata"), ours=ours)
    return Content(
        Layout(
            keep(_text(head)),
            tuple(
                _split_cell(cell, uid, keep, ours=ours)
                for cell, uid in zip(cells, uids, strict=True)
            ),
        ),
        parts,
    )


def _split_cell(
    cell: Mapping[str, Any], uid: str, keep: Callable[[str], str], *, ours: bool
) -> CellParts:
    body = {name: value for name, value in cell.items() if name not in _ITS_OWN_PARTS}
    if not body.get("attachments", True):
        del body["attachments"]
    body["metadata"] = _kept(cell.get("metadata"), ours=ours)
    count = cell.get("execution_count")
    outputs = cell.get("outputs") or ()
    return CellParts(
        uid=uid,
        cell=keep(_text(body)),
        source=keep(_valid(_joined(cell.get("source") or ""))),
        count=int(count) if isinstance(count, (int, float)) else None,
        outputs=tuple(keep(_text(_output(output, count))) for output in outputs),
    )


def _kept(metadata: Any, *, ours: bool) -> dict[str, Any]:
    left_out = _TRANSIENT | {METADATA_KEY} if ours else _TRANSIENT
    return {name: value for name, value in (metadata or {}).items() if name not in left_out}


def _output(output: Mapping[str, Any], count: object) -> dict[str, Any]:
    """An output with its texts in one piece: files hold them line by line."""
    told = dict(output)
    if "text" in told:
        told["text"] = _joined(told["text"])
    if isinstance(told.get("data"), Mapping):
        told["data"] = {
            kind: value if _is_json(kind) else _joined(value)
            for kind, value in told["data"].items()
        }
    if "execution_count" in told and told["execution_count"] == count:
        told["execution_count"] = _SAME_COUNT
    return told


def _is_json(kind: str) -> bool:
    """Whether a list of texts of this type is one: else it is the lines of a text."""
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def _joined(value: Any) -> Any:
    lines = isinstance(value, list) and all(isinstance(line, str) for line in value)
    return "".join(value) if lines else value


def _text(value: Any) -> str:
    try:
        return canonical_json(value).decode()
    except BadInput:  # halves of characters, NaN: browsers send them, and files hold them
        return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _valid(text: str) -> str:
    return text.encode(errors="replace").decode()


def join(layout: Layout, parts: Mapping[str, str], *, uid: str = "") -> dict[str, Any]:
    """Puts a notebook together.

    Args:
        layout: The version.
        parts: The text of each part.
        uid: The investigation; the notebook says so, and each cell says its uid where that is
            not its id. The rest of our metadata comes with the next projection.
    """
    notebook: dict[str, Any] = json.loads(parts[layout.notebook])
    cells = [_join_cell(cell, parts) for cell in layout.cells]
    notebook["cells"] = cells
    if uid and read_uid(notebook) is None:
        ours = {"schema": METADATA_SCHEMA, "uid": uid}
        notebook.setdefault("metadata", {})[METADATA_KEY] = ours
    for cell, kept in zip(cells, layout.cells, strict=True):
        if cell.get("id") != kept.uid and not kept.uid.startswith("#"):
            cell["metadata"].setdefault(METADATA_KEY, {"uid": kept.uid})
    return notebook


def _join_cell(kept: CellParts, parts: Mapping[str, str]) -> dict[str, Any]:
    cell: dict[str, Any] = json.loads(parts[kept.cell])
    cell["source"] = parts[kept.source]
    if cell.get("cell_type") == "code":
        cell["execution_count"] = kept.count
        cell["outputs"] = outputs = [json.loads(parts[digest]) for digest in kept.outputs]
        for output in outputs:
            if output.get("execution_count") == _SAME_COUNT:
                output["execution_count"] = kept.count
    return cell
