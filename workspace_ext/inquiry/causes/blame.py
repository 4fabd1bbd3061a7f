"""Changed facts, the onset they agree on, and the service on which each trace puts the blame."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from workspace_ext.inquiry.causes.calls import Calls
from workspace_ext.inquiry.causes.evidence import log_bayes_factor
from workspace_ext.inquiry.causes.habits import Fact, Floats, Habits, Ints, Kind

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

    def count(rows: Ints, kinds: int) -> Ints:
        counted = np.bincount(rows[:, 1] * slots + slot[rows[:, 0]], minlength=kinds * slots)
        return counted.reshape(kinds, slots).astype(np.int64)

    situations = int(habits.met[:, 1].max(initial=-1)) + 1
    return Tally(count(habits.met, situations)[habits.given], count(habits.seen, len(habits.facts)))


@dataclass(frozen=True)
class Compared:
    """Facts before and after a split, each turned so that what grew is counted."""

    gone: NDArray[np.bool_]
    k0: Ints
    n0: Ints
    k1: Ints
    n1: Ints
    evidence: Floats
    beyond: Floats
    """Evidence beyond what so many comparisons give by chance; 0 for what did not change."""

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
    timed = habits.kind >= Kind.OWN
    gone = ~timed & (k1 * n0 < k0 * n1)
    n, k = counted.met[:, :quiet].sum(axis=1), counted.seen[:, :quiet].sum(axis=1)
    rare = np.where(gone, n - k, k) <= RARE * n
    k0, k1 = np.where(gone, n0 - k0, k0), np.where(gone, n1 - k1, k1)
    evidence = log_bayes_factor(k0, n0, k1, n1)
    grown = (n0 > 0) & (n1 > 0) & (k1 * n0 > k0 * n1) & rare
    grown &= ~(gone & (habits.kind != Kind.STEP))  # that errors cease is no trouble
    grown &= ~timed | np.array([fact.then == "slow" for fact in habits.facts], dtype=bool)
    beyond = np.zeros(len(k0))
    # each kind is a question of its own: the few errors need not outshine a thousand steps
    for kind in Kind:
        family = habits.kind == kind
        asked = int((family & (n0 > 0) & (n1 > 0)).sum())
        beyond[family] = evidence[family] - np.log(max(asked, 1))
    return Compared(gone, k0, n0, k1, n1, evidence, np.where(grown, np.maximum(beyond, 0), 0))


def changes(habits: Habits, compared: Compared) -> list[Change]:
    """What changed, strongest evidence first."""
    found = [
        Change(
            fact=habits.facts[at],
            number=at,
            gone=bool(compared.gone[at]),
            before=(int(compared.k0[at]), int(compared.n0[at])),
            after=(int(compared.k1[at]), int(compared.n1[at])),
            evidence=float(compared.evidence[at]),
        )
        for at in np.flatnonzero(compared.beyond > 0).tolist()
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
    now: NDArray[np.bool_],
    *,
    among: NDArray[np.bool_] | None = None,
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
    below = np.zeros(len(calls))
    parent = calls.parent.tolist()
    among = np.ones(len(calls), dtype=bool) if among is None else among
    marked = np.flatnonzero((weight > 0) & among).tolist()
    for span in marked:
        up = parent[span]
        while up >= 0 and below[up] < weight[span]:
            below[up] = weight[span]
            up = parent[up]
    gap = {change.number for change in found if change.fact.kind is Kind.GAP}
    waiting = _waiting_callers(calls, habits.excess_ms[Kind.GAP])
    heaviest: defaultdict[tuple[str, bool], dict[str, float]] = defaultdict(dict)
    blamed: defaultdict[str, Blame] = defaultdict(Blame)
    for span in marked:
        left = float(weight[span] - below[span])
        if left <= 0:
            continue
        guilty = parent[span] if int(reason[span]) in gap and span in waiting else span
        service, after = silent.get(span, calls.service[guilty]), bool(now[span])
        per_trace = heaviest[service, after]
        per_trace[calls.trace[span]] = max(per_trace.get(calls.trace[span], 0.0), left)
        if after:
            of = blamed[service]
            of.pods["" if span in silent else calls.pod[guilty] or ""] += 1
            count, first = of.why.get(int(reason[span]), (0, span))
            of.why[int(reason[span])] = (count + 1, first)
    sides = list(zip(calls.trace, now.tolist(), among.tolist(), strict=True))
    traces = [
        max(len({trace for trace, after, looked in sides if looked and after == side}), 1)
        for side in (False, True)
    ]
    for service, of in blamed.items():
        after_share = sum(heaviest[service, True].values()) / traces[1]
        of.share = after_share - sum(heaviest[service, False].values()) / traces[0]
    return dict(blamed)


def _marks(
    calls: Calls, habits: Habits, found: list[Change]
) -> tuple[Floats, Ints, dict[int, str]]:
    """Of each span, the weight of its heaviest change, which one that is, and who kept silent."""
    silent: dict[int, str] = {}
    weight = np.zeros(len(calls))
    reason = np.full(len(calls), -1, dtype=np.int64)
    for change in found:
        did = habits.seen[habits.seen[:, 1] == change.number, 0]
        if change.gone:
            could = habits.met[habits.met[:, 1] == habits.given[change.number], 0]
            did = np.setdiff1d(could, did)
        if change.fact.kind is Kind.SILENCE:
            silent |= {span: calls.unanswered[span] for span in did.tolist()}
        heavy = np.full(len(did), change.completeness)
        if change.fact.kind >= Kind.OWN:
            lost = habits.excess_ms[change.fact.kind][did]
            heavy *= lost / (lost + calls.usual_ms[did])
        more = heavy > weight[did]
        weight[did[more]] = heavy[more]
        reason[did[more]] = change.number
    return weight, reason, silent


def _waiting_callers(calls: Calls, waits: Floats) -> set[int]:
    """Spans whose caller, not they themselves, is to blame for the wait around them.

    It is that end of the call whose other calls wait more often. An end's network is seen in all
    of them, made or taken; but where the caller has no span for the call alone, the wait holds its
    own work, too, which is seen in the calls that it makes. If the others leave it open, the wait
    is the callee's where it is the network's alone, and else the caller's.

    Args:
        calls: The spans.
        waits: Of each span, by how much its caller waited longer than usual; NaN where unknown.
    """
    edges: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for at in np.flatnonzero(calls.now & ~np.isnan(waits)).tolist():
        edges[calls.service[int(calls.parent[at])], calls.service[at]].append(at)
    slow = {edge: int((waits[spans] > 0).sum()) for edge, spans in edges.items()}

    def elsewhere(edge: tuple[str, str], end: int, alone: bool) -> float:
        """How often the end's other calls wait; half as often as this, if there are none."""
        others = [
            other
            for other in edges
            if other != edge and edge[end] in (other if alone else other[end : end + 1])
        ]
        count = sum(len(edges[other]) for other in others)
        if not count:
            return slow[edge] / len(edges[edge]) / 2
        return sum(slow[other] for other in others) / count

    guilty: set[int] = set()
    for edge, spans in edges.items():
        alone = 2 * int(calls.alone[spans].sum()) >= len(spans)
        caller, callee = elsewhere(edge, 0, alone), elsewhere(edge, 1, alone)
        if caller > callee or (caller == callee and not alone):
            guilty.update(spans)
    return guilty
