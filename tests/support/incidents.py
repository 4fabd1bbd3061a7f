"""Made-up incidents of many kinds on made-up systems, as the rows the step ``rca.ranking`` gets.

These are layered systems of 5 to 100 services with several instances, branches that are taken or
not, callers that pass errors on or do not, and habits of their own: client spans, statuses, logs or
none, and names and units of metrics. The fault is drawn among all services that traffic reaches,
the entry aside.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from tests.support.planted import SCHEMA, SECOND, START, Planted, asked

FAULTS = (
    "processor",
    "memory leak",
    "network delay",
    "packet loss",
    "exception",
    "wrong value",
    "down",
    "config",
    "pool",
)
QUIET = ("nothing", "surge", "other mix")
"""Nothing is broken; a ranking that says otherwise is wrong."""
WINDOW = 240
_WORDS = (
    *("order", "bill", "stock", "price", "cart", "user", "mail", "route", "seat", "food", "train"),
    *("pay", "ship", "tax", "note", "audit", "plan", "rate", "quote", "token", "media", "album"),
    *("review", "search", "geo", "text", "vote", "feed", "graph", "cache"),
)
_METRICS = (
    ("CpuUsageRate", "MemoryUsageRate", "%", "ServerLatencyP90", "SuccessRate", "Workload"),
    (
        *("k8s.pod.cpu_limit_utilization", "k8s.pod.memory_limit_utilization", "1"),
        *("http.server.duration.p90", "availability", "requests"),
    ),
    ("process_cpu_percent", "heap_used_percent", "%", "latency_p90", "success_ratio", "calls"),
)


@dataclass(frozen=True)
class Step:
    """What an operation does, one thing after another."""

    says: str
    calls: tuple[int, int] | None
    chance: float


@dataclass
class Incident(Planted):
    """A system and what happens to it: one of `FAULTS` or `QUIET`.

    Args:
        size: How many services; drawn when 0.
        mix_changes: Whether users ask for other things in the window than in the baseline.
    """

    size: int = 0
    mix_changes: bool = True

    def __post_init__(self) -> None:
        self.draw = random.Random(f"{self.seed} {self.kind}")
        draw = self.draw
        self.size = self.size or draw.choice((5, 8, 12, 20, 35, 60, 100))
        self.services = [
            f"{draw.choice(_WORDS)}-{draw.choice(_WORDS)}{at}" for at in range(self.size)
        ]
        self.pods = [draw.choice((1, 1, 2, 3)) for _ in self.services]
        self.client_spans = draw.random() < 0.7
        self.statuses = draw.random() < 0.7
        self.logs = draw.choice(("java", "json", "plain", "none"))
        self.catches = [draw.random() < 0.3 for _ in self.services]
        self.metrics = draw.choice(_METRICS)
        self.metric_step = draw.choice((15, 30, 60))
        self.entries = draw.choice((2, 3, 4))
        self.traces_a_second = draw.choice((0.5, 1.0, 2.0))
        self.baseline = draw.choice((60, 120, 300))
        self.onset = draw.randrange(40, 130)
        self.work = [draw.uniform(0.5, 12) for _ in self.services]
        self._wire()
        self.guilty = self._culprit() if self.kind in FAULTS else -1
        self.bad_pods = draw.choice((1, 9)) if self.kind in {"processor", "memory leak"} else 9
        self.spans = 0
        self.busy: dict[tuple[int, int, int], float] = {}

    @property
    def params(self) -> dict[str, Any]:
        """Those of the template."""
        return asked(WINDOW, self.baseline, gap_s=600)

    def _wire(self) -> None:
        """Layers: each operation calls some of the layer below it, the last ones stores."""
        draw = self.draw
        depth = 3 if self.size < 10 else 4
        layer = [0, *sorted(draw.randrange(1, depth) for _ in range(self.size - 1))]
        self.operations: dict[tuple[int, int], list[Step]] = {}
        for at in range(self.size):
            below = [to for to in range(self.size) if layer[to] == layer[at] + 1]
            below += [to for to in range(self.size) if layer[to] == layer[at] + 2][:1]
            for operation in range(self.entries if at == 0 else 2):
                steps = [Step(f"begin {operation}", None, 1.0)]
                fan = min(len(below), draw.choice((1, 2, 3, 4) if at == 0 else (1, 1, 2, 3)))
                for to in draw.sample(below, fan):
                    steps.append(Step(f"ask {_WORDS[to % 30]}", None, 0.9))
                    calls = (to, draw.randrange(2))
                    steps.append(Step("", calls, draw.choice((1.0, 1.0, 1.0, 0.7))))
                steps.append(Step(f"kept {_WORDS[at % 30]} rows", None, draw.choice((1.0, 0.8))))
                self.operations[at, operation] = steps

    def _culprit(self) -> int:
        reached: dict[int, float] = {}

        def walk(place: tuple[int, int], chance: float) -> None:
            reached[place[0]] = max(reached.get(place[0], 0.0), chance)
            for step in self.operations[place]:
                if step.calls:
                    walk(step.calls, chance * step.chance)

        for entry in range(self.entries):
            walk((0, entry), 1 / self.entries)
        able = [at for at, chance in sorted(reached.items()) if at and chance >= 0.15]
        if self.kind in {"wrong value", "config", "pool"}:
            calling = [at for at in able if any(step.calls for step in self.operations[at, 0])]
            able = calling or able
        return self.draw.choice(able)

    def table(self) -> pa.Table:
        """All rows."""
        self.rows = []
        mix = [self.draw.uniform(0.3, 1) for _ in range(self.entries)]
        later = [self.draw.uniform(0.3, 1) for _ in mix] if self.mix_changes else mix
        if self.kind == "other mix":
            later = [0.05, *mix[1:]]
        number = 0
        for begin, seconds, now in (
            (-600 - self.baseline, self.baseline, False),
            (0, WINDOW, True),
        ):
            at = float(begin)
            while at < begin + seconds:
                number += 1
                after = now and at >= self.onset
                entry = self.draw.choices(range(self.entries), later if now else mix)[0]
                self._visit(f"{number:032x}", None, (0, entry), START + int(at * 1e9), now, after)
                surge = 4 if self.kind == "surge" and after else 1
                at += self.draw.expovariate(self.traces_a_second * surge)
        self._measure()
        self._changes()
        self._loads()
        return pa.Table.from_pylist(self.rows, schema=SCHEMA)

    def _id(self) -> str:
        self.spans += 1
        return f"{self.spans:016x}"

    def _here(self, service: int, after: bool, *kinds: str) -> bool:
        return after and service == self.guilty and self.kind in kinds

    def _visit(
        self,
        trace: str,
        parent: str | None,
        place: tuple[int, int],
        at: int,
        now: bool,
        after: bool,
    ) -> tuple[int, bool]:
        """Adds a span and what is below it; returns its end and whether it failed."""
        service, operation = place
        span = self._id()
        pod = self.draw.randrange(self.pods[service])
        bad_pod = pod < self.bad_pods
        factor = (
            self.draw.uniform(3, 6) if self._here(service, after, "processor") and bad_pod else 1
        )
        if self._here(service, after, "memory leak") and bad_pod and self.draw.random() < 0.5:
            factor = self.draw.uniform(4, 10)
        usual = self.work[service]
        time = at + self._ms(usual / 2) * int(factor)
        failed = False
        for step in self.operations[place]:
            if self.draw.random() >= step.chance:
                continue
            if step.calls is None:
                self._log(trace, span, service, time, "INFO", step.says)
                time += self._ms(0.2)
                continue
            if self._here(service, after, "wrong value"):
                break  # it answers too early
            repeat = self.draw.randint(4, 7) if self._here(service, after, "config") else 1
            if self._here(service, after, "pool") and self.draw.random() < 0.8:
                time += self._ms(400)
                if self.draw.random() < 0.2:
                    failed = True
                    self._log(trace, span, service, time, "ERROR", "no free connection in pool")
                    break
            for _ in range(repeat):
                time, broken = self._call(trace, span, place, step.calls, time, now, after)
            if broken and not self.catches[service]:
                failed = True
                self._log(
                    trace, span, service, time, "ERROR", f"{_WORDS[step.calls[0] % 30]} failed"
                )
                break
        if self._here(service, after, "exception") and self.draw.random() < 0.9:
            failed = True
            self._log(trace, span, service, time, "ERROR", "cannot parse what was read")
        time += self._ms(usual / 2) * int(factor)
        row = {
            "service": self.services[service],
            "pod": f"{self.services[service]}-7d9f-{pod}",
            "name": f"/api/{_WORDS[service % 30]}/{'abcd'[operation]}",
        }
        self._span(trace, span, parent, row, at, time, now, failed)
        key = (service, pod, (at - START) // (self.metric_step * SECOND))
        self.busy[key] = self.busy.get(key, 0.0) + 1
        return time, failed

    def _call(
        self,
        trace: str,
        span: str,
        place: tuple[int, int],
        to: tuple[int, int],
        time: int,
        now: bool,
        after: bool,
    ) -> tuple[int, bool]:
        guilty = self.guilty in {place[0], to[0]}
        wait = self._ms(0.5)
        if after and guilty and self.kind == "network delay":
            wait += self._ms(150)
        if after and guilty and self.kind == "packet loss" and self.draw.random() < 0.3:
            wait += self._ms(self.draw.choice((200, 400, 1000)))
        client = self._id() if self.client_spans else span
        end, broken = time + wait, True
        if not self._here(to[0], after, "down"):
            end, broken = self._visit(trace, client, to, time + wait // 2, now, after)
            end += wait // 2
        else:
            end += self._ms(2)
        if self.client_spans:
            row = {
                "service": self.services[place[0]],
                "pod": f"{self.services[place[0]]}-7d9f-0",
                "name": f"HTTP {_WORDS[to[0] % 30]}",
            }
            self._span(trace, client, span, row, time, end, now, broken)
        return end, broken

    def _span(  # noqa: PLR0917 (what a span is made of)
        self,
        trace: str,
        span: str,
        parent: str | None,
        about: dict[str, Any],
        at: int,
        end: int,
        now: bool,
        failed: bool,
    ) -> None:
        self.rows.append(
            {
                **about,
                "part": "span",
                "is_now": now,
                "time_ns": at,
                "duration_ns": end - at,
                "trace_id": trace,
                "span_id": span,
                "parent_span_id": parent,
                "failed": failed and self.statuses,
            }
        )

    def _log(self, trace: str, span: str, service: int, at: int, level: str, said: str) -> None:
        if self.logs == "none":
            return
        number = self.draw.randint(1, 10**6)
        text = {
            "plain": f"{level} {said} {number}",
            "json": f'{{"severity":"{level.lower()}","message":"{said} {number}","id":"{trace}"}}',
            "java": f"12:00:00.1 {level} c.a.Impl#{sum(map(ord, said))} {trace} {said} {number}",
        }[self.logs]
        self.rows.append(
            {
                "part": "log",
                "time_ns": at,
                "trace_id": trace,
                "span_id": span,
                "service": self.services[service],
                "name": level,
                "failed": level == "ERROR",
                "text": text,
            }
        )

    def _loads(self) -> None:
        spans = [(row["service"], row["is_now"]) for row in self.rows if row["part"] == "span"]
        for (service, now), count in Counter(spans).items():
            self.rows.append({"part": "load", "service": service, "is_now": now, "value": count})

    def _measure(self) -> None:
        """Processor and memory of each instance, workload of each, before and in the window."""
        processor, memory, unit, *_, load = self.metrics
        full = 100.0 if unit == "%" else 1.0
        step = self.metric_step
        for service, name in enumerate(self.services):
            for pod in range(self.pods[service]):
                about = {"service": name, "pod": f"{name}-7d9f-{pod}"}
                base, held = self.draw.uniform(0.03, 0.3), self.draw.uniform(0.2, 0.7)
                bad = service == self.guilty and pod < self.bad_pods
                series: dict[str, list[tuple[int, float]]] = {processor: [], memory: [], load: []}
                for at in range(-600 - self.baseline, WINDOW, step):
                    if -600 <= at < 0:
                        continue
                    calls = self.busy.get((service, pod, at // step), 0.0)
                    cpu = base * (0.6 + 0.05 * calls) + abs(self.draw.gauss(0, 0.02))
                    mem = held + self.draw.gauss(0, 0.01)
                    if bad and at >= self.onset and self.kind == "processor":
                        cpu = self.draw.uniform(0.85, 1.0)
                    if bad and at >= self.onset and self.kind == "memory leak":
                        mem += (1 - held) * min((at - self.onset) / 100, 1.0)
                    series[processor].append((at, min(cpu, 1.0) * full))
                    series[memory].append((at, min(mem, 1.0) * full))
                    series[load].append((at, calls))
                for metric, points in series.items():
                    self._points(about, metric, unit if metric != load else None, points)

    def _points(
        self, about: dict[str, Any], name: str, unit: str | None, points: list[tuple[int, float]]
    ) -> None:
        for at, value in points:
            told = {"is_now": at >= 0, "time_ns": START + at * SECOND, "value": value}
            self.rows.append({**about, "part": "metric", "name": name, "unit": unit, **told})

    def _changes(self) -> None:
        """What was deployed: now and then something harmless; the config just before it hurt."""
        told = [
            (self.draw.randrange(-3600, WINDOW), self.draw.randrange(self.size))
            for _ in range(self.draw.randrange(4))
        ]
        if self.kind == "config":
            told.append((self.onset - self.draw.randrange(1, 20), self.guilty))
        for at, service in told:
            self.rows.append(
                {
                    "part": "change",
                    "time_ns": START + at * SECOND,
                    "service": self.services[service],
                    "name": "deploy",
                    "text": f"{self.services[service]} v{self.draw.randrange(99)}",
                }
            )

    def _ms(self, mean: float) -> int:
        return int(mean * 1e6 * self.draw.lognormvariate(0, 0.3))
