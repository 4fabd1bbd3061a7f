"""Spans as a forest of calls: who called whom, along which path, and where the time went."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.inquiry.causes import forest
from workspace_ext.inquiry.steps.columns import (
    Flags,
    Floats,
    Ints,
    Named,
    distinct,
    flags,
    ints,
    named,
)

_VARYING = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|0x[0-9a-fA-F]+|[0-9a-fA-F]{16,}|\d+")

NO_TRACE = "line "
"""So begins the id of a trace that there is not."""


@lru_cache(10_000)
def masked(text: str) -> str:
    """A name without what differs from one request to the next: ids and numbers."""
    return _VARYING.sub("*", text)


@dataclass(frozen=True)
class Calls:
    """One entry a span; a parent that was not recorded is -1.

    Attributes:
        places: Where each span is.
        trace: Trace id.
        service: Of the span; so `pod`.
        parent: Index of the parent.
        path: Which of ``paths``.
        paths: Service, and the operations from where it was entered down to the span; a call to
            another service is named by its callee. Spans are compared with those of the same path,
            so that a change in what is asked for is no change in how it is answered.
        now: Whether it belongs to the window (else to the baseline).
        failed: Whether its status says error.
        start_ns: Begin.
        duration_ns: Of the whole span.
        own_ms: Where a service is entered: without the time in which it waited for other
            services; NaN elsewhere.
        gap_ms: Where a service is entered from another: what its caller waited beyond the span
            itself; NaN elsewhere. Where the caller has no span for the call alone, the time around
            the call in which it did nothing else that is known.
        alone: Whether the caller has a span for the call alone.
        unanswered: The number of the service it asked, directly or by a span that does just that,
            where nothing was recorded there; else -1.
        usual_ms: What requests of that kind (of the path of its first span) take in the baseline.
    """

    places: forest.Places
    trace: Named
    service: Named
    pod: Named
    parent: Ints
    path: Ints
    paths: list[tuple[str, str]]
    now: Flags
    failed: Flags
    start_ns: Ints
    duration_ns: Ints
    own_ms: Floats
    gap_ms: Floats
    alone: Flags
    unanswered: Ints
    usual_ms: Floats

    def __len__(self) -> int:
        return len(self.trace)

    @cached_property
    def lone(self) -> Flags:
        """Which spans are lines on no trace (see `visits`): each tells of its service alone."""
        of = np.array([name.startswith(NO_TRACE) for name in self.trace.names], dtype=bool)
        return np.asarray(of[self.trace.number], dtype=bool)

    @property
    def edges(self) -> set[tuple[str, str]]:
        """Who called whom, as names."""
        rows = np.flatnonzero(self.parent >= 0)
        size = len(self.service.names)
        pairs = distinct(self.service.number[self.parent[rows]] * size + self.service.number[rows])
        names = self.service.names
        return {
            (names[up], names[down])
            for up, down in zip(*(each.tolist() for each in np.divmod(pairs, size)), strict=True)
            if up != down
        }


def read_calls(spans: pa.Table) -> Calls:
    """The forest of a table of spans.

    Args:
        spans: trace_id, span_id, parent_span_id, service, pod, name, time_ns, duration_ns, is_now,
            failed, text (the span's kind, where known).
    """
    trace, service, pod, name = (
        named(spans.column(each)) for each in ("trace_id", "service", "pod", "name")
    )
    places = forest.Places(spans.column("trace_id"), spans.column("span_id"))
    above = places.find(spans.column("trace_id"), spans.column("parent_span_id"))
    parent = forest.without_loops(above)
    start, length = ints(spans.column("time_ns")), ints(spans.column("duration_ns"))
    inside = (parent >= 0) & (service.number[parent] == service.number)
    entry = forest.tops(np.where(inside, parent, np.arange(len(parent))))
    called = (parent >= 0) & ~inside
    asked = _asked(parent, called, entry, service.number, spans.column("text"))
    alone = called & (asked[parent] >= 0)
    step, steps = _steps(parent, called, asked, service, name)
    path, paths = forest.paths(np.where(inside, parent, -1), service, step, steps)
    waited = forest.waiting(parent, entry, called, asked >= 0, start, length)
    now = flags(spans.column("is_now"))
    around = forest.around(parent, start, length)
    around[alone] = np.maximum(length[parent] - length, 0)[alone]
    return Calls(
        places=places,
        trace=trace,
        service=service,
        pod=pod,
        parent=parent,
        path=path,
        paths=paths,
        now=now,
        failed=flags(spans.column("failed")),
        start_ns=start,
        duration_ns=length,
        own_ms=np.where(inside, np.nan, np.maximum(length - waited, 0) / 1e6),
        gap_ms=np.where(called, around / 1e6, np.nan),
        alone=alone,
        unanswered=_unanswered(parent, path, paths, asked),
        usual_ms=_usual(parent, path, length / 1e6, now),
    )


def _asked(parent: Ints, called: Flags, entry: Ints, service: Ints, kind: pa.ChunkedArray) -> Ints:
    """Of a span that is the call of another service and nothing else, which service; else -1.

    Its kind says so; where kinds are unknown, that one call is all there is below it.
    """
    below = np.bincount(parent[parent >= 0], minlength=len(parent))
    calling = flags(pc.is_in(kind, pa.array(["client", "producer"])))
    unknown = flags(pc.is_in(kind, pa.array([None, "unspecified", "internal"], kind.type)))
    unknown &= (below == 1) & (entry != np.arange(len(parent)))
    rows = np.flatnonzero(called & (calling | unknown)[parent])
    asked = np.full(len(parent), -1)
    asked[parent[rows]] = service[rows]
    return asked


def _steps(
    parent: Ints, called: Flags, asked: Ints, service: Named, name: Named
) -> tuple[Ints, list[str]]:
    """What each span does, as number and name."""
    services, shown = service.names, [masked(each) for each in name.names]
    rows = np.flatnonzero(called & (asked[parent] >= 0))
    who, what = np.full((2, len(parent)), -1)
    who[parent[rows]], what[parent[rows]] = service.number[rows], name.number[rows]
    keys = (name.number * (len(services) + 1) + who + 1) * (len(shown) + 1) + what + 1
    _, first, step = np.unique(keys, return_index=True, return_inverse=True)
    steps = [
        shown[name.number[at]]
        + (f" → {services[who[at]]} {shown[what[at]]}" if who[at] >= 0 else "")
        for at in first.tolist()
    ]
    return step.reshape(-1), steps


def _unanswered(parent: Ints, path: Ints, paths: list[tuple[str, str]], asked: Ints) -> Ints:
    """Spans whose like ask another service, and what is below them; but nothing was recorded there.

    Whom they asked is whom their like ask most, without those that the same visit heard from.
    """
    kinds: dict[tuple[str, str], int] = {}
    plain = np.array(
        [kinds.setdefault((who, _plain(what)), len(kinds)) for who, what in paths], dtype=np.int64
    )[path]
    answered = np.zeros(len(kinds), dtype=bool)
    answered[plain[asked >= 0]] = True
    parents = np.zeros(len(parent), dtype=bool)
    parents[parent[parent >= 0]] = True
    left = np.flatnonzero(~parents & (parent >= 0) & answered[plain])
    usual: defaultdict[int, Counter[int]] = defaultdict(Counter)
    rows = np.flatnonzero((asked >= 0) & np.isin(plain, plain[left]))
    for kind, callee in zip(plain[rows].tolist(), asked[rows].tolist(), strict=True):
        usual[kind][callee] += 1
    heard: defaultdict[int, set[int]] = defaultdict(set)
    rows = np.flatnonzero((asked >= 0) & np.isin(parent, parent[left]))
    for up, callee in zip(parent[rows].tolist(), asked[rows].tolist(), strict=True):
        heard[up].add(callee)
    found = np.full(len(parent), -1)
    for at in left.tolist():
        up = int(parent[at])
        for callee, _ in usual[int(plain[at])].most_common():
            if callee not in heard[up]:
                found[at] = found[up] = callee
                break
    return found


def _plain(path: str) -> str:
    """The path of a call, whether it was answered or not."""
    return path.rpartition(" → ")[0] or path


def _usual(parent: Ints, path: Ints, duration: Floats, now: Flags) -> Floats:
    """Of each span, the median time of what its first span is one of; of all, where that is new."""
    at = np.arange(len(parent))
    first = forest.tops(np.where(parent >= 0, parent, at))
    roots = np.flatnonzero((parent < 0) & ~now)
    of_all = float(np.median(duration[roots])) if len(roots) else 1.0
    usual = np.full(int(path.max(initial=-1)) + 1, of_all)
    for kind in np.unique(path[roots]).tolist():
        usual[kind] = np.median(duration[roots[path[roots] == kind]])
    return np.asarray(np.maximum(usual[path[first]], 1e-3))


def reached(callees: Mapping[str, Iterable[str]], service: str) -> set[str]:
    """A service, whom it calls, whom those call, and so on."""
    found, waiting = {service}, [service]
    while waiting:
        fresh = set(callees.get(waiting.pop(), ())) - found
        found |= fresh
        waiting += fresh
    return found
