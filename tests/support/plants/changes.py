"""Faults that a change brings, or a fix takes away."""

from __future__ import annotations

import numpy as np

from tests.support.plants.plant import Plant
from tests.support.plants.world import WINDOW, World


def bad_deploy(world: World, share: float) -> None:
    """The deploy of pay, one of three, makes this share of its calls fail."""
    trips = world.trips()
    trips.failed["pay"] |= (trips.at >= 60) & (world.rng.random(len(trips.at)) < share)
    world.tell(trips)
    for at, service in ((20.0, "cart"), (60.0, "pay"), (100.0, "web")):
        title = f"{service} v2"
        world.add("events", at, kind="deploy", service=service, version="v2", title=title)


def change_before_onset(world: World, share: float) -> None:
    """Half an hour of changes all over the shop; the last of stock makes it fail."""
    trips = world.trips()
    trips.failed["stock"] |= trips.now & (world.rng.random(len(trips.at)) < share)
    world.tell(trips)
    often = np.sort(world.rng.uniform(-7 * 86400, -300, 200))
    world.add("events", often, kind="change", service="mail", title="scaled")
    weekly = np.arange(-14, 0) * 86400.0 + world.rng.uniform(0, 80000, 14)
    for service in ("cart", "pay", "web"):
        world.add("events", weekly - 7200, kind="deploy", service=service, title=f"{service} v1")
    if share > 0:
        at = -float(world.rng.uniform(30, 120))
        world.add("events", at, kind="flag", service="stock", title="new index")
    world.add(
        "events", -float(world.rng.uniform(60, 600)), kind="change", service="mail", title="up"
    )


def fixed(world: World, share: float) -> None:
    """Pay failed in this share of its calls, and does so no more."""
    trips = world.trips()
    trips.failed["pay"] |= ~trips.now & (world.rng.random(len(trips.at)) < share)
    world.tell(trips)


def new_error(world: World, count: float) -> None:
    """So many lines of an error that was never there, among four that always are."""
    for number, service in enumerate(("web", "cart", "stock", "pay")):
        times = world.rng.uniform(-40 * 60, WINDOW, 60 * (number + 1))
        texts = [f"timeout after {ms} ms" for ms in world.rng.integers(10, 999, len(times))]
        world.add("logs", times, service=service, severity="ERROR", body=texts)
        times = world.rng.uniform(-40 * 60, WINDOW, 300)
        world.add("logs", times, service=service, severity="INFO", body="served")
    if count:
        times = np.sort(world.rng.uniform(0, WINDOW, int(count)))
        texts = [f"connection {n} refused by pool" for n in range(len(times))]
        world.add("logs", times, service="cart", severity="ERROR", body=texts)


PLANTS = (
    Plant(
        "changes.deploys",
        bad_deploy,
        (0.15, 0.4),
        {"service": "pay", "finding": "fails more"},
        {"before": "10m", "after": "5m", "settle": "5s"},
    ),
    Plant(
        "changes.ranking", change_before_onset, (0.1, 0.3), {"service": "stock", "hurt": "itself"}
    ),
    Plant(
        "changes.fix_verification", fixed, (0.1, 0.3), {"conclusion": "fixed"}, {"service": "pay"}
    ),
    Plant("errors.first_seen", new_error, (4, 20), {"service": "cart"}, {"history": "40m"}),
)
