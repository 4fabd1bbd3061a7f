"""What differs between two notebooks, cell by cell and line by line, for a view of it.

`difference` is for the terminal, by nbdime; this tells sources as lines and of outputs their
kinds only: what is looked at beside each other are the words that people wrote.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator

from workspace_ext.inquiry.versions.model import CellParts, Content, changes
from workspace_ext.protocol.provenance import CellDiff, DiffLine

AROUND = 3
"""So many lines that are the same stand around each change."""

LONGEST = 5000
"""Of longer sources, in lines, only the ends are compared: a diff must not take minutes."""


def cell_diffs(before: Content, after: Content) -> list[CellDiff]:
    """Every cell that differs, in the order of the newer notebook.

    A removed cell stands after the one it stood after; equal cells are left out.
    """
    told = changes(before.layout, after.layout)
    old = {cell.uid: (number, cell) for number, cell in enumerate(before.layout.cells, 1)}
    new = {cell.uid: (number, cell) for number, cell in enumerate(after.layout.cells, 1)}
    return [
        _cell(uid, told[uid], old.get(uid), new.get(uid), before, after)
        for uid in _order([*old], [*new])
        if uid in told
    ]


def _order(old: list[str], new: list[str]) -> Iterator[str]:
    there, gone_after = set(new), {"": list[str]()}
    last = ""
    for uid in old:
        if uid in there:
            last = uid
        else:
            gone_after.setdefault(last, []).append(uid)
    yield from gone_after[""]
    for uid in new:
        yield uid
        yield from gone_after.get(uid, ())


Placed = tuple[int, CellParts]


def _cell(
    uid: str, what: str, old: Placed | None, new: Placed | None, before: Content, after: Content
) -> CellDiff:
    was, now = _source(old, before), _source(new, after)
    differs = was != now or old is None or new is None
    holder, parts = (new, after.parts) if new else (old, before.parts)
    assert holder is not None
    return {
        "uid": uid,
        "kind": str(json.loads(parts[holder[1].cell]).get("cell_type", "")),
        "what": what,
        "before": old[0] if old else None,
        "after": new[0] if new else None,
        "lines": _lines(was, now) if differs else [],
        "outputs_before": _kinds(old, before),
        "outputs_after": _kinds(new, after),
    }


def _source(placed: Placed | None, content: Content) -> list[str]:
    return content.parts[placed[1].source].splitlines() if placed else []


def _lines(was: list[str], now: list[str]) -> list[DiffLine]:
    if max(len(was), len(now)) > LONGEST:
        was, now = was[:LONGEST], now[:LONGEST]
    found: list[DiffLine] = []
    end = 0
    for group in difflib.SequenceMatcher(None, was, now, autojunk=False).get_grouped_opcodes(
        AROUND
    ):
        found += _skipped(group[0][1] - end)
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                found += [{"kind": "same", "text": line} for line in was[i1:i2]]
            else:
                found += [{"kind": "removed", "text": line} for line in was[i1:i2]]
                found += [{"kind": "added", "text": line} for line in now[j1:j2]]
        end = group[-1][2]
    return [*found, *_skipped(len(was) - end)]


def _skipped(count: int) -> list[DiffLine]:
    return [{"kind": "skip", "text": str(count)}] if count > 0 else []


def _kinds(placed: Placed | None, content: Content) -> list[str]:
    """What sort of outputs a cell has, in order: of data, the richest kind."""
    outputs = [
        json.loads(content.parts[digest]) for digest in (placed[1].outputs if placed else ())
    ]
    return [_kind(output) for output in outputs]


def _kind(output: dict[str, object]) -> str:
    data = output.get("data")
    if isinstance(data, dict) and data:
        return next((kind for kind in data if kind != "text/plain"), "text/plain")
    return str(output.get("name") or output.get("ename") or output.get("output_type"))
