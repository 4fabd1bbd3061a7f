"""What spans do, one thing after another, as yes-or-no facts that can be counted.

Within a span, log lines and calls follow each other. The facts are "B happened", and "after A
came B", given that A was reached, so that it does not matter how many requests got that far.
That a visit to a service took longer than usual is a fact of the same kind, so all are judged by
the same measure. Spans that failed, or have something below them that did, are compared among
themselves: that more of them fail is a fact of its own, and what else they then do follows from it.
Comparing neighbouring events of logs and traces: G. Yu et al., "Nezha", ESEC/FSE 2023.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from workspace_ext.inquiry.causes.calls import Calls

USUAL = 0.95
"""Times above this quantile of the baseline count as slow: one in twenty, by design."""
ENOUGH = 5
"""Fewer spans in the baseline say nothing about how long something usually takes."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Kind(IntEnum):
    """What sort of fact it is."""

    STEP = 0
    FAULT = 1
    """An event that is an error by its own word."""
    SILENCE = 2
    """It asked another service, and nothing was recorded there."""
    OWN = 3
    """The service itself took longer than usual."""
    GAP = 4
    """A caller waited longer than usual beyond the visit to whom it called."""


@dataclass(frozen=True)
class Fact:
    """``then`` came after ``given``, in spans of a path."""

    service: str
    path: str
    given: str
    then: str
    kind: Kind


@dataclass(frozen=True)
class Habits:
    """Facts, and the spans that they hold for.

    Attributes:
        facts: All of them.
        kind: Of each fact.
        given: Of each fact, the number of its situation (spans of which path, after what).
        met: Rows of (span, situation): the span was in it.
        seen: Rows of (span, fact): and this came then.
        excess_ms: Of the kinds of time, by span: how much longer than usual, NaN where unknown.
    """

    facts: list[Fact]
    kind: Ints
    given: Ints
    met: Ints
    seen: Ints
    excess_ms: dict[Kind, Floats]


_Group = tuple[str, str, str]
"""Service, path, and which of its spans: any, fine, failing."""


class _Notes:
    """Takes facts down as numbers, and makes `Habits` of them at the end."""

    def __init__(self) -> None:
        self._groups: dict[_Group, int] = {}
        self._words: dict[str, int] = {}
        self._met: list[tuple[int, int, int]] = []
        self._seen: list[tuple[int, int, int, int, int]] = []

    def group(self, group: _Group) -> int:
        return self._groups.setdefault(group, len(self._groups))

    def word(self, text: str) -> int:
        return self._words.setdefault(text, len(self._words))

    def meet(self, span: int, group: int, given: int) -> None:
        self._met.append((span, group, given))

    def see(self, span: int, group: int, given: int, then: int, kind: Kind) -> None:
        self._seen.append((span, group, given, then, kind))

    def habits(self, excess_ms: dict[Kind, Floats]) -> Habits:
        words, groups = list(self._words), list(self._groups)
        size = len(words) + 1
        met = np.array(self._met, dtype=np.int64).reshape(-1, 3)
        seen = np.array(self._seen, dtype=np.int64).reshape(-1, 5)
        situations, of_met = np.unique(met[:, 1] * size + met[:, 2], return_inverse=True)
        keys = ((seen[:, 1] * size + seen[:, 2]) * size + seen[:, 3]) * len(Kind) + seen[:, 4]
        known, first, of_seen = np.unique(keys, return_index=True, return_inverse=True)
        facts = [
            Fact(groups[group][0], groups[group][1], words[given], words[then], Kind(kind))
            for _, group, given, then, kind in seen[first].tolist()
        ]
        given = np.searchsorted(situations, seen[first, 1] * size + seen[first, 2])
        return Habits(
            facts=facts,
            kind=seen[first, 4],
            given=given,
            met=_pairs(met[:, 0], of_met.reshape(-1), len(situations)),
            seen=_pairs(seen[:, 0], of_seen.reshape(-1), len(known)),
            excess_ms=excess_ms,
        )


def read_habits(calls: Calls, logs: pa.Table) -> Habits:
    """Facts of spans and of the logs written on them.

    Args:
        calls: The spans.
        logs: trace_id, span_id, time_ns, pattern, failed (whether its severity says error).
    """
    notes = _Notes()
    events = _events(calls, logs)
    failing = _failing(calls, events)
    in_all, begin, end = (notes.word(text) for text in ("in all", "begin", "end"))
    for span, of_span in enumerate(events):
        # an error may come to any span of the path; other steps are compared among the like
        any_span = notes.group((*calls.path[span], "any"))
        alike = notes.group((*calls.path[span], "failing" if failing[span] else "fine"))
        before = begin
        for given in (in_all, begin):
            notes.meet(span, any_span, given)
            notes.meet(span, alike, given)
        for _, text, kind in of_span:
            after = notes.word(text)
            group = alike if kind is Kind.STEP else any_span
            notes.see(span, group, in_all, after, kind)
            notes.see(span, group, before, after, kind)
            notes.meet(span, any_span, after)
            notes.meet(span, alike, after)
            before = after
        notes.see(span, alike, before, end, Kind.STEP)
    return notes.habits(_note_times(calls, notes))


def _note_times(calls: Calls, notes: _Notes) -> dict[Kind, Floats]:
    caller = [calls.service[up] if up >= 0 else "" for up in calls.parent.tolist()]
    waits = _beyond_usual(list(zip(caller, calls.service, strict=True)), calls.gap_ms, calls.now)
    unknown = np.isnan(waits)
    waits[unknown] = _beyond_usual(calls.service, calls.gap_ms, calls.now)[unknown]
    excess = {Kind.OWN: _beyond_usual(calls.path, calls.own_ms, calls.now), Kind.GAP: waits}
    slow, usual = notes.word("slow"), notes.word("usual")
    for kind, beyond in excess.items():
        given = notes.word(kind.name)
        for span in np.flatnonzero(~np.isnan(beyond)).tolist():
            service, path = calls.path[span]
            group = notes.group((service, path if kind is Kind.OWN else "", "any"))
            notes.meet(span, group, given)
            notes.see(span, group, given, slow if beyond[span] > 0 else usual, kind)
    return excess


def _events(calls: Calls, logs: pa.Table) -> list[list[tuple[int, str, Kind]]]:
    """What happened in each span, in order."""
    place = {key: at for at, key in enumerate(zip(calls.trace, calls.span, strict=True))}
    events: list[list[tuple[int, str, Kind]]] = [[] for _ in range(len(calls))]
    columns = (logs.column(name).to_pylist() for name in ("trace_id", "span_id", "time_ns"))
    told = zip(logs.column("pattern").to_pylist(), logs.column("failed").to_pylist(), strict=True)
    for trace, span, time, (pattern, fault) in zip(*columns, told, strict=True):
        at = place.get((trace, span))
        if at is not None:
            events[at].append((time, f"log {pattern}", Kind.FAULT if fault else Kind.STEP))
    start = calls.start_ns.tolist()
    for at, up in enumerate(calls.parent.tolist()):
        if up >= 0:
            what = f"call {calls.service[at]} {calls.path[at][1].rpartition(' / ')[2]}"
            events[up].append((start[at], what, Kind.STEP))
    for at in np.flatnonzero(calls.failed).tolist():
        end = start[at] + int(calls.duration_ms[at] * 1e6)
        events[at].append((end, "status error", Kind.FAULT))
    for at, callee in calls.unanswered.items():
        events[at].append((start[at], f"no answer from {callee}", Kind.SILENCE))
    for of_span in events:
        of_span.sort()
    return events


def _failing(calls: Calls, events: list[list[tuple[int, str, Kind]]]) -> list[bool]:
    """Of each span, whether it or something below it failed."""
    failing = [any(kind is not Kind.STEP for _, _, kind in of_span) for of_span in events]
    above = calls.parent.tolist()
    for span in [at for at, failed in enumerate(failing) if failed]:
        up = above[span]
        while up >= 0 and not failing[up]:
            failing[up] = True
            up = above[up]
    return failing


def _beyond_usual(groups: Sequence[Hashable], times: Floats, now: NDArray[np.bool_]) -> Floats:
    """By how much each time exceeds what is usual in its group, at least 0."""
    members: defaultdict[Hashable, list[int]] = defaultdict(list)
    for at in np.flatnonzero(~np.isnan(times)).tolist():
        members[groups[at]].append(at)
    excess = np.full(len(times), np.nan)
    for of_group in members.values():
        spans = np.array(of_group)
        before = times[spans[~now[spans]]]
        if len(before) >= ENOUGH:
            excess[spans] = np.maximum(
                times[spans] - np.quantile(before, USUAL, method="higher"), 0
            )
    return excess


def _pairs(span: Ints, what: Ints, size: int) -> Ints:
    """Rows (span, what), each once."""
    unique = np.unique(span * size + what)
    return np.stack([unique // max(size, 1), unique % max(size, 1)], axis=1)
