"""history, diff, restore, blame: what people and scripts get of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.support.command_line import Command


@pytest.fixture
def notebook(store: Path, running: None, command: Command) -> Path:
    """A notebook that was run twice, and edited by hand between."""
    cells = [
        nbformat.v4.new_code_cell(text, id=name) for name, text in (("a", "1"), ("b", "2 * 1"))
    ]
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    path = store.parent / "n.ipynb"
    nbformat.write(made, path)
    assert command("run", path, "--store", store).code == 0
    path.write_text(path.read_text().replace("2 * 1", "20 + 1"))
    assert command("run", path, "--store", store).code == 0
    return path


def sources(path: Path) -> dict[str, str]:
    return {cell["id"]: cell["source"] for cell in nbformat.read(path, as_version=4)["cells"]}


def test_a_notebook_and_all_that_can_be_asked_of_it(
    notebook: Path, store: Path, command: Command
) -> None:
    def ask(name: str, *more: object) -> Any:
        done = command(name, notebook, *more, "--store", store, "--json")
        assert done.code == 0, done.err
        return done.json

    found = ask("history")["versions"]
    assert [(one["revision"], one["reason"]) for one in found] == [
        (3, "run headless"),
        (2, "found changed outside"),
        (1, "run headless"),
    ]
    assert found[1]["actors"] == ["user:unknown"]
    assert found[1]["changes"] == {"b": "source"}
    assert [one["revision"] for one in ask("history", "--cell", "b")["versions"]] == [3, 2, 1]
    assert [one["uid"] for one in ask("blame")["cells"]] == ["a", "b"]
    assert ask("diff", 1, 2)["cells"] == {"b": "source"}
    assert ask("diff")["cells"] == {}

    made = ask("restore", 1, "--cell", "b", "--reason", "two is enough")
    assert sources(notebook) == {"a": "1", "b": "2 * 1"}
    assert made["version"]["reason"] == "restored cell b of version 1: two is enough"
    assert ask("history", "--limit", 1)["versions"][0]["revision"] == 4
    wrong = command("restore", notebook, 99, "--store", store, "--json")
    assert (wrong.code, json.loads(wrong.err)["error"]["code"]) == (2, "no_version")
    people = command("history", notebook, "--store", store).out
    assert "unknown" in people
    assert "2 added" in people
    assert "20 + 1" in command("diff", notebook, 1, 2, "--store", store).out


def test_a_cut_or_deleted_notebook_comes_back(
    notebook: Path, store: Path, command: Command
) -> None:
    before = nbformat.read(notebook, as_version=4)
    whole = notebook.read_text()
    for damage in (lambda: notebook.write_text(whole[: len(whole) // 2]), notebook.unlink):
        damage()
        assert "no notebook" in command("diff", notebook, "--store", store).err
        assert command("restore", notebook, "--from-journal", "--store", store).code == 0
        assert nbformat.read(notebook, as_version=4)["cells"] == before["cells"]
    assert notebook.with_name("n.ipynb.damaged").read_text() == whole[: len(whole) // 2]
    assert command("restore", notebook, 1, "--store", store).code == 0
    assert sources(notebook) == {"a": "1", "b": "2 * 1"}


@pytest.mark.usefixtures("running")
def test_a_notebook_without_history_says_so(store: Path, command: Command) -> None:
    path = store.parent / "new.ipynb"
    for name in ("history", "blame", "diff"):
        done = command(name, path, "--store", store)
        assert done.code == 2
        assert "no version of it" in done.err
    made = nbformat.v4.new_notebook()
    made.metadata["investigation"] = {"uid": "elsewhere"}
    nbformat.write(made, path)
    assert "no investigation 'elsewhere'" in command("history", path, "--store", store).err


def test_a_notebook_that_cannot_be_read_is_not_taken_for_a_damaged_one(
    store: Path, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "n.ipynb"
    path.symlink_to(path)  # cannot be read by anybody, root included
    for arguments in (("blame",), ("restore", "1")):
        name, *more = arguments
        done = command(name, path, *more, "--store", store)
        assert (done.code, "cannot be read" in done.err) == (3, True), done
    assert path.is_symlink()


WRONG = {
    ("restore", "n.ipynb"): "give a version",
    ("restore", "n.ipynb", "1", "--from-journal"): "give a version",
    ("restore", "n.ipynb", "0"): "0",
    ("diff", "n.ipynb", "1", "2", "3"): "two versions",
    ("diff", "n.ipynb", "first"): "first",
    ("history",): "NOTEBOOK",
}


def test_wrong_use_is_told(command: Command) -> None:
    for arguments, said in WRONG.items():
        done = command(*arguments)
        assert (done.code, done.out, said in done.err) == (2, "", True), (arguments, done)
