"""Changed facts, the onset they agree on, and the service on which each trace puts the blame."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from workspace_ext.inquiry.causes.calls import Calls
from workspace_ext.inquiry.causes.evidence import log_bayes_factor
from workspace_ext.inquiry.causes.habits import Fact, Habits, Held, Kind
from workspace_ext.inquiry.steps.columns import Flags, Floats, Ints

RARE = 0.1
"""What more than this share of the baseline did is no new habit (the times have 0.05 by design)."""


@dataclass(frozen=True)
class Change:
    """A fact that holds more often than it did or, when ``gone``, less often.

    Attributes:
        fact: The fact.
        number: Its number.
        gone: Whether its absence is what is new.
        before: How many spans did (did not, when gone), and of how many, before the onset.
        after: The same after it.
        evidence: Logarithm of the Bayes factor.
    """

    fact: Fact
    number: int
    gone: bool
    before: tuple[int, int]
    after: tuple[int, int]
    evidence: float

    @property
    def completeness(self) -> float:
        """Square of the growth of its share: a defect meets all comers, other changes some."""
        return (self.after[0] / self.after[1] - self.before[0] / self.before[1]) ** 2


@dataclass(frozen=True)
class Tally:
    """In how many spans each fact could have held, and held, by slot of time."""

    met: Ints
    seen: Ints


def tally(habits: Habits, slot: Ints, slots: int) -> Tally:
    """Counts facts by the slot that each span belongs to; slot 0 is the baseline."""

    def count(held: Held, kinds: int) -> Ints:
        counted = np.bincount(held.what * slots + slot[held.span], minlength=kinds * slots)
        return counted.reshape(kinds, slots).astype(np.int64)

    situations = int(habits.met.what.max(initial=-1)) + 1
    return Tally(count(habits.met, situations)[habits.given], count(habits.seen, len(habits.facts)))


@dataclass(frozen=True)
class Compared:
    """Facts before and after a split, each turned so that what grew is counted."""

    gone: Flags
    k0: Ints
    n0: Ints
    k1: Ints
    n1: Ints
    evidence: Floats
    beyond: Floats
    """Evidence beyond what so many comparisons give by chance; 0 for what did not change."""
    faint: Floats
    """Evidence, as if nothing else had been compared; 0 for what did not change."""

    @property
    def strength(self) -> Floats:
        """Evidence by completeness, of each fact."""
        share = self.k1 / np.maximum(self.n1, 1) - self.k0 / np.maximum(self.n0, 1)
        return np.asarray(self.beyond * share**2)


def compare(habits: Habits, counted: Tally, split: int, quiet: int) -> Compared:
    """Judges every fact by its counts in the slots before and from ``split`` on.

    Of the former, the first ``quiet`` are the baseline.
    """
    n0, k0 = counted.met[:, :split].sum(axis=1), counted.seen[:, :split].sum(axis=1)
    n1, k1 = counted.met[:, split:].sum(axis=1), counted.seen[:, split:].sum(axis=1)
    n0, n1 = np.maximum(n0, k0), np.maximum(n1, k1)  # lines may be more than requests
    timed = habits.kind >= Kind.OWN
    gone = ~timed & (k1 * n0 < k0 * n1)
    n, k = counted.met[:, :quiet].sum(axis=1), counted.seen[:, :quiet].sum(axis=1)
    rare = np.where(gone, np.maximum(n, k) - k, k) <= RARE * n
    k0, k1 = np.where(gone, n0 - k0, k0), np.where(gone, n1 - k1, k1)
    evidence = log_bayes_factor(k0, n0, k1, n1)
    grown = (n0 > 0) & (n1 > 0) & (k1 * n0 > k0 * n1) & rare
    grown &= ~(gone & (habits.kind != Kind.STEP))  # that errors cease is no trouble
    grown &= ~timed | habits.slow
    beyond = np.zeros(len(k0))
    # each kind is a question of its own: the few errors need not outshine a thousand steps
    for kind in Kind:
        family = habits.kind == kind
        asked = int((family & (n0 > 0) & (n1 > 0)).sum())
        beyond[family] = evidence[family] - np.log(max(asked, 1))
    beyond, faint = (np.where(grown, np.maximum(of, 0), 0) for of in (beyond, evidence))
    return Compared(gone, k0, n0, k1, n1, evidence, beyond, faint)


def changes(habits: Habits, compared: Compared, *, faint: bool = False) -> list[Change]:
    """What changed, strongest evidence first; with ``faint`` also what may be chance."""
    found = [
        Change(
            fact=habits.facts[at],
            number=at,
            gone=bool(compared.gone[at]),
            before=(int(compared.k0[at]), int(compared.n0[at])),
            after=(int(compared.k1[at]), int(compared.n1[at])),
            evidence=float(compared.evidence[at]),
        )
        for at in np.flatnonzero((compared.faint if faint else compared.beyond) > 0).tolist()
    ]
    return sorted(found, key=lambda change: (-change.evidence, change.number))


@dataclass
class Blame:
    """How much of the traffic points at a service.

    Attributes:
        share: Share of the window's traces, each weighted by how complete the change is, less
            the same share of the baseline's.
        pods: Spans blamed, by pod.
        why: Change → how many spans were blamed by it, and the first of them.
    """

    share: float = 0.0
    pods: Counter[str] = field(default_factory=Counter)
    why: dict[int, tuple[int, int]] = field(default_factory=dict)


def troubled(calls: Calls, habits: Habits, found: list[Change]) -> Floats:
    """Of each span, the weight of its heaviest change."""
    return _marks(calls, habits, found)[0]


def blame(
    calls: Calls,
    habits: Habits,
    found: list[Change],
    now: Flags,
    *,
    among: Flags | None = None,
) -> dict[str, Blame]:
    """Puts each trace's blame on its deepest changed spans, by service.

    A span that asks as before, but whose callee left no span, hands the blame on to the callee.

    Args:
        calls: The spans.
        habits: Their facts.
        found: The changes.
        now: Whether a span lies after the onset.
        among: Which spans are looked at; all when not given.
    """
    if not found:
        return {}
    weight, reason, silent = _marks(calls, habits, found)
    among = np.ones(len(calls), dtype=bool) if among is None else among
    faults = [change.number for change in found if change.fact.kind is Kind.FAULT]
    failed = np.flatnonzero(np.isin(reason, faults))
    weight[failed] = _heaviest_above(calls.parent, weight, failed)
    marked = np.flatnonzero((weight > 0) & among)
    left = weight - _heaviest_below(calls.parent, weight, marked)
    rows = marked[left[marked] > 0]
    gaps = [change.number for change in found if change.fact.kind is Kind.GAP]
    waiting = np.isin(reason[rows], gaps)
    waiting &= _waiting_callers(calls, habits.excess_ms[Kind.GAP])[rows]
    guilty = np.where(waiting, calls.parent[rows], rows)
    service = np.where(silent[rows] >= 0, silent[rows], calls.service.number[guilty])
    share = _shares(calls, service, rows, left[rows], now, among & habits.stands)
    blamed: dict[str, Blame] = {}
    after = now[rows]
    rows, service = rows[after], service[after]
    pod = np.where(silent[rows] >= 0, len(calls.pod.names), calls.pod.number[guilty[after]])
    for who, which, count, _ in _counts(service, pod):
        of = blamed.setdefault(calls.service.names[who], Blame(float(share[who])))
        of.pods["" if which == len(calls.pod.names) else calls.pod.names[which]] += count
    for who, which, count, first in _counts(service, reason[rows]):
        blamed[calls.service.names[who]].why[which] = (count, int(rows[first]))
    return blamed


def _heaviest_above(parent: Ints, weight: Floats, marked: Ints) -> Floats:
    """Of each marked span, the heaviest weight that it or any marked span above it has."""
    heaviest = weight[marked]
    counted = np.zeros(len(parent))
    counted[marked] = heaviest
    above = parent[marked]
    while (above >= 0).any():
        heaviest = np.maximum(heaviest, np.where(above >= 0, counted[above], 0.0))
        above = np.where(above >= 0, parent[above], -1)
    return heaviest


def _heaviest_below(parent: Ints, weight: Floats, marked: Ints) -> Floats:
    """The heaviest weight that any marked span below each span has."""
    below = np.zeros(len(parent))
    rows, carried = marked, weight[marked]
    while len(rows):
        rows = parent[rows]
        further = (rows >= 0) & (below[rows] < carried)
        rows, carried = rows[further], carried[further]
        np.maximum.at(below, rows, carried)
    return below


def _shares(
    calls: Calls, service: Ints, rows: Ints, left: Floats, now: Flags, asked: Flags
) -> Floats:
    """Of each service, `Blame.share`: of each trace, the heaviest of its spans counts."""
    traces, services = len(calls.trace.names), len(calls.service.names)
    lone = calls.lone
    keys = (service * 2 + now[rows]) * traces + calls.trace.number[rows]
    order = np.lexsort((-left, keys))
    first = order[np.concatenate([[True], np.diff(keys[order]) != 0])[: len(order)]]
    weight = np.bincount(keys[first] // traces, left[first], minlength=2 * services)
    before, after = (
        np.maximum(
            len(np.unique(calls.trace.number[asked & ~lone & (now == side)]))
            + np.bincount(calls.service.number[asked & lone & (now == side)], minlength=services),
            1,
        )
        for side in (False, True)
    )
    shares: Floats = np.minimum(weight[1::2] / after, 1.0) - np.minimum(weight[::2] / before, 1.0)
    return shares


def _counts(who: Ints, what: Ints) -> list[tuple[int, int, int, int]]:
    """Pairs of both, how often there is each, and where first; in the order of that."""
    size = int(what.max(initial=0)) + 1
    keys, first, count = np.unique(who * size + what, return_index=True, return_counts=True)
    pairs = (divmod(key, size) for key in keys.tolist())
    found = zip(pairs, count.tolist(), first.tolist(), strict=True)
    return sorted(((*pair, n, at) for pair, n, at in found), key=lambda one: one[3])


def _marks(calls: Calls, habits: Habits, found: list[Change]) -> tuple[Floats, Ints, Ints]:
    """Of each span, the weight of its heaviest change, which one that is, and who kept silent."""
    weight = np.zeros(len(calls))
    reason, silent = np.full((2, len(calls)), -1)
    for change in found:
        did = habits.seen.of(change.number)
        if change.gone:
            did = np.setdiff1d(habits.met.of(int(habits.given[change.number])), did)
        if change.fact.kind is Kind.SILENCE:
            silent[did] = calls.unanswered[did]
        heavy = np.full(len(did), change.completeness)
        if change.fact.kind >= Kind.OWN:
            lost = habits.excess_ms[change.fact.kind][did]
            heavy *= lost / (lost + calls.usual_ms[did])
        more = heavy > weight[did]
        weight[did[more]] = heavy[more]
        reason[did[more]] = change.number
    return weight, reason, silent


def _waiting_callers(calls: Calls, waits: Floats) -> Flags:
    """Which spans' callers, not they themselves, are to blame for the wait around them.

    It is that end of the call whose other calls wait more, as parts of what their requests take. An
    end's network is seen in all of them, made or taken; but where the caller has no span for the
    call alone, the wait holds its own work, too, which is seen in the calls that it makes. If the
    others leave it open, the wait is the callee's where it is the network's alone, and else the
    caller's.

    Args:
        calls: The spans.
        waits: Of each span, by how much its caller waited longer than usual; NaN where unknown.
    """
    rows = np.flatnonzero(calls.now & ~np.isnan(waits))
    number, services = calls.service.number, len(calls.service.names)
    edges, edge = np.unique(
        number[calls.parent[rows]] * services + number[rows], return_inverse=True
    )
    ends = np.divmod(edges, services)
    spans = np.bincount(edge, minlength=len(edges))
    part = waits[rows] / (waits[rows] + calls.usual_ms[rows])
    slow = np.bincount(edge, part, minlength=len(edges))
    alone = 2 * np.bincount(edge, calls.alone[rows], minlength=len(edges)) >= spans

    def elsewhere(end: int) -> Floats:
        """How much the end's other calls wait; half as much as this, if there are none."""
        waited, count = (
            np.bincount(ends[end], of, services)[ends[end]]
            + alone * np.bincount(ends[1 - end], of, services)[ends[end]]
            - of
            for of in (slow, spans)
        )
        return np.where(count > 0, waited / np.maximum(count, 1), slow / spans / 2)

    caller, callee = elsewhere(0), elsewhere(1)
    guilty = np.zeros(len(calls), dtype=bool)
    guilty[rows] = ((caller > callee) | ((caller == callee) & ~alone))[edge.reshape(-1)]
    return guilty
