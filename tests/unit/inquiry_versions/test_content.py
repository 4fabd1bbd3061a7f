"""A notebook taken apart and put together is the same notebook."""

from __future__ import annotations

import copy
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.places import REPOSITORY
from workspace_ext.inquiry.versions.content import join, split
from workspace_ext.inquiry.versions.model import NOTHING, CellParts, Layout, changes

TEXT = st.text(max_size=20)
TEXTS = st.lists(TEXT, max_size=2)
METADATA = st.dictionaries(st.sampled_from(["tags", "name"]), TEXT | st.lists(TEXT, max_size=2))
OUTPUT = st.one_of(
    st.builds(lambda text: {"output_type": "stream", "name": "stdout", "text": text}, TEXT),
    st.builds(
        lambda text, texts, count: {
            "output_type": "execute_result",
            "metadata": {},
            "data": {
                "text/plain": text,
                "application/json": {"a": [1, 2.5, None]},
                "application/vnd.any+json": texts,
            },
            "execution_count": count,
        },
        TEXT,
        TEXTS,
        st.none() | st.integers(1, 3),
    ),
)
CODE = st.fixed_dictionaries(
    {
        "cell_type": st.just("code"),
        "metadata": METADATA,
        "source": TEXT,
        "outputs": st.lists(OUTPUT, max_size=3),
        "execution_count": st.none() | st.integers(1, 3),
    }
)
PROSE = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["markdown", "raw"]), "metadata": METADATA, "source": TEXT},
    optional={"attachments": st.just({"a.png": {"image/png": "aGk="}})},
)


@st.composite
def notebooks(draw: Any) -> dict[str, Any]:
    cells = draw(st.lists(CODE | PROSE, max_size=4))
    for number, cell in enumerate(cells):
        cell["id"] = f"c{number}"
    return {"metadata": draw(METADATA), "nbformat": 4, "nbformat_minor": 5, "cells": cells}


@given(notebooks())
def test_nothing_is_lost(notebook: dict[str, Any]) -> None:
    before = copy.deepcopy(notebook)
    taken = split(notebook)
    assert notebook == before
    assert join(taken.layout, taken.parts) == notebook
    assert set(taken.layout.digests()) == set(taken.parts)


@given(notebooks())
def test_the_same_notebook_from_a_file_has_the_same_digest(notebook: dict[str, Any]) -> None:
    """In a file texts are lists of lines, and what is transient is left out."""
    from_browser = copy.deepcopy(notebook)
    for cell in from_browser["cells"]:
        cell["metadata"]["trusted"] = True
        if cell["cell_type"] != "code":
            cell.setdefault("attachments", {})
    text = nbformat.writes(nbformat.from_dict(notebook), version=4)
    import json

    in_file = json.loads(text)
    assert split(in_file).layout == split(notebook).layout == split(from_browser).layout


def test_cells_keep_their_uids_when_tools_gave_new_ids() -> None:
    cell = {"id": "new", "cell_type": "raw", "metadata": {"investigation": {"uid": "old"}}}
    taken = split({"metadata": {}, "nbformat": 4, "nbformat_minor": 5, "cells": [cell]})
    assert [part.uid for part in taken.layout.cells] == ["old"]
    again = join(taken.layout, taken.parts, uid="u")
    assert again["cells"][0]["metadata"] == {"investigation": {"uid": "old"}}


def test_cells_without_ids_are_called_by_their_place() -> None:
    cells = [{"cell_type": "raw", "metadata": {}, "source": text} for text in "ab"]
    taken = split({"metadata": {}, "nbformat": 4, "nbformat_minor": 4, "cells": cells})
    assert [part.uid for part in taken.layout.cells] == ["#1", "#2"]
    assert join(taken.layout, taken.parts)["cells"] == cells


def test_metadata_of_a_newer_schema_is_content() -> None:
    newer = {"schema": 99, "uid": "u", "unheard": [1]}
    notebook = {"metadata": {"investigation": newer}, "cells": [], "nbformat": 4}
    taken = split(notebook)
    assert join(taken.layout, taken.parts, uid="u") == notebook


def test_half_a_character_is_kept_somehow() -> None:
    cell = {"id": "a", "cell_type": "code", "metadata": {}, "source": "x\ud800", "outputs": []}
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "\udfff"}]
    taken = split({"metadata": {}, "nbformat": 4, "cells": [cell]})
    for text in taken.parts.values():
        text.encode()
    assert join(taken.layout, taken.parts)["cells"][0]["source"] == "x?"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("abc", "abc", {}),
        ("abc", "ac", {"b": "removed"}),
        ("abc", "cab", {"c": "moved"}),
        ("abcd", "bcda", {"a": "moved"}),
        ("ab", "xab", {"x": "added"}),
        ("abc", "cba", {"c": "moved", "b": "moved"}),
    ],
)
def test_what_became_of_cells(before: str, after: str, told: dict[str, str]) -> None:
    def layout(uids: str) -> Layout:
        return Layout("n", tuple(CellParts(uid, "c", "s") for uid in uids))

    assert changes(layout(before), layout(after)) == told


def test_the_words_of_a_change() -> None:
    old = Layout("n", (CellParts("a", "c", "s", 1, ("o",)),))
    new = Layout("m", (CellParts("a", "d", "t", 2, ("o",)),))
    assert changes(old, new) == {"": "metadata", "a": "source outputs metadata"}
    assert changes(NOTHING, new) == {"a": "added"}


def test_the_demo_notebook_survives() -> None:
    path = REPOSITORY / "templates" / "notebooks" / "trainticket.ipynb"
    notebook = nbformat.read(path, as_version=4)
    taken = split(notebook)
    assert join(taken.layout, taken.parts) == notebook
