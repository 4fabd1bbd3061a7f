"""Five people in one notebook while browsers, connections, disk and server fail: nothing is lost.

They type and run cells on one kernel. Each step is drawn by a seed.
INVESTIGATION_JOINT_ROUNDS=20 makes the long round, with other seeds.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
from collections import Counter
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from jupyter_ydoc import YNotebook

from tests.support.disk import full_disk
from tests.support.jupyter import Jupyter, jupyter, notebook
from tests.support.tab import Run, Tab
from tests.support.waiting import as_written, files_named, until
from workspace_ext.cli.main import main
from workspace_ext.server.history import HistoryStore

PATH = "joint.ipynb"
EDITORS = 5
FAULTS = ("socket", "browser", "disk", "server")
ROUNDS = int(os.environ.get("INVESTIGATION_JOINT_ROUNDS", "1"))
AWAY_SECONDS = 1.5
"""Longer than the server waits for a page before it writes that page's outputs itself."""


class Session:
    """A server that can be killed and started again, and the people on it."""

    def __init__(self, where: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self._where = where
        self._life = ExitStack()
        self.typed: Counter[str] = Counter()
        self.runs: list[Run] = []
        self.lost: set[str] = set()
        self.unsure: set[str] = set()
        self._count = 0
        self.server = self.begin()
        self.server.save(PATH, notebook("1"))
        self.people = [Tab(self.server, PATH) for _ in range(EDITORS)]

    def begin(self) -> Jupyter:
        self.server = self._life.enter_context(jupyter(self._where, rtc=True))
        return self.server

    def end(self) -> None:
        for person in self.people:
            person.close()
        self._life.close()

    def work(self, times: int, *, away: Collection[Tab] = ()) -> None:
        """Somebody adds a cell, goes on in one of theirs or runs it, again and again.

        Args:
            times: How often.
            away: Who has no connection just now, and only types.
        """
        for _ in range(times):
            number = self.random.randrange(EDITORS)
            person, mine = self.people[number], f"p{number}-"
            own = [cell["id"] for cell in person.read()["cells"] if cell["id"].startswith(mine)]
            self._count += 1
            word = f"word{self._count};"
            self.typed[word] += 1
            line = f'print("{word}", flush=True)\n'
            if own and self.random.random() < 0.6:
                key = self.random.choice(own)
                person.type_in(key, line)
            else:
                key = f"{mine}{self._count}"
                person.add(key, f"import time; time.sleep(0.02)\n{line}")
            runs = self.random.random() < 0.5 and person not in away
            run = person.run(key) if runs else None
            self.runs += [run] if run else []

    def fail(self, fault: str) -> None:
        """Something breaks, and is worked on, and is there again."""
        number = self.random.randrange(EDITORS)
        person = self.people[number]
        if fault == "socket":
            self._cut(person)
            self.work(8, away=[person])
            self._wait_away()
            person.join(self.server)
        elif fault == "browser":
            self.kept(person)
            self._cut(person)
            self.people[number] = Tab(self.server, PATH)
        elif fault == "disk":
            with full_disk(self.server):
                self.work(8)
                person.settle()
        else:
            self.kill()

    def kill(self) -> None:
        self.server.process.send_signal(signal.SIGKILL)
        self.server.process.wait(10)
        self.lost |= {run.id for run in self.runs if not run.acknowledged}
        for one in self.people:
            one.cut()
        self.work(8, away=self.people)
        self._life.close()
        self.begin()
        for one in self.people:
            one.join(self.server)

    def _cut(self, person: Tab) -> None:
        """What somebody asked for in this moment may never leave their machine."""
        person.cut()
        self.unsure |= {run.id for run in person.runs.values() if not run.arrived}

    def kept(self, person: Tab) -> None:
        """Waits until what somebody has is in the history: then they may go."""
        person.settle()
        wanted = words(sources(person))
        until(lambda: not wanted - words(self._history(person)), "the history has it")

    def _wait_away(self) -> None:
        """Sometimes the server has taken a page's runs over before the page is back."""
        if self.random.random() < 0.5:
            self.rest()
            back = monotonic() + AWAY_SECONDS
            until(lambda: monotonic() > back, "some time passed")

    def rest(self) -> None:
        """Waits until the kernel has run all that it was asked for."""

        def states() -> set[str]:
            sessions = self.server.request("GET", "/api/sessions")
            return {one["kernel"]["execution_state"] for one in sessions}

        until(lambda: states() == {"idle"}, "the kernel is through")

    def cells(self) -> list[dict[str, Any]]:
        """What the first of them sees."""
        cells: list[dict[str, Any]] = self.people[0].read()["cells"]
        return cells

    def _history(self, person: Tab) -> str:
        (state,) = files_named("shared-history.db", self.server.home)
        store = HistoryStore(path=f".notebook:{person.session['fileId']}.y")
        store.db_path = str(state)
        document = YNotebook()
        for update in store.updates():
            document.ydoc.apply_update(update)
        return sources_of(document.get()["cells"])

    def wrong_outputs(self) -> dict[str, Any]:
        """The cells that do not show what their last run printed, once."""
        last = {run.cell: run for run in self.runs}
        shown = {cell["id"]: words(json.dumps(cell["outputs"])) for cell in self.cells()}
        wrong = {}
        for key, run in last.items():
            wanted = words(run.source)
            may_miss = run.id in self.lost
            if shown[key] != wanted and not (may_miss and shown[key] <= wanted):
                wrong[key] = run, shown[key]
        return wrong


def sources(person: Tab) -> str:
    return sources_of(person.read()["cells"])


def sources_of(cells: list[dict[str, Any]]) -> str:
    """All cells' sources, and only those: outputs have the same words."""
    return json.dumps({cell["id"]: cell["source"] for cell in cells}, sort_keys=True)


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"word\d+;", text))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_typed_or_run_is_lost_or_there_twice(
    tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session(tmp_path, seed)
    try:
        faults = [*FAULTS, *session.random.choices(FAULTS, k=2)]
        session.random.shuffle(faults)
        for fault in faults:
            session.work(10)
            session.fail(fault)
        session.work(10)

        for person in session.people:
            person.settle()
        first = session.people[0]
        until(
            lambda: all(sources(one) == sources(first) for one in session.people),
            "all see the same",
        )
        assert words(sources(first)) == session.typed, (seed, faults)
        ids = [cell["id"] for cell in first.read()["cells"]]
        assert len(ids) == len(set(ids))
        assert "c1" in ids
        until(lambda: saved(session.server) == session.typed, "the file has it all")
        on_record(session)
        try:
            until(lambda: not session.wrong_outputs(), "each cell shows its last run once")
        finally:
            wrong = session.wrong_outputs()
            assert not wrong, (seed, faults, wrong)
    finally:
        session.end()
    way_back(session)
    capsys.readouterr()


def on_record(session: Session) -> None:
    """Each run that reached the server is on record, once, all in one investigation.

    A kill in the moment of its opening may leave another one that nothing was ever recorded in.
    """
    session.rest()
    client = session.server.broker()
    uids = [str(found["uid"]) for found in client.investigations()]
    (uid,) = [one for one in uids if client.state(one)["steps"]]

    def told(kind: str) -> Counter[str]:
        entries = client.entries(uid, limit=10_000)
        return Counter(one["subject"] for one in entries if one["type"] == kind)

    def ended() -> Counter[str]:
        return told("run.finished")

    session.lost |= session.unsure - set(told("run.started"))
    wanted = {run.id for run in session.runs if run.acknowledged or run.id not in session.lost}
    assert wanted
    until(lambda: wanted <= set(ended()), "all runs are on record")
    assert max(ended().values()) == 1
    steps = client.state(uid)["steps"]
    assert {steps[run]["status"] for run in wanted} == {"ok"}
    assert client.verify()["ok"]


def way_back(session: Session) -> None:
    """After all that the file is cut; the journal has every cell."""
    file = session.server.root / PATH
    before = json.loads(file.read_text())["cells"]
    file.write_text(file.read_text()[:100])
    store = str(session.server.store)
    assert main(["restore", str(file), "--from-journal", "--store", store]) == 0
    after = json.loads(file.read_text())["cells"]
    assert [(c["id"], "".join(c["source"])) for c in after] == [
        (c["id"], "".join(c["source"])) for c in before
    ]


def saved(server: Jupyter) -> Counter[str]:
    return words(sources_of(as_written(server.root / PATH).get("cells", [])))
