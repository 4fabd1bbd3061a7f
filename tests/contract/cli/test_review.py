"""review, comment, comments, changes: what people and scripts get of them."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.support.command_line import Command


@pytest.fixture
def notebook(store: Path, running: None, command: Command, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A notebook that alice ran."""
    cells = [nbformat.v4.new_code_cell("1 + 1", id="a")]
    kernel = {"name": "python3", "display_name": "Python", "language": "python"}
    made = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    path = store.parent / "n.ipynb"
    nbformat.write(made, path)
    monkeypatch.setenv("LOGNAME", "alice")
    assert command("run", path, "--store", store).code == 0
    return path


def test_a_review_from_request_to_lapse(
    store: Path, notebook: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def review(*what: str, code: int = 0) -> str:
        done = command("review", notebook, *what, "--store", store)
        assert done.code == code, done
        return done.out + done.err

    assert review(code=1).startswith("draft")
    assert "can: request (in review)" in review("approve", code=2)
    assert review("request").startswith("in review")
    assert "cannot review it" in review("approve", code=2)
    monkeypatch.setenv("LOGNAME", "bob")
    assert "--reason" in review("changes", code=2)
    assert "which baseline" in review("changes", "--reason", "which baseline?")
    assert "did you mean approve" in review("aprove", code=2)
    review("request")
    assert review("approve").startswith("approved\n")
    assert review("status").startswith("approved\n")
    assert command("run", notebook, "--store", store).code == 0
    assert review("status", code=1).startswith("approved, lapsed: cell")
    told = command("review", notebook, "status", "--store", store, "--json").json
    assert (told["state"], told["lapse"]["by"]) == ("approved", "user:bob")


def test_comments_and_what_changed(
    store: Path, notebook: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ("--store", store)
    uid = command("blame", notebook, *at, "--json").json["cells"][0]["uid"]
    assert command("comments", notebook, *at).out == "No comments.\n"
    monkeypatch.setenv("LOGNAME", "bob")
    assert "cell" in command("changes", notebook, *at).out
    thread = command("comment", notebook, "why?", "--cell", uid, *at, "--json").json
    monkeypatch.setenv("LOGNAME", "alice")
    answered = command("comment", notebook, "because", "--reply", thread["id"][:8], *at)
    assert "bob: why?" in answered.out
    assert "alice: because" in answered.out
    monkeypatch.setenv("LOGNAME", "bob")
    changed = command("changes", notebook, *at)
    assert "because" in changed.out
    assert "Nothing changed" in command("changes", notebook, *at).out
    assert "resolved by bob" in command("comments", notebook, "--resolve", thread["id"], *at).out
    assert command("comments", notebook, "--open", *at).out == "No comments.\n"
    assert "resolved" not in command("comments", notebook, "--reopen", thread["id"][:6], *at).out


WRONG = {
    ("comment", "hm"): "exactly one",
    ("comment", "hm", "--cell", "gone"): "blame",
    ("comment", "hm", "--reply", "gone"): "comments NOTEBOOK",
    ("comments", "--resolve", "gone"): "comments NOTEBOOK",
    ("changes", "--since", "yesterday"): "2023-01-29T09:03:53Z",
}


def test_what_is_wrong_is_named_and_hinted(store: Path, notebook: Path, command: Command) -> None:
    for (name, *rest), said in WRONG.items():
        done = command(name, notebook, *rest, "--store", store)
        assert (done.code, done.out, said in done.err) == (2, "", True), (name, rest, done)
