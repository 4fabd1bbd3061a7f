"""Outputs of a cell whose browser goes while it runs: in the document and the file, once."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil

from tests.support.editor import Editor
from tests.support.jupyter import Jupyter, Kernel, jupyter, notebook
from tests.support.waiting import until

WAITS = """
import pathlib, time
print("one")
while not pathlib.Path({go!r}).exists(): time.sleep(0.01)
print("two")
6 * 7
"""

WHOLE = [
    {"output_type": "stream", "name": "stdout", "text": "one\ntwo\n"},
    {
        "output_type": "execute_result",
        "data": {"text/plain": "42"},
        "metadata": {},
        "execution_count": 1,
    },
]


def begin(server: Jupyter, path: str, go: Path) -> tuple[Kernel, str]:
    """A browser whose run has shown something and waits for a file."""
    kernel = server.kernel(path)
    run, shown = kernel.execute(WAITS.format(go=str(go))), ""
    while shown != "one\n":  # which may come in pieces
        _, header, parent, content = kernel.receive()
        if parent.get("msg_id") == run and header["msg_type"] == "stream":
            shown += content["text"]
    return kernel, run


def outputs(editor: Editor) -> Any:
    return editor.read()["cells"][0]["outputs"]


def saved(server: Jupyter, path: str) -> Any:
    cell = nbformat.reads(json.dumps(server.read(path)), as_version=4)["cells"][0]
    return cell["outputs"] if cell["execution_count"] == 1 else None


def told(kernel: Kernel, run: str) -> list[str]:
    """The types of all outputs of a run that a connection is told until it answers."""
    kinds, asked = [], kernel.send("kernel_info_request", {})
    while True:
        channel, header, parent, _ = kernel.receive()
        if parent.get("msg_id") == asked and channel == "shell":
            return kinds
        if parent.get("msg_id") == run and header["msg_type"] in ("stream", "execute_result"):
            kinds.append(header["msg_type"])


def steps(server: Jupyter, path: str) -> dict[str, Any]:
    """The runs of a notebook that are on record."""
    found = [i for i in server.broker().investigations() if i["notebook"] == path]
    return dict(server.broker().state(found[0]["uid"])["steps"]) if found else {}


def recorded(server: Jupyter, path: str, run: str) -> tuple[str, str]:
    """Who ran it, and how it ended, once that is on record."""

    def ended() -> Any:
        step = steps(server, path).get(run)
        return step if step and step["status"] != "running" else None

    step = until(ended, "the run is on record")
    return step["by"], step["status"]


def test_a_run_whose_browser_went_is_written_once_also_when_it_comes_back(
    shared: Jupyter, name: Callable[[], str], tmp_path: Path
) -> None:
    path, go = name(), tmp_path / "go"
    shared.save(path, notebook("x"))
    editor = Editor(shared, path, "bob")
    kernel, run = begin(shared, path, go)

    kernel.close()
    go.touch()

    until(lambda: outputs(editor) == WHOLE, "the document has all outputs")
    until(lambda: saved(shared, path) == WHOLE, "the file has them")
    again = shared.connect(kernel.id, session=kernel.session)
    assert told(again, run) == []
    again.run("1 + 1", cell="")  # the page works on
    assert outputs(editor) == WHOLE
    assert recorded(shared, path, run) == ("user:alice", "ok")
    editor.close()


def test_a_line_that_broke_for_a_moment_loses_no_output(
    shared: Jupyter, name: Callable[[], str], tmp_path: Path
) -> None:
    path, go = name(), tmp_path / "go"
    shared.save(path, notebook("x", "y"))
    editor = Editor(shared, path)
    kernel, run = begin(shared, path, go)
    other = shared.connect(kernel.id, "bob")  # Jupyter keeps nothing for alice's page now

    kernel.close()
    again = shared.connect(kernel.id, session=kernel.session)
    until(lambda: outputs(editor) == [{**WHOLE[0], "text": "one\n"}], "as they come")
    go.touch()

    until(lambda: outputs(editor) == WHOLE, "the document has all outputs")
    assert told(again, run) == []
    editor.add_output("c1", "one\n")  # the page wrote it while it had no line
    until(lambda: outputs(editor) == WHOLE, "they are there once")
    for one in (again, other):
        one.close()
    editor.close()


def test_a_run_that_waits_for_its_investigation_is_run_though_its_browser_goes(
    shared: Jupyter, name: Callable[[], str]
) -> None:
    path = name()
    shared.save(path, notebook("x"))
    editor = Editor(shared, path, "bob")
    kernel = shared.kernel(path)
    other = shared.connect(kernel.id, "bob")  # Jupyter closes alice's channels when she goes
    broker = shared.broker().health()["pid"]
    (process,) = (
        each.pid
        for each in psutil.process_iter(["cmdline"])
        if f"kernel-{kernel.id}.json" in " ".join(each.info["cmdline"] or ())
    )

    os.kill(broker, signal.SIGSTOP)  # the first run opens the investigation, and waits for it
    os.kill(process, signal.SIGSTOP)  # as on a machine that has no time for it
    try:
        run = kernel.execute("6 * 7")
        kernel.close()
        about = f"/api/kernels/{kernel.id}"
        until(lambda: shared.request("GET", about)["connections"] == 1, "she has gone")
        os.kill(broker, signal.SIGCONT)
        until(lambda: run in steps(shared, path), "it was sent to the kernel")
        time.sleep(3)  # longer than Jupyter's sockets keep what nobody takes
    finally:
        os.kill(broker, signal.SIGCONT)
        os.kill(process, signal.SIGCONT)

    until(lambda: outputs(editor) == WHOLE[1:], "the run's output")
    assert recorded(shared, path, run) == ("user:alice", "ok")
    for one in (other, editor):
        one.close()


def test_a_cell_that_comes_after_its_run_gets_its_outputs(
    shared: Jupyter, name: Callable[[], str], tmp_path: Path
) -> None:
    path = name()
    shared.save(path, notebook("x"))
    editor = Editor(shared, path)
    kernel = shared.kernel(path)
    kernel.run("1", cell="c1")

    editor.cut()  # the page's typing comes later than its run
    run = kernel.execute("6 * 7", cell="new")
    kernel.close()
    bob = Editor(shared, path, "bob")
    assert recorded(shared, path, run) == ("user:alice", "ok")
    editor.add("new", "6 * 7")
    editor.join(shared)

    def shown() -> Any:
        return [one["outputs"] for one in bob.read()["cells"] if one["id"] == "new"]

    until(lambda: shown() == [[{**WHOLE[1], "execution_count": 2}]], "the cell has its output")
    for one in (editor, bob):
        one.close()


def test_a_cell_that_somebody_runs_again_shows_the_later_run(
    shared: Jupyter, name: Callable[[], str], tmp_path: Path
) -> None:
    path, go = name(), tmp_path / "go"
    shared.save(path, notebook("x", "y"))
    editor = Editor(shared, path, "bob")
    kernel, _ = begin(shared, path, go)
    bob = shared.connect(kernel.id, "bob")

    kernel.close()
    later = bob.execute("'later'")
    go.touch()
    assert bob.wait(later)["text"] == "'later'"
    bob.run("import time; time.sleep(1.5)", cell="c2")

    assert outputs(editor) == []  # bob's browser would write
    bob.execute("1 / 0")
    bob.close()
    until(lambda: [one["output_type"] for one in outputs(editor)] == ["error"], "the last run")
    editor.close()


def test_a_kernel_that_dies_leaves_what_it_showed(
    shared: Jupyter, name: Callable[[], str], tmp_path: Path
) -> None:
    path = name()
    shared.save(path, notebook("x"))
    editor = Editor(shared, path, "bob")
    kernel, _ = begin(shared, path, tmp_path / "go")

    kernel.close()
    shared.request("DELETE", f"/api/kernels/{kernel.id}")

    until(lambda: outputs(editor) == [{**WHOLE[0], "text": "one\n"}], "its outputs")
    editor.close()


def test_a_document_that_nobody_has_open_any_more_is_written_as_a_file(tmp_path: Path) -> None:
    config = "c.YDocExtension.document_cleanup_delay = 0"
    with jupyter(tmp_path, rtc=True, config=config) as server:
        server.save("n.ipynb", notebook("x"))
        editor = Editor(server, "n.ipynb")
        kernel, _ = begin(server, "n.ipynb", tmp_path / "go")

        kernel.close()
        editor.close()
        until(lambda: "Deleting file" in server.log.read_text(), "the room is gone")
        (tmp_path / "go").touch()

        until(lambda: saved(server, "n.ipynb") == WHOLE, "the file has them")
        again = Editor(server, "n.ipynb")
        assert outputs(again) == WHOLE
        again.close()
