"""Made-up incidents of which only metrics are known, as the rows the step ``rca.ranking`` gets.

Services of 8 to 40 call each other in layers. Rates, errors and times follow from the calls, what
instances use follows from the rates; all of it drifts. What differs from system to system is drawn:
names and units, whether the call graph is known, who measures how long a call took, how often, and
how many instances there are. Knows nothing of how causes are ranked.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tests.support.planted import SCHEMA, SECOND, START, Planted, asked

FAULTS = ("processor", "memory", "disk", "delay", "loss", "errors")
QUIET = ("nothing", "surge")
NAMES = {
    "shorthand": ("cpu", "mem", "diskio", "latency-50", "latency-90", "error", "workload"),
    "mesh": (
        *("container_cpu_usage_cores", "container_memory_working_set_bytes"),
        *("container_fs_writes_bytes", "istio_request_duration_milliseconds_p50"),
        *("istio_request_duration_milliseconds_p90", "istio_requests_5xx", "istio_requests"),
    ),
    "conventions": (
        *("k8s.pod.cpu.usage", "k8s.pod.memory.usage", "system.disk.io"),
        *("http.server.request.duration.p50", "http.server.request.duration.p90"),
        *("http.server.request.errors", "http.server.request.count"),
    ),
    "cloud": (
        *("CPUUtilization", "MemoryUtilization", "WriteThroughputDisk", "ResponseTime.p50"),
        *("ResponseTime.p90", "Faults.Sum", "RequestCount.Sum"),
    ),
    "scraped": (
        *("container_cpu_usage_seconds_total", "container_memory_working_set_bytes"),
        *("container_fs_writes_bytes_total", "", "rpc_duration_seconds"),
        *("rpc_requests_failed_total", "rpc_requests_total"),
    ),
    "histograms": (
        *("process.cpu.time", "process.memory.usage", "process.disk.io", "", "rpc.server.duration"),
        *("rpc.server.duration errors", ""),
    ),
    "opaque": ("m01", "m02", "m03", "m04", "m05", "m06", "m07"),
}
"""What is measured, as seven sorts of systems call it; two of them count up."""
POINTS = 40
"""In the window; the fault begins after its first quarter and before its second half."""
USUAL = 120
"""Points before the window."""

Floats = NDArray[np.float64]


@dataclass
class Metered(Planted):
    """A system and what happens to it: one of `FAULTS` or `QUIET`."""

    def __post_init__(self) -> None:
        draw = self.draw = random.Random(f"{self.seed} {self.kind} metered")
        self.noise = np.random.default_rng(draw.randrange(2**32))
        self.size = draw.choice((8, 12, 20, 40))
        self.services = [f"{draw.choice(_ADJECTIVES)}{at}" for at in range(self.size)]
        self.style = draw.choice(sorted(NAMES))
        self.step = draw.choice((5, 15, 60))
        self.knows_calls = draw.random() < 0.5
        self.knows_symptom = draw.random() < 0.7
        self.by_caller = self.kind in {"delay", "loss"} or draw.random() < 0.5
        self.pods = [draw.choice((1, 1, 2, 3)) for _ in self.services]
        self.catches = [draw.random() < 0.3 for _ in self.services]
        layer = [0, *sorted(draw.randrange(1, 4) for _ in range(self.size - 1))]
        self.callees: list[dict[int, float]] = [{} for _ in self.services]
        for at in range(1, self.size):
            above = [up for up in range(at) if layer[up] == layer[at] - 1] or [0]
            for up in draw.sample(above, min(len(above), draw.choice((1, 1, 2)))):
                self.callees[up][at] = draw.choice((0.3, 1.0, 1.0, 2.0))
        self.lost = draw.choice((0.0, 0.0, 0.1))
        self.guilty = draw.randrange(1, self.size) if self.kind in FAULTS else -1
        self.onset = draw.randrange(POINTS // 4, POINTS // 2)

    @property
    def onset_s(self) -> int:
        return self.onset * self.step

    @property
    def params(self) -> dict[str, Any]:
        """Those of the template."""
        names = NAMES[self.style]
        symptom = names[5] if self.kind == "errors" else names[4]
        told = {"service": self.services[0], "symptom": symptom} if self.knows_symptom else {}
        return asked(POINTS * self.step, USUAL * self.step) | told

    def table(self) -> pa.Table:
        """All rows."""
        self.rows = []
        n = USUAL + POINTS
        rate = self._rates(n)
        own = np.array([self.draw.uniform(2, 40) for _ in self.services])[:, None] * self._around(n)
        fails = np.full((self.size, n), 0.002)
        network = np.full((self.size, n), 0.5)
        used = self._used(n, rate)
        self._break(own, fails, network, used)
        took, broken = np.zeros((self.size, n)), np.zeros((self.size, n))
        for at in reversed(range(self.size)):
            took[at], passed = own[at], fails[at]
            for to, times in self.callees[at].items():
                took[at] = took[at] + times * (took[to] + network[to] + network[at])
                if not self.catches[at]:
                    passed = passed + np.minimum(times, 1.0) * broken[to]
            broken[at] = np.minimum(passed, 1.0)
        seen = took + network if self.by_caller else took
        errors = self.noise.poisson(broken * rate)
        for at in range(self.size):
            jitter = self._around(n)[0]
            for number, values in (
                (3, seen[at] * jitter),
                (4, 1.8 * seen[at] * jitter),
                (5, errors[at].astype(float)),
                (6, rate[at]),
            ):
                if self.style not in COUNTING:
                    self._series(at, "", number, values)
            if self.style in COUNTING:
                self._count(at, 1.8e-3 * seen[at] * jitter, errors[at], rate[at])
            for pod in range(self.pods[at]):
                for number in range(3):
                    self._series(at, f"{self.services[at]}-{pod}", number, used[at, pod, number])
        if self.knows_calls:
            for at, below in enumerate(self.callees):
                for to in below:
                    edge = {"service": self.services[at], "name": self.services[to]}
                    self.rows.append({"part": "edge", **edge})
        return pa.Table.from_pylist(self.rows, schema=SCHEMA)

    def _rates(self, n: int) -> Floats:
        """Requests of each service in each step: those of users, handed down."""
        asked = self.draw.uniform(20, 200) * self.step / 5
        users = asked * (1 + 0.15 * np.sin(np.arange(n) / 25 + self.draw.uniform(0, 6)))
        if self.kind == "surge":
            users[USUAL + self.onset :] *= 3
        rate = np.zeros((self.size, n))
        rate[0] = self.noise.poisson(users)
        for at in range(self.size):
            for to, times in self.callees[at].items():
                rate[to] += self.noise.poisson(rate[at] * times)
        return rate

    def _around(self, n: int, spread: float = 0.05) -> Floats:
        """Factors around one, near to the one before, and now and then far off."""
        steps = self.noise.normal(0, spread, (self.size, n))
        for at in range(1, n):
            steps[:, at] += 0.6 * steps[:, at - 1]
        far = (self.noise.random((self.size, n)) < 0.005) * self.noise.uniform(0, 2, (self.size, n))
        factors: Floats = np.exp(steps + far)
        return factors

    def _used(self, n: int, rate: Floats) -> Floats:
        """Processor, memory and disk of each instance: by service, instance, sort and step."""
        used = np.zeros((self.size, 3, 3, n))
        for at in range(self.size):
            each = rate[at] / max(rate[at][:USUAL].mean(), 1.0) * self.draw.uniform(0.02, 0.3)
            held = self.draw.uniform(0.05, 0.6)
            writes = self.draw.choice((0.0, 0.02, 0.2))
            for pod in range(self.pods[at]):
                around = self._around(n, 0.08)
                used[at, pod, 0] = 0.01 + each * around[0]
                used[at, pod, 1] = held * (1 + 0.1 * (self._around(n, 0.02)[0] - 1))
                used[at, pod, 2] = writes * each * around[1]
        return used

    def _break(self, own: Floats, fails: Floats, network: Floats, used: Floats) -> None:
        if self.guilty < 0:
            return
        since, draw = slice(USUAL + self.onset, None), self.draw
        left = POINTS - self.onset
        pods = [pod for pod in range(self.pods[self.guilty]) if not pod or draw.random() < 0.7]
        sort = {"processor": 0, "memory": 1, "disk": 2}.get(self.kind)
        slower = {"processor": (2, 6), "memory": (1.2, 3), "disk": (1.5, 4)}.get(self.kind, (1, 1))
        own[self.guilty, since] *= draw.uniform(*slower)
        for pod in pods if sort is not None else ():
            more = np.minimum(np.arange(left) / 5, 1.0) if sort == 1 else np.ones(left)
            used[self.guilty, pod, sort, since] += more * draw.uniform(0.4, 0.9)
        if self.kind == "delay":
            network[self.guilty, since] += draw.uniform(50, 300)
        if self.kind == "loss":
            network[self.guilty, since] += self.noise.exponential(draw.uniform(20, 150), left)
            fails[self.guilty, since] += draw.uniform(0.0, 0.05)
        if self.kind == "errors":
            fails[self.guilty, since] += draw.uniform(0.2, 1.0)

    def _count(self, at: int, seconds: Floats, errors: Floats, calls: Floats) -> None:
        """The calls of a service, as their sums since its process began."""
        took, failed, came = (
            np.cumsum(each) + self.draw.uniform(0, 1e4)
            for each in (seconds * calls, errors.astype(float), calls)
        )
        *_, duration, failures, total = NAMES[self.style]
        about = {"service": self.services[at]}
        if self.style == "scraped":
            for name, values in (
                *((f"{duration}_sum", took), (f"{duration}_count", came)),
                *((failures, failed), (total, came)),
            ):
                self._points({**about, "name": name}, value=values)
            return
        about |= {"name": duration, "unit": "s", "text": "counts"}
        well = {"count": came - failed, "sum": took}
        self._points({**about, "span_id": "200", "failed": False}, **well)
        badly = {"count": failed, "sum": np.zeros(len(failed))}
        self._points({**about, "span_id": "500", "failed": True}, **badly)

    def _series(self, at: int, pod: str, number: int, values: Floats) -> None:
        unit, scale = _UNITS[self.style][number]
        about = {
            "service": self.services[at],
            "pod": pod or None,
            "name": NAMES[self.style][number],
        }
        values = np.round(values * scale, 6)
        if self.style in COUNTING and number != 1:
            values = np.cumsum(values * self.step)
            about |= {"text": "counts"} if self.style == "histograms" else {}
        self._points({**about, "unit": unit}, value=values)

    def _points(self, about: dict[str, Any], **columns: Floats) -> None:
        kept = self.noise.random(USUAL + POINTS) >= self.lost
        for point in np.flatnonzero(kept).tolist():
            told = {name: float(values[point]) for name, values in columns.items()}
            time = START + (point - USUAL) * self.step * SECOND
            self.rows.append(
                {**about, **told, "part": "metric", "is_now": point >= USUAL, "time_ns": time}
            )


COUNTING = frozenset(("scraped", "histograms"))
_ADJECTIVES = ("amber", "brisk", "calm", "dusty", "early", "faint", "green", "hollow", "ivory")
_PLAIN = ((None, 1.0),) * 7
_UNITS: dict[str, tuple[tuple[str | None, float], ...]] = {
    "shorthand": _PLAIN,
    "opaque": _PLAIN,
    "scraped": ((None, 2.0), (None, 4e9), (None, 1e7), *_PLAIN[3:]),
    "histograms": (("s", 2.0), ("By", 4e9), ("By", 1e7), *_PLAIN[3:]),
    "mesh": ((None, 2.0), (None, 4e9), (None, 1e7), *_PLAIN[3:]),
    "conventions": (
        *(("{cpu}", 2.0), ("By", 4e9), ("By", 1e7), ("s", 1e-3), ("s", 1e-3)),
        *(("{request}", 1.0), ("{request}", 1.0)),
    ),
    "cloud": (("%", 100.0), ("%", 100.0), (None, 1e7), *_PLAIN[3:]),
}
