"""What spans do, one thing after another, as yes-or-no facts that can be counted.

Within a span, log lines and calls follow each other. The facts are "B happened", and "after A
came B", given that A was reached, so that it does not matter how many requests got that far.
That a visit to a service took longer than usual is a fact of the same kind, so all are judged by
the same measure. Spans that failed, or have something below them that did, are compared among
themselves: that more of them fail is a fact of its own, and what else they then do follows from it.
Comparing neighbouring events of logs and traces: G. Yu et al., "Nezha", ESEC/FSE 2023.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from workspace_ext.inquiry.causes.calls import Calls
from workspace_ext.inquiry.steps.columns import Flags, Floats, Ints, Named, distinct, flags, ints
from workspace_ext.inquiry.steps.columns import named as named_column

USUAL = 0.95
"""Times above this quantile of the baseline count as slow: one in twenty, by design."""
ENOUGH = 5
"""Fewer spans in the baseline say nothing about how long something usually takes."""


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
class Held:
    """Rows of a span and what held for it, sorted by the latter."""

    span: Ints
    what: Ints

    def of(self, number: int) -> Ints:
        """The spans that it held for."""
        first, end = np.searchsorted(self.what, [number, number + 1])
        return self.span[first:end]


@dataclass(frozen=True)
class Habits:
    """Facts, and the spans that they hold for.

    Attributes:
        facts: All of them.
        kind: Of each fact.
        given: Of each fact, the number of its situation (spans of which path, after what).
        slow: Of each fact, whether it says that something took longer than usual.
        met: Which spans were in which situation.
        seen: Of which spans which fact is true.
        excess_ms: Of the kinds of time, by span: how much longer than usual, NaN where unknown.
        stands: Which spans stand for a request each (see `_requests`).
    """

    facts: Facts
    kind: Ints
    given: Ints
    slow: Flags
    met: Held
    seen: Held
    excess_ms: dict[Kind, Floats]
    stands: Flags


class Facts:
    """Facts by their numbers; put into words only when asked for."""

    def __init__(self, keys: list[Ints], words: list[str], calls: Calls) -> None:
        self._keys, self._words, self._calls = keys, words, calls

    def __len__(self) -> int:
        return len(self._keys[0])

    def __getitem__(self, number: int) -> Fact:
        group, given, then, kind = (int(key[number]) for key in self._keys)
        paths, services = self._calls.paths, self._calls.service.names
        of = group // _SORTS
        service, path = (services[of - len(paths)], "") if of >= len(paths) else paths[of]
        return Fact(service, path, self._words[given], self._words[then], Kind(kind))


_ANY, _FINE, _FAILING = range(3)
"""Which spans of a path: a group is the path's number and one of these. An error may come to any
span; other steps are compared among the like."""
_SORTS = 3
_IN_ALL, _BEGIN, _END, _SLOW, _USUAL = ("in all", "begin", "end", "slow", "usual")
_OWN_WORDS = (_IN_ALL, _BEGIN, _END, _SLOW, _USUAL, *(kind.name for kind in Kind))


_Parts = list[tuple[ArrayLike, ...]]
"""Columns; a single value stands in all rows."""


@dataclass(frozen=True)
class _Events:
    """What happened in spans, in order: by span, then by time."""

    span: Ints
    word: Ints
    kind: Ints
    words: list[str]


def read_habits(calls: Calls, logs: pa.Table) -> Habits:
    """Facts of spans and of the logs written on them.

    Args:
        calls: The spans.
        logs: trace_id, span_id, time_ns, pattern, failed (whether its severity says error).
    """
    events = _events(calls, logs)
    number = {word: at for at, word in enumerate(events.words)}
    every, any_span = np.arange(len(calls)), calls.path * _SORTS
    alike = any_span + np.where(_failing(calls, events), _FAILING, _FINE)
    span, then = events.span, events.word
    first = np.concatenate([[True], span[1:] != span[:-1]])[: len(span)]
    last = np.concatenate([span[1:] != span[:-1], [True]])[: len(span)]
    before = np.where(first, number[_BEGIN], np.roll(then, 1))
    group = np.where(events.kind == Kind.STEP, alike[span], any_span[span])
    at_last = np.full(len(calls), number[_BEGIN])
    at_last[span[last]] = then[last]
    stands = _requests(calls, events)
    asked = np.flatnonzero(stands)
    met: _Parts = []
    for of in (any_span, alike):
        met += [(asked, of[asked], number[word]) for word in (_IN_ALL, _BEGIN)]
        met.append((span, of[span], then))
    seen: _Parts = [
        (span, group, number[_IN_ALL], then, events.kind),
        (span, group, before, then, events.kind),
        (every, alike, at_last, number[_END], Kind.STEP),
    ]
    excess = _excess(calls)
    for kind, beyond in excess.items():
        rows = np.flatnonzero(~np.isnan(beyond))
        of = calls.path if kind is Kind.OWN else len(calls.paths) + calls.service.number
        took = np.where(beyond[rows] > 0, number[_SLOW], number[_USUAL])
        met.append((rows, of[rows] * _SORTS, number[kind.name]))
        seen.append((rows, of[rows] * _SORTS, number[kind.name], took, kind))
    return _counted(calls, events.words, _columns(met), _columns(seen), excess, stands)


def _columns(parts: _Parts) -> list[Ints]:
    """Parts of a table, column by column, one under the other."""
    whole = [np.broadcast_arrays(*part) for part in parts]
    return [np.concatenate(column).astype(np.int64) for column in zip(*whole, strict=True)]


def _counted(
    calls: Calls,
    words: list[str],
    met: list[Ints],
    seen: list[Ints],
    excess: dict[Kind, Floats],
    stands: Flags,
) -> Habits:
    """Rows of (span, group, given) and (span, group, given, then, kind), each once and numbered."""
    spans, size = len(calls), len(words)
    situations, met_what, met_span = _numbered(met[1] * size + met[2], met[0], spans)
    given = np.searchsorted(situations, seen[1] * size + seen[2])
    facts, what, span = _numbered((given * size + seen[3]) * len(Kind) + seen[4], seen[0], spans)
    rest, kind = np.divmod(facts, len(Kind))
    given, then = np.divmod(rest, size)
    group, after = np.divmod(situations[given], size)
    return Habits(
        facts=Facts([group, after, then, kind], words, calls),
        kind=kind,
        given=given,
        slow=then == words.index(_SLOW),
        met=Held(met_span, met_what),
        seen=Held(span, what),
        excess_ms=excess,
        stands=stands,
    )


def _numbered(what: Ints, span: Ints, spans: int) -> tuple[Ints, Ints, Ints]:
    """What there is, and rows of its number and of the span, each once."""
    what, span = np.divmod(distinct(what * spans + span), spans)
    fresh = np.concatenate([[True], what[1:] != what[:-1]])[: len(what)]
    return what[fresh], np.cumsum(fresh) - 1, span


def _excess(calls: Calls) -> dict[Kind, Floats]:
    """By how much longer than usual each visit took, and its caller waited around it."""
    services = len(calls.service.names)
    caller = np.where(calls.parent >= 0, calls.service.number[calls.parent], services)
    pair = caller * services + calls.service.number
    waits = _beyond_usual(pair, calls.gap_ms, calls.now)
    unknown = np.isnan(waits)
    waits[unknown] = _beyond_usual(calls.service.number, calls.gap_ms, calls.now)[unknown]
    return {Kind.OWN: _beyond_usual(calls.path, calls.own_ms, calls.now), Kind.GAP: waits}


def _beyond_usual(group: Ints, times: Floats, now: Flags) -> Floats:
    """By how much each time exceeds what is usual in its group, at least 0; NaN where unknown."""
    known = np.flatnonzero(~np.isnan(times) & ~now)
    order = known[np.lexsort((times[known], group[known]))]
    groups, first, count = np.unique(group[order], return_index=True, return_counts=True)
    high = first + np.ceil(USUAL * (count - 1)).astype(np.int64)
    usual = np.full(int(group.max(initial=-1)) + 1, np.nan)
    usual[groups] = np.where(count >= ENOUGH, times[order][high], np.nan)
    beyond: Floats = np.maximum(times - usual[group], 0)
    return beyond


def _events(calls: Calls, logs: pa.Table) -> _Events:
    """Lines of logs, calls, errors and silence."""
    lines = calls.places.find(logs.column("trace_id"), logs.column("span_id"))
    there = np.flatnonzero(lines >= 0)
    pattern = named_column(logs.column("pattern"))
    fault = np.where(flags(logs.column("failed")), Kind.FAULT, Kind.STEP)
    below = np.flatnonzero(calls.parent >= 0)
    failed = np.flatnonzero(calls.failed)
    silent = np.flatnonzero(calls.unanswered >= 0)
    asked = [f"no answer from {callee}" for callee in calls.service.names]
    called = [f"call {who} {what.rpartition(' / ')[2]}" for who, what in calls.paths]
    start, end = calls.start_ns, calls.start_ns + calls.duration_ns
    parts: _Parts = [
        (lines[there], ints(logs.column("time_ns"))[there], fault[there]),
        (calls.parent[below], start[below], Kind.STEP),
        (failed, end[failed], Kind.FAULT),
        (silent, start[silent], Kind.SILENCE),
    ]
    texts = [
        Named(pattern.number[there], [f"log {text}" for text in pattern.names]),
        Named(calls.path[below], called),
        Named(np.zeros(len(failed), dtype=np.int64), ["status error"]),
        Named(calls.unanswered[silent], asked),
    ]
    words = sorted({*_OWN_WORDS, *(word for text in texts for word in text.names)})
    number = {word: at for at, word in enumerate(words)}
    word = np.concatenate(
        [np.array([number[name] for name in text.names], np.int64)[text.number] for text in texts]
    )
    span, time, kind = _columns(parts)
    order = np.lexsort((kind, word, time, span))
    return _Events(span[order], word[order], kind[order], words)


def _requests(calls: Calls, events: _Events) -> Flags:
    """Which spans stand for a request each.

    Of lines on no trace, those of the statement that their service mostly wrote: it writes several
    lines a request, and an error in each request is no less complete for that.
    """
    stands = ~calls.lone
    rows = np.flatnonzero(calls.lone[events.span])
    lines, size = events.span[rows], len(events.words)
    said, which = np.unique(
        calls.service.number[lines] * size + events.word[rows], return_inverse=True
    )
    # what the window holds counts only where there was nothing before
    often = np.bincount(which, np.where(calls.now[lines], 1e-9, 1.0), len(said))
    order = np.lexsort((often, said // size))
    mostly = order[np.append(np.diff(said[order] // size) != 0, True)[: len(order)]]
    stands[lines[np.isin(which, mostly)]] = True
    return stands


def _failing(calls: Calls, events: _Events) -> Flags:
    """Of each span, whether it or something below it failed."""
    failing = np.zeros(len(calls), dtype=bool)
    reached = events.span[events.kind != Kind.STEP]
    while len(reached):
        failing[reached] = True
        above = calls.parent[reached]
        reached = np.unique(above[(above >= 0) & ~failing[above]])
    return failing
