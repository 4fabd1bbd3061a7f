"""A folder that is watched, by the command as a person runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import COMMAND_LINE, Command
from tests.support.payloads import SYSLOG
from tests.support.waiting import until

LINES = SYSLOG.splitlines(keepends=True)
MORE = "<165>1 2003-10-11T22:14:16.003Z mymachine.example.com evntslog - ID47 - one more\n"


class Watching:
    def __init__(self, process: subprocess.Popen[str], out: Path, err: Path) -> None:
        self.process, self._out, self._err = process, out, err

    @property
    def told(self) -> list[dict[str, Any]]:
        lines = self._out.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]  # the last grows yet

    @property
    def notes(self) -> str:
        return self._err.read_text()

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        until(lambda: len(self.told) >= count, f"{count} lines: {self.notes}", 60)
        return self.told

    def end(self) -> dict[str, Any]:
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(60) == 0, self.notes
        return self.told[-1]["watched"]


Start = Callable[..., Any]


@pytest.fixture
def watching(store: Path, tmp_path: Path) -> Start:
    folder = tmp_path / "in"
    folder.mkdir()

    @contextmanager
    def start(number: int = 0) -> Iterator[Watching]:
        out, err = tmp_path / f"out{number}", tmp_path / f"err{number}"
        arguments = ["ingest", "--store", store, "--watch", folder, "--every", "0.05", "--json"]
        with out.open("w") as stdout, err.open("w") as stderr:
            process = subprocess.Popen([*COMMAND_LINE, *arguments], stdout=stdout, stderr=stderr)
        try:
            until(lambda: "Watches" in err.read_text(), "it watches", 60)
            yield Watching(process, out, err)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(60)

    return start


def test_files_come_grow_and_are_bad(watching: Start, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "first.log").write_text(LINES[0])
    with watching() as run:
        (first,) = run.wait_for(1)
        assert (first["name"], first["rows"]) == ("first.log", {"logs": 1})
        (folder / "bad.txt").write_text("what is this\n")
        failed = run.wait_for(2)[1]
        assert (failed["name"], failed["error"]["code"]) == ("bad.txt", "unknown_format")
        (folder / "deep").mkdir()
        (folder / "deep" / ".hidden").write_text(LINES[1])
        (folder / "deep" / "second.log.part").write_text("".join(LINES[1:]))
        (folder / "deep" / "second.log.part").rename(folder / "deep" / "second.log")
        assert run.wait_for(3)[2]["name"] == str(Path("deep", "second.log"))
        assert run.told[2]["rows"] == {"logs": 2}
        with (folder / "first.log").open("a") as growing:
            growing.write(MORE)
        grown = run.wait_for(4)[3]
        assert (grown["name"], grown["rows"], grown["duplicates"]) == ("first.log", {"logs": 1}, 1)
        (folder / "bad.txt").write_text("<34>1 - - - - - - now it is good\n")
        assert run.wait_for(5)[4]["rows"] == {"logs": 1}
        sums = run.end()
    assert sums == {"taken": 4, "already": 0, "failed": 1, "rows": {"logs": 5}}
    assert len(run.told) == 6  # each was told once
    with watching(1) as again:
        (folder / "last.log").write_text(MORE.replace("one", "two"))
        assert again.wait_for(1)[0]["name"] == "last.log"
        until(lambda: again.process.poll() is None, "it runs")
        sums = again.end()
    assert sums["rows"] == {"logs": 1}
    assert (sums["taken"], sums["already"]) == (1, 3)


def test_a_broker_that_is_gone_comes_again(watching: Start, tmp_path: Path, store: Path) -> None:
    """It is no fault of the file: the next look tries again."""
    with watching() as run:
        os.kill(json.loads((store / "broker.json").read_text())["pid"], signal.SIGKILL)
        (tmp_path / "in" / "a.log").write_text(LINES[0])
        until(lambda: any("rows" in line for line in run.told), run.notes, 60)
        assert run.end()["failed"] == 0


def test_wrong_use(command: Command, store: Path) -> None:
    for wrong in ([], ["a.csv", "--watch", "."], ["--watch", "nowhere"], ["--every", "0"]):
        done = command("ingest", "--store", store, *wrong)
        assert (done.code, "Hint:" in done.err) == (2, True), (wrong, done)
