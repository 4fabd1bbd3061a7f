"""Made-up systems with one planted fault, as the rows that the step ``rca.ranking`` is given."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from workspace_ext.inquiry.templates.binding import moment

START = int(datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000_000
SECOND = 1_000_000_000
WINDOW_SECONDS = 240
ONSET_SECONDS = 90
FAULTS = ("exception", "silent", "slow callee", "slow caller", "processor")
FORMATS = ("plain", "json", "go", "java")

SCHEMA = pa.schema(
    {
        "part": pa.string(),
        "is_now": pa.bool_(),
        "time_ns": pa.int64(),
        "duration_ns": pa.int64(),
        "trace_id": pa.string(),
        "span_id": pa.string(),
        "parent_span_id": pa.string(),
        "service": pa.string(),
        "pod": pa.string(),
        "name": pa.string(),
        "failed": pa.bool_(),
        "text": pa.string(),
        "unit": pa.string(),
        "value": pa.float64(),
        "low": pa.float64(),
        "median": pa.float64(),
        "high": pa.float64(),
        "mean": pa.float64(),
    }
)


@dataclass
class System:
    """A tree of services, each with two operations that call some of the services below it.

    Args:
        seed: Of everything that is drawn.
        services: How many.
        fault: One of `FAULTS`, or empty for none.
        log_format: One of `FORMATS`.
        traces_a_second: Requests in the window and in the baseline.
    """

    seed: int
    services: int = 12
    fault: str = ""
    log_format: str = "plain"
    traces_a_second: float = 0.5
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.names = [f"svc-{chr(97 + at)}" for at in range(self.services)]
        self.callees: dict[tuple[int, int], list[int]] = {}
        for at in range(self.services):
            below = list(range(at + 1, self.services))
            for operation in (0, 1):
                chosen = self.draw.sample(below, min(len(below), self.draw.choice((2, 2, 2, 3))))
                self.callees[at, operation] = sorted(chosen)
        reached = {(0, 0), (0, 1)}
        waiting = list(reached)
        while waiting:
            at, operation = waiting.pop()
            for number, callee in enumerate(self.callees[at, operation]):
                to = (callee, (operation + number) % 2)
                if to not in reached:
                    reached.add(to)
                    waiting.append(to)
        # of one callee alone nobody can tell whether it or its caller makes the call slow
        inner = [at for at, operation in sorted(reached) if len(self.callees[at, operation]) > 1]
        self.culprit = self.draw.choice([at for at in inner if at] or inner)
        self.params: dict[str, Any] = {
            "window_start": moment(START),
            "window_end": moment(START + WINDOW_SECONDS * SECOND),
            "onset": None,
            "slack": 60.0,
            "service": None,
            "symptom": None,
            "min_score": 0.02,
            "min_margin": 0.2,
        }

    @property
    def guilty(self) -> str:
        """The service with the fault."""
        return self.names[self.culprit]

    def table(self) -> pa.Table:
        """All rows."""
        self.rows = []
        step = int(SECOND / self.traces_a_second)
        number = 0
        for begin, seconds, now in ((-600, 120, False), (0, WINDOW_SECONDS, True)):
            for at in range(START + begin * SECOND, START + (begin + seconds) * SECOND, step):
                number += 1
                faulty = now and at >= START + ONSET_SECONDS * SECOND and bool(self.fault)
                # what users ask for drifts: the second operation is asked for more often now
                operation = int(self.draw.random() < (0.5 if now else 0.35))
                self._visit(f"t{number:05}", None, 0, operation, at, now, faulty)
        self._processors()
        return pa.Table.from_pylist(self.rows, schema=SCHEMA)

    def _visit(
        self,
        trace: str,
        parent: str | None,
        service: int,
        operation: int,
        at: int,
        now: bool,
        faulty: bool,
    ) -> tuple[int, bool]:
        """Adds a span and what is below it; returns its end and whether it failed."""
        span = f"s{len(self.rows)}"
        here = faulty and service == self.culprit
        busy = 3 if here and self.fault == "processor" else 1
        time = at + self._ms(2) * busy
        failed = False
        self._log(trace, span, service, time, "INFO", f"accepted request {self.draw.random()}")
        for number, callee in enumerate(self.callees[service, operation]):
            self._log(trace, span, service, time, "INFO", f"asking for part {number} of {trace}")
            # a wait for the callee is not the callee's own time
            slow = faulty and (
                (self.fault == "slow callee" and callee == self.culprit)
                or (self.fault == "slow caller" and here)
            )
            delay = 300_000_000 if slow else 0
            began = time + delay // 2 + self._ms(0.5)
            client = f"s{len(self.rows)}c"
            end, broken = self._visit(
                trace, client, callee, (operation + number) % 2, began, now, faulty
            )
            end += delay // 2 + self._ms(0.5)
            self._span(trace, client, span, service, "call", time, end - time, now, broken)
            time = end
            if broken:
                failed = True
                self._log(trace, span, service, time, "ERROR", f"part {number} failed: {trace}")
                break
        if here and self.fault == "exception":
            failed = True
            self._log(trace, span, service, time, "ERROR", "cannot read the order book")
        elif not (here and self.fault == "silent"):
            self._log(trace, span, service, time, "INFO", f"kept {self.draw.randint(1, 90)} rows")
        time += self._ms(1) * busy
        self._log(trace, span, service, time, "INFO", "done")
        name = f"GET /v1/op{operation}/{self.draw.randint(1, 999)}"
        self._span(trace, span, parent, service, name, at, time - at, now, failed)
        return time, failed

    def _span(  # noqa: PLR0917
        self,
        trace: str,
        span: str,
        parent: str | None,
        service: int,
        name: str,
        at: int,
        duration: int,
        now: bool,
        failed: bool,
    ) -> None:  # what a span is made of
        row = {
            "part": "span",
            "is_now": now,
            "time_ns": at,
            "duration_ns": duration,
            "trace_id": trace,
            "span_id": span,
            "parent_span_id": parent,
            "service": self.names[service],
            "pod": f"{self.names[service]}-0",
            "name": name,
            "failed": failed,
        }
        self.rows.append(row)

    def _log(self, trace: str, span: str, service: int, at: int, level: str, said: str) -> None:
        text = {
            "plain": f"{level} [{trace}] {said}",
            "json": f'{{"severity":"{level.lower()}","message":"{said}","trace":"{trace}"}}',
            "go": f"{level[0]}0501 12:00:00.123 main.go:{sum(map(ord, said[:6]))}] {said}",
            "java": f"12:00:00.1 {level} c.a.Impl#{sum(map(ord, said[:6]))} id={trace} {said}",
        }[self.log_format]
        self.rows.append(
            {
                "part": "log",
                "time_ns": at,
                "trace_id": trace,
                "span_id": span,
                "service": self.names[service],
                "name": level,
                "failed": level == "ERROR",
                "text": text,
            }
        )

    def _processors(self) -> None:
        for at, service in enumerate(self.names):
            usual = {"service": service, "pod": f"{service}-0", "name": "cpu_usage"}
            level = self.draw.uniform(2, 20)
            self.rows.append(
                {
                    **usual,
                    "part": "usual",
                    "unit": "%",
                    "low": level - 1,
                    "median": level,
                    "high": level + 2,
                    "mean": level,
                }
            )
            for minute in range(WINDOW_SECONDS // 60):
                busy = self.fault == "processor" and at == self.culprit and minute >= 2
                value = 95.0 if busy else level + self.draw.gauss(0, 2)
                time = START + minute * 60 * SECOND
                self.rows.append({**usual, "part": "metric", "time_ns": time, "value": value})

    def _ms(self, mean: float) -> int:
        return int(mean * 1e6 * self.draw.lognormvariate(0, 0.4))
