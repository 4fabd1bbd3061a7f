"""The spool against real files: order, crashes, owners that come and go."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from workspace_ext.foundation.errors import Unavailable
from workspace_ext.inquiry.capture import spool as module
from workspace_ext.inquiry.capture.spool import Spool
from workspace_ext.protocol.messages import EventIn


def event(name: str, **data: str) -> EventIn:
    return {"id": name, "type": "note.added", "subject": "s", "time": "t", "data": dict(data)}


def ids(spool: Spool, limit: int = 100) -> list[str]:
    return [entry.event["id"] for entry in spool.oldest(limit)]


def test_events_leave_in_the_order_they_came_one_investigation_at_a_time(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append("u1", [event("a"), event("b")])
    spool.append("u2", [event("c")])
    spool.append("u1", [event("d")])

    seen = []
    while batch := spool.oldest(10):
        seen.append([(entry.investigation, entry.event["id"]) for entry in batch])
        spool.done(len(batch))

    assert seen == [[("u1", "a"), ("u1", "b")], [("u2", "c")], [("u1", "d")]]
    assert len(spool) == 0
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_batch_has_a_limit_and_is_not_gone_before_it_is_done(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append("u1", [event("a"), event("b"), event("c")])

    assert ids(spool, 2) == ["a", "b"]
    assert ids(spool, 2) == ["a", "b"]
    spool.done(2)
    assert ids(spool, 2) == ["c"]


def test_what_an_owner_left_is_taken_over_without_what_was_done(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.append("u1", [event("a", text="größer"), event("b"), event("c")])
    first.done(1)
    first.close()

    second = Spool(tmp_path)
    second.append("u1", [event("d")])

    assert ids(second) == ["b", "c", "d"]
    second.done(3)
    second.close()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_owner_loses_nothing_but_an_unfinished_line(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from workspace_ext.inquiry.capture.spool import Spool
spool = Spool(Path(sys.argv[1]))
for name in "abc":
    spool.append("u1", [{"id": name, "type": "t", "subject": "s", "time": "t", "data": {}}])
spool.done(1)
os.write(spool._file, b'{"investigation": "u1", "event": {"id": "to')
os.kill(os.getpid(), signal.SIGKILL)
"""
    died = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert died.returncode == -9

    spool = Spool(tmp_path)

    assert ids(spool) == ["b", "c"]
    spool.close()
    assert ids(Spool(tmp_path)) == ["b", "c"]


def test_a_living_owners_spool_is_left_alone(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.append("u1", [event("a")])

    second = Spool(tmp_path)

    assert ids(second) == []
    assert ids(first) == ["a"]


def test_an_emptied_large_file_starts_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COMPACT_BYTES", 300)
    spool = Spool(tmp_path)
    for number in range(10):
        spool.append("u1", [event(f"e{number}")])
    spool.done(10)
    spool.append("u1", [event("last")])

    (file,) = tmp_path.glob("*.jsonl")
    assert [json.loads(line)["event"]["id"] for line in file.read_text().splitlines()] == ["last"]
    spool.close()
    assert ids(Spool(tmp_path)) == ["last"]


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="cannot be kept in"):
        Spool(tmp_path / "file" / "spool")


def test_a_full_disk_keeps_events_in_memory_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path)

    def full(file: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        for names in ("a", "bc"):
            with pytest.raises(Unavailable, match="No space left"):
                spool.append("u1", [event(name) for name in names])
        spool.done(1)
    spool.append("u1", [event("d")])

    assert ids(spool) == ["b", "c", "d"]
    (file,) = tmp_path.glob("*.jsonl")
    kept = [json.loads(line)["event"]["id"] for line in file.read_text().splitlines()]
    assert kept == ["b", "c", "d"]
    spool.done(1)
    spool.close()
    assert ids(Spool(tmp_path)) == ["c", "d"]


def run(kind: str, name: str) -> EventIn:
    return {**event(f"{kind} {name}"), "type": f"run.{kind}", "subject": name}


def test_a_run_that_began_while_the_disk_was_full_is_said_to_be_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    spool = Spool(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(Unavailable):
            spool.append("u1", [run("started", "a"), run("started", "b"), run("finished", "b")])
    spool.done(3)  # the broker took them
    spool.append("u1", [event("c")])
    spool.done(1)
    spool.close()
    assert not list(tmp_path.iterdir())

    spool = Spool(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(Unavailable):
            spool.append("u1", [run("started", "a")])
    spool.done(1)
    spool.append("u1", [event("c")])
    spool.close()
    (waiting, end) = Spool(tmp_path).oldest(9)[-2:]
    assert (waiting.event["id"], end.event["subject"], end.event["type"]) == (
        "c",
        "a",
        "run.finished",
    )


def test_a_run_whose_server_died_is_said_to_be_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMPACT_BYTES", 100)
    first = Spool(tmp_path)
    first.append("u1", [run("started", "a"), run("started", "b"), run("finished", "a")])
    first.done(3)
    first.append("u1", [run("started", "c")])
    first.close()

    second = Spool(tmp_path)
    waiting = second.oldest(9)
    second.done(1)
    second.close()

    told = [(one.event["type"], one.event["subject"]) for one in waiting]
    assert told == [("run.started", "c"), ("run.finished", "b"), ("run.finished", "c")]
    assert waiting[1].event["data"]["status"] == "unknown"
    assert Spool(tmp_path).oldest(9) == waiting[1:]
