"""Five people in one notebook while browsers, connections, disk and server fail: nothing is lost.

Each step is drawn by a seed. INVESTIGATION_JOINT_ROUNDS=20 makes the long round, with other seeds.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest
from jupyter_ydoc import YNotebook

from tests.support.disk import full_disk
from tests.support.editor import Editor
from tests.support.jupyter import Jupyter, jupyter, notebook
from tests.support.waiting import until
from workspace_ext.server.history import HistoryStore

PATH = "joint.ipynb"
EDITORS = 5
FAULTS = ("socket", "browser", "disk", "server")
ROUNDS = int(os.environ.get("INVESTIGATION_JOINT_ROUNDS", "1"))


class Session:
    """A server that can be killed and started again, and the people on it."""

    def __init__(self, where: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self._where = where
        self._life = ExitStack()
        self.typed: Counter[str] = Counter()
        self._count = 0
        self.server = self.begin()
        self.server.save(PATH, notebook("1"))
        self.people = [Editor(self.server, PATH) for _ in range(EDITORS)]

    def begin(self) -> Jupyter:
        self.server = self._life.enter_context(jupyter(self._where, rtc=True))
        return self.server

    def end(self) -> None:
        for person in self.people:
            person.close()
        self._life.close()

    def type(self, edits: int) -> None:
        """Somebody adds a cell or goes on in one of theirs, again and again."""
        for _ in range(edits):
            number = self.random.randrange(EDITORS)
            person, mine = self.people[number], f"p{number}-"
            self._count += 1
            word = f"word{self._count};"
            own = [cell["id"] for cell in person.read()["cells"] if cell["id"].startswith(mine)]
            if own and self.random.random() < 0.6:
                person.type_in(self.random.choice(own), word)
            else:
                person.add(f"{mine}{self._count}", word)
            self.typed[word] += 1

    def fail(self, fault: str) -> None:
        """Something breaks, and is typed on, and is there again."""
        number = self.random.randrange(EDITORS)
        person = self.people[number]
        if fault == "socket":
            person.cut()
            self.type(8)
            person.join(self.server)
        elif fault == "browser":
            self.kept(person)
            person.cut()
            self.people[number] = Editor(self.server, PATH)
        elif fault == "disk":
            with full_disk(self.server):
                self.type(8)
                person.settle()
        else:
            self.server.process.send_signal(signal.SIGKILL)
            self.server.process.wait(10)
            self.type(8)
            self._life.close()
            self.begin()
            for one in self.people:
                one.join(self.server)

    def kept(self, person: Editor) -> None:
        """Waits until what somebody has is in the history: then they may go."""
        person.settle()
        wanted = words(sources(person))
        until(lambda: not wanted - words(self._history(person)), "the history has it")

    def _history(self, person: Editor) -> str:
        state = next(self.server.home.rglob("shared-history.db"))
        store = HistoryStore(path=f".notebook:{person.session['fileId']}.y")
        store.db_path = str(state)
        document = YNotebook()
        for update in store.updates():
            document.ydoc.apply_update(update)
        return json.dumps(document.get())


def sources(person: Editor) -> str:
    return json.dumps(person.read()["cells"], sort_keys=True)


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"word\d+;", text))


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_nothing_typed_is_lost_or_there_twice(tmp_path: Path, seed: int) -> None:
    session = Session(tmp_path, seed)
    try:
        faults = [*FAULTS, *session.random.choices(FAULTS, k=2)]
        session.random.shuffle(faults)
        for fault in faults:
            session.type(10)
            session.fail(fault)
        session.type(10)

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
    finally:
        session.end()


def saved(server: Jupyter) -> Counter[str]:
    return words((server.root / PATH).read_text())
