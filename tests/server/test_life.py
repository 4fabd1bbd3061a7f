"""Servers and brokers that come, go and fail, and what stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker import broker
from tests.support.editor import Editor
from tests.support.jupyter import Jupyter, RefusedError, jupyter, notebook
from tests.support.processes import alive
from tests.support.waiting import until
from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import find
from workspace_ext.foundation.errors import Denied
from workspace_ext.storage.folder import StoreFolder


def descendants(parent: int) -> set[int]:
    """All processes below one."""
    listed = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    found: set[int] = set()
    while more := {pid for pid, above in pairs if above in found | {parent}} - found:
        found |= more
    return found


def finished(server: Jupyter, uid: str) -> list[str]:
    steps = server.broker().state(uid)["steps"].values()
    return [step["id"] for step in steps if step["status"] == "ok"]


def test_a_server_that_stops_leaves_no_process_behind(tmp_path: Path) -> None:
    with jupyter(tmp_path) as server:
        server.save("n.ipynb", notebook("1"))
        kernel = server.kernel("n.ipynb")
        kernel.run("1")
        stream = server.socket("/investigation/stream?path=n.ipynb")
        stream.recv()
        broker_pid = server.broker().health()["pid"]
        below = {*descendants(server.process.pid), broker_pid}
        running = kernel.execute("import time; time.sleep(60)")
        until(lambda: running in json.dumps(stream.recv()), "the run is known")

        assert server.stop() == 0

    until(lambda: not [pid for pid in below if alive(pid)], "all it started is gone")
    spools = list((server.home / "data" / "investigation").rglob("*.jsonl"))
    assert spools == []
    with broker(server.store) as client:
        (found,) = client.investigations()
        (step,) = [s for s in client.state(found["uid"])["steps"].values() if s["id"] == running]
    assert (step["status"], step["error"]) == ("aborted", "the server was stopped")


def test_a_kernels_token_ends_with_the_kernel_and_survives_the_broker(tmp_path: Path) -> None:
    ask = "import os; print(os.environ['INVESTIGATION_TOKEN'])"

    def holds(token: str) -> bool:
        client = BrokerClient(server.broker().address, token)
        try:
            return bool(client.health())
        except Denied:
            return False
        finally:
            client.close()

    with jupyter(tmp_path) as server:
        kernels = []
        for name in ("a.ipynb", "b.ipynb"):
            server.save(name, notebook("1"))
            kernels.append(server.kernel(name))
        gone, alive = (kernel.run(ask)["text"].strip() for kernel in kernels)
        assert holds(gone)
        server.request("DELETE", f"/api/kernels/{kernels[0].id}")
        until(lambda: not holds(gone), "the token of the kernel that was shut down is refused")

        before = server.broker().health()["pid"]
        os.kill(before, signal.SIGKILL)
        until(lambda: find(server.store), "another broker runs")
        assert holds(alive)
        assert not holds(gone)
        server.stop()

        with broker(server.store) as client:
            server_gone = BrokerClient(client.address, alive)
            with pytest.raises(Denied):
                server_gone.health()


def test_a_server_with_a_shared_notebook_open_saves_it_and_stops(tmp_path: Path) -> None:
    with jupyter(tmp_path, rtc=True) as server:
        server.save("n.ipynb", notebook("1"))
        editor = Editor(server, "n.ipynb")
        editor.type(0, " # typed last")
        editor.settle()

        assert server.stop() == 0
        assert "typed last" in (server.root / "n.ipynb").read_text()
        editor.close()


def test_a_server_nobody_investigates_on_starts_no_broker_and_leaves_no_trace(
    tmp_path: Path,
) -> None:
    with jupyter(tmp_path, rtc=True) as server:
        server.save("n.ipynb", notebook("1", kernel="python3"))
        kernel = server.kernel("n.ipynb", kernel="python3")
        done = kernel.run("import os; print(os.environ['INVESTIGATION_PROBLEM'])")
        Editor(server, "n.ipynb").close()

        assert "no store in" in done["text"]
        assert find(server.store) is None
        assert server.files() == [".ipynb_checkpoints", "n.ipynb"]


def test_state_of_shared_editing_lies_in_the_store_or_where_the_user_says(
    tmp_path: Path,
) -> None:
    store = StoreFolder.create(tmp_path / "store").path
    own = f"c.ArbitraryFileIdManager.db_path = {str(tmp_path / 'mine.db')!r}"
    with jupyter(tmp_path / "server", rtc=True, store=store, config=own) as server:
        server.save("n.ipynb", notebook("1"))
        editor = Editor(server, "n.ipynb")
        editor.close()

        assert (store / "jupyter" / "shared-history.db").exists()
        assert (store / "jupyter" / "sessions.json").exists()
        assert (tmp_path / "mine.db").exists()
        assert not (store / "jupyter" / "file-ids.db").exists()
        assert server.files() == [".ipynb_checkpoints", "n.ipynb"]


def test_runs_during_an_outage_of_the_broker_are_all_recorded_once_and_in_order(
    tmp_path: Path,
) -> None:
    with jupyter(tmp_path) as server:
        server.save("n.ipynb", notebook("1"))
        kernel = server.kernel("n.ipynb")
        runs = [kernel.run("0")["run"]]
        (found,) = until(lambda: server.broker().investigations(), "the investigation")
        for number in range(1, 6):
            if number in (1, 3):
                pid = server.broker().health()["pid"]
                os.kill(pid, signal.SIGKILL)
            runs.append(kernel.run(f"{number}")["run"])
            if number == 2:
                until(lambda: find(server.store), "another broker runs")

        until(lambda: find(server.store), "another broker runs")
        until(lambda: finished(server, found["uid"]) == runs, "all runs, in order")
        entries = server.broker().entries(found["uid"])
        done = [e["subject"] for e in entries if e["type"] == "run.finished"]
        assert done == runs
        assert server.broker().verify()["ok"]
        assert kernel.run("investigation.sql('SELECT * FROM spans'); None")["status"] == "ok"


def test_what_a_killed_server_could_not_send_the_next_one_sends(tmp_path: Path) -> None:
    store = StoreFolder.create(tmp_path / "store").path
    with broker(store):
        with jupyter(tmp_path / "one", store=store) as server:
            server.save("n.ipynb", notebook("1"))
            kernel = server.kernel("n.ipynb")
            first = kernel.run("1")["run"]
            (found,) = until(lambda: server.broker().investigations(), "the investigation")
            until(lambda: finished(server, found["uid"]) == [first], "the first run")
            pid = server.broker().health()["pid"]
            os.kill(pid, signal.SIGSTOP)  # it takes nothing any more
            second = kernel.run("2")["run"]
            third = kernel.execute("import time; time.sleep(600)")
            while kernel.receive()[2].get("msg_id") != third:
                pass
            server.process.kill()
            server.process.wait()
        os.kill(pid, signal.SIGCONT)
        with jupyter(tmp_path / "two", store=store, home=tmp_path / "one" / "home") as server:
            server.save("other.ipynb", notebook("1"))
            server.kernel("other.ipynb")

            until(lambda: second in finished(server, found["uid"]), "the second run is sent")

            def ended() -> Any:
                step = server.broker().state(found["uid"])["steps"][third]
                return step["status"] != "running" and step

            step = until(ended, "the third is over")
            assert (step["status"], step["ended"]) == ("unknown", None)
            assert step["error"] == "the server was gone before it ended"
            last = server.broker().entries(found["uid"])[-1]
            assert last["subject"] == third
            assert last["actor"].startswith("service:")


def test_a_notebook_that_a_killed_server_never_saved_stays_one_investigation(
    tmp_path: Path,
) -> None:
    store = StoreFolder.create(tmp_path / "store").path
    adopted, early, late, other = paths = [
        f"{name}.ipynb" for name in ("adopted", "early", "late", "other")
    ]
    with broker(store) as client:
        briefly = "c.InvestigationApp.broker_patience = 1.0"
        with jupyter(tmp_path / "server", store=store, config=briefly) as server:
            for path in paths:
                server.save(path, notebook("1"))
            kernels = {path: server.kernel(path) for path in paths}
            server.request("POST", "/investigation/investigations", {"path": adopted})
            kernels[early].run("1")
            kernels[other].run("1")
            until(lambda: len(client.investigations()) == 3, "the broker knows of three")
            pid = client.health()["pid"]
            os.kill(pid, signal.SIGSTOP)  # of the fourth it hears from the next server
            kernels[late].run("1")
            server.process.kill()
            server.process.wait()
        os.kill(pid, signal.SIGCONT)
        content = notebook("1")
        content["cells"][0]["id"] = "another-notebook"
        (server.root / other).write_text(json.dumps(content))

        with jupyter(tmp_path / "server", store=store) as server:
            for path in paths:
                server.kernel(path).run("2")

            def steps() -> list[tuple[str, int]]:
                found = [(one["notebook"], one["uid"]) for one in client.investigations()]
                return sorted((path, len(client.state(uid)["steps"])) for path, uid in found)

            each = [(adopted, 1), (early, 2), (late, 2), (other, 1), (other, 1)]
            until(lambda: steps() == each, "the record of each is whole")
            kept = server.home / "data" / "investigation"
            assert len(list(kept.rglob("unstamped/*.json"))) == 4

            def saved() -> bool:
                for path in paths:
                    server.save(path, notebook("1"))
                return not list(kept.rglob("unstamped/*.json"))

            until(saved, "the files say it themselves")


def test_a_broker_that_cannot_start_stops_nobodys_work(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.write_text("a file")
    with jupyter(tmp_path / "server", store=store) as server:
        server.save("n.ipynb", notebook("1"))
        kernel = server.kernel("n.ipynb")

        done = kernel.run("investigation.sql('SELECT 1')")
        status = server.request("GET", "/investigation/status")

        assert done["status"] == "error"
        assert "started without a broker: no store in" in done["evalue"]
        assert (status["broker"], status["store"]) == ("unavailable", str(store))
        assert "jupyter investigation init" in status["message"]
        assert kernel.run("40 + 2")["text"] == "42"


def test_two_servers_on_one_store_share_a_broker(tmp_path: Path) -> None:
    store = StoreFolder.create(tmp_path / "store").path

    def record(server: Jupyter) -> Any:
        server.save("n.ipynb", notebook("1"))
        server.kernel("n.ipynb").run("1")
        return until(lambda: server.broker().investigations(), "the investigation")

    with jupyter(tmp_path / "one", store=store) as one:
        record(one)
        first = one.broker().health()
        with jupyter(tmp_path / "two", store=store) as two:
            record(two)
            assert two.broker().health()["pid"] == first["pid"]
            assert len(two.broker().investigations()) == 2
        assert one.broker().health()["pid"] == first["pid"]
    until(lambda: find(store) is None, "the broker left with its last user")


def test_a_kernel_never_learns_the_store_from_the_servers_environment(tmp_path: Path) -> None:
    store = StoreFolder.create(tmp_path / "store").path
    with jupyter(tmp_path / "server", env={"INVESTIGATION_STORE": str(store)}) as server:
        server.save("n.ipynb", notebook("1"))
        kernel = server.kernel("n.ipynb")

        done = kernel.run("import os; print(dict(os.environ))")

        assert server.request("GET", "/investigation/status")["store"] == str(store)
        assert "INVESTIGATION_TOKEN" in done["text"]
        assert str(store) not in done["text"]


def test_another_class_of_the_server_is_respected_and_said(tmp_path: Path) -> None:
    config = (
        "c.ServerApp.kernel_manager_class ="
        ' "jupyter_server.services.kernels.kernelmanager.MappingKernelManager"'
    )
    with jupyter(tmp_path, config=config) as server:
        log = server.log.read_text()
        status = server.request("GET", "/investigation/status")
        assert status["broker"] == "unavailable"
        assert "nothing is recorded on this server: ServerApp.kernel_manager" in status["message"]
        with pytest.raises(RefusedError, match="503") as refused:
            server.request("POST", "/investigation/investigations", {"title": "Any"})
        assert refused.value.body["error"]["code"] == "no_capture"
        with pytest.raises(RefusedError, match="403") as refused:
            server.request("GET", "/investigation/status", user=None)
        assert refused.value.body["error"]["code"] == "logged_out"

    assert "runs are not captured here: ServerApp.kernel_manager_class" in log
