"""Queues that grow, neighbours that take the host, alerts, and data that is not whole."""

from __future__ import annotations

import numpy as np

from tests.support.plants.plant import Plant
from tests.support.plants.world import BASELINE, OPERATION, WINDOW, World


def growing_queue(world: World, per_minute: float) -> None:
    """A topic of three partitions grows by so many messages a minute; others wander."""
    at = np.arange(-BASELINE, WINDOW, 15.0)
    for topic in ("orders", "mails", "clicks"):
        for partition in "012":
            wander = np.abs(np.cumsum(world.rng.normal(0, 2, len(at)))) % 15 + 5
            more = np.maximum(at, 0) / 60 * per_minute / 3 * (topic == "mails")
            world.add(
                "metrics",
                at,
                name="kafka_consumergroup_lag",
                kind="gauge",
                value=np.round(wander + more),
                attributes={"topic": topic, "partition": partition},
            )


def noisy_pod(world: World, times: float) -> None:
    """A batch pod works hard on one of two hosts; what runs there takes so many times as long."""
    at = np.arange(-BASELINE, WINDOW, 15.0)
    for pod, host in (("batch-1", "n1"), ("cart-1", "n1"), ("cart-2", "n2"), ("pay-2", "n2")):
        level = world.rng.lognormal(-1, 0.2, len(at))
        level += np.where((at >= 0) & (times > 0) & (pod == "batch-1"), 3, 0)
        given = {"service": pod.split("-")[0], "pod": pod, "host": host, "kind": "gauge"}
        world.add("metrics", at, name="k8s.pod.cpu.usage", value=level, **given)
    trips = world.trips()
    for service in ("cart", "stock", "pay"):
        first = world.rng.random(len(trips.at)) < 0.5
        slow = trips.now & first & (times > 0)
        trips.own_ms[service] = np.where(slow, times, 1) * trips.own_ms[service]
        pods = np.where(first, f"{service}-1", f"{service}-2")
        trips.columns[service] = {"pod": pods, "host": np.where(first, "n1", "n2")}
    world.tell(trips)


def forgotten_alert(world: World, firings: float) -> None:
    """Nobody acts on one alert, which fires so many times; on others somebody does each time."""
    for service, times in (("pay", 8), ("web", 6)):
        at = np.sort(world.rng.choice(np.arange(0, WINDOW, 5.0), times, replace=False))
        world.add(
            "events",
            at,
            kind="alert",
            service=service,
            title=f"{service} slow",
            state="firing",
            fingerprint=service,
        )
        world.add("events", at + 1, kind="change", service=service, title="scaled")
    if firings:
        at = np.sort(world.rng.choice(np.arange(0, WINDOW, 5.0), int(firings), replace=False))
        given = {"kind": "alert", "title": "disk", "state": "firing", "fingerprint": "disk"}
        world.add("events", at, service="stock", **given)


def storm_of_alerts(world: World, alerts: float) -> None:
    """So many alerts of three services within two minutes; else one now and then."""
    world.tell(world.trips(per_second=0.2))
    at = np.sort(world.rng.uniform(-BASELINE, WINDOW, int(world.rng.poisson(3))))
    names = [f"usual {n}" for n in range(len(at))]
    world.add("events", at, kind="alert", service="mail", title=names, fingerprint=names)
    if alerts:
        at = np.sort(world.rng.uniform(100, 220, int(alerts)))
        services = [("web", "cart", "stock")[n % 3] for n in range(len(at))]
        names = [f"alert {n}" for n in range(len(at))]
        world.add("events", at, kind="alert", service=services, title=names, fingerprint=names)


def missing_minutes(world: World, minutes: float) -> None:
    """Stock sends nothing for so many minutes in the middle."""
    trips = world.trips(0, WINDOW, 1.0)
    world.tell(trips)
    at = world.rng.uniform(0, WINDOW, 400)
    kept = (at < 60) | (at >= 60 + minutes * 60)
    world.add("logs", at[kept], service="mail", severity="INFO", body="sent")
    seldom = world.rng.uniform(0, WINDOW, 4)
    world.add("logs", seldom, service="job", severity="INFO", body="done")


def same_again(world: World, shared: float) -> None:
    """One of twenty past incidents showed this share of today's ten symptoms; none, another's."""
    signs = [f"symptom {letter}" for letter in "abcdefghij"]
    for number in range(20):
        chosen = [f"other {letter}" for letter in world.rng.choice(list("klmnopqrstuvwxyz"), 6)]
        if number == 11:
            chosen += [sign for sign in signs if world.rng.random() < shared]
        told = "; ".join(f"cart: {sign}" for sign in [*chosen, "always"])
        name = f"incident {number}"
        given = {"kind": "incident", "title": name, "fingerprint": name}
        world.add("events", -86400.0 * (number + 1), attributes={"symptoms": [told]}, **given)
    for sign in [*signs, "always"]:
        world.add("logs", 10.0, service="cart", severity="ERROR", body=sign)


def slow_minutes(world: World, share: float) -> None:
    """For the last two minutes this share of all requests takes five times as long."""
    trips = world.trips()
    hurt = (trips.at > WINDOW - 120) & (world.rng.random(len(trips.at)) < share)
    for service in OPERATION:
        trips.own_ms[service] = np.where(hurt, 5, 1) * trips.own_ms[service]
    world.tell(trips)


PLANTS = (
    Plant("saturation.queue_lag", growing_queue, (60.0, 200.0), {"queue": "mails"}),
    Plant("saturation.noisy_neighbour", noisy_pod, (1.8, 3.0), {"pod": "batch-1", "host": "n1"}),
    Plant(
        "alerts.noise",
        forgotten_alert,
        (6, 12),
        {"alert": "disk", "finding": "never acted on"},
        {"flap": "2s", "act": "3s"},
    ),
    Plant("alerts.timeline", storm_of_alerts, (10, 16), {}),
    Plant("data.quality", missing_minutes, (2, 3), {"issue": "gap", "service": "mail"}),
    Plant("incidents.similar", same_again, (0.7, 0.9), {"incident": "incident 11"}),
    Plant("latency.heatmap", slow_minutes, (0.25, 0.6), {}),
)
