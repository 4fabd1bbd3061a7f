"""In which order a replay runs cells."""

from __future__ import annotations

from typing import Any

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.unit.inquiry_archive.test_verdicts import state, step
from workspace_ext.inquiry.archive.order import Order, turns
from workspace_ext.protocol.messages import Step


def ran(name: str, cell: str, seq: int, *, source: str = "", kernel: str = "k") -> Step:
    made = step(name, seq=seq, cell=cell, source=source or cell)
    made["kernel"] = kernel
    return made


def order(steps: list[Step], how: Order = "run") -> list[str]:
    cells = [new_markdown_cell("text"), *(new_code_cell(name, id=name) for name in "abc")]
    notebook: Any = new_notebook(cells=cells)
    return [notebook.cells[turn.place].source for turn in turns(notebook, state(steps, []), how)]


def test_cells_run_as_they_were_run_again_and_again() -> None:
    steps = [ran("1", "c", 1), ran("2", "a", 2), ran("3", "c", 3)]
    assert order(steps) == ["c", "a", "c"]
    assert order(steps, "document") == ["a", "b", "c"]


def test_an_earlier_life_of_the_kernel_counts_only_for_cells_that_did_not_run_since() -> None:
    old = [ran("1", "a", 1, kernel="old"), ran("2", "b", 2, kernel="old")]
    new = [ran("3", "a", 3), ran("4", "b", 4)]
    assert order(old + new) == ["a", "b"]
    assert order(old + new[:1]) == ["a", "b", "a"]


def test_code_that_is_gone_is_stood_in_for_once() -> None:
    older, old = ran("1", "a", 1, source="older"), ran("2", "a", 2, source="old")
    assert order([older, old, ran("3", "b", 3), ran("4", "a", 4)]) == ["a", "b", "a"]


def test_runs_that_did_not_end_and_cells_that_are_gone_are_left_out() -> None:
    stopped = ran("2", "b", 2)
    stopped["status"] = "aborted"
    assert order([ran("1", "a", 1), stopped, ran("3", "z", 3)]) == ["a"]
