"""Every save is a version: with and without shared editing, over outages, after accidents."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.command_line import Done, run_command
from tests.support.editor import Editor
from tests.support.jupyter import Jupyter, RefusedError, begin, jupyter, notebook
from tests.support.places import REPOSITORY
from tests.support.waiting import until
from workspace_ext.client.discovery import find
from workspace_ext.inquiry.metadata.notebook import read_metadata, read_uid

Name = Callable[[], str]


def versions(server: Jupyter, uid: str) -> list[dict[str, Any]]:
    """Oldest first: people, what changed, why."""
    return server.broker().versions(uid)[::-1]


def brief(server: Jupyter, uid: str) -> list[tuple[list[str], dict[str, str]]]:
    return [
        ([actor.removeprefix("user:") for actor in one["actors"]], one["changes"])
        for one in versions(server, uid)
    ]


def edited(server: Jupyter, path: str, *sources: str) -> dict[str, Any]:
    """What lies there, with other sources."""
    content = server.read(path)
    for cell, source in zip(content["cells"], sources, strict=True):
        cell["source"] = source
    return content


def test_each_save_of_a_browser_is_a_version(plain: Jupyter, name: Name) -> None:
    path = name()
    uid = begin(plain, path, "1", "2")
    plain.save(path, edited(plain, path, "1", "20"))
    plain.save(path, edited(plain, path, "1", "20"))
    model = {"type": "notebook", "format": "json", "content": edited(plain, path, "10", "20")}
    plain.request("PUT", f"/api/contents/{path}", model, user="bob")

    until(lambda: len(versions(plain, uid)) == 3, "all saves are versions, the same is none")
    assert brief(plain, uid) == [
        (["alice"], {"c1": "added", "c2": "added"}),
        (["alice"], {"c2": "source"}),
        (["bob"], {"c1": "source"}),
    ]
    assert [one["path"] for one in versions(plain, uid)] == [path] * 3
    found = plain.request("GET", f"/investigation/versions?path={path}")
    assert [one["revision"] for one in found] == [3, 2, 1]
    assert plain.broker().verify(uid)["ok"]


def test_what_was_changed_outside_is_a_version_by_unknown(plain: Jupyter, name: Name) -> None:
    path = name()
    uid = begin(plain, path, "1")
    plain.save(path, edited(plain, path, "2"))
    outside = json.dumps(edited(plain, path, "checked out"))
    (plain.root / path).write_text(outside)
    plain.save(path, edited(plain, path, "3"))
    until(lambda: len(versions(plain, uid)) == 4, "nothing is lost")
    (plain.root / path).write_text(outside)
    plain.request("GET", f"/api/contents/{path}")
    until(lambda: len(versions(plain, uid)) == 5, "opening it is enough")
    people = [one["actors"] for one in versions(plain, uid)]
    assert people == [[f"user:{who}"] for who in ("alice", "alice", "unknown", "alice", "unknown")]
    assert versions(plain, uid)[2]["reason"] == "found changed outside"
    assert plain.broker().version(uid, 3)["notebook"]["cells"][0]["source"] == "checked out"


def test_editors_of_one_notebook_are_told_apart(
    shared: Jupyter, name: Name, editors: list[Editor]
) -> None:
    path = name()
    uid = begin(shared, path, "a", "b", "c")
    alice, bob = Editor(shared, path, "alice"), Editor(shared, path, "bob")
    editors += [alice, bob]
    alice.type(0, "1")
    bob.type(1, "2")
    alice.type(2, "3")
    bob.type(2, "4")

    def last() -> dict[str, Any]:
        return {
            cell: shared.broker().cell_versions(uid, cell)[0]["actors"] for cell in ("c1", "c2")
        }

    until(lambda: last() == {"c1": ["user:alice"], "c2": ["user:bob"]}, "each cell has its author")
    people = set().union(*(one["actors"] for one in shared.broker().cell_versions(uid, "c3")))
    assert {"user:alice", "user:bob"} <= people
    assert not [one for one in versions(shared, uid) if "user:unknown" in one["actors"]]


def test_what_a_text_cell_says_is_said_by_who_wrote_it(
    shared: Jupyter, name: Name, editors: list[Editor]
) -> None:
    path, content = name(), notebook("*Finding:*", "*Finding:*", "c")
    for cell in content["cells"][:2]:
        cell["cell_type"] = "markdown"
        del cell["outputs"], cell["execution_count"]
    shared.save(path, content)
    uid = shared.request("POST", "/investigation/investigations", {"path": path})["uid"]
    alice, bob = Editor(shared, path, "alice"), Editor(shared, path, "bob")
    editors += [alice, bob]
    alice.type(0, " the pool is empty")
    bob.type(1, " the disk is full")
    alice.type(2, "3")

    def said() -> dict[str, str]:
        notes = shared.broker().state(uid)["notes"].values()
        return {note["text"]: note["by"] for note in notes}

    wanted = {"the pool is empty": "user:alice", "the disk is full": "user:bob"}
    until(lambda: said() == wanted, "each finding has its author")


def test_a_run_in_shared_editing_names_who_ran(
    shared: Jupyter, name: Name, editors: list[Editor]
) -> None:
    path = name()
    uid = begin(shared, path, "a", "6 * 7")
    editor = Editor(shared, path, "alice")
    editors.append(editor)
    kernel = shared.kernel(path, user="bob")
    kernel.run("6 * 7", cell="c2")
    editor.type(0, " = 1")
    until(lambda: len(versions(shared, uid)) >= 2, "the edit is saved")

    def run() -> Any:
        return next(line["run"] for line in shared.broker().blame(uid) if line["uid"] == "c2")

    assert until(run, "the run is told")["by"] == "user:bob"


def test_saving_what_did_not_change_changes_no_byte(
    shared: Jupyter, plain: Jupyter, name: Name, editors: list[Editor]
) -> None:
    for server in (plain, shared):
        path = name()
        begin(server, path, "6 * 7", "2")
        kernel = server.kernel(path)
        editor = Editor(server, path) if server is shared else None
        editors += [editor] if editor else []
        kernel.run("6 * 7", cell="c1")

        def stamped(server: Jupyter = server, path: str = path, rtc: object = editor) -> bool:
            if not rtc:
                server.save(path, server.read(path))
            return "last" in (read_metadata(server.read(path)["cells"][0]) or {})

        until(stamped, "the run is told")
        before = (server.root / path).read_bytes()
        if editor:
            editor.save()
        else:
            server.save(path, server.read(path))
        assert (server.root / path).read_bytes() == before
        for cell in server.read(path)["cells"]:
            assert len(json.dumps(read_metadata(cell) or {})) <= 1024

        if editor:
            editor.type(1, "0")
            until(lambda s=server, p=path: s.read(p)["cells"][1]["source"] == ["20"], "it is saved")
        else:
            server.save(path, edited(server, path, "6 * 7", "20"))
        lines, old = (server.root / path).read_text().splitlines(), before.decode().splitlines()
        assert [line for line in lines if line not in old] == ['    "20"']
        assert len(lines) == len(old)


def test_saves_outlive_an_outage_of_the_broker(tmp_path: Path) -> None:
    with jupyter(tmp_path) as server:
        uid = begin(server, "n.ipynb", "1")
        server.save("n.ipynb", edited(server, "n.ipynb", "2"))
        until(lambda: len(versions(server, uid)) == 2, "they arrive")
        broker = json.loads((server.store / "broker.json").read_text())
        process = psutil.Process(broker["pid"])
        process.suspend()
        try:
            for number in range(3, 8):
                server.save("n.ipynb", edited(server, "n.ipynb", str(number)))
        finally:
            process.kill()
        until(lambda: find(server.store), "another broker comes")
        until(lambda: len(versions(server, uid)) == 7, "none is missing")
        sources = [server.broker().version(uid, n)["notebook"]["cells"][0] for n in range(1, 8)]
        assert [cell["source"] for cell in sources] == list("1234567")


def test_a_cut_notebook_comes_back_with_all_its_cells(shared: Jupyter, name: Name) -> None:
    path = name()
    uid = begin(shared, path, "1", "2", "3")
    kernel = shared.kernel(path)
    kernel.run("never = 'saved'", cell="c9")
    until(lambda: len(versions(shared, uid)) == 1, "the save is told")
    until(lambda: len(shared.broker().state(uid)["steps"]) == 1, "the run is told")
    file = shared.root / path
    file.write_bytes(file.read_bytes()[:100])
    session = next(one for one in shared.request("GET", "/api/sessions") if one["path"] == path)
    shared.request("DELETE", f"/api/sessions/{session['id']}")
    wish = {"path": path, "revision": None, "uid": uid}
    made = shared.request("POST", "/investigation/restore", wish, user="bob")
    assert made["actors"] == ["user:bob"]
    sources = ["".join(cell["source"]) for cell in shared.read(path)["cells"]]
    assert sources == ["1", "2", "3", "never = 'saved'"]
    assert read_uid(shared.read(path)) == uid


def test_a_restore_reaches_open_browsers_and_loses_nobodys_typing(
    shared: Jupyter, name: Name, editors: list[Editor]
) -> None:
    path = name()
    uid = begin(shared, path, "one", "two")
    alice, bob = Editor(shared, path, "alice"), Editor(shared, path, "bob")
    editors += [alice, bob]
    alice.type(0, " changed")
    bob.type(1, " typed")
    typed = [["one changed"], ["two typed"]]
    until(lambda: [cell["source"] for cell in shared.read(path)["cells"]] == typed, "it is saved")
    wish = {"path": path, "revision": 1, "cell": "c1", "reason": "it was right"}
    made = shared.request("POST", "/investigation/restore", wish, user="bob")

    assert (made["actors"], made["reason"]) == (
        ["user:bob"],
        "restored cell c1 of version 1: it was right",
    )

    def sources(editor: Editor) -> list[str]:
        return [cell["source"] for cell in editor.read()["cells"]]

    for editor in (alice, bob):
        until(lambda e=editor: sources(e) == ["one", "two typed"], "the tab shows it")
    assert made["changes"] == {"c1": "source"}
    assert "Out-of-band" not in shared.log.read_text().split(path)[-1]
    assert versions(shared, uid)[-1]["revision"] == made["revision"]


def test_what_a_browser_may_have_open_is_not_changed_under_it(plain: Jupyter, name: Name) -> None:
    path = name()
    begin(plain, path, "1")
    plain.save(path, edited(plain, path, "2"))
    plain.session(path)
    assert plain.request("GET", f"/investigation/open?path={path}") == {"open": True}
    before = (plain.root / path).read_bytes()
    with pytest.raises(RefusedError, match="close it there"):
        plain.request("POST", "/investigation/restore", {"path": path, "revision": 1})
    assert (plain.root / path).read_bytes() == before


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, "no path"),
        ({"path": "n.ipynb"}, "no version"),
        ({"path": "n.ipynb", "revision": "1"}, "revision cannot be"),
        ({"path": "n.ipynb", "revision": True}, "revision cannot be"),
        ({"path": "n.ipynb", "revision": 1, "more": 1}, "more cannot be"),
        ({"path": "nowhere.ipynb", "revision": 1}, "no notebook"),
    ],
)
def test_a_wrong_wish_is_refused(plain: Jupyter, wish: dict[str, Any], said: str) -> None:
    with pytest.raises(RefusedError, match=said):
        plain.request("POST", "/investigation/restore", wish)


def test_a_reader_restores_nothing(plain: Jupyter, name: Name) -> None:
    path = name()
    begin(plain, path, "1")
    with pytest.raises(RefusedError, match="403"):
        plain.request("POST", "/investigation/restore", {"path": path, "revision": 1}, user="carol")


def test_a_notebook_of_another_store_disturbs_nothing(tmp_path: Path, name: Name) -> None:
    with jupyter(tmp_path / "one") as server:
        begin(server, "n.ipynb", "1")
        begin(server, "m.ipynb", "1")
        server.save("n.ipynb", edited(server, "n.ipynb", "1"))
        until(lambda: read_uid(server.read("n.ipynb")), "it says what it is")
        (tmp_path / "two" / "root").mkdir(parents=True)
        shutil.copy(server.root / "n.ipynb", tmp_path / "two" / "root")
    with jupyter(tmp_path / "two") as server:
        server.save("n.ipynb", edited(server, "n.ipynb", "2"))
        uid = begin(server, "own.ipynb", "1")
        for number in range(3, 6):
            server.save("n.ipynb", edited(server, "n.ipynb", str(number)))
        server.save("own.ipynb", edited(server, "own.ipynb", "2"))
        until(lambda: len(versions(server, uid)) == 2, "the store's own are told")


def test_a_notebook_of_a_newer_version_is_read_only_and_says_so(plain: Jupyter, name: Name) -> None:
    path = name()
    newer = {"schema": 99, "uid": "from the future", "something": {"new": [1.5]}}
    plain.save(path, notebook("1", investigation=newer))
    stream = plain.socket(f"/investigation/stream?path={path}")
    message = json.loads(stream.recv())
    stream.close()
    assert message["type"] == "error"
    assert message["data"]["code"] == "newer_metadata"
    assert "upgrade" in message["data"]["hint"]
    plain.save(path, notebook("2", investigation=newer))
    assert plain.read(path)["metadata"]["investigation"] == newer


def _restore(server: Jupyter, path: str, *arguments: str) -> Done:
    """The command, run by whoever runs the server."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'kernels'}",
        "JUPYTER_RUNTIME_DIR": str(server.home / "runtime"),
        "INVESTIGATION_STORE": str(server.store),
    }
    return run_command("restore", server.root / path, *arguments, "--json", env=environment)


def test_the_command_restores_where_the_notebook_is_open(
    tmp_path: Path, editors: list[Editor]
) -> None:
    config = """
c.ServerApp.identity_provider_class = "workspace_ext.server.identity.SystemUserProvider"
c.IdentityProvider.token = "token-of-alice"
"""
    with jupyter(tmp_path, rtc=True, config=config) as server:
        uid = begin(server, "n.ipynb", "one", "two")
        editor = Editor(server, "n.ipynb")
        editors.append(editor)
        editor.type(0, " changed")
        until(lambda: len(versions(server, uid)) == 2, "it is saved")
        done = _restore(server, "n.ipynb", "1", "--reason", "right")
        assert done.code == 0, done.err
        assert done.json["version"]["reason"] == "restored version 1: right"
        until(lambda: editor.read()["cells"][0]["source"] == "one", "the tab shows it")
        assert "Out-of-band" not in server.log.read_text()


def test_the_command_does_not_write_under_a_server_that_it_cannot_ask(
    shared: Jupyter, name: Name
) -> None:
    path = name()
    begin(shared, path, "1")
    shared.save(path, edited(shared, path, "2"))
    done = _restore(shared, path, "1")
    assert done.code == 3
    assert json.loads(done.err)["error"]["code"] == "may_be_open"
    assert shared.read(path)["cells"][0]["source"] == ["2"]
