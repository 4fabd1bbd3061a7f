"""Two changed copies of one notebook, made one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_ydoc import YNotebook

from workspace_ext.server.merging import base_of, merge, merge_text
from workspace_ext.server.rewriting import rewrite


def cell(key: str, source: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "cell_type": "markdown", "metadata": {}, "source": source, **more}


def notebook(*cells: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": [*cells]}


def sources(found: dict[str, Any]) -> list[str]:
    return [one["source"] for one in found["cells"]]


BEGAN = notebook(cell("a", "a"), cell("b", "b"), cell("c", "c"))


@pytest.mark.parametrize(
    ("ours", "theirs", "merged"),
    [
        ("ab c", "ab c", "ab c"),
        ("aX b c", "a b cY", "aX b cY"),
        ("a b c d", "a b c e", "a b c e d"),
        ("a c", "a b c", "a c"),
        ("a b c", "a c", "a c"),
        ("a bX c", "a c", "a bX c"),  # deleted there, changed here
        ("a c", "a bY c", "a bY c"),
        ("c a b", "a b c", "c a b"),
        ("a b c", "c b a", "c b a"),
        ("a bX c n", "c b a", "c n bX a"),
        ("a bX c", "a bY c", "a bX\nbY c"),
    ],
)
def test_cells(ours: str, theirs: str, merged: str) -> None:
    def told(text: str) -> dict[str, Any]:
        return notebook(*(cell(word[0], word) for word in text.split(" ")))

    found = merge(base_of(BEGAN), told(ours), told(theirs))

    assert " ".join(sources(found)) == merged


def test_outputs_and_metadata_are_of_who_changed_them() -> None:
    ran = {"cell_type": "code", "execution_count": 1, "outputs": [{"output_type": "x"}]}
    code = {"cell_type": "code", "execution_count": None, "outputs": []}
    began = notebook(cell("a", "1", **code), cell("b", "2", **code), kernelspec={"name": "k"})
    ours = notebook(cell("a", "1", **ran), cell("b", "2", **code), kernelspec={"name": "k"})
    theirs = notebook(cell("a", "1", **code), cell("b", "2", **ran), kernelspec={"name": "other"})

    found = merge(base_of(began), ours, theirs)

    assert [one["outputs"] for one in found["cells"]] == [ran["outputs"]] * 2
    assert found["metadata"] == {"kernelspec": {"name": "other"}}


def test_without_a_common_beginning_nothing_is_lost() -> None:
    found = merge(None, notebook(cell("a", "mine"), cell("b", "b")), notebook(cell("a", "theirs")))
    assert sources(found) == ["mine\ntheirs", "b"]


def test_cells_without_ids_are_known_by_what_they_say() -> None:
    theirs = {"metadata": {}, "cells": [{**cell("", "a")}, {**cell("", "new")}, {**cell("", "c")}]}
    for one in theirs["cells"]:
        del one["id"]
    found = merge(base_of(BEGAN), BEGAN, theirs)
    assert sources(found) == ["a", "new", "c"]
    assert [one["id"] for one in found["cells"]][::2] == ["a", "c"]


LINES = st.lists(st.sampled_from(["one\n", "two\n", "three\n", "é\n", "\n"]), max_size=8).map(
    "".join
)


@given(LINES, LINES, LINES)
def test_a_text_keeps_every_line_that_somebody_added(base: str, ours: str, theirs: str) -> None:
    merged = merge_text(base, ours, theirs)

    assert merge_text(base, ours, base) == ours
    assert merge_text(base, base, theirs) == theirs
    assert merge_text(base, ours, ours) == ours
    for side in (ours, theirs):
        assert set(side.splitlines()) - set(base.splitlines()) <= set(merged.splitlines())


@given(
    st.lists(st.tuples(st.sampled_from("abcdef"), LINES), unique_by=lambda one: one[0]),
    st.lists(st.tuples(st.sampled_from("abcdef"), LINES), min_size=1, unique_by=lambda one: one[0]),
)
def test_an_open_notebook_becomes_what_is_wanted(
    now: list[tuple[str, str]], wanted: list[tuple[str, str]]
) -> None:
    document = YNotebook()
    document.set(notebook(*(cell(*one) for one in now), cell("z", "z")))
    content = notebook(*(cell(*one) for one in wanted))

    rewrite(document, content)

    assert document.get()["cells"] == content["cells"]


def test_metadata_are_merged_by_key_and_what_the_server_put_there_stays() -> None:
    began = {"metadata": {"kernelspec": "k", "language_info": "l", "gone": 1}, "cells": []}
    ours = {
        "metadata": {**began["metadata"], "investigation": {"uid": "u"}, "mine": 1},
        "cells": [],
    }
    theirs = {"metadata": {"kernelspec": "other", "theirs": 1, "gone": 1}, "cells": []}

    merged = merge(base_of(began), ours, theirs)["metadata"]

    both = {"kernelspec": "other", "investigation": {"uid": "u"}, "mine": 1, "theirs": 1, "gone": 1}
    assert merged == both
    assert merge(None, ours, theirs)["metadata"] == {**both, "language_info": "l"}
