"""What happens to a broker's process, and to those who need it, when things go wrong."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker import broker, run_broker
from tests.support.processes import alive
from tests.support.waiting import PATIENCE_SECONDS, until
from workspace_ext.broker.services import Services
from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import connect, find
from workspace_ext.client.supervisor import BrokerState, Supervisor
from workspace_ext.foundation.errors import (
    BadInput,
    Conflict,
    Damaged,
    NotFound,
    Unavailable,
)
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.telemetry.ingest.incident import incident_folder, load_incident


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return StoreFolder.create(tmp_path / "s").path


def test_it_leaves_with_its_last_user_and_leaves_nothing_behind(store: Path) -> None:
    with connect(store) as client:
        pid = client.health()["pid"]
        with connect(store) as second:
            assert second.health()["pid"] == pid
        assert client.health()["pid"] == pid
    assert not alive(pid)
    assert not (store / "broker.json").exists()
    assert find(store) is None


def test_the_starter_may_go_first(store: Path) -> None:
    starter = connect(store)
    with connect(store) as client:
        starter.close()
        pid = client.health()["pid"]
    assert starter.started is not None
    starter.started.process.wait(PATIENCE_SECONDS)
    assert not alive(pid)


def test_many_starters_at_once_share_one_broker(store: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        connections = list(threads.map(lambda _: connect(store), range(4)))
    assert len({each.client.health()["instance"] for each in connections}) == 1
    assert sum(each.started is not None for each in connections) == 1
    pid = connections[0].client.health()["pid"]
    for each in connections:
        each.close()
    until(lambda: not alive(pid), "the broker leaves")


def test_a_killed_users_lease_ends_and_the_broker_leaves(store: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from workspace_ext.client.discovery import connect\n"
        "connection = connect(Path(sys.argv[1]), linger=0.2)\n"
        "print(connection.client.health()['pid'], flush=True); time.sleep(600)"
    )
    user = subprocess.Popen([sys.executable, "-c", code, str(store)], stdout=subprocess.PIPE)
    assert user.stdout is not None
    pid = int(user.stdout.readline())
    assert alive(pid)
    user.kill()
    user.wait()
    user.stdout.close()
    until(lambda: not alive(pid), "the broker leaves")
    assert not (store / "broker.json").exists()


def test_a_broker_nobody_asks_for_leaves(store: Path) -> None:
    done = run_broker("--store", str(store), "--exit-when-unused", "0.1", "--json")
    assert done.returncode == 0
    assert "ready" in json.loads(done.stdout)


def test_a_stale_broker_file_is_no_broker(store: Path) -> None:
    with broker(store) as client:
        os.kill(client.health()["pid"], signal.SIGKILL)
        until(lambda: find(store) is None, "the broker leaves")
    assert (store / "broker.json").exists()
    with broker(store) as client:
        assert client.health()["status"] == "ready"


def test_files_beside_the_starter_are_not_run_in_the_broker(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("tornado", "logging", "workspace_ext"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('hijacked')")
    monkeypatch.chdir(tmp_path)
    with connect(store) as client:
        assert client.health()["status"] == "ready"


def test_another_program_at_the_old_address_is_no_broker(store: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        entry = {"address": f"http://127.0.0.1:{port}", "token": "t", "instance": "i"}
        (store / "broker.json").write_text(json.dumps(entry))
        (store / "broker.port").write_text(str(port))

        def answer() -> None:
            connection, _ = taken.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=answer)
        thread.start()
        with connect(store) as client:
            assert client.address != entry["address"]
        thread.join()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"address": 1}'])
def test_a_broken_broker_file_is_written_anew(store: Path, content: str) -> None:
    (store / "broker.json").write_text(content)
    assert find(store) is None
    with connect(store) as client:
        assert client.health()["status"] == "ready"


def test_a_restart_keeps_the_address_and_a_kernels_token(store: Path) -> None:
    with connect(store) as client:
        kernel = BrokerClient(client.address, client.token("k", user="alice"))
        first = kernel.health()["instance"]
    with connect(store):
        assert kernel.health()["instance"] != first


def test_connect_without_starting(store: Path) -> None:
    with pytest.raises(Unavailable, match="no broker serves") as caught:
        connect(store, start=False)
    assert "jupyter investigation broker" in caught.value.hint


def test_a_folder_that_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no store in"):
        connect(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_held_store_names_its_holder(store: Path) -> None:
    with StoreFolder.open(store).hold("a test"):
        done = run_broker("--store", str(store))
    assert done.returncode == Conflict.exit_code
    assert f"held by a test (process {os.getpid()}" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert done.stdout == ""


def test_a_taken_port_is_said(store: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_broker("--store", str(store), "--port", str(port))
    assert done.returncode == Conflict.exit_code
    assert done.stderr.startswith(f"error: port {port} of 127.0.0.1 is taken\n  hint: ")


@pytest.mark.parametrize("name", ["telemetry.duckdb", "records.sqlite", "store.json", "secret.key"])
def test_a_corrupt_store_is_said(store: Path, name: str) -> None:
    with connect(store):
        pass
    (store / name).write_bytes(b"garbage" * 1000)
    done = run_broker("--store", str(store))
    assert done.returncode == Damaged.exit_code
    assert done.stderr.startswith(f"error: {store / name} is damaged")
    assert len(done.stderr.splitlines()) == 2
    with pytest.raises(Damaged, match=name):
        connect(store)


def test_a_full_disk_is_said_and_survived(store: Path, tmp_path: Path) -> None:
    upload = tmp_path / "upload.csv"
    upload.write_bytes(bytes(5 << 20))
    with connect(store) as client:
        pid = client.health()["pid"]
        usual = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 20, usual[1]))
        with pytest.raises(Unavailable, match="no space left"):
            client.ingest(upload)
        assert list((store / "inbox").iterdir()) == []
        resource.prlimit(pid, resource.RLIMIT_FSIZE, usual)
        with pytest.raises(BadInput):
            client.ingest(upload)


def test_leftovers_of_a_killed_upload_are_swept(store: Path) -> None:
    (store / "inbox" / "x.part").write_bytes(b"half")
    with connect(store):
        assert list((store / "inbox").iterdir()) == []


def test_a_batch_whose_broker_was_killed_is_recorded_by_the_next(store: Path) -> None:
    file = load_incident(incident_folder("trainticket")).files[0]
    folder = StoreFolder.open(store)
    with folder.hold("a test"):  # what a broker has done when it dies before it records
        services = Services.open(folder)
        services.ingest.ingest(file.path, mapping=file.mapping)
        services.close()
    for _ in range(2):
        with connect(store) as client:
            report = client.ingest(file.path, mapping=file.mapping)
            assert report["already"]
            verified = client.verify("store")
            assert verified["ok"]
            assert verified["entries"] == 1


@pytest.mark.parametrize(
    "wrong", [["--port", "70000"], ["--port", "x"], ["--host", "no.such.invalid"], ["--nonsense"]]
)
def test_wrong_use(store: Path, wrong: list[str]) -> None:
    done = run_broker("--store", str(store), *wrong)
    assert done.returncode == BadInput.exit_code
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_in_order(store: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "workspace_ext.broker", "--store", str(store)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert b"ready at" in process.stdout.readline()
    client = find(store)
    assert client is not None
    lease = client.lease()
    assert not client.release(lease)  # started by hand: it stays
    process.send_signal(number)
    _, log = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, log.decode()
    assert b"Traceback" not in log
    assert not (store / "broker.json").exists()


def served_by(supervisor: Supervisor) -> int | None:
    """The process id of a supervisor's broker; None while it has none."""
    try:
        return int(supervisor.client().health()["pid"])
    except Unavailable:
        return None


def test_the_supervisor_restarts_a_killed_broker_at_its_address(store: Path) -> None:
    supervisor = Supervisor(store)
    try:
        client = supervisor.client()
        first = client.health()
        os.kill(first["pid"], signal.SIGKILL)
        until(lambda: served_by(supervisor) not in (None, first["pid"]), "another broker serves")
        assert supervisor.state.status == "ready"
        again = supervisor.client()
        assert again.address == client.address
        assert again.health()["pid"] != first["pid"]
        last = again.health()["pid"]
    finally:
        supervisor.stop()
    assert not alive(last)
    assert supervisor.state.status == "unavailable"


def test_two_supervisors_share_one_broker(store: Path) -> None:
    one, two = Supervisor(store), Supervisor(store)
    try:
        pid = one.client().health()["pid"]
        assert two.client().health()["pid"] == pid
        one.stop()
        assert two.client().health()["pid"] == pid
    finally:
        one.stop()
        two.stop()
    until(lambda: not alive(pid), "the broker leaves")


def test_the_supervisor_tries_again_at_once_when_asked(store: Path) -> None:
    telemetry = StoreFolder(store).telemetry
    telemetry.write_bytes(b"no database" * 1000)
    supervisor = Supervisor(store)
    try:
        with pytest.raises(Damaged):
            supervisor.client()
        telemetry.unlink()
        supervisor.hurry()
        assert supervisor.client().health()["pid"]
    finally:
        supervisor.stop()


def test_the_supervisor_says_why_there_is_no_broker(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "nothing")
    try:
        with pytest.raises(NotFound, match="no store in"):
            supervisor.client()
        assert supervisor.state.status == "unavailable"
        assert "jupyter investigation init" in supervisor.state.message
    finally:
        supervisor.stop()


def test_a_supervisor_stopped_at_once_leaves_nothing(store: Path) -> None:
    supervisor = Supervisor(store)
    supervisor.start()
    supervisor.stop()  # waits for a start, but not for long: the rest is for its thread
    until(lambda: "broker" not in [one.name for one in threading.enumerate()], "its thread ends")
    assert find(store) is None
    with StoreFolder.open(store).hold("a test"):
        pass


class StoppedOnTheWay(Supervisor):
    """Somebody stops it between finding its broker and saying so."""

    stopper: threading.Thread | None = None

    def _become(self, state: BrokerState, **told: Any) -> None:
        if state.status == "ready":
            self.stopper = threading.Thread(target=self.stop)
            self.stopper.start()
            self._stopping.wait(1)  # in vain, where a stop has to wait until it is said
        super()._become(state, **told)


def test_a_supervisor_stopped_while_it_finds_its_broker_gives_that_back(store: Path) -> None:
    supervisor = StoppedOnTheWay(store)
    supervisor.start()
    stopper = until(lambda: supervisor.stopper, "it found its broker")
    stopper.join()
    assert find(store) is None
