"""Faults of resources: pools, processors, memory."""

from __future__ import annotations

import numpy as np

from tests.support.plants.plant import Plant
from tests.support.plants.world import BASELINE, WINDOW, Floats, World

_STEP = 15.0
_POOL = "db.client.connection"


def _steps() -> Floats:
    return np.arange(-BASELINE, WINDOW, _STEP)


def full_pool(world: World, waiting: float) -> None:
    """One pod of cart has used all 20 connections; so many callers wait in the mean."""
    at = _steps()
    for pod in ("cart-1", "cart-2", "pay-1"):
        service = pod.split("-")[0]
        hurt = (at >= 0) & (waiting > 0) & (pod == "cart-1")
        given = {"service": service, "pod": pod, "kind": "gauge"}
        pool = {f"{_POOL}.pool.name": "main"}
        used = np.where(hurt, 20, np.minimum(world.rng.poisson(8, len(at)), 20)).astype(float)
        pending = np.where(hurt, world.rng.poisson(waiting, len(at)), 0).astype(float)
        used_by = {**pool, f"{_POOL}.state": "used"}
        world.add("metrics", at, name=f"{_POOL}.count", value=used, attributes=used_by, **given)
        world.add("metrics", at, name=f"{_POOL}.max", value=20.0, attributes=pool, **given)
        name = f"{_POOL}.pending_requests"
        world.add("metrics", at, name=name, value=pending, attributes=pool, **given)


def busy_processor(world: World, level: float) -> None:
    """The processor of one pod is used to this level, as far as noise lets it."""
    at = _steps()
    for pod in ("cart-1", "cart-2", "pay-1", "web-1"):
        usual = world.rng.beta(4, 6, len(at))
        busy = np.clip(world.rng.normal(level, 0.03, len(at)), 0, 1)
        hurt = (at >= 0) & (level > 0) & (pod == "pay-1")
        world.add(
            "metrics",
            at,
            name="k8s.pod.cpu_limit_utilization",
            unit="1",
            kind="gauge",
            value=np.where(hurt, busy, usual),
            service=pod.split("-")[0],
            pod=pod,
        )
        world.add(
            "metrics",
            at,
            name="container_network_receive_errors_total",
            kind="sum",
            temporality="cumulative",
            monotonic=True,
            value=np.cumsum(world.rng.poisson(0.3, len(at))).astype(float),
            service=pod.split("-")[0],
            pod=pod,
        )


def restarting(world: World, restarts: float) -> None:
    """A container restarts so many times; values come every half minute, some get lost."""
    at = np.arange(-BASELINE, WINDOW, 30.0)
    for pod in ("cart-1", "cart-2", "pay-1"):
        moments = np.sort(world.rng.uniform(40, WINDOW - 40, int(restarts)))
        count = np.searchsorted(moments, at).astype(float) if pod == "cart-2" else np.zeros(len(at))
        kept = world.rng.random(len(at)) > 0.1
        world.add(
            "metrics",
            at[kept],
            name="kube_pod_container_status_restarts_total",
            kind="sum",
            temporality="cumulative",
            monotonic=True,
            value=(count + int(world.rng.integers(0, 9)))[kept],
            service=pod.split("-")[0],
            pod=pod,
            attributes={"container": "app"},
        )


def memory_grows(world: World, megabytes: float) -> None:
    """One pod holds so many megabytes more; all vary by some two."""
    at = _steps()
    trips = world.trips(per_second=0.3)
    world.tell(trips)
    for pod in ("cart-1", "cart-2", "pay-1", "pay-2"):
        more = np.where((at >= 0) & (pod == "pay-2"), megabytes, 0)
        world.add(
            "metrics",
            at,
            name="container.memory.usage",
            unit="MiBy",
            kind="gauge",
            value=100 + world.rng.normal(0, 2, len(at)) + more,
            service=pod.split("-")[0],
            pod=pod,
        )


PLANTS = (
    Plant(
        "saturation.pool_exhaustion",
        full_pool,
        (0.5, 5.0),
        {"pod": "cart-1", "finding": "exhausted"},
    ),
    Plant("saturation.use", busy_processor, (0.93, 0.99), {"pod": "pay-1", "resource": "cpu"}),
    Plant("runtime.restarts", restarting, (1, 4), {"pod": "cart-2"}),
    Plant("metrics.shift", memory_grows, (40.0, 80.0), {"pod": "pay-2"}),
)
