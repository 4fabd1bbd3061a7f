"""Two changed copies of one notebook and what both began with, made one. Pure.

Cells are told apart by their ids. What only one side changed is as that side has it; a source that
both changed is merged by lines, and where both changed the same lines both stay, one below the
other. A cell that one side deleted and the other changed stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from workspace_ext.foundation.canonical import digest_text
from workspace_ext.protocol.messages import METADATA_KEY

_OF_THE_SERVER = frozenset({METADATA_KEY, "trusted"})

Notebook = dict[str, Any]
Cell = dict[str, Any]
Metadata = Mapping[str, Any]

_PARTS = ("source", "outputs", "execution_count", "metadata", "attachments", "cell_type")


def base_of(notebook: Mapping[str, Any]) -> Notebook:
    """What must be remembered of a notebook to merge with it later: outputs as digests."""
    return {
        "metadata": _kept("metadata", notebook.get("metadata", {})),
        "cells": [
            {name: _kept(name, value) for name, value in cell.items()}
            for cell in notebook.get("cells", [])
        ],
    }


def merge(base: Mapping[str, Any] | None, ours: Notebook, theirs: Notebook) -> Notebook:
    """One notebook of two.

    Args:
        base: What both began with, by `base_of`; None when it is not known: then nothing was
            deleted, and sources that differ are both there.
        ours: The open document.
        theirs: The file.

    Returns:
        A notebook with every cell that either of them added or changed.
    """
    began = {cell["id"]: cell for cell in (base or {}).get("cells", []) if cell.get("id")}
    theirs = named(theirs, [*ours["cells"], *began.values()])
    mine = {cell["id"]: cell for cell in ours["cells"]}
    other = {cell["id"]: cell for cell in theirs["cells"]}
    merged: dict[str, Cell] = {}
    for key in _order(began, [*mine], [*other]):
        cell = _cell(began.get(key), mine.get(key), other.get(key))
        if cell is not None:
            merged[key] = cell
    metadata = _metadata(*(one.get("metadata", {}) for one in (base or {}, ours, theirs)))
    return {**theirs, "metadata": metadata, "cells": [*merged.values()]}


def named(notebook: Notebook, known: Sequence[Mapping[str, Any]]) -> Notebook:
    """A notebook whose cells all have an id: of older formats, that of the cell they look like."""
    cells = notebook.get("cells", [])
    ids = [str(cell.get("id") or "") for cell in cells]
    if all(ids) and len(set(ids)) == len(ids):
        return notebook
    known = [cell for cell in known if cell.get("id") and cell["id"] not in ids]
    matcher = SequenceMatcher(None, [*map(_look, known)], [*map(_look, cells)], autojunk=False)
    same = {
        there + step: str(known[here + step]["id"])
        for here, there, size in matcher.get_matching_blocks()
        for step in range(size)
    }
    taken: set[str] = set()
    found: list[Cell] = []
    for place, cell in enumerate(cells):
        name = ids[place] or same.get(place) or digest_text(f"{place}:{_look(cell)}")[-12:]
        while name in taken:
            name = digest_text(f"{name}:{place}")[-12:]
        taken.add(name)
        found.append({**cell, "id": name})
    return {**notebook, "cells": found}


def _cell(base: Cell | None, mine: Cell | None, other: Cell | None) -> Cell | None:
    if mine is None or other is None:
        there = mine if other is None else other
        if base is None or there is None:
            return there
        return there if _source(there) != _source(base) else None
    began = base or {}
    parts = {name: _part(name, began, mine, other) for name in _PARTS}
    return {"id": mine["id"], **{k: v for k, v in parts.items() if v is not _ABSENT}}


_ABSENT = object()


def _part(name: str, base: Cell, mine: Cell, other: Cell) -> Any:
    ours, theirs = mine.get(name, _ABSENT), other.get(name, _ABSENT)
    if name == "source":
        return merge_text(_source(base), _source(mine), _source(other))
    if name == "metadata":
        return _metadata(base.get(name, {}), mine.get(name, {}), other.get(name, {}))
    began = base.get(name, _ABSENT)
    return theirs if _kept(name, ours) == began or not base else ours


def _metadata(began: Mapping[str, Any], mine: Metadata, other: Metadata) -> Metadata:
    """Key by key; what the server itself put there stays."""
    merged = {}
    for key in {**other, **mine}:
        ours, theirs = mine.get(key, _ABSENT), other.get(key, _ABSENT)
        before = began.get(key, _ABSENT)
        changed = ours != before if before is not _ABSENT else theirs is _ABSENT
        value = ours if changed or (key in _OF_THE_SERVER and key in mine) else theirs
        if value is not _ABSENT:
            merged[key] = value
    return merged


def merge_text(base: str, ours: str, theirs: str) -> str:
    """A text of two by lines; where both changed the same lines, theirs stand below ours."""
    if ours in (base, theirs):
        return theirs
    if theirs == base:
        return ours
    lines = base.splitlines(keepends=True)
    mine, other = _edits(lines, ours), _edits(lines, theirs)
    merged: list[str] = []
    place = 0
    while mine or other:
        first = min(edits[0][0] for edits in (mine, other) if edits)
        merged += lines[place:first]
        start = end = first
        taken: tuple[list[_Edit], list[_Edit]] = ([], [])
        grown = True
        while grown:  # until no edit of either side touches what is being replaced
            grown = False
            for edits, kept in ((mine, taken[0]), (other, taken[1])):
                while edits and (edits[0][0] < end or edits[0][0] == start):
                    end = max(end, edits[0][1])
                    kept.append(edits.pop(0))
                    grown = True
        merged += _joined(lines[start:end], start, *taken)
        place = end
    return "".join(merged + lines[place:])


_Edit = tuple[int, int, list[str]]


def _edits(lines: list[str], text: str) -> list[_Edit]:
    new = text.splitlines(keepends=True)
    codes = SequenceMatcher(None, lines, new, autojunk=False).get_opcodes()
    return [(i, j, new[k:m]) for kind, i, j, k, m in codes if kind != "equal"]


def _joined(lines: list[str], start: int, ours: list[_Edit], theirs: list[_Edit]) -> list[str]:
    mine, other = _applied(lines, start, ours), _applied(lines, start, theirs)
    if not theirs or mine == other:
        return mine
    if not ours:
        return other
    if mine and not mine[-1].endswith("\n"):
        mine = [*mine[:-1], mine[-1] + "\n"]
    return mine + other


def _applied(lines: list[str], start: int, edits: list[_Edit]) -> list[str]:
    found, place = [], start
    for first, last, new in edits:
        found += lines[place - start : first - start] + new
        place = last
    return found + lines[place - start :]


def _order(began: Iterable[str], mine: list[str], other: list[str]) -> list[str]:
    """Their order if they have another than the beginning, with our cells where we have them."""
    began = [*began]
    both = [key for key in began if key in set(other)]
    moved = both != [key for key in other if key in set(began)]
    leading, guest = (other, mine) if moved or not began else (mine, other)
    order = [*leading]
    for place, key in enumerate(guest):
        if key not in order:
            before = next((one for one in reversed(guest[:place]) if one in order), None)
            order.insert(order.index(before) + 1 if before is not None else 0, key)
    return order


def _kept(name: str, value: Any) -> Any:
    """What is remembered of a part; not what the server itself puts there at each load or save."""
    if name == "outputs" and value is not _ABSENT:
        return digest_text(json.dumps(value, sort_keys=True))
    if name == "metadata" and isinstance(value, Mapping):
        return {key: one for key, one in value.items() if key not in _OF_THE_SERVER}
    return value


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _look(cell: Mapping[str, Any]) -> str:
    return f"{cell.get('cell_type')}\0{_source(cell)}"
