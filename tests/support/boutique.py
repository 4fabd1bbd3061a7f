"""Made-up shops written in many languages, and their incidents as folders of files.

The traffic, machines and networks are those of `tests.support.shops`. Each service is written in a
language of its own, which says how it logs and whether it is traced; stores have neither spans nor
lines. Requests are few, operations are very few, and code may be at fault, too. `write_folder` lays
incidents out as ``tests/benchmarks/root_cause.py`` takes them. Knows nothing of how causes are
ranked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.support.planted import SECOND, START
from tests.support.shops import SPAN_S, Floats, Shop
from workspace_ext.foundation.clock import moment

CODE = ("exception", "return")
"""Faults that are in the code of an operation."""
FAULTS = (*CODE, "cpu", "mem", "disk", "delay", "loss", "gone")
HISTORY_S = 900
"""So long before the baseline metrics begin."""
APART_S = 3 * 3600
"""Incidents of a folder lie so far apart."""
_CODES = "bcdfghjklmnpqrstvwxz2456789"
_LANGUAGES = ("go", "python", "node", "dotnet", "java", "logfmt", "nothing")
_NUMBERS = {"INFO": 30, "ERROR": 50}
_METRICS = {
    "rates": (
        *("CpuUsageRate(%)", "MemoryUsageRate(%)", "SyscallWrite", "OpenSockets"),
        *("PodServerLatencyP50(s)", "PodServerLatencyP90(s)", "PodErrors", "PodWorkload(Ops)"),
    ),
    "counters": (
        *("container_cpu_usage_seconds_total", "container_memory_working_set_bytes"),
        *("container_fs_writes_bytes_total", "container_sockets"),
        *("istio_request_duration_milliseconds_p50", "istio_request_duration_milliseconds_p90"),
        *("istio_requests_5xx_total", "istio_requests_total"),
    ),
    "micros": (
        *("cpu_usage_millicores", "memory_rss_bytes", "disk_io_bytes", "net_connections"),
        *("grpc_server_handling_us_p50", "grpc_server_handling_us_p90"),
        *("grpc_server_errors", "grpc_server_handled"),
    ),
}
_SCALES = {
    "rates": (100.0, 100.0, 1e3, 1.0, 1e-3, 1e-3, 1.0, 1.0),
    "counters": (1.0, 2e9, 1e6, 1.0, 1.0, 1.0, 1.0, 1.0),
    "micros": (1000.0, 1e9, 1e6, 1.0, 1e3, 1e3, 1.0, 1.0),
}


@dataclass
class Boutique(Shop):
    """One of them, and what happens to it: one of `FAULTS` or of the shops' `QUIET`.

    Args:
        ids: Where lines tell their trace: in ``columns``, in their ``text``, or nowhere.
    """

    ids: str = "columns"

    def __post_init__(self) -> None:
        super().__post_init__()
        draw = self.draw
        self.languages = [draw.choice(_LANGUAGES) for _ in self.services]
        leaves = [at for at in range(1, self.size) if not self.callees[at]]
        self.stores = set(draw.sample(leaves, min(len(leaves), 2)))
        self.traced = [at not in self.stores for at in range(self.size)]
        self.logging = [at not in self.stores for at in range(self.size)]
        self.kept, self.lines_traced = 1.0, True
        self.users, self.idle_s = draw.choice((1, 2, 4)), draw.choice((1.0, 2.0, 4.0))
        self.onset = draw.randrange(60, 75)
        self.style, self.step = draw.choice(sorted(_METRICS)), draw.choice((15, 60))
        self.at_pod: dict[int, str] = {}
        self.pods = [
            [f"{name}-{self._code(9)}-{self._code(5)}" for _ in range(draw.choice((1, 1, 2)))]
            for name in self.services
        ]
        self.routes = [
            [each for each in self.callees[0] if draw.random() < 0.6] or self.callees[0][:1]
            for _ in range(4)
        ]
        if self.kind in FAULTS:
            able = self._asked()
            if self.kind in CODE:
                able = [at for at in able if at not in self.stores] or able
            calling = [at for at in able if self.callees[at]]
            self.guilty = draw.choice(calling if calling and self.kind == "return" else able)
        self.affected = draw.choice((0.9, 1.0))

    def _asked(self) -> list[int]:
        """Services beyond the entry that a request in three reaches."""
        chance = [0.0] * self.size
        for route in self.routes:
            for to, often in route:
                chance[to] += often / len(self.routes)
        for at in range(1, self.size):  # those further down come later
            for to, often in self.callees[at]:
                chance[to] += chance[at] * often
        return [at for at in range(1, self.size) if chance[at] >= 1 / 3]

    def _code(self, length: int) -> str:
        return "".join(self.draw.choice(_CODES) for _ in range(length))

    def _visit(self, trace: str, parent: str | None, service: int, at: float) -> tuple[float, bool]:
        span = self._id() if trace and self.traced[service] else None
        self.at_pod[service] = self.draw.choice(self.pods[service])
        factor = self.slower if self._here(service, at, self.kind) else 1.0
        if at >= self.onset and self.nodes[service] == self.nodes[self.guilty]:
            factor = max(factor, self.neighbours)
        half = self.work[service] / 2 * factor
        route = self.draw.randrange(len(self.routes)) if service == 0 else 0
        calls = self.routes[route] if service == 0 else self.callees[service]
        does = f"do {_OPERATIONS[(service + route) % len(_OPERATIONS)]}"
        end = at + self._ms(half)
        self._line(trace, span, service, end, "INFO", f"{does} called, user {self._code(6)}")
        bad = self._here(service, at, *CODE) and self.draw.random() < self.affected
        failed = bad and self.kind == "exception"
        if failed:
            self._line(trace, span, service, end, "ERROR", f"{does}: index out of range")
        for to, chance in [] if bad else calls:
            if self.draw.random() >= chance:
                continue
            end, broken = self._call(trace, span, service, to, end)
            asked = _OPERATIONS[to % len(_OPERATIONS)]
            if broken:
                self._line(trace, span, service, end, "ERROR", f"could not {asked}: rpc error")
                if not self.catches[service]:
                    failed = True
                    break
            else:
                self._line(trace, span, service, end, "INFO", f"{asked} gave {self._code(4)}")
        end += self._ms(half)
        if not bad and not failed:
            self._line(trace, span, service, end, "INFO", f"{does} done in {self._ms(9):.4f}")
        if span:
            name = f"shop.v1.{does.removeprefix('do ')}"
            self._span(trace, span, parent, service, name, "server", at, end, failed)
        self._count(service, at, end, failed, entry=parent is None and service == 0)
        return end, failed

    def _span(self, *about: Any) -> None:
        super()._span(*about)
        self.rows[-1]["pod"] = self.at_pod[about[3]]

    def _line(
        self, trace: str, span: str | None, service: int, at: float, level: str, said: str
    ) -> None:
        language = self.languages[service]
        if language == "nothing" or not self.logging[service]:
            return
        told = f"TraceID: {trace} SpanID: {span} {said}" if self.ids == "text" else said
        time = moment(START + int(at * 1e9))
        clock = f"{time:%H:%M:%S}.{time.microsecond // 1000:03}"
        fields = {
            "go": {"severity": level.lower(), "message": told, "timestamp": f"{time:%FT%TZ}"},
            "python": {"timestamp": at, "severity": level, "name": "server", "message": told},
            "node": {"level": _NUMBERS[level], "time": int(at * 1e3), "pid": 1, "msg": told},
        }
        place = 100 + sum(map(ord, said.split(",", maxsplit=1)[0][:9])) % 300
        text = {
            "dotnet": f"{'fail' if level == 'ERROR' else 'info'}: Shop.Service[0] {told}",
            "java": f"{clock} {level} o.s.Service#{place} {told}",
            "logfmt": f'ts={time:%FT%TZ} level={level.lower()} msg="{told}" trace={trace}',
        }
        self.rows.append(
            {
                "part": "log",
                "is_now": at >= 0,
                "time_ns": START + int(at * 1e9),
                "trace_id": trace,
                "span_id": span,
                "service": self.services[service],
                "pod": self.at_pod[service],
                "text": json.dumps(fields[language]) if language in fields else text[language],
            }
        )

    def _series(self, at: int, number: int, values: Floats) -> None:
        """One a pod; of two pods it is one whose machine is at fault."""
        name = _METRICS[self.style][number]
        quiet = values[: len(values) // 2]
        before = self.noise.choice(quiet, HISTORY_S // self.step)
        for which, pod in enumerate(self.pods[at]):
            here = values
            if which and number < 4 and not np.isnan(values).any():
                here = np.concatenate([quiet, self.noise.choice(quiet, len(values) - len(quiet))])
            told = np.concatenate([before * self._around(len(before), 0.05), here])
            told *= _SCALES[self.style][number]
            if name.endswith("_total"):
                told = np.where(np.isnan(told), told, np.cumsum(np.nan_to_num(told) * self.step))
            if at == self.guilty and self.kind == "gone":
                told[(HISTORY_S + SPAN_S + self.onset) // self.step + 1 :] = np.nan
            for point in np.flatnonzero(~np.isnan(told)).tolist():
                second = point * self.step - SPAN_S - HISTORY_S
                self.rows.append(
                    {
                        "part": "metric",
                        "is_now": second >= 0,
                        "time_ns": START + second * SECOND,
                        "service": self.services[at],
                        "pod": pod,
                        "name": name,
                        "value": round(float(told[point]), 6),
                    }
                )


_OPERATIONS = (
    *("GetQuote", "ListItems", "Charge", "Convert", "PlaceOrder", "GetCart", "SendMail"),
    *("GetAds", "Recommend", "EmptyCart", "ShipOrder"),
)


def write_folder(folder: Path, incidents: Sequence[Boutique]) -> None:
    """Writes incidents as a folder of labelled ones, each some hours after the one before."""
    spans, logs, cases, labels = [], [], [], []
    metrics: dict[tuple[str, int], dict[str, Any]] = {}
    for number, incident in enumerate(incidents):
        later = number * APART_S * SECOND
        case_id = f"{incident.kind} {incident.seed}"
        for row in incident.table().to_pylist():
            time = (row["time_ns"] or 0) + later
            ids = {"TraceID": row["trace_id"], "SpanID": row["span_id"], "PodName": row["pod"]}
            if row["part"] == "span":
                took = row["duration_ns"]
                times = {"StartTimeUnixNano": time, "EndTimeUnixNano": time + took}
                parent = {"ParentID": row["parent_span_id"] or "root", "Duration": took // 1000}
                spans.append(ids | parent | {"OperationName": row["name"]} | times)
            elif row["part"] == "log":
                told = f"{moment(time):%Y-%m-%dT%H:%M:%S.%fZ}"
                record = {"log": row["text"] + "\n", "stream": "stdout", "time": told}
                traced = ids if incident.ids == "columns" else {"PodName": row["pod"]}
                logs.append(traced | {"TimeUnixNano": time, "Log": json.dumps(record)})
            elif row["part"] == "metric":
                about = {"TimeStamp": time // SECOND, "PodName": row["pod"]}
                at = metrics.setdefault((row["pod"], time), about)
                at[row["name"]] = row["value"]
        start = moment(START + later)
        began = start + timedelta(seconds=incident.onset)
        cases.append(
            {
                "case_id": case_id,
                "incident_start_utc": f"{began:%Y-%m-%dT%H:%M:%SZ}",
                "windows": [{"offset_min": at} for at in range(3)],
                "normal_reference": [f"{start - timedelta(minutes=1):%Y-%m-%d/%H_%M}_trace.csv"],
            }
        )
        if incident.truth:
            label = {"case_id": case_id, "fault_type": incident.kind}
            labels.append(label | {"root_cause_service": incident.truth})
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("spans", spans), ("logs", logs), ("metrics", [*metrics.values()])):
        pd.DataFrame(rows).to_parquet(folder / f"{name}.parquet", index=False)
    for name, lines in (("cases", cases), ("labels", labels)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
