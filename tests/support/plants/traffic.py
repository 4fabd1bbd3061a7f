"""Faults in requests: they fail, take longer, or are tried again."""

from __future__ import annotations

import numpy as np

from tests.support.plants.plant import Plant
from tests.support.plants.world import BASELINE, WINDOW, World


def failing_stock(world: World, share: float) -> None:
    """This share of the stock's calls fails."""
    trips = world.trips()
    trips.failed["stock"] |= trips.now & (world.rng.random(len(trips.at)) < share)
    world.tell(trips)


def slow_pay(world: World, times: float) -> None:
    """Pay takes so many times as long."""
    trips = world.trips()
    trips.own_ms["pay"] = np.where(trips.now & (times > 0), times, 1) * trips.own_ms["pay"]
    world.tell(trips)


def slow_version(world: World, times: float) -> None:
    """A third of pay's calls go to a new version, which takes so many times as long."""
    trips = world.trips()
    new = world.rng.random(len(trips.at)) < 1 / 3
    trips.own_ms["pay"] = np.where(trips.now & new & (times > 0), times, 1) * trips.own_ms["pay"]
    trips.columns["pay"] = {"version": np.where(new, "v2", "v1")}
    world.tell(trips)


def failing_pod(world: World, share: float) -> None:
    """One pod of stock fails, in this share of its calls."""
    trips = world.trips()
    sick = world.rng.random(len(trips.at)) < 0.5
    trips.columns["stock"] = {"pod": np.where(sick, "stock-1", "stock-2")}
    trips.failed["stock"] |= trips.now & sick & (world.rng.random(len(trips.at)) < share)
    world.tell(trips)


def retries(world: World, share: float) -> None:
    """Web tries to charge again, up to twice, where pay fails: this share of the calls."""
    trips = world.trips()
    trips.failed["pay"] |= trips.now & (world.rng.random(len(trips.at)) < share)
    ids = world.tell(trips)
    again = np.flatnonzero(trips.failed["pay"])
    late = trips.at[again] + 1
    for attempt in (1, 2):
        failed = world.rng.random(len(again)) < share
        world.add(
            "spans",
            late + attempt / 2,
            duration_ns=20_000_000,
            trace_id=ids["trace"][again],
            span_id=np.char.add(ids["pay"][again], f"-{attempt}"),
            parent_span_id=ids["web"][again],
            name="charge",
            kind="server",
            service="pay",
            status=np.where(failed, "error", "ok"),
        )
        again, late = again[failed], late[failed]


def burning_budget(world: World, rate: float) -> None:
    """Pay fails so many times as often as a budget of 1 in 50 allows, for an hour."""
    trips = world.trips(WINDOW - 3600, WINDOW, 0.4)
    trips.failed["pay"] |= world.rng.random(len(trips.at)) < rate * 0.02
    trips.failed["web"][:] = trips.failed["cart"][:] = trips.failed["stock"][:] = False
    world.tell(trips)


def failing_later(world: World, share: float) -> None:
    """The stock fails in the window's second half, of which minutes are missing in both."""
    trips = world.trips()
    trips.failed["stock"] |= (trips.at > WINDOW / 2) & (world.rng.random(len(trips.at)) < share)
    keep = (trips.at % 240 > 60) | (trips.at > WINDOW - 60) | (trips.at < 60 - BASELINE)
    trips.at = trips.at[keep]
    for values in (trips.own_ms, trips.failed):
        for service in values:
            values[service] = values[service][keep]  # type: ignore[assignment]
    world.tell(trips)


PLANTS = (
    Plant("triage.overview", failing_stock, (0.1, 0.3), {"finding": "fails more"}),
    Plant("errors.origin", failing_stock, (0.1, 0.3), {"service": "stock"}),
    Plant("errors.origin", failing_later, (0.2, 0.5), {"service": "stock"}, name="gaps"),
    Plant("latency.shift", slow_pay, (2.0, 4.0), {"service": "pay", "where_spent": "itself"}),
    Plant("dependencies.map", slow_pay, (3.0,), {"callee": "pay"}),
    Plant(
        "attributes.compare",
        failing_pod,
        (0.25, 0.5),
        {"value": "stock-1"},
        {"bad": "failing", "service": "stock"},
    ),
    Plant("attributes.compare", slow_version, (2.0, 4.0), {"value": "v2"}, {"service": "pay"}),
    Plant(
        "traffic.by_dimension",
        slow_version,
        (2.0, 4.0),
        {"value": "v2", "finding": "slower"},
        {"dimension": "version", "service": "pay"},
    ),
    Plant("traffic.by_dimension", failing_stock, (0.1, 0.3), {"finding": "fails more"}),
    Plant("latency.self_time", slow_pay, (1.7, 3.0), {"service": "pay"}),
    Plant("traces.critical_path", slow_pay, (1.7, 3.0), {"service": "pay"}),
    Plant("dependencies.blast_radius", failing_stock, (0.1, 0.3), {"service": "stock"}),
    Plant("traffic.retry_storm", retries, (0.25, 0.6), {"callee": "pay", "operation": "charge"}),
    Plant(
        "slo.burn_rate",
        burning_budget,
        (20.0, 30.0),
        {"service": "pay"},
        {"objective": 0.98, "reach": "1h"},
    ),
)
