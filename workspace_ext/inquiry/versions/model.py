"""What a version is."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, cast

from workspace_ext.foundation.canonical import digest_json
from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.messages import Manifest


@dataclass(frozen=True)
class CellParts:
    """One cell, by the digests of its parts.

    Attributes:
        uid: The cell's uid, which stays when tools give new ids.
        cell: All of the cell but what follows and our own metadata, as canonical JSON.
        source: Its source, as text.
        count: Its execution count.
        outputs: Its outputs, each as canonical JSON.
    """

    uid: str
    cell: str
    source: str
    count: int | None = None
    outputs: tuple[str, ...] = ()

    def digests(self) -> tuple[str, ...]:
        """All of its parts."""
        return (self.cell, self.source, *self.outputs)


@dataclass(frozen=True)
class Layout:
    """A notebook by the digests of its parts: equal layouts are equal notebooks."""

    notebook: str
    cells: tuple[CellParts, ...]

    @cached_property
    def digest(self) -> str:
        """The version's digest."""
        return digest_json(self.to_dict())

    def digests(self) -> Iterator[str]:
        """All parts."""
        yield self.notebook
        for cell in self.cells:
            yield from cell.digests()

    def to_dict(self) -> Manifest:
        """The form that travels."""
        cells = [{**asdict(cell), "outputs": list(cell.outputs)} for cell in self.cells]
        return cast("Manifest", {"notebook": self.notebook, "cells": cells})

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Layout:
        """From the form that travels, which was validated.

        Raises:
            BadInput: Two cells have one uid.
        """
        cells = tuple(
            CellParts(**{**cell, "outputs": tuple(cell["outputs"])}) for cell in value["cells"]
        )
        if len({cell.uid for cell in cells}) != len(cells):
            raise BadInput("two cells have one uid", hint="see inquiry/metadata: cell_uids")
        return cls(value["notebook"], cells)


NOTHING = Layout("", ())
"""Before the first version."""


@dataclass(frozen=True)
class Content:
    """A notebook taken apart: its layout, and the text of each part by its digest."""

    layout: Layout
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Version:
    """A saved notebook, without its content.

    Attributes:
        revision: Its number within the investigation, from 1.
        path: The file.
        at: When it was saved.
        actors: Who changed what is new in it; ``user:unknown`` when nobody here saw it.
        reason: Why, when somebody said so.
        digest: Of its `Layout`.
        seq: How far the ledger went then, and ``head`` its hash.
        parent: The revision it follows; 0 for the first.
        changes: What became of cells, by uid; the key "" is the notebook itself.
    """

    revision: int
    path: str
    at: str
    actors: tuple[str, ...]
    reason: str
    digest: str
    seq: int
    head: str
    parent: int
    changes: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The form that travels."""
        return {**asdict(self), "actors": list(self.actors), "changes": dict(self.changes)}


def changes(before: Layout, after: Layout) -> dict[str, str]:
    """What became of each cell.

    Returns:
        By uid ``added``, ``removed``, or words of ``source outputs moved metadata``; cells that
        stayed as they are are not named. The notebook itself is "".
    """
    old = {cell.uid: cell for cell in before.cells}
    new = {cell.uid: cell for cell in after.cells}
    told: dict[str, str] = {}
    if before is not NOTHING and before.notebook != after.notebook:
        told[""] = "metadata"
    moved = _moved([uid for uid in old if uid in new], [uid for uid in new if uid in old])
    for uid, cell in new.items():
        what = _words(old[uid], cell, moved=uid in moved) if uid in old else "added"
        if what:
            told[uid] = what
    told.update(dict.fromkeys((uid for uid in old if uid not in new), "removed"))
    return told


def _words(before: CellParts, after: CellParts, *, moved: bool) -> str:
    ran = (before.outputs, before.count) != (after.outputs, after.count)
    words = {
        "source": before.source != after.source,
        "outputs": ran,
        "moved": moved,
        "metadata": before.cell != after.cell,
    }
    return " ".join(word for word, holds in words.items() if holds)


def _moved(before: list[str], after: list[str]) -> set[str]:
    """The fewest uids that must move to make one order of the other.

    Those outside a longest increasing run of places; see Fredman, "On computing the length of
    longest increasing subsequences", 1975.
    """
    place = {uid: number for number, uid in enumerate(before)}
    ends: list[int] = []
    tails: list[int] = []
    back: list[int] = []
    numbers = [place[uid] for uid in after]
    for index, number in enumerate(numbers):
        at = bisect_left(ends, number)
        ends[at : at + 1] = [number]
        tails[at : at + 1] = [index]
        back.append(tails[at - 1] if at else -1)
    kept: set[int] = set()
    index = tails[-1] if tails else -1
    while index >= 0:
        kept.add(index)
        index = back[index]
    return {uid for index, uid in enumerate(after) if index not in kept}
