"""Logs that change, series that leave their level, and metrics that move with the symptom."""

from __future__ import annotations

import numpy as np

from tests.support.plants.plant import Plant
from tests.support.plants.world import BASELINE, WINDOW, Floats, World


def _lines(world: World, at: Floats, body: str, **columns: object) -> None:
    """Lines whose ``{}`` is another number each time."""
    numbers = world.rng.integers(1, 10_000, len(at)).astype(str)
    before, _, after = body.partition("{}")
    world.add("logs", at, body=np.char.add(np.char.add(before, numbers), after), **columns)


def _moments(world: World, start: float, per_minute: float) -> Floats:
    """Times at random, from then to the window's end."""
    count = world.rng.poisson((WINDOW - start) * per_minute / 60)
    return np.sort(world.rng.uniform(start, WINDOW, count))


def _usual_lines(world: World) -> None:
    for service, per_minute in (("cart", 40), ("pay", 20), ("stock", 30)):
        pods = np.array([f"{service}-1", f"{service}-2"])
        for body, share in (("took {} ms", 0.7), ("order {} accepted by the clerk", 0.3)):
            at = _moments(world, -BASELINE, per_minute * share)
            _lines(
                world,
                at,
                body,
                service=service,
                severity="INFO",
                pod=world.rng.choice(pods, len(at)),
            )
        at = _moments(world, -BASELINE, 1.0)
        _lines(world, at, "retry {} of the peer", service=service, severity="WARN")


def new_message(world: World, strength: float) -> None:
    """A message that was never there, as many times a minute."""
    _usual_lines(world)
    at = _moments(world, 0, strength)
    _lines(world, at, "connection {} refused by db.internal", service="pay", severity="ERROR")


def flood(world: World, strength: float) -> None:
    """One message of one pod, as many times a minute on top of ninety lines of all."""
    _usual_lines(world)
    at = _moments(world, 0, strength)
    _lines(world, at, "slot {} is taken", service="stock", severity="INFO", pod="stock-2")


def slower(world: World, strength: float) -> None:
    """The stock's own time grows by this factor from the hundredth second on."""
    trips = world.trips(per_second=4)
    late = trips.at >= 100
    trips.own_ms["stock"][late] *= 1 + strength
    world.tell(trips)


def pool(world: World, strength: float) -> None:
    """A gauge of the stock rises with its time; ten others keep their level."""
    slower(world, strength)
    at = np.arange(-BASELINE, WINDOW, 15.0)
    for number in range(10):
        level = 50 + 5 * world.rng.normal(size=len(at))
        world.add("metrics", at, name=f"gauge_{number}", kind="gauge", service="pay", value=level)
    level = 10 + world.rng.normal(size=len(at)) + np.where(at >= 100, 10 * strength, 0)
    world.add("metrics", at, name="in_use", kind="gauge", service="stock", value=level)


PLANTS = (
    Plant("logs.pattern_difference", new_message, (6, 30), {"change": "new", "severity": "ERROR"}),
    Plant("logs.rate_spike", flood, (90, 300), {"value": "slot <*> is taken", "field": "pattern"}),
    Plant("series.onset", slower, (1, 4), {"direction": "up"}, {"bucket": "15s"}),
    Plant(
        "metrics.correlated",
        pool,
        (1, 4),
        {"metric": "in_use"},
        {"symptom_service": "stock", "bucket": "15s"},
    ),
)
