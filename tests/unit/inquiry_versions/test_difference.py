"""What differs, cell by cell, and quickly also where outputs are large."""

from __future__ import annotations

import copy
import json
import time

from tests.support.versions import large_notebook
from workspace_ext.inquiry.versions.content import split
from workspace_ext.inquiry.versions.difference import Difference, difference


def compare(before: dict[str, object], after: dict[str, object]) -> Difference:
    return difference(split(before), split(after), names=("old", "new"))


def test_what_is_equal_has_no_difference() -> None:
    one = large_notebook(3, 20)
    assert compare(one, copy.deepcopy(one)) == Difference({}, [], "")


def test_a_changed_source_an_output_and_metadata_can_be_read() -> None:
    old = large_notebook(4, 8)
    new = copy.deepcopy(old)
    new["cells"][1]["source"] += "\nprint('more')"
    new["cells"][2]["metadata"]["tags"] = ["important"]
    new["cells"][3]["outputs"][0]["data"] = {"text/plain": "only this"}
    told = compare(old, new)
    assert told.cells == {"cell-1": "source", "cell-2": "metadata", "cell-3": "outputs"}
    for part in ("+  print('more')", "important", "only this"):
        assert part in told.text
    json.dumps(told.diff)


def test_our_metadata_make_no_difference_to_read() -> None:
    old = large_notebook(2, 8)
    new = copy.deepcopy(old)
    for notebook, query in ((old, "one"), (new, "two")):
        notebook["cells"][1]["outputs"][0]["metadata"] = {"investigation": {"query": query}}
    assert compare(old, new).text == ""
    new["cells"][1]["outputs"][0]["data"] = {"text/plain": "only this"}
    told = compare(old, new)
    assert "only this" in told.text
    assert "query" not in told.text


def test_large_outputs_cost_no_time() -> None:
    """nbdime alone takes half a minute for these."""
    old = large_notebook(10, 4000)
    new = copy.deepcopy(old)
    for cell in new["cells"][:5]:
        data = cell["outputs"][0]["data"]
        data["text/plain"] = data["text/plain"].replace("ts-1", "ts-9")
    compare(large_notebook(1, 1), large_notebook(1, 2))  # imports
    begun = time.process_time()
    told = compare(old, new)
    assert time.process_time() - begun < 5
    assert set(told.cells.values()) == {"outputs"}
    assert "text/plain: " in told.text
    assert len(told.text) < 10_000
