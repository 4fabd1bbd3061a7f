"""A made-up system of many services in which nothing is wrong: whoever cries there cries wolf.

Requests go down a tree of services whose own times vary a lot; each service fails now and then,
writes lines, and has pods with metrics that wander. A job runs once an hour, somebody deploys, an
alert fires. Everything comes from the seed, but for the tree, which is always the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from workspace_ext.foundation.clock import Window
from workspace_ext.inquiry.planting.world import ORIGIN_NS, Floats, World
from workspace_ext.inquiry.templates.binding import BindContext, bind
from workspace_ext.inquiry.templates.judge import Judge
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.inquiry.templates.sandbox import fresh_store
from workspace_ext.inquiry.templates.stepping import after
from workspace_ext.telemetry.query.trusted import open_reader

SERVICES = 24
PODS = (1, 2, 3)
_TREE = np.random.default_rng(7)
_PARENT = [-1, *(int(_TREE.integers(0, number)) for number in range(1, SERVICES))]
_SHARE = _TREE.uniform(0.05, 0.9, SERVICES)
_OWN_MS = np.exp(_TREE.normal(np.log(10), 1, SERVICES))
_FAILING = np.exp(_TREE.uniform(np.log(0.0001), np.log(0.0015), SERVICES))


@dataclass(frozen=True)
class Shape:
    """How long window and baseline are, in seconds, and what requests are like.

    Attributes:
        rate: Requests a second.
        spread: Of the logarithm of a service's own time.
        bursts: Whether requests come several at once.
    """

    window: float = 900.0
    baseline: float = 900.0
    rate: float = 2.0
    spread: float = 0.8
    bursts: bool = False

    @property
    def context(self) -> BindContext:
        """The window and the baseline, which end and begin at the same moment."""
        return BindContext(
            Window(ORIGIN_NS, ORIGIN_NS + int(self.window * 1e9)),
            Window(ORIGIN_NS - int(self.baseline * 1e9), ORIGIN_NS),
        )


SHAPES = {
    "15 min against 15": Shape(),
    "little traffic": Shape(rate=0.2),
    "5 min against 3 h": Shape(window=300, baseline=10_800, rate=0.5),
    "1 h against 10 min": Shape(window=3600, baseline=600, rate=0.5),
    "heavy tails": Shape(window=600, baseline=600, rate=0.5, spread=1.5),
    "bursts": Shape(rate=0.7, bursts=True),
}


def alarms(templates: list[Template], shape: Shape, seed: int) -> Iterator[tuple[str, str]]:
    """Which templates find something there, and what they say."""
    world = World(seed)
    _requests(world, shape)
    _around(world, shape)
    store = fresh_store()
    try:
        store.execute("SET memory_limit = '2GB'")
        world.fill(store)
        for template in templates:
            bound = bind(template, {}, shape.context)
            reader = open_reader(store, template.sql, bound.values, stream=False)
            judge = Judge(template, bound.arguments)
            for batch in after(template, reader.read_all(), bound.arguments).to_batches():
                judge.feed(batch)
            verdict = judge.verdict()
            if verdict["interesting"]:
                yield template.id, verdict["reason"]
    finally:
        store.close()


def _requests(world: World, shape: Shape) -> None:
    rng = world.rng
    count = int(rng.poisson((shape.window + shape.baseline) * shape.rate))
    at: Floats = rng.uniform(-shape.baseline, shape.window, count)
    if shape.bursts:
        at = np.repeat(at, rng.geometric(0.3, count))
        at = rng.permutation(at + rng.uniform(0, 2, len(at)))[:count]
    at = np.sort(np.clip(at, -shape.baseline, shape.window - 1e-3))
    called = [np.ones(count, dtype=bool)]
    for number in range(1, SERVICES):
        called.append(called[_PARENT[number]] & (rng.random(count) < _SHARE[number]))
    own = [ms * rng.lognormal(0, shape.spread, count) for ms in _OWN_MS]
    failed = [called[n] & (rng.random(count) < _FAILING[n]) for n in range(SERVICES)]
    below = [[n for n in range(SERVICES) if _PARENT[n] == parent] for parent in range(SERVICES)]
    total, marked = [each.copy() for each in own], [each.copy() for each in failed]
    for number in reversed(range(SERVICES)):
        for child in below[number]:
            total[number] += total[child] * called[child]
            marked[number] |= marked[child] & (rng.random(count) < 0.9)
    starts = [at] * SERVICES
    for number in range(SERVICES):
        begin = starts[number] + own[number] / 2e3
        for child in below[number]:
            starts[child] = begin
            begin = begin + total[child] * called[child] / 1e3
    names = np.arange(count).astype(str)
    for number in range(SERVICES):
        _spans(world, number, starts[number], total[number], marked[number], called[number], names)
        _lines(world, number, starts[number], failed[number], called[number], names)


def _spans(
    world: World,
    number: int,
    at: Floats,
    ms: Floats,
    failed: np.ndarray,
    called: np.ndarray,
    names: np.ndarray,
) -> None:
    rng, service, size = world.rng, f"svc{number:02d}", int(called.sum())
    pods = rng.integers(1, len(PODS) + 1, size)
    parent = np.char.add(f"{_PARENT[number]}-", names[called]) if number else None
    world.add(
        "spans",
        at[called],
        duration_ns=(ms[called] * 1e6).astype(np.int64),
        trace_id=np.char.add("t", names[called]),
        span_id=np.char.add(f"{number}-", names[called]),
        parent_span_id=parent,
        name=f"do {service}",
        kind="server",
        service=service,
        status=np.where(failed[called], "error", "ok"),
        version="v1",
        pod=np.char.add(f"{service}-", pods.astype(str)),
        host=np.char.add("host", ((pods + number) % 5).astype(str)),
        attributes={
            "http.route": np.char.add("/r", rng.integers(0, 8, size).astype(str)),
            "tenant": np.char.add("t", (rng.zipf(1.6, size) % 50).astype(str)),
        },
    )


def _lines(
    world: World,
    number: int,
    at: Floats,
    failed: np.ndarray,
    called: np.ndarray,
    names: np.ndarray,
) -> None:
    rng, service = world.rng, f"svc{number:02d}"
    for severity, of, say in (
        ("INFO", called & (rng.random(len(at)) < 0.5), "handled order {} in {} ms"),
        ("ERROR", failed, "TimeoutError: order {} not done within {} ms"),
        ("ERROR", failed, "RetryError: order {} not done again within {} ms"),
    ):
        told = zip(rng.integers(1, 9999, of.sum()), rng.integers(1, 99, of.sum()), strict=True)
        world.add(
            "logs",
            at[of],
            service=service,
            severity=severity,
            body=[say.format(*each) for each in told],
            trace_id=np.char.add("t", names[of]),
            span_id=np.char.add(f"{number}-", names[of]),
        )


def _around(world: World, shape: Shape) -> None:
    """Metrics, the hourly job, deploys and alerts."""
    rng, length = world.rng, shape.window + shape.baseline
    for number in range(SERVICES):
        for pod in PODS:
            _metrics(world, shape, f"svc{number:02d}", pod, f"host{(pod + number) % 5}")
    for begin in np.arange(-shape.baseline + rng.uniform(0, 3600), shape.window, 3600.0):
        at = begin + np.arange(12) * 0.5
        ids = [f"job{begin:.0f}-{number}" for number in range(12)]
        lasts = (rng.lognormal(0, 0.3, 12) * 5e7).astype(np.int64)
        about = {"name": "tidy", "kind": "server", "service": "job", "status": "ok"}
        world.add("spans", at, duration_ns=lasts, trace_id=ids, span_id=ids, **about)
    for kind, title, every in (("deploy", "deployed", 7200), ("alert", "Slow", 1800)):
        for at in rng.uniform(-shape.baseline, shape.window, rng.poisson(length / every)):
            service = f"svc{rng.integers(SERVICES):02d}"
            world.add("events", at, kind=kind, title=title, service=service, version="v1")


def _metrics(world: World, shape: Shape, service: str, pod: int, host: str) -> None:
    rng = world.rng
    at = np.arange(-shape.baseline + rng.uniform(0, 30), shape.window, 30.0)
    noise = rng.normal(0, 1, len(at))
    wander = np.zeros(len(at))
    for place in range(1, len(at)):
        wander[place] = 0.7 * wander[place - 1] + noise[place]
    counter = {"kind": "sum", "monotonic": True, "temporality": "cumulative"}
    pool = {"pool.name": np.full(len(at), "main"), "state": np.full(len(at), "used")}
    for name, value, about in (
        ("container.cpu.utilization", np.clip(0.3 + 0.05 * wander, 0, 1), {"kind": "gauge"}),
        ("container.memory.usage", 2e8 * (1 + 0.002 * np.cumsum(noise)), {"kind": "gauge"}),
        ("container.cpu.time", np.cumsum(np.clip(9 + 1.5 * wander, 0, None)), counter),
        ("container_network_receive_errors_total", np.cumsum(rng.poisson(0.3, len(at))), counter),
        ("db.client.connection.count", np.clip(np.round(6 + 2 * wander), 0, 20), {"kind": "gauge"}),
        ("db.client.connection.max", np.full(len(at), 20), {"kind": "gauge"}),
    ):
        given = {**about, "attributes": pool} if name.startswith("db.") else about
        place = {"service": service, "pod": f"{service}-{pod}", "host": host}
        world.add("metrics", at, name=name, value=value.astype(float), **place, **given)
    every = np.arange(-shape.baseline, shape.window, 60.0)
    if pod == PODS[0]:
        depth = rng.poisson(20, len(every)).astype(float)
        about = {"kind": "gauge", "service": service}
        name, topic = "kafka.consumer_group.lag", {"topic": np.full(len(every), service)}
        world.add("metrics", every, name=name, value=depth, attributes=topic, **about)
