"""What is written into notebooks: open, closed, shared and not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from tests.support.editor import Editor
from tests.support.jupyter import Jupyter, jupyter, notebook
from tests.support.waiting import until
from workspace_ext.inquiry.metadata.notebook import read_metadata, read_uid
from workspace_ext.protocol.validation import validate


def last_ok(cell: dict[str, Any]) -> bool | None:
    last = (read_metadata(cell) or {}).get("last")
    return None if last is None else bool(last["ok"])


def of(server: Jupyter, *paths: str) -> list[Any]:
    """The investigations of notebooks that lie there."""
    return [one for one in server.broker().investigations() if one["notebook"] in paths]


def test_everybody_sees_the_metadata_and_the_file_has_it(
    shared: Jupyter, name: Callable[[], str], editors: list[Editor]
) -> None:
    path = name()
    shared.save(path, notebook("1 + 1", "1 / 0"))
    alice, bob = Editor(shared, path, "alice"), Editor(shared, path, "bob")
    editors += [alice, bob]
    kernel = shared.kernel(path)
    kernel.run("1 + 1")
    kernel.run("1 / 0", cell="c2")

    for editor in (alice, bob):
        until(lambda e=editor: last_ok(e.read()["cells"][1]) is False, "the tab shows the run")
        assert last_ok(editor.read()["cells"][0]) is True

    def saved() -> bool:
        return [last_ok(cell) for cell in shared.read(path)["cells"]] == [True, False]

    until(saved, "the file tells it")
    on_disk = shared.read(path)
    validate("metadata", read_metadata(on_disk), definition="notebook")
    for cell in on_disk["cells"]:
        validate("metadata", read_metadata(cell), definition="cell")
    assert "Out-of-band" not in shared.log.read_text()


def test_nobodys_typing_is_lost_while_metadata_is_written(
    shared: Jupyter, name: Callable[[], str], editors: list[Editor]
) -> None:
    path = name()
    shared.save(path, notebook("", ""))
    alice, bob = Editor(shared, path, "alice"), Editor(shared, path, "bob")
    editors += [alice, bob]
    kernel = shared.kernel(path)
    for number in range(20):
        kernel.execute(f"{number}", cell="c1")
        alice.type(0, f"a{number};")
        bob.type(1, f"b{number};")

    typed = ["".join(f"{who}{number};" for number in range(20)) for who in "ab"]

    def sources(cells: list[dict[str, Any]]) -> list[str]:
        return ["".join(cell["source"]) for cell in cells]

    until(lambda: sources(shared.read(path)["cells"]) == typed, "the file has all that was typed")
    until(lambda: last_ok(alice.read()["cells"][0]), "the tab shows the runs")
    for editor in (alice, bob):
        until(lambda e=editor: sources(e.read()["cells"]) == typed, "the tab shows it all")


def test_a_copied_cell_becomes_a_cell_of_its_own(
    shared: Jupyter, name: Callable[[], str], editors: list[Editor]
) -> None:
    path = name()
    content = notebook("1", "1")
    for cell in content["cells"]:
        cell["metadata"]["investigation"] = {"uid": "original"}
    shared.save(path, content)
    editor = Editor(shared, path)
    editors.append(editor)
    kernel = shared.kernel(path)
    kernel.run("1", cell="c1")
    kernel.run("1", cell="c2")

    def uids() -> list[Any]:
        cells = editor.read()["cells"]
        return [(read_metadata(cell) or {}).get("uid") for cell in cells if last_ok(cell)]

    until(lambda: uids() == ["original", "c2"], "each run is its cell's")


def test_cells_without_ids_are_not_taken_for_each_other(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    """Before nbformat 4.5 cells had none, and all of them have the same: no id."""
    path = name()
    content = notebook("1", "2")
    content["nbformat_minor"] = 4
    for cell in content["cells"]:
        del cell["id"]
    kept = copy.deepcopy(content)
    kept["cells"][1]["metadata"]["investigation"] = {"uid": "second"}
    (plain.root / path).write_text(json.dumps(kept))

    plain.save(path, content)

    assert read_metadata(plain.read(path)["cells"][0]) is None


def test_saving_without_shared_editing_adds_the_metadata_and_nothing_else(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    content = notebook("1 + 1", language_info={"name": "python"})
    plain.save(path, content)
    before = plain.read(path)
    kernel = plain.kernel(path)
    kernel.run("1 + 1")
    changed = (plain.root / path).stat().st_mtime_ns
    until(lambda: _tells(plain, path), "a save adds what is known")  # the browser's own saves
    saved = plain.read(path)

    assert (plain.root / path).stat().st_mtime_ns > changed
    stamp = read_metadata(saved)
    validate("metadata", stamp, definition="notebook")
    for holder in (saved, *saved["cells"]):
        holder["metadata"].pop("investigation")
    assert saved == before


def _tells(server: Jupyter, path: str) -> bool:
    server.save(path, notebook("1 + 1", language_info={"name": "python"}))
    return last_ok(server.read(path)["cells"][0]) is True


def test_the_server_never_writes_a_file_that_a_browser_may_have_open(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    plain.save(path, notebook("1"))
    before = (plain.root / path).read_bytes()
    kernel = plain.kernel(path)
    kernel.run("1")
    (found,) = until(lambda: of(plain, path), "its first run opened it")
    stream = plain.socket(f"/investigation/stream?path={path}")
    _until_step_ended(stream)

    assert (plain.root / path).read_bytes() == before

    (session,) = [one for one in plain.request("GET", "/api/sessions") if one["path"] == path]
    plain.request("DELETE", f"/api/sessions/{session['id']}")

    until(lambda: last_ok(plain.read(path)["cells"][0]), "the closed notebook is told")
    assert read_uid(plain.read(path)) == found["uid"]
    stream.close()


def _until_step_ended(stream: Any) -> None:
    steps: dict[str, Any] = {}
    while not steps or not all(step["ended"] for step in steps.values()):
        message = json.loads(stream.recv())
        if message["type"] in ("state", "delta") and message["data"]:
            steps |= message["data"].get("steps", {})


def test_a_renamed_notebook_stays_its_investigation(
    plain: Jupyter, name: Callable[[], str]
) -> None:
    path, new = name(), name()
    plain.save(path, notebook("1"))
    kernel = plain.kernel(path)
    kernel.run("1")
    (session,) = [one for one in plain.request("GET", "/api/sessions") if one["path"] == path]

    plain.request("PATCH", f"/api/contents/{path}", {"path": new})
    plain.request("PATCH", f"/api/sessions/{session['id']}", {"path": new, "name": new})
    kernel.run("2")

    (found,) = until(lambda: of(plain, path, new), "its first run opened it")
    until(lambda: len(plain.broker().state(found["uid"])["steps"]) == 2, "both runs are there")
    until(lambda: _tells(plain, new), "a save adds what is known")
    assert read_uid(plain.read(new)) == found["uid"]


def test_a_page_that_outlives_its_server_takes_no_metadata_away(
    tmp_path: Any, name: Callable[[], str]
) -> None:
    path = name()
    with jupyter(tmp_path, home=tmp_path / "one") as server:
        server.save(path, notebook("1"))
        kernel = server.kernel(path)
        kernel.run("1")
        until(lambda: _tells(server, path), "a save adds what is known")
        uid = read_uid(server.read(path))

    with jupyter(tmp_path, home=tmp_path / "two") as server:
        server.save(path, notebook("1 + 1", language_info={"name": "python"}))

        assert read_uid(server.read(path)) == uid
        assert last_ok(server.read(path)["cells"][0]) is True


def test_metadata_of_a_newer_version_is_left_alone(plain: Jupyter, name: Callable[[], str]) -> None:
    path = name()
    newer = {"schema": 99, "uid": "from the future", "something": {"new": [1.5]}}
    plain.save(path, notebook("1", investigation=newer))
    kernel = plain.kernel(path)
    done = kernel.run("40 + 2")
    plain.save(path, notebook("1", investigation=newer))

    assert done["text"] == "42"
    assert plain.read(path)["metadata"]["investigation"] == newer
