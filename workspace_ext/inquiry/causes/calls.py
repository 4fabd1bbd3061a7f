"""Spans as a forest of calls: who called whom, along which path, and where the time went."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
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
            itself; NaN elsewhere. Where the caller has no span for the call alone, the time around
            the call in which it did nothing else that is known.
        alone: Whether the caller has a span for the call alone.
        asked: Which service it called, where it is such a call and nothing else.
        unanswered: Span → the service it asked, directly or by a span that does just that, where
            nothing was recorded.
        usual_ms: What requests of that kind (of the path of its first span) take in the baseline.
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
    alone: NDArray[np.bool_]
    asked: list[str | None]
    unanswered: dict[int, str]
    usual_ms: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.trace)


def read_calls(spans: pa.Table) -> Calls:
    """The forest of a table of spans.

    Args:
        spans: trace_id, span_id, parent_span_id, service, pod, name, time_ns, duration_ns, is_now,
            failed, text (the span's kind, where known).
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
    asked = _asked(above, entry, service, column["text"])
    asking = np.array([callee is not None for callee in asked], dtype=bool)
    alone = called & asking[parent]
    own = duration - _waiting(above, entry, asking, start, duration)
    now = np.array(column["is_now"], dtype=bool)
    path = _paths(service, [masked(name or "") for name in column["name"]], above, asked)
    return Calls(
        trace=trace,
        span=span,
        service=service,
        pod=column["pod"],
        parent=parent,
        path=path,
        now=now,
        failed=np.array(column["failed"], dtype=bool),
        start_ns=start,
        duration_ms=duration,
        own_ms=np.where(entered, np.maximum(own, 0), np.nan),
        gap_ms=np.where(
            alone,
            np.maximum(duration[parent] - duration, 0),
            _around(above, called, start, duration),
        ),
        alone=alone,
        asked=asked,
        unanswered=_unanswered(above, path, asked),
        usual_ms=_usual(above, path, duration, now),
    )


def _asked(
    above: list[int], entry: list[int], service: list[str], kind: list[str | None]
) -> list[str | None]:
    """Of a span that is the call of another service and nothing else, which service.

    Its kind says so; where kinds are unknown, that one call is all there is below it.
    """
    below = np.bincount([up for up in above if up >= 0], minlength=len(above)).tolist()
    asked: list[str | None] = [None] * len(above)
    for at, up in enumerate(above):
        if up >= 0 and entry[at] == at and service[at] != service[up]:
            unknown = kind[up] in {None, "unspecified", "internal"}
            if kind[up] in {"client", "producer"} or (
                unknown and below[up] == 1 and entry[up] != up
            ):
                asked[up] = service[at]
    return asked


def _unanswered(
    above: list[int], path: list[tuple[str, str]], asked: list[str | None]
) -> dict[int, str]:
    """Spans whose like ask another service, and what is below them; but nothing was recorded there.

    Whom they asked is whom their like ask most, without those that the same visit heard from.
    """
    plain = [(who, what.rpartition(" → ")[0] or what) for who, what in path]
    usual: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    heard: defaultdict[int, set[str]] = defaultdict(set)
    for at, callee in enumerate(asked):
        if callee is not None:
            usual[plain[at]][callee] += 1
            heard[above[at]].add(callee)
    parents = {up for up in above if up >= 0}
    found: dict[int, str] = {}
    for at, kind in enumerate(plain):
        if at not in parents and kind in usual and above[at] >= 0:
            left = [each for each in usual[kind].most_common() if each[0] not in heard[above[at]]]
            if left:
                found[at] = found[above[at]] = left[0][0]
    return found


def _usual(
    above: list[int],
    path: list[tuple[str, str]],
    duration: NDArray[np.float64],
    now: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Of each span, the median time of what its first span is one of; of all, where that is new."""
    first = [-1] * len(above)
    for at in range(len(above)):
        chain, here = [], at
        while first[here] < 0:
            chain.append(here)
            first[here] = here  # a loop of parents ends here
            if above[here] < 0:
                break
            here = above[here]
        for each in chain:
            first[each] = first[here]
    took: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for at, up in enumerate(above):
        if up < 0 and not now[at]:
            took[path[at]].append(float(duration[at]))
    medians = {kind: max(float(np.median(times)), 1e-3) for kind, times in took.items()}
    of_all = float(np.median([time for times in took.values() for time in times] or [1.0]))
    return np.array([medians.get(path[at], max(of_all, 1e-3)) for at in first], dtype=np.float64)


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
    above: list[int],
    entry: list[int],
    asking: NDArray[np.bool_],
    start: NDArray[np.int64],
    duration: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Milliseconds of each visit in which some call to another service was under way."""
    begin, length = start.tolist(), (duration * 1e6).astype(np.int64).tolist()
    waits: defaultdict[int, set[int]] = defaultdict(set)
    for at, up in enumerate(above):
        if up >= 0 and entry[at] == at:
            waits[entry[up]].add(up if asking[up] and up != entry[up] else at)
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


def _around(
    above: list[int],
    called: NDArray[np.bool_],
    start: NDArray[np.int64],
    duration: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Milliseconds from what its caller did before a call to it, and from it to what came next."""
    begin, end = start.tolist(), (start + (duration * 1e6).astype(np.int64)).tolist()
    below: defaultdict[int, list[int]] = defaultdict(list)
    for at, up in enumerate(above):
        if up >= 0:
            below[up].append(at)
    around = np.full(len(above), np.nan)
    for up, spans in below.items():
        spans.sort(key=lambda at: (begin[at], at))
        ended = [begin[up], *(end[at] for at in spans)]
        begun = [*(begin[at] for at in spans[1:]), end[up]]
        for at, before, after in zip(spans, ended, begun, strict=False):
            if called[at]:
                waited = max(begin[at] - before, 0) + max(after - end[at], 0)
                around[at] = waited / 1e6
    return around


def _paths(
    service: list[str], name: list[str], above: list[int], asked: list[str | None]
) -> list[tuple[str, str]]:
    step = list(name)
    for at, up in enumerate(above):
        if up >= 0 and asked[up] is not None and service[at] != service[up]:
            step[up] = f"{name[up]} → {service[at]} {name[at]}"
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
