"""After a notebook was cut or deleted: every cell comes back."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest

from tests.support.versions import BOB, Shelf
from workspace_ext.foundation.errors import NotFound
from workspace_ext.inquiry.metadata.notebook import read_metadata, read_uid
from workspace_ext.inquiry.versions.restoring import reason_of, restored
from workspace_ext.inquiry.versions.sending import UNKNOWN


def cell(name: str, source: str, *outputs: str, kind: str = "code") -> dict[str, Any]:
    made: dict[str, Any] = {"id": name, "cell_type": kind, "metadata": {}, "source": source}
    if kind == "code":
        texts = [{"output_type": "stream", "name": "stdout", "text": text} for text in outputs]
        made |= {"outputs": texts, "execution_count": 1 if outputs else None}
    return made


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"k": "v"}, "nbformat": 4, "nbformat_minor": 5, "cells": list(cells)}


def recovered(kept: Shelf) -> list[tuple[str, str, int]]:
    back = kept.versions.recover(kept.uid)
    nbformat.validate(nbformat.from_dict(back))
    assert read_uid(back) == kept.uid
    return [(c["id"], c["source"], len(c.get("outputs", ()))) for c in back["cells"]]


def test_a_notebook_that_somebody_emptied_comes_back_whole(kept: Shelf) -> None:
    kept.save(notebook(cell("a", "1", "one"), cell("m", "# words", kind="markdown")))
    kept.save(notebook(cell("a", "1", "one"), cell("b", "2"), cell("m", "# w", kind="markdown")))
    kept.save({"metadata": {}, "cells": []}, UNKNOWN)
    assert recovered(kept) == [("a", "1", 1), ("b", "2", 0), ("m", "# w", 0)]
    assert kept.versions.recover(kept.uid)["metadata"]["k"] == "v"


def test_deleted_cells_stand_where_they_stood(kept: Shelf) -> None:
    kept.save(notebook(*(cell(name, name) for name in "abcdef")))
    kept.save(notebook(*(cell(name, name) for name in "acf")))
    kept.save(notebook(*(cell(name, name) for name in "faxc")))
    assert "".join(name for name, _, _ in recovered(kept)) == "fabxcde"


def test_a_run_that_was_never_saved_comes_back(kept: Shelf) -> None:
    kept.save(notebook(cell("a", "1", "one"), cell("z", "26")))
    kept.run("a", "1")
    kept.run("new", "import this", BOB)
    kept.run("a", "1 + 1")
    assert recovered(kept) == [("a", "1 + 1", 0), ("new", "import this", 0), ("z", "26", 0)]


def test_outputs_stay_with_their_source(kept: Shelf) -> None:
    kept.save(notebook(cell("a", "1", "one")))
    kept.run("a", "1")
    assert recovered(kept) == [("a", "1", 1)]
    kept.save(notebook(cell("a", "2")))
    assert recovered(kept) == [("a", "2", 0)], "what was saved after the run is newer"


def test_only_runs_and_never_a_save(kept: Shelf) -> None:
    kept.run("b", "second")
    kept.run("a", "first")
    assert recovered(kept) == [("b", "second", 0), ("a", "first", 0)]


def test_a_run_of_no_cell_is_no_cell(kept: Shelf) -> None:
    """A console's code is named by its run."""
    kept.run("a", "1")
    state = kept.investigations.state(kept.uid)
    step = next(iter(state["steps"].values()))
    console = {**step, "cell": "r2", "id": "r2", "seq": 99}
    kept.investigations._states[kept.uid] = {**state, "steps": {**state["steps"], "r2": console}}  # type: ignore[typeddict-item]
    assert recovered(kept) == [("a", "1", 0)]


def test_a_cell_whose_id_was_taken_gets_another(kept: Shelf) -> None:
    old = cell("x", "old")
    old["metadata"] = {"investigation": {"uid": "first"}}
    kept.save(notebook(old))
    kept.save(notebook(cell("x", "new")))
    back = kept.versions.recover(kept.uid)["cells"]
    assert [one["source"] for one in back] == ["old", "new"]
    assert len({one["id"] for one in back}) == 2
    assert {(read_metadata(one) or {}).get("uid", one["id"]) for one in back} == {"first", "x"}


def test_one_cell_is_restored_among_the_others() -> None:
    now = notebook(cell("a", "A"), cell("c", "C"))
    before = notebook(cell("a", "1"), cell("b", "2"), cell("c", "3"))
    assert [one["source"] for one in restored(now, before, "a")["cells"]] == ["1", "C"]
    assert [one["source"] for one in restored(now, before, "b")["cells"]] == ["A", "2", "C"]
    assert restored(now, before) == before
    assert restored(None, before) == before
    assert [one["source"] for one in now["cells"]] == ["A", "C"]
    for there in (now, None):
        with pytest.raises(NotFound, match="no cell 'z'"):
            restored(there, before, "z")


def test_a_restored_cell_keeps_its_uid_beside_a_taken_id() -> None:
    other = cell("b", "other")
    other["metadata"] = {"investigation": {"uid": "elsewhere"}}
    made = restored(notebook(other), notebook(cell("b", "2")), "b")["cells"]
    assert [one["source"] for one in made] == ["2", "other"]
    assert made[0]["id"] != "b"
    assert read_metadata(made[0]) == {"uid": "b"}


def test_what_a_restore_says_of_itself() -> None:
    assert reason_of(3, None, "") == "restored version 3"
    assert reason_of(3, "a", "it was right") == "restored cell a of version 3: it was right"
    assert reason_of(None, None, "") == "restored everything that was ever saved or run"
