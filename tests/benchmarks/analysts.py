"""Ten analysts at one broker, each with templates drawn from all there are, and a runaway query.

An analyst reads an answer for two to eight seconds, then asks again, about an hour of the large
store (`templates` tells of it): each of all templates once, in an order of their own, then again.
Templates that take less than `LIGHT_SECONDS` alone are the light ones: their p99 in company is
compared with their p99 alone, half of it measured before and half after. Halfway somebody asks a
template that never ends, in the broker's own process, and somebody else such a query of their own,
in a process of its own, for which the store is sealed before, as the first query that somebody
writes after data came may spend its time waiting for that. Then the same ten ask the same SQL, and
steps, in one process with ten threads, each as soon as it likes, for half as long and without those
that never end: what it would be were nobody's turn anybody's concern.
"""

import itertools
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from heapq import nlargest
from pathlib import Path
from statistics import median, quantiles

import duckdb

from tests.benchmarks.ingest import memory_bytes
from tests.benchmarks.table import Row
from tests.benchmarks.templates import FIRST_HOUR, LAST_HOUR, MOST_MEMORY_MB, SCALE, WINDOW, library
from tests.benchmarks.transport import in_process
from tests.support.large_store import make
from tests.support.live import Receiver, receiver
from workspace_ext.client.broker import BrokerClient
from workspace_ext.foundation.clock import Window, to_rfc3339
from workspace_ext.foundation.errors import InvestigationError, LimitExceeded
from workspace_ext.inquiry.templates.binding import BindContext, bind
from workspace_ext.inquiry.templates.stepping import after
from workspace_ext.protocol.messages import QueryRequest
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.storage.telemetry import CATALOG

ANALYSTS = 10
SECONDS = float(os.environ.get("INVESTIGATION_SECONDS", "480"))
"""So long that a p99 is not the slowest: some 300 light questions."""

READING_SECONDS = (2.0, 8.0)
LIGHT_SECONDS = 0.35
"""On two processors; what `telemetry/query/trusted.py` takes for short goes a seventh beyond."""
LIGHT_TIMES = 15
"""Before, and again after."""
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
FREE_RUNAWAY = "SELECT count(*) AS n FROM range(100000000000) r(i) WHERE hash(i) % 7 = 0"
RUNAWAY_SECONDS = 10.0
MOST_LATE_SECONDS = 1.0


Ask = Callable[[str, Window], object]
"""Asks a template, by its id, about a window."""


@dataclass
class Desk:
    """What was asked, and how long it took."""

    put: Ask
    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def ask(self, template: str, turn: int) -> None:
        """Asks, never twice the same, so that no answer comes from what was kept."""
        begun = time.perf_counter()
        self.put(template, Window(WINDOW.start_ns, WINDOW.end_ns - turn * 1000))
        self.seconds.setdefault(template, []).append(time.perf_counter() - begun)

    def work(
        self, number: int, names: list[str], turns: "itertools.count[int]", until: float
    ) -> None:
        """Asks, reads, asks again."""
        chance = random.Random(number)
        time.sleep(chance.uniform(0, READING_SECONDS[1]))
        deck: list[str] = []
        while time.perf_counter() < until:
            deck = deck or chance.sample(names, len(names))
            name = deck.pop()
            try:
                self.ask(name, next(turns))
            except (InvestigationError, duckdb.Error) as error:
                self.errors.append(f"{name}: {error}")
            time.sleep(chance.uniform(*READING_SECONDS))


def at_broker(client: BrokerClient) -> Ask:
    """Asks a broker."""

    def put(template: str, window: Window) -> object:
        asked = {"start": to_rfc3339(window.start_ns), "end": to_rfc3339(window.end_ns)}
        return client.query({"template": template, "params": {"window": asked}})

    return put


def in_this_process(cursor: duckdb.DuckDBPyConnection) -> Ask:
    """Runs the same SQL here, and the step after it."""
    templates = {each.id: each for each in library()}
    (pin,) = cursor.execute("SELECT getvariable('pin')").fetchall()[0]
    own = cursor.cursor()
    own.execute(f"USE {CATALOG}")
    own.execute(f"SET VARIABLE pin = {int(pin)}::BIGINT")

    def put(template: str, window: Window) -> object:
        chosen = templates[template]
        bound = bind(chosen, {}, BindContext(window, window.before()))
        rows = own.execute(chosen.sql, dict(bound.values)).to_arrow_table()
        return after(chosen, rows, bound.arguments) if chosen.step else rows

    return put


def run_away(broker: Receiver) -> float:
    """Seconds until the last of two queries that never end was stopped."""
    runaways: list[QueryRequest] = [{"template": "bench.runaway"}, {"sql": FREE_RUNAWAY}]

    def stopped(runaway: QueryRequest) -> float:
        begun = time.perf_counter()
        try:
            broker.client.query({**runaway, "limits": {"seconds": RUNAWAY_SECONDS}})
        except LimitExceeded:
            return time.perf_counter() - begun
        raise AssertionError("it came to an end")

    with ThreadPoolExecutor(len(runaways)) as threads:
        return max(threads.map(stopped, runaways))


def together(
    desks: list[Desk], names: list[str], seconds: float, halfway: Callable[[], None]
) -> None:
    """All at work, and something else halfway."""
    turns = itertools.count(1_000)
    until = time.perf_counter() + seconds
    threads = [
        threading.Thread(target=desk.work, args=(number, names, turns, until))
        for number, desk in enumerate(desks)
    ]
    for thread in threads:
        thread.start()
    time.sleep(seconds / 2)
    halfway()
    for thread in threads:
        thread.join()
    errors = [error for desk in desks for error in desk.errors]
    assert not errors, errors


def run() -> list[Row]:
    """Alone, then together, then together without a broker."""
    kept = os.environ.get("INVESTIGATION_STORE")
    names = [template.id for template in library()]
    stopped: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(kept) if kept else Path(name) / "store"
        make(folder, SCALE, (FIRST_HOUR, LAST_HOUR))
        path = StoreFolder.open(folder).templates / "bench" / "runaway.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(RUNAWAY)
        with receiver(folder) as broker:
            put = at_broker(broker.client)
            broker.client.query({"sql": "SELECT count(*) AS n FROM spans"})  # seals the segments
            first = Desk(put)
            for turn, each in itertools.product(range(4), names):
                first.ask(each, turn)
            usual = {each: median(seconds[1:]) for each, seconds in first.seconds.items()}
            light = {each for each in names if usual[each] <= LIGHT_SECONDS}
            alone = Desk(put)
            desks = [Desk(put) for _ in range(ANALYSTS)]
            for turn, each in itertools.product(range(LIGHT_TIMES), sorted(light)):
                alone.ask(each, 10 + turn)
            together(desks, names, SECONDS, lambda: stopped.append(run_away(broker)))
            for turn, each in itertools.product(range(LIGHT_TIMES), sorted(light)):
                alone.ask(each, 100 + turn)
            memory = memory_bytes(broker.process.pid)
        path.unlink()
        with in_process(folder, Path(name) / "copy") as cursor:
            unplanned = [Desk(in_this_process(cursor)) for _ in range(ANALYSTS)]
            together(unplanned, names, SECONDS / 2, lambda: None)
    print(f"{len(light)} of {len(names)} are light", file=sys.stderr)
    tell("alone", [alone], light)
    tell("ten at a broker", desks, light)
    tell("ten in one process", unplanned, light)
    ours = last(took_of(desks, light))
    what = f"ten analysts, light templates, p99, scale {SCALE:g}"
    return [
        Row(what, "alone", ours, last(took_of([alone], light)), "ratio", MOST_SLOWER),
        Row(what, "in one process with ten threads", ours, last(took_of(unplanned, light)),
            "ratio", 1.0),
        Row(f"runaway queries with {RUNAWAY_SECONDS:g} s, stopped after, scale {SCALE:g}", "-",
            stopped[0], 0.0, "absolute", RUNAWAY_SECONDS + MOST_LATE_SECONDS),
        Row(f"memory of the broker with ten analysts, scale {SCALE:g}", "-", memory / 1e6, 0.0,
            "absolute", MOST_MEMORY_MB, "MB"),
    ]  # fmt: skip


def took_of(desks: list[Desk], names: Collection[str]) -> list[float]:
    """Seconds of all answers of some templates."""
    return [took for desk in desks for each in names for took in desk.seconds.get(each, ())]


def tell(who: str, desks: list[Desk], light: set[str]) -> None:
    """Prints how long they waited, those with other than light templates too."""
    others = {each for desk in desks for each in desk.seconds} - light
    for kind, names in ("light", light), ("other", others):
        took = took_of(desks, names)
        if not took:
            continue
        slowest = nlargest(3, ((max(took_of(desks, [each]), default=0.0), each) for each in names))
        print(
            f"{who}: {len(took)} {kind} questions,"
            f" p50 {median(took):.3f} s, p99 {last(took):.3f} s;"
            f" slowest {', '.join(f'{name} {seconds:.2f} s' for seconds, name in slowest)}",
            file=sys.stderr,
        )


def last(seconds: list[float]) -> float:
    """The p99."""
    return quantiles(seconds, n=100, method="inclusive")[-1]
