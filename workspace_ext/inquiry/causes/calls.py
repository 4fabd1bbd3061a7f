"""Spans as a forest of calls: who called whom, along which path, and where the time went."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_VARYING = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|0x[0-9a-fA-F]+|[0-9a-fA-F]{16,}|\d+")


@lru_cache(10_000)
def masked(text: str) -> str:
    """A name without what differs from one request to the next: ids and numbers."""
    return _VARYING.sub("*", text)


@dataclass(frozen=True)
class Calls:
    """One entry a span; a parent that was not recorded is -1.

    Attributes:
        trace: Trace id.
        span: Span id.
        service: Of the span; so `pod`.
        parent: Index of the parent.
        path: Operations from where the service was entered down to the span; a call to another
            service is named by its callee. Spans are compared with those of the same path, so
            that a change in what is asked for is no change in how it is answered.
        now: Whether it belongs to the window (else to the baseline).
        failed: Whether its status says error.
        start_ns: Begin.
        duration_ms: Of the whole span.
        own_ms: Where a service is entered: without the time in which it waited for other
            services; NaN elsewhere.
        gap_ms: Where a service is entered from another: what its caller waited beyond the span
            itself; NaN elsewhere.
    """

    trace: list[str]
    span: list[str]
    service: list[str]
    pod: list[str | None]
    parent: NDArray[np.int64]
    path: list[tuple[str, str]]
    now: NDArray[np.bool_]
    failed: NDArray[np.bool_]
    start_ns: NDArray[np.int64]
    duration_ms: NDArray[np.float64]
    own_ms: NDArray[np.float64]
    gap_ms: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.trace)


def read_calls(spans: pa.Table) -> Calls:
    """The forest of a table of spans.

    Args:
        spans: trace_id, span_id, parent_span_id, service, pod, name, time_ns, duration_ns, is_now,
            failed.
    """
    column = {name: spans.column(name).to_pylist() for name in spans.column_names}
    trace, span = column["trace_id"], column["span_id"]
    service = [name or "" for name in column["service"]]
    place = {key: at for at, key in enumerate(zip(trace, span, strict=True))}
    above = [place.get(key, -1) for key in zip(trace, column["parent_span_id"], strict=True)]
    entry = _entries(above, service)
    parent = np.array(above, dtype=np.int64)
    start = np.array(column["time_ns"], dtype=np.int64)
    duration = np.array(column["duration_ns"], dtype=np.float64) / 1e6
    entered = np.array(entry, dtype=np.int64) == np.arange(len(trace))
    called = entered & (parent >= 0)
    own = duration - _waiting(above, entry, start, duration)
    return Calls(
        trace=trace,
        span=span,
        service=service,
        pod=column["pod"],
        parent=parent,
        path=_paths(service, [masked(name or "") for name in column["name"]], above),
        now=np.array(column["is_now"], dtype=bool),
        failed=np.array(column["failed"], dtype=bool),
        start_ns=start,
        duration_ms=duration,
        own_ms=np.where(entered, np.maximum(own, 0), np.nan),
        gap_ms=np.where(called, np.maximum(duration[parent] - duration, 0), np.nan),
    )


def _entries(above: list[int], service: list[str]) -> list[int]:
    """Of each span, the one by which the visit to its service began."""
    entry = [-1] * len(above)
    for first in range(len(above)):
        chain = []
        at = first
        while entry[at] < 0:
            chain.append(at)
            entry[at] = at  # a loop of parents ends here
            up = above[at]
            if up < 0 or service[up] != service[at]:
                break
            at = up
        for here in chain:
            entry[here] = entry[at]
    return entry


def _waiting(
    above: list[int], entry: list[int], start: NDArray[np.int64], duration: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Milliseconds of each visit in which some call to another service was under way."""
    begin, length = start.tolist(), (duration * 1e6).astype(np.int64).tolist()
    waits: defaultdict[int, set[int]] = defaultdict(set)
    for at, up in enumerate(above):
        if up >= 0 and entry[at] == at:
            waits[entry[up]].add(up if up != entry[up] else at)
    waited = np.zeros(len(above))
    for visit, during in waits.items():
        reached, end = begin[visit], begin[visit] + length[visit]
        for at in sorted(during, key=lambda at: (begin[at], at)):
            until = min(begin[at] + length[at], end)
            since = max(begin[at], reached)
            if until > since:
                waited[visit] += (until - since) / 1e6
                reached = until
    return waited


def _paths(service: list[str], name: list[str], above: list[int]) -> list[tuple[str, str]]:
    callee: dict[int, str] = {}
    for at, up in enumerate(above):
        if up >= 0 and service[at] != service[up]:
            callee[up] = f"{service[at]} {name[at]}"
    step = [f"{what} → {callee[at]}" if at in callee else what for at, what in enumerate(name)]
    path: list[str | None] = [None] * len(name)
    for first in range(len(name)):
        chain = []
        at = first
        while path[at] is None:
            chain.append(at)
            path[at] = ""  # a loop of parents ends here
            up = above[at]
            if up < 0 or service[up] != service[at]:
                break
            at = up
        for here in reversed(chain):
            up = above[here]
            inside = up >= 0 and service[up] == service[here]
            path[here] = f"{path[up]} / {step[here]}" if inside else step[here]
    return [(who, what or "") for who, what in zip(service, path, strict=True)]
