"""What a view of the difference shows: cells in order, sources as lines, outputs as kinds."""

from __future__ import annotations

import copy
from typing import Any

from tests.support.versions import large_notebook
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.lines import LONGEST, cell_diffs
from workspace_ext.protocol.provenance import CellDiff
from workspace_ext.protocol.validation import validate


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[CellDiff]:
    found = cell_diffs(split(before), split(after))
    for cell in found:
        validate("messages", cell, definition="CellDiff")
    return found


def brief(cell: CellDiff) -> list[tuple[str, str]]:
    return [(line["kind"], line["text"]) for line in cell["lines"]]


def test_equal_notebooks_differ_in_nothing() -> None:
    assert compare(large_notebook(3, 4), large_notebook(3, 4)) == []


def test_a_changed_source_is_told_by_its_lines() -> None:
    old = large_notebook(3, 4)
    old["cells"][1]["source"] = "\n".join(f"line {n}" for n in range(20))
    new = copy.deepcopy(old)
    new["cells"][1]["source"] = old["cells"][1]["source"].replace("line 10", "line ten")
    (cell,) = compare(old, new)
    assert (cell["what"], cell["before"], cell["after"]) == ("source", 2, 2)
    same = [("same", f"line {n}") for n in range(20)]
    assert brief(cell) == [
        ("skip", "7"),
        *same[7:10],
        ("removed", "line 10"),
        ("added", "line ten"),
        *same[11:14],
        ("skip", "6"),
    ]


def test_outputs_are_noted_by_kind() -> None:
    old = large_notebook(2, 4)
    new = copy.deepcopy(old)
    new["cells"][0]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "hello"},
        {
            "output_type": "display_data",
            "data": {"text/plain": "x", "text/html": "<p>x"},
            "metadata": {},
        },
        {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": []},
    ]
    (cell,) = compare(old, new)
    assert (cell["what"], cell["lines"]) == ("outputs", [])
    assert cell["outputs_after"] == ["stdout", "text/html", "ValueError"]


def test_a_removed_cell_stands_where_it_stood_and_an_added_one_is_all_new() -> None:
    old = large_notebook(3, 4)
    new = copy.deepcopy(old)
    gone = new["cells"].pop(1)
    new["cells"].append({**copy.deepcopy(gone), "id": "fresh", "metadata": {}, "source": "a\nb"})
    removed, added = compare(old, new)
    assert (removed["uid"], removed["what"]) == (gone["id"], "removed")
    assert (removed["before"], removed["after"]) == (2, None)
    assert {kind for kind, _ in brief(removed)} == {"removed"}
    assert (added["what"], added["after"]) == ("added", 3)
    assert brief(added) == [("added", "a"), ("added", "b")]


def test_a_source_without_end_is_cut_rather_than_compared_for_minutes() -> None:
    old = large_notebook(1, 4)
    old["cells"][0]["source"] = "x\n" * (2 * LONGEST)
    new = copy.deepcopy(old)
    new["cells"][0]["source"] = "y\n" + old["cells"][0]["source"]
    (cell,) = compare(old, new)
    assert ("added", "y") in brief(cell)
