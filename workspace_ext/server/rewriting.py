"""An open notebook made what a merge says, touching no more than differs.

A cell that is replaced takes what is being typed into it with it; so cells stay, and of a source
only what differs between its ends is put in another's place.
"""

from __future__ import annotations

from typing import Any

from jupyter_ydoc import YNotebook
from pycrdt import Map


def content_of(document: YNotebook) -> dict[str, Any]:
    """An open notebook as JSON, each cell with its id.

    Files before format 4.5 have no ids of cells, so `YNotebook.get` leaves them out of these; the
    document has them all the same.
    """
    content: dict[str, Any] = document.get()
    if all("id" in cell for cell in content["cells"]):
        return content
    pairs = zip(content["cells"], document.ycells, strict=True)
    return {**content, "cells": [{**cell, "id": shared["id"]} for cell, shared in pairs]}


def rewrite(document: YNotebook, wanted: dict[str, Any]) -> None:
    """Makes a document a notebook, in one transaction.

    Args:
        document: The open notebook.
        wanted: A notebook whose cells all have an id.
    """
    cells = document.ycells
    now = {cell["id"]: cell for cell in content_of(document)["cells"]}
    keys = [cell["id"] for cell in wanted["cells"]]
    with document.ydoc.transaction():
        _fill(document.ydoc.get("meta", type=Map).get("metadata"), wanted.get("metadata", {}))
        _drop(cells, set(keys))
        for place, cell in enumerate(wanted["cells"]):
            held = [one.get("id") for one in cells]
            key = cell["id"]
            if key not in held or now[key]["cell_type"] != cell["cell_type"]:
                if key in held:
                    del cells[held.index(key)]
                cells.insert(place, document.create_ycell(cell))
                continue
            if held[place] != key:
                del cells[held.index(key)]
                cells.insert(place, document.create_ycell(cell))
            elif now[key] != cell:
                _change(document, cells[place], now[key], cell)


def _drop(cells: Any, wanted: set[str]) -> None:
    seen: set[str] = set()
    for place in reversed(range(len(cells))):
        key = cells[place].get("id")
        if key not in wanted or key in seen:
            del cells[place]
        seen.add(key)


def _change(document: YNotebook, held: Any, now: dict[str, Any], wanted: dict[str, Any]) -> None:
    if _text(now.get("source")) != _text(wanted.get("source")):
        _retype(held["source"], _text(wanted.get("source")))
    if now.get("metadata") != wanted.get("metadata"):
        _fill(held.get("metadata"), wanted.get("metadata", {}))
    if wanted["cell_type"] != "code":
        return
    if now.get("outputs") != wanted.get("outputs"):
        document._set_ycell_outputs(held, wanted.get("outputs", []))  # noqa: SLF001 # no other way
    count = wanted.get("execution_count")
    if now.get("execution_count") != count:
        held["execution_count"] = None if count is None else float(count)


def _retype(text: Any, wanted: str) -> None:
    """Puts what differs in its place; a shared text counts in bytes of UTF-8."""
    old = str(text)
    begin = _alike(old, wanted)
    end = _alike(old[begin:][::-1], wanted[begin:][::-1])
    gone, new = old[begin : len(old) - end], wanted[begin : len(wanted) - end]
    place = len(old[:begin].encode())
    if gone:
        del text[place : place + len(gone.encode())]
    if new:
        text.insert(place, new)


def _alike(one: str, other: str) -> int:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _fill(held: Any, wanted: dict[str, Any]) -> None:
    if held is None:
        return
    now = held.to_py()
    for key in now.keys() - wanted.keys():
        del held[key]
    for key, value in wanted.items():
        if key not in now or now[key] != value:
            held[key] = value


def _text(source: Any) -> str:
    return source if isinstance(source, str) else "".join(source or ())
