"""Our key in a notebook: what is read, what is written, and what is left alone."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.inquiry.metadata.notebook import (
    apply_projection,
    cell_uid,
    cell_uids,
    is_newer,
    read_metadata,
    read_uid,
)
from workspace_ext.protocol.messages import METADATA_SCHEMA, NotebookProjection
from workspace_ext.protocol.validation import validate

GOLDEN = Path(__file__).with_name("golden")


def cell(cell_id: str, uid: str | None = None, **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": ["keep"]}
    if uid is not None:
        metadata["investigation"] = {"uid": uid, **more}
    return {"id": cell_id, "cell_type": "code", "metadata": metadata, "source": "1", "outputs": []}


def notebook(*cells: dict[str, Any], **ours: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"kernelspec": {"name": "investigation"}}
    if ours:
        metadata["investigation"] = ours
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}


def projection(*uids: str, **ours: Any) -> NotebookProjection:
    return {
        "notebook": {"schema": 1, "uid": "u", **ours},
        "cells": {uid: {"uid": uid, "last": {"seq": 1}} for uid in uids},
    }


def test_uid_of_a_notebook() -> None:
    assert read_uid(notebook(schema=1, uid="u")) == "u"
    for none in (notebook(), {}, {"metadata": None}, notebook(schema=1, uid=5), notebook(uid="")):
        assert read_uid(none) is None
    assert read_metadata({"metadata": {"investigation": "text"}}) is None


def test_cell_without_ours_is_called_by_its_id() -> None:
    assert cell_uid([cell("a"), cell("b")], "b") == "b"
    assert cell_uid([], "b") == "b"


def test_uid_stays_when_a_tool_gives_new_ids() -> None:
    assert cell_uid([cell("0", "a"), cell("1", "b")], "1") == "b"


def test_copied_cell_gets_a_uid_of_its_own() -> None:
    cells = [cell("a", "a"), cell("b", "a")]
    assert cell_uids(cells) == {"a": "a", "b": "b"}


def test_id_that_is_held_as_a_uid_by_another_cell_is_not_used_twice() -> None:
    cells = [cell("1"), cell("2", "1"), cell("3", "1")]
    assert cell_uids(cells) == {"1": "1-2", "2": "1", "3": "3"}


ids = st.sampled_from("abcd")


@given(st.lists(st.tuples(ids, st.none() | ids), max_size=6, unique_by=lambda pair: pair[0]))
def test_no_two_cells_have_one_uid_and_writing_it_changes_no_uid(pairs: Any) -> None:
    cells = [cell(*pair) for pair in pairs]
    uids = cell_uids(cells)
    assert len(set(uids.values())) == len(cells)
    nb = notebook(*cells)
    apply_projection(nb, projection(*uids.values()))
    assert cell_uids(nb["cells"]) == uids


def test_projection_goes_into_its_cells_and_only_our_key_is_touched() -> None:
    nb = notebook(cell("a"), cell("b"))
    before = copy.deepcopy(nb)
    assert apply_projection(nb, projection("a"))
    assert nb["metadata"].pop("investigation") == {"schema": 1, "uid": "u"}
    assert nb["cells"][0]["metadata"].pop("investigation") == {"uid": "a", "last": {"seq": 1}}
    assert nb == before


def test_applying_it_again_changes_nothing() -> None:
    nb = notebook(cell("a"), cell("b", "a"))
    apply_projection(nb, projection("a", "b"))
    once = copy.deepcopy(nb)
    assert not apply_projection(nb, projection("a", "b"))
    assert nb == once


def test_copied_or_foreign_cell_loses_what_it_cannot_claim() -> None:
    nb = notebook(cell("a", "a", last={"by": "user:bob"}), cell("b", "a", last={"by": "user:bob"}))
    nb["cells"].append(cell("c", "elsewhere", last={"by": "user:eve"}))
    assert apply_projection(nb, projection("a"))
    assert read_metadata(nb["cells"][1]) is None
    assert read_metadata(nb["cells"][2]) == {"uid": "elsewhere"}


def test_whole_numbers_that_came_back_as_floats_are_equal_but_written_right() -> None:
    """A shared document gives 1.0 for 1: no reason to write again, but the file is mended."""
    nb = notebook(cell("a", "a", last={"seq": 1.0}), schema=1.0, uid="u")
    assert not apply_projection(nb, projection("a"))
    assert json.dumps(nb["metadata"]["investigation"]) == '{"schema": 1, "uid": "u"}'
    assert json.dumps(read_metadata(nb["cells"][0])) == '{"uid": "a", "last": {"seq": 1}}'


def test_metadata_of_a_newer_schema_keeps_every_byte() -> None:
    nb = notebook(cell("a", "a", future=True), schema=METADATA_SCHEMA + 1, uid="u", future=[1])
    before = json.dumps(nb)
    assert is_newer(nb)
    assert not apply_projection(nb, projection("a", "b"))
    assert json.dumps(nb) == before


@pytest.mark.parametrize(
    "nb", [{}, {"cells": None}, {"cells": [{}]}, {"metadata": {}, "cells": []}]
)
def test_bare_notebooks_are_no_trouble(nb: dict[str, Any]) -> None:
    assert apply_projection(nb, projection("a"))
    assert read_uid(nb) == "u"


def test_metadata_of_an_older_schema_becomes_todays() -> None:
    nb = notebook(cell("a", "a", old=True), schema=METADATA_SCHEMA - 1, uid="u", old=True)
    assert apply_projection(nb, projection("a"))
    assert read_metadata(nb) == {"schema": METADATA_SCHEMA, "uid": "u"}
    assert read_metadata(nb["cells"][0]) == {"uid": "a", "last": {"seq": 1}}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("schema-*.ipynb")), ids=lambda path: path.stem)
def test_golden_notebook_of_every_schema_can_be_read_today(path: Path) -> None:
    nb = json.loads(path.read_text("utf-8"))
    ours = read_metadata(nb)
    assert ours is not None
    assert read_uid(nb)
    validate("metadata", ours, definition="notebook")
    for each in nb["cells"]:
        found = read_metadata(each)
        if found is not None:
            validate("metadata", found, definition="cell")


def test_there_is_a_golden_notebook_for_every_schema() -> None:
    known = {path.stem for path in GOLDEN.glob("*.ipynb")}
    assert known == {f"schema-{number}" for number in range(1, METADATA_SCHEMA + 1)}


def test_importing_it_is_light() -> None:
    code = (
        "import sys, workspace_ext.inquiry.metadata.notebook,"
        " workspace_ext.inquiry.metadata.projection;"
        " print(sorted({'duckdb', 'sqlalchemy', 'jsonschema', 'pyarrow', 'nbformat'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
