"""Made-up faults of machines and networks in shops that send metrics, spans and logs together.

Some ten services serve users who wait for their answer before they ask again, so that trouble
anywhere asks less of everybody. A fault takes what it takes of the instance it is at (processor,
memory, disk, sockets, packets on their way out); times, failures and lines of logs follow from the
calls that are simulated. What differs from shop to shop is drawn: names and units, how finely is
measured and at which end of a call, which services leave no spans, how many traces are kept, and
whether a line of a log knows its trace. Knows nothing of how causes are ranked.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tests.support.planted import SCHEMA, SECOND, START, Planted, asked

FAULTS = ("cpu", "mem", "disk", "socket", "delay", "loss", "errors", "gone")
QUIET = ("nothing", "surge")
SPAN_S = 240
"""So long are window and baseline; the fault comes in the window's second quarter."""
NAMES = {
    "shorthand": (
        *("cpu", "mem", "diskio", "socket", "latency-50", "latency-90", "error", "workload"),
    ),
    "mesh": (
        *("container_cpu_usage_cores", "container_memory_working_set_bytes"),
        *("container_fs_writes_bytes", "container_sockets"),
        *("istio_request_duration_milliseconds_p50", "istio_request_duration_milliseconds_p90"),
        *("istio_requests_5xx", "istio_requests"),
    ),
    "pods": (
        *("CpuUsageRate", "MemoryUsageRate", "SyscallWrite", "OpenSockets"),
        *("PodServerLatencyP50", "PodServerLatencyP90", "PodErrors", "PodWorkload"),
    ),
    "conventions": (
        *(
            "k8s.pod.cpu.usage",
            "k8s.pod.memory.usage",
            "system.disk.io",
            "system.network.connections",
        ),
        *("http.server.request.duration.p50", "http.server.request.duration.p90"),
        *("http.server.request.errors", "http.server.request.count"),
    ),
    "opaque": ("m01", "m02", "m03", "m04", "m05", "m06", "m07", "m08"),
}
_SCALES = {
    "shorthand": (1.0, 2e9, 1e6, 1.0, 1e-3),
    "mesh": (2.0, 4e9, 1e7, 1.0, 1.0),
    "pods": (100.0, 100.0, 1e3, 1.0, 1e-3),
    "conventions": (4.0, 8e9, 1e7, 1.0, 1e-3),
    "opaque": (1.0, 1.0, 1.0, 1.0, 1.0),
}
_UNITS = {"pods": ("%", "%"), "conventions": ("{cpu}", "By", "By", "{connection}", "s", "s")}
_WORDS = (
    "cart",
    "pay",
    "ship",
    "mail",
    "rates",
    "ads",
    "stock",
    "user",
    "offer",
    "search",
    "order",
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Visit:
    """One request to a service, as its metrics count it."""

    service: int
    at_s: float
    ms: float
    failed: bool


@dataclass
class Shop(Planted):
    """A shop and what happens to it: one of `FAULTS` or `QUIET`."""

    visits: list[Visit] = field(default_factory=list)

    def __post_init__(self) -> None:
        draw = self.draw = random.Random(f"{self.seed} {self.kind} shop")
        self.noise = np.random.default_rng(draw.randrange(2**32))
        self.size = draw.randrange(9, 16)
        naming = draw.choice(("{0}service", "ts-{0}-service", "{0}", "{0}-svc"))
        words = draw.sample(_WORDS, min(self.size, len(_WORDS)))
        words += [f"{word}s-db" for word in words[: self.size - len(words)]]
        self.services = [naming.format(word) for word in words]
        self.style = draw.choice(sorted(NAMES))
        self.step = draw.choice((1, 5, 15))
        self.by_caller = self.kind in {"delay", "loss"} or draw.random() < 0.5
        self.users, self.idle_s = draw.choice((4, 8, 12)), 2.0
        self.kept = draw.choice((1.0, 1.0, 0.3, 0.1))
        self.traced = [at == 0 or draw.random() < 0.85 for at in range(self.size)]
        self.client_spans, self.kinds = draw.random() < 0.7, draw.random() < 0.6
        self.statuses, self.lines_traced = draw.random() < 0.7, draw.random() < 0.5
        self.logging = [draw.random() < 0.7 for _ in self.services]
        self.catches = [draw.random() < 0.3 for _ in self.services]
        self.work = [draw.uniform(1, 15) for _ in self.services]
        self.nodes = [draw.randrange(3) for _ in self.services]
        self._wire()
        asked = sorted({to for at in range(self.size) for to, _ in self.callees[at]})
        self.guilty = draw.choice(asked) if self.kind in FAULTS else -1
        self.onset = draw.randrange(SPAN_S // 4, SPAN_S // 2)
        self.slower = {
            "cpu": draw.uniform(1.5, 4),
            "mem": draw.uniform(1.0, 1.5),
            "disk": draw.uniform(1.0, 1.8),
            "socket": draw.uniform(1.0, 1.5),
        }.get(self.kind, 1.0)
        self.neighbours = draw.uniform(1.0, 1.2) if self.slower > 1 else 1.0
        self.late_ms, self.lost = draw.uniform(40, 500), draw.uniform(0.03, 0.15)
        self.broken = draw.choice((0.15, 0.4, 1.0))
        self.hangs = draw.random() < 0.5
        self.count = 0

    def _wire(self) -> None:
        """Whom each operation calls, with which chance: of those further down, in three layers."""
        draw = self.draw
        layer = [0, *sorted(draw.randrange(1, 4) for _ in range(self.size - 1))]
        self.callees: list[list[tuple[int, float]]] = []
        for at in range(self.size):
            below = [
                to for to in range(at + 1, self.size) if layer[at] < layer[to] <= layer[at] + 2
            ]
            fan = min(len(below), draw.choice((4, 5, 6) if at == 0 else (0, 1, 1, 2, 3)))
            chosen = sorted(draw.sample(below, fan))
            self.callees.append([(to, draw.choice((1.0, 1.0, 0.6, 0.3))) for to in chosen])

    @property
    def params(self) -> dict[str, Any]:
        """Those of the template."""
        return asked(SPAN_S, SPAN_S)

    def table(self) -> pa.Table:
        """All rows."""
        self.rows, self.visits = [], []
        users = self.users * (3 if self.kind == "surge" else 1)
        for user in range(users):
            at = (self.onset if user >= self.users else -SPAN_S) + self.draw.uniform(0, 2)
            while at < SPAN_S:
                trace = (
                    f"{self.draw.getrandbits(128):032x}" if self.draw.random() < self.kept else ""
                )
                end, _ = self._visit(trace, None, 0, at)
                at = end + self.draw.expovariate(1 / self.idle_s)
        self._measure()
        spans = Counter(
            (row["service"], row["is_now"]) for row in self.rows if row["part"] == "span"
        )
        for (service, now), count in spans.items():
            told = {"service": service, "is_now": now, "value": float(count)}
            self.rows.append({"part": "load", **told})
        return pa.Table.from_pylist(self.rows, schema=SCHEMA)

    def _here(self, service: int, at: float, *kinds: str) -> bool:
        return at >= self.onset and service == self.guilty and self.kind in kinds

    def _visit(self, trace: str, parent: str | None, service: int, at: float) -> tuple[float, bool]:
        """A request to a service, begun at some second: when that ended, and whether it failed."""
        span = self._id() if trace and self.traced[service] else None
        factor = self.slower if self._here(service, at, self.kind) else 1.0
        if at >= self.onset and self.nodes[service] == self.nodes[self.guilty]:
            factor = max(factor, self.neighbours)
        end = at + self._ms(self.work[service] / 2 * factor)
        failed = False
        if self.logging[service]:
            self._line(trace, span, service, end, "INFO", "request came in")
        for to, chance in self.callees[service]:
            if self.draw.random() < chance:
                end, broken = self._call(trace, span, service, to, end)
                if broken and not self.catches[service]:
                    failed = True
                    self._line(trace, span, service, end, "ERROR", f"{_WORDS[to % 11]} call failed")
                    break
        end += self._ms(self.work[service] / 2 * factor)
        if self._here(service, at, "errors") and self.draw.random() < self.broken:
            failed = True
            self._line(trace, span, service, end, "ERROR", "cannot read what was asked")
        if span:
            name = f"{self.services[service]}/{_WORDS[service % 11]}"
            self._span(trace, span, parent, service, name, "server", at, end, failed)
        self._count(service, at, end, failed, entry=parent is None and service == 0)
        return end, failed

    def _count(self, service: int, at: float, end: float, failed: bool, *, entry: bool) -> None:
        if not self.by_caller or entry:
            self.visits.append(Visit(service, end, (end - at) * 1e3, failed))

    def _call(
        self, trace: str, span: str | None, caller: int, to: int, at: float
    ) -> tuple[float, bool]:
        client = self._id() if span and self.client_spans else span
        # whose spans are unknown hands no context on
        below = trace if span else (f"{self.draw.getrandbits(128):032x}" if trace else "")
        sent = at + self._way(caller, at)
        if self._here(to, at, "gone"):
            end, broken = sent + (1.0 if self.hangs else 0.002), True
        else:
            end, broken = self._visit(below, client, to, sent)
            end += self._way(to, end)
        if self.by_caller:
            self.visits.append(Visit(to, end, (end - at) * 1e3, broken))
        if span and client and self.client_spans:
            name = f"{self.services[to]}/{_WORDS[to % 11]}"
            self._span(trace, client, span, caller, name, "client", at, end, broken)
        return end, broken

    def _way(self, sender: int, at: float) -> float:
        """Seconds that what a service sends is under way; what is lost, is sent again."""
        took = self._ms(0.5)
        if self._here(sender, at, "delay"):
            took += self._ms(self.late_ms)
        if self._here(sender, at, "loss"):
            again = 0.2
            for _ in range(self.draw.randint(1, 3)):
                while self.draw.random() < self.lost:
                    took, again = took + again, 2 * again
        return took

    def _span(  # noqa: PLR0917 (what a span is made of)
        self,
        trace: str,
        span: str,
        parent: str | None,
        service: int,
        name: str,
        kind: str,
        at: float,
        end: float,
        failed: bool,
    ) -> None:
        self.rows.append(
            {
                "part": "span",
                "is_now": at >= 0,
                "time_ns": START + int(at * 1e9),
                "duration_ns": int((end - at) * 1e9),
                "trace_id": trace,
                "span_id": span,
                "parent_span_id": parent,
                "service": self.services[service],
                "pod": f"{self.services[service]}-7d9f-x2",
                "name": name,
                "text": kind if self.kinds else None,
                "failed": failed and self.statuses,
            }
        )

    def _line(
        self, trace: str, span: str | None, service: int, at: float, level: str, said: str
    ) -> None:
        known = self.lines_traced and span is not None
        if not known and self.draw.random() > 0.3:  # of lines on no trace, some are enough
            return
        self.rows.append(
            {
                "part": "log" if known else "line",
                "is_now": at >= 0,
                "time_ns": START + int(at * 1e9),
                "trace_id": trace if known else None,
                "span_id": span if known else None,
                "service": self.services[service],
                "pod": f"{self.services[service]}-7d9f-x2",
                "name": level,
                "failed": level == "ERROR",
                "text": f"{level} {said} {self.draw.randint(1, 10**6)}",
            }
        )

    def _measure(self) -> None:
        points = 2 * SPAN_S // self.step
        seen: defaultdict[tuple[int, int], list[Visit]] = defaultdict(list)
        for visit in self.visits:
            seen[visit.service, int((visit.at_s + SPAN_S) // self.step)].append(visit)
        after = (np.arange(points) * self.step - SPAN_S) >= self.onset
        for at in range(self.size):
            times = np.full((2, points), np.nan)
            errors, rate = np.zeros((2, points))
            for point in range(points):
                here = seen.get((at, point), [])
                if here:
                    times[:, point] = np.quantile([visit.ms for visit in here], (0.5, 0.9))
                errors[point], rate[point] = sum(one.failed for one in here), len(here)
            used = self._used(at, rate, after)
            gone = after if at == self.guilty and self.kind == "gone" else np.zeros(points, bool)
            for number, values in enumerate((*used, *times, errors, rate)):
                self._series(at, number, np.where(gone & (number < 4), np.nan, values))

    def _used(self, at: int, rate: Floats, after: NDArray[np.bool_]) -> list[Floats]:
        """Processor, memory, disk and sockets, as parts of what there is (sockets: a number)."""
        draw, n = self.draw, len(rate)
        busy = rate / max(float(rate[: n // 2].mean()), 0.1)
        cpu = 0.01 + draw.uniform(0.02, 0.2) * busy * self._around(n, 0.1)
        mem = draw.uniform(0.05, 0.5) * self._around(n, 0.01)
        disk = draw.choice((0.0, 0.002, 0.02)) * busy * self._around(n, 0.2)
        socket = np.round(draw.uniform(8, 60) * self._around(n, 0.03))
        if at == self.guilty:
            since = np.flatnonzero(after)
            grown = np.minimum(np.arange(1, len(since) + 1) * self.step / 20, 1.0)
            aside = draw.uniform(0.05, 0.4)  # what makes a machine busy makes its processor so
            if self.kind == "cpu":
                cpu[since] = draw.uniform(0.6, 1.0) * self._around(len(since), 0.03)
            if self.kind in {"mem", "disk", "socket"}:
                cpu[since] += aside * self._around(len(since), 0.05)
            if self.kind == "mem":
                mem[since] += grown * draw.uniform(0.1, 0.45)
            if self.kind == "disk":
                disk[since] += draw.uniform(0.2, 0.8) * self._around(len(since), 0.2)
                mem[since] += grown * draw.uniform(0.0, 0.1)
            if self.kind == "socket":
                socket[since] += np.round(draw.uniform(30, 400) * self._around(len(since), 0.05))
        return [cpu, mem, disk, socket]

    def _around(self, n: int, spread: float) -> Floats:
        steps = self.noise.normal(0, spread, n)
        for at in range(1, n):
            steps[at] += 0.5 * steps[at - 1]
        factors: Floats = np.exp(steps)
        return factors

    def _series(self, at: int, number: int, values: Floats) -> None:
        scale = (*_SCALES[self.style], _SCALES[self.style][4], 1.0, 1.0)[number]
        units = (*_UNITS.get(self.style, ()), *(None,) * 8)
        for point in np.flatnonzero(~np.isnan(values)).tolist():
            second = point * self.step - SPAN_S
            self.rows.append(
                {
                    "part": "metric",
                    "is_now": second >= 0,
                    "time_ns": START + second * SECOND,
                    "service": self.services[at],
                    "pod": f"{self.services[at]}-7d9f-x2" if number < 4 else None,
                    "name": NAMES[self.style][number],
                    "unit": units[number],
                    "value": round(float(values[point]) * scale, 6),
                }
            )

    def _id(self) -> str:
        self.count += 1
        return f"{self.count:016x}"

    def _ms(self, mean: float) -> float:
        return mean / 1e3 * self.draw.lognormvariate(0, 0.3)
