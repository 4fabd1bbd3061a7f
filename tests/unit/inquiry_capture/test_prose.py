"""Text cells: what they say, and what of it is new to the record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from workspace_ext.inquiry.capture.prose import Said, read, texts

CLAIM = "the pool is empty"


@pytest.mark.parametrize(
    "source",
    [
        "Hypothesis: the pool is empty",
        "*Hypothesis:* the pool is empty",
        "*Hypothesis*: the pool is empty",
        "**HYPOTHESIS:** the pool is\nempty",
        "__hypothesis__ : the pool is empty",
        "***Hypothesis:*** the pool is empty\n\nMore about it.",
        "**Hypothesis: the pool is empty**",
        "### Hypothesis: the pool is empty",
        "## *Hypothesis:* the pool is empty",
        "# Hypothesis\n\nthe pool is empty",
        "> Hypothesis: the pool is empty",
        "\n\n- Hypothesis:\nthe pool is empty",
    ],
)
def test_a_hypothesis_however_it_is_marked(source: str) -> None:
    assert read(source) == Said("hypothesis", CLAIM)


@pytest.mark.parametrize(
    "source",
    [
        "*Hypothesis:* the pool is empty\n*Prediction:* it waits\nbefore errors",
        "Hypothesis: the pool is empty\n\nIt was seen.\n\n**Predicts:** it waits before errors",
        "Hypothesis: the pool is empty\n- Prediction: it waits before errors\n\nand so on",
    ],
)
def test_its_prediction(source: str) -> None:
    assert read(source) == Said("hypothesis", CLAIM, "it waits before errors")


def test_findings_and_decisions() -> None:
    assert read("*Finding:* slow\n\nsince noon") == Said("finding", "slow\n\nsince noon")
    decided = Said("decision", "restart it", because="one pod is busy")
    assert read("**Decision:** restart it\n*Because:* one pod is busy") == decided


@pytest.mark.parametrize(
    "source",
    [
        "",
        "Hypothesis",
        "Hypothesis:",
        "*Hypothesis:*  \n\n",
        "# Hypothesis tests",
        "Our hypothesis: it is slow",
        "Hypotheses: many",
        "```\nHypothesis: x\n```",
        "    Hypothesis: code",
        "Prediction: it waits",
    ],
)
def test_what_says_nothing(source: str) -> None:
    assert read(source) is None


@given(st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    for source in (text, f"Hypothesis: {text}", f"**Decision:** {text}\nBecause: {text}"):
        said = read(source)
        assert said is None or said.text.strip()


def test_texts_of_a_notebook() -> None:
    cells = [
        new_markdown_cell("*Finding:* slow", id="a"),
        new_code_cell("# Hypothesis: no", id="b"),
        new_markdown_cell("just text", id="c"),
        {"cell_type": "markdown", "id": "d", "metadata": {}, "source": ["*Finding:*", " wide"]},
    ]
    assert [text.uid for text in texts(new_notebook(cells=cells))] == ["a", "d"]
    assert texts({}) == []
