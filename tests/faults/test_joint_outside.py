"""A notebook's file is changed by something else while two people edit it, or while nobody can."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.disk import no_saves
from tests.support.editor import Editor
from tests.support.jupyter import Jupyter, jupyter, notebook
from tests.support.waiting import files_named, until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jupyter]:
    with jupyter(tmp_path_factory.mktemp("outside"), rtc=True) as running:
        yield running


def two(server: Jupyter, path: str) -> tuple[Editor, Editor]:
    server.save(path, notebook("one\n", "two\n"))
    return Editor(server, path), Editor(server, path, "bob")


def changed(server: Jupyter, path: str) -> dict[str, Any]:
    """The file's content with another second cell and a new third one."""
    content = server.read(path)
    content["cells"][1]["source"] = "two from git\n"
    content["cells"].append({**content["cells"][0], "id": "new", "source": "three from git"})
    return content


def shown(editor: Editor) -> list[str]:
    return [cell["source"] for cell in editor.read()["cells"]]


def test_a_checkout_while_two_type_is_merged(server: Jupyter) -> None:
    alice, bob = two(server, "checkout.ipynb")
    file = server.root / "checkout.ipynb"
    content = changed(server, "checkout.ipynb")

    file.unlink()  # as git does
    for number in range(20):
        alice.type(0, f"a{number} ")
        bob.type(0, f"b{number} ")
        if number == 10:
            file.write_text(json.dumps(content))

    for editor in (alice, bob):
        until(lambda one=editor: shown(one)[1:] == ["two from git\n", "three from git"], "merged")
        until(lambda one=editor: "a19" in shown(one)[0] and "b19" in shown(one)[0], "both typed")
    until(lambda: "a19" in file.read_text() and "b19" in file.read_text(), "the file has both")
    on_disk = server.read("checkout.ipynb")["cells"]
    first = "".join(on_disk[0]["source"])
    assert all(first.count(f"{who}{number} ") == 1 for who in "ab" for number in range(20))
    assert [cell["id"] for cell in on_disk] == ["c1", "c2", "new"]
    alice.close()
    bob.close()


def test_a_file_that_is_older_or_written_in_two_steps_is_seen(server: Jupyter) -> None:
    alice, bob = two(server, "older.ipynb")
    file = server.root / "older.ipynb"
    text = json.dumps(changed(server, "older.ipynb"))

    file.write_text(text[: len(text) // 2])  # no notebook yet
    alice.type(0, "typed meanwhile")
    until(lambda: "cannot be read yet" in server.log.read_text(), "the half file is looked at")
    copy = file.with_suffix(".copy")
    copy.write_text(text)
    os.utime(copy, (1_600_000_000, 1_600_000_000))  # as a backup brings it back
    copy.replace(file)

    until(lambda: shown(bob)[1:] == ["two from git\n", "three from git"], "bob sees the file")
    until(lambda: "typed meanwhile" in shown(bob)[0], "and alice")
    until(lambda: "typed meanwhile" in (text := file.read_text()) and "git" in text, "it is saved")
    alice.close()
    bob.close()


def test_ctrl_s_finds_no_conflict_whoever_wrote_the_file(server: Jupyter) -> None:
    """JupyterLab asks for the file's hash then, and offers to overwrite what it does not know."""
    alice, bob = two(server, "hash.ipynb")
    file = server.root / "hash.ipynb"

    def told() -> tuple[str, set[str]]:
        found = server.request("GET", "/api/contents/hash.ipynb?content=0&hash=1")
        return found["hash"], {editor.hash() for editor in (alice, bob)}

    first = until(alice.hash, "a hash is told")
    until(bob.hash, "and to bob")
    assert told() == (first, {first})
    alice.type(0, "typed by alice")
    until(lambda: "typed by alice" in file.read_text(), "it is saved by itself")
    assert told() == (first, {first})
    file.write_text(json.dumps(changed(server, "hash.ipynb")))
    assert told() == (first, {first})
    until(lambda: "two from git\n" in shown(bob), "and merged")
    bob.save()
    assert told() == (first, {first})
    alice.close()
    bob.close()


def test_what_both_changed_is_both_there(server: Jupyter) -> None:
    alice, bob = two(server, "both.ipynb")
    file = server.root / "both.ipynb"
    content = changed(server, "both.ipynb")
    with no_saves(server):
        alice.type_in("c2", "two from alice\n")
        alice.settle()
        file.write_text(json.dumps(content))
        until(lambda: "two from git" in shown(bob)[1], "the file is taken")
    assert shown(bob)[1].count("two from alice\n") == 1
    alice.close()
    bob.close()


def test_a_change_while_the_server_was_killed_is_merged_with_what_it_had_not_saved(
    tmp_path: Path,
) -> None:
    with jupyter(tmp_path, rtc=True) as server:
        alice, bob = two(server, "n.ipynb")
        bob.close()
        content = changed(server, "n.ipynb")
        with no_saves(server):
            alice.type(0, "not saved")
            alice.settle()
            (history,) = files_named("shared-history.db", server.home)
            until(lambda: b"not saved" in everything(history), "the history has it")
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(10)
        alice.close()
    assert "not saved" not in (server.root / "n.ipynb").read_text()
    (server.root / "n.ipynb").write_text(json.dumps(content))

    with jupyter(tmp_path, rtc=True) as again:
        carol = Editor(again, "n.ipynb")
        assert shown(carol) == ["one\nnot saved", "two from git\n", "three from git"]
        until(lambda: "not saved" in (again.root / "n.ipynb").read_text(), "the file has all")
        alice.join(again)  # with the document that she had
        alice.settle()
        until(lambda: shown(alice) == shown(carol), "she sees the same, once")
        alice.type(0, ", and on")
        until(lambda: "not saved, and on" in shown(carol)[0], "and goes on")
        for editor in (alice, carol):
            editor.close()


def test_a_browser_with_a_document_that_the_server_has_no_history_of_is_told_to_reload(
    tmp_path: Path,
) -> None:
    with jupyter(tmp_path, rtc=True) as server:
        alice, bob = two(server, "n.ipynb")
        bob.close()
        alice.type(0, "typed")
        until(lambda: "typed" in (server.root / "n.ipynb").read_text(), "it is saved")
        alice.cut()
    for file in server.home.rglob("shared-history.db*"):
        file.unlink()

    with jupyter(tmp_path, rtc=True) as again:
        carol = Editor(again, "n.ipynb")
        alice.join(again)
        until(lambda: not alice.listens(), "she is sent away")
        assert shown(carol) == ["one\ntyped", "two\n"]
        carol.close()


def test_a_notebook_that_cannot_be_saved_says_so_and_is_saved_later(server: Jupyter) -> None:
    alice, bob = two(server, "away.ipynb")
    stream = server.socket("/investigation/stream?path=away.ipynb")
    assert json.loads(stream.recv())["type"] == "state"
    file = server.root / "away.ipynb"
    with no_saves(server):
        alice.type(0, "kept in memory")
        told = json.loads(stream.recv())
    assert (told["type"], told["data"]["code"]) == ("error", "not_saved")
    assert "away.ipynb cannot be saved" in told["data"]["message"]
    assert json.loads(stream.recv())["type"] == "state"
    until(lambda: "kept in memory" in file.read_text(), "it is saved")
    stream.close()
    alice.close()
    bob.close()


def everything(history: Path) -> bytes:
    return b"".join(file.read_bytes() for file in history.parent.glob(f"{history.name}*"))
