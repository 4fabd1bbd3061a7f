"""Ten analysts at one broker, each with templates drawn from all there are, and a runaway query.

An analyst reads an answer for two to eight seconds, then asks again, about an hour of the large
store (`templates` tells of it). Templates that take less than `LIGHT_SECONDS` alone are the light
ones: their p99 in company is compared with their p99 alone, over the same mix. Halfway somebody
asks a template that never ends: it runs in the broker's own process, where it can do most harm.
"""

import itertools
import os
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from heapq import nlargest
from pathlib import Path
from statistics import median, quantiles

from tests.benchmarks.ingest import memory_bytes
from tests.benchmarks.table import Row
from tests.benchmarks.templates import FIRST_HOUR, LAST_HOUR, MOST_MEMORY_MB, SCALE, WINDOW, library
from tests.support.large_store import make
from tests.support.live import Receiver, receiver
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.clock import to_rfc3339
from workspace_ext.foundation.errors import InvestigationError, LimitExceeded
from workspace_ext.storage.folder import StoreFolder

ANALYSTS = 10
SECONDS = float(os.environ.get("INVESTIGATION_SECONDS", "240"))
READING_SECONDS = (2.0, 8.0)
LIGHT_SECONDS = 0.35
LIGHT_TIMES = 20
MOST_SLOWER = 3.0
RUNAWAY = """/*---
id: bench.runaway
version: 1
title: All with all
question: When does it end?
status: stable
params: {}
returns:
  n: BIGINT
interesting: "n > 0"
---*/
SELECT count(*) AS n FROM spans AS a, spans AS b WHERE hash(a.span_id, b.span_id) % 7 = 0
ORDER BY n
"""
RUNAWAY_SECONDS = 10.0
MOST_LATE_SECONDS = 1.0


@dataclass
class Desk:
    """What was asked, and how long it took."""

    client: BrokerClient
    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def ask(self, template: str, turn: int) -> float:
        """Asks, never twice the same, so that no answer comes from what was kept."""
        window = {
            "start": to_rfc3339(WINDOW.start_ns),
            "end": to_rfc3339(WINDOW.end_ns - turn * 1000),
        }
        begun = time.perf_counter()
        self.client.query({"template": template, "params": {"window": window}})
        took = time.perf_counter() - begun
        self.seconds.setdefault(template, []).append(took)
        return took

    def work(
        self, number: int, names: list[str], turns: "itertools.count[int]", until: float
    ) -> None:
        """Asks, reads, asks again."""
        chance = random.Random(number)
        time.sleep(chance.uniform(0, READING_SECONDS[1]))
        while time.perf_counter() < until:
            name = chance.choice(names)
            try:
                self.ask(name, next(turns))
            except InvestigationError as error:
                self.errors.append(f"{name}: {error.message}")
            time.sleep(chance.uniform(*READING_SECONDS))


def run_away(broker: Receiver) -> float:
    """Seconds until a query that never ends was stopped."""
    begun = time.perf_counter()
    try:
        limits = {"seconds": RUNAWAY_SECONDS}
        broker.client.query({"template": "bench.runaway", "limits": limits})
    except LimitExceeded:
        return time.perf_counter() - begun
    raise AssertionError("it came to an end")


def together(broker: Receiver, desks: list[Desk], names: list[str]) -> float:
    """All at work, and the runaway query halfway; the seconds until that was stopped."""
    turns = itertools.count(1_000)
    until = time.perf_counter() + SECONDS
    threads = [
        threading.Thread(target=desk.work, args=(number, names, turns, until))
        for number, desk in enumerate(desks)
    ]
    for thread in threads:
        thread.start()
    time.sleep(SECONDS / 2)
    stopped = run_away(broker)
    for thread in threads:
        thread.join()
    return stopped


def run() -> list[Row]:
    """Alone, then together."""
    kept = os.environ.get("INVESTIGATION_STORE")
    names = [template.id for template in library()]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(kept) if kept else Path(name) / "store"
        make(folder, SCALE, (FIRST_HOUR, LAST_HOUR))
        path = StoreFolder.open(folder).templates / "bench" / "runaway.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(RUNAWAY)
        with receiver(folder) as broker:
            alone = Desk(broker.client)
            for turn, each in itertools.product(range(4), names):
                alone.ask(each, turn)
            usual = {each: median(seconds[1:]) for each, seconds in alone.seconds.items()}
            light = sorted(each for each in names if usual[each] <= LIGHT_SECONDS)
            quiet = Desk(broker.client)
            for turn, each in itertools.product(range(LIGHT_TIMES), light):
                quiet.ask(each, 10 + turn)
            desks = [Desk(broker.client) for _ in range(ANALYSTS)]
            stopped = together(broker, desks, names)
            memory = memory_bytes(broker.process.pid)
    errors = [error for desk in desks for error in desk.errors]
    assert not errors, errors
    came = [
        took for desk in desks for each in light for took in desk.seconds.get(each, ())
    ]  # of the light ones
    heavy = [
        took
        for desk in desks
        for each, seconds in desk.seconds.items()
        for took in seconds
        if each not in light
    ]
    before = [took for seconds in quiet.seconds.values() for took in seconds]
    slowest = nlargest(
        3, ((max(desk.seconds.get(each, [0])), each) for desk in desks for each in light)
    )
    print(
        f"{len(light)} of {len(names)} are light; {len(came)} light and {len(heavy)} other"
        f" questions; light p50 {median(came):.3f} s against {median(before):.3f} s alone;"
        f" slowest {', '.join(f'{name} {took:.2f} s' for took, name in slowest)};"
        f" others at most {max(heavy, default=0.0):.2f} s",
        file=sys.stderr,
    )
    what = f"scale {SCALE:g}"
    return [
        Row(f"ten analysts, light templates, p99, {what}", "alone", last(came), last(before),
            "ratio", MOST_SLOWER),
        Row(f"a runaway query with {RUNAWAY_SECONDS:g} s, stopped after, {what}", "-", stopped,
            0.0, "absolute", RUNAWAY_SECONDS + MOST_LATE_SECONDS),
        Row(f"memory of the broker with ten analysts, {what}", "-", memory / 1e6, 0.0,
            "absolute", MOST_MEMORY_MB, "MB"),
    ]  # fmt: skip


def last(seconds: list[float]) -> float:
    """The p99."""
    return quantiles(seconds, n=100, method="inclusive")[-1]
