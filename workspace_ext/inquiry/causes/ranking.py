"""The step ``rca.ranking``: what the SQL gathered → services, ranked as likely causes.

Three methods look at different things, and each gives a strength between 0 and 1: traces (what
spans do and how long they take, blamed on the deepest change), resources (an instance uses what it
never did), and flows (a call graph of which only metrics are known). They are combined as
independent reasons: 1 - (1 - a)(1 - b). A ranking is a verdict only when the first stands out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.inquiry.causes import flows, measures
from workspace_ext.inquiry.causes.blame import (
    Change,
    blame,
    changes,
    compare,
    onset,
    tally,
    weights,
)
from workspace_ext.inquiry.causes.calls import Calls, read_calls
from workspace_ext.inquiry.causes.habits import Kind, read_habits
from workspace_ext.inquiry.causes.statements import statements

SLOTS = 24
"""Into so many parts the window is cut to look for the onset."""
NOTHING = "nothing to rank"
_SHOWN = 3
"""So many pieces of evidence are told for each service and method."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Suspect:
    """A service under suspicion."""

    service: str
    strength: dict[str, float] = field(default_factory=dict)
    evidence: list[str] = field(default_factory=list)
    pods: dict[str, float] = field(default_factory=dict)
    example_trace: str | None = None

    @property
    def score(self) -> float:
        """All methods together, 0 to 1."""
        innocent = 1.0
        for strength in self.strength.values():
            innocent *= 1 - min(max(strength, 0.0), 1.0)
        return 1 - innocent

    @property
    def pod(self) -> str | None:
        """The instance that most points at; None when that is not known."""
        return max(self.pods, key=lambda pod: (self.pods[pod], pod), default=None) or None

    def suspect(self, method: str, strength: float, pod: str | None, text: str) -> None:
        """Adds a reason."""
        self.strength[method] = max(self.strength.get(method, 0.0), strength)
        if pod:
            self.pods[pod] = self.pods.get(pod, 0.0) + strength
        self.evidence.append(text)


@dataclass
class Suspects:
    """All of them, and when the trouble began."""

    by_service: dict[str, Suspect] = field(default_factory=dict)
    onset_ns: int | None = None

    def of(self, service: str) -> Suspect:
        """One of them."""
        return self.by_service.setdefault(service, Suspect(service))

    def ranked(self) -> list[Suspect]:
        """Most suspicious first."""
        return sorted(self.by_service.values(), key=lambda one: (-one.score, one.service))


def rank(table: pa.Table, params: Mapping[str, Any]) -> pa.Table:
    """See the module.

    Args:
        table: Rows of several kinds, told apart by ``part``: span, log, usual, metric, edge.
        params: window_start, window_end, onset (RFC 3339, optional), slack, service, symptom,
            min_score, min_margin.
    """
    if table.num_rows == 0:
        return _answer([], NOTHING, None, params)
    parts = {name: _part(table, name) for name in ("span", "log", "usual", "metric", "edge")}
    start, end = _ns(params["window_start"]), _ns(params["window_end"])
    given = _given(params)
    suspects = Suspects(onset_ns=given)
    spans = parts["span"]
    sides = {bool(side) for side in pc.unique(spans.column("is_now")).to_pylist()}
    missing = ""
    if sides == {True, False}:
        _by_traces(suspects, spans, parts["log"], (start, end), given, params)
    elif sides:
        side = "baseline" if True in sides else "window"
        missing = f"the {side} has no spans to compare with"
    if not sides:
        _by_flows(suspects, parts, given, params)
    _by_resources(suspects, parts["usual"], parts["metric"], suspects.onset_ns or start)
    return _answer(suspects.ranked(), missing, suspects.onset_ns, params)


def _by_traces(
    suspects: Suspects,
    spans: pa.Table,
    logs: pa.Table,
    window: tuple[int, int],
    given: int | None,
    params: Mapping[str, Any],
) -> None:
    calls = read_calls(spans)
    habits = read_habits(calls, _with_patterns(logs))
    if not habits.facts:
        return
    slot, width = _slots(calls, window)
    counted = tally(habits, slot, SLOTS + 1)
    split = onset(habits, counted, weights(calls, habits), _splits(window, width, given, params))
    found = changes(habits, compare(habits, counted, split))
    if given is None and found:
        suspects.onset_ns = window[0] + (split - 1) * width
    by_number = {change.number: change for change in found}
    for service, blamed in blame(calls, habits, found, slot >= split).items():
        if blamed.share <= 0:
            continue
        suspect = suspects.of(service)
        by_method: defaultdict[str, int] = defaultdict(int)
        why = sorted(blamed.why.items(), key=lambda item: (-item[1][0], item[0]))
        for number, (count, _) in why:
            by_method["times" if by_number[number].fact.kind >= Kind.OWN else "behaviour"] += count
        total = sum(by_method.values())
        for method, count in by_method.items():
            suspect.strength[method] = blamed.share * count / total
        for number, (count, first) in why[:_SHOWN]:
            suspect.evidence.append(_told(by_number[number], calls, habits.excess_ms, first, count))
        suspect.example_trace = calls.trace[why[0][1][1]]
        for pod, count in blamed.pods.items():
            suspect.pods[pod] = suspect.pods.get(pod, 0.0) + blamed.share * count / total


def _told(
    change: Change, calls: Calls, excess: Mapping[Kind, np.ndarray], first: int, count: int
) -> str:
    fact = change.fact
    (k0, n0), (k1, n1) = change.before, change.after
    counts = f"{k0} of {n0} → {k1} of {n1} (trace {calls.trace[first]}, {count} spans)"
    if fact.kind is Kind.GAP:
        lost = excess[Kind.GAP][first]
        return f"callers of {fact.service} wait longer than it takes: {counts}, e.g. +{lost:.0f} ms"
    if fact.kind is Kind.OWN:
        lost = excess[Kind.OWN][first]
        return f"{fact.path} takes longer itself: {counts}, e.g. +{lost:.0f} ms"
    after = "" if fact.given in ("in all", "begin") else f" after “{fact.given[:120]}”"
    word = "no longer" if change.gone else "now"
    return f"{fact.path}: {word} “{fact.then[:160]}”{after}: {counts}"


def _by_flows(
    suspects: Suspects,
    parts: Mapping[str, pa.Table],
    given: int | None,
    params: Mapping[str, Any],
) -> None:
    series = flows.read_series(parts["usual"], parts["metric"])
    edges = list(
        zip(
            parts["edge"].column("service").to_pylist(),
            parts["edge"].column("name").to_pylist(),
            strict=True,
        )
    )
    target = params.get("service")
    wanted = params.get("symptom")
    best: list[flows.Trouble] = []
    for symptom in [wanted] if wanted else flows.symptoms(series, target):
        began = given
        if began is None and target is not None:
            began = flows.onset_ns(series, target, symptom)
        if began is None:
            began = _ns(params["window_start"])
        found = flows.troubles(series, edges, began, service=target, symptom=symptom)
        if found and (not best or found[0].strength > best[0].strength):
            best, suspects.onset_ns = found, began
    for one in best:
        if one.strength > 0:
            text = (
                f"{one.metric}: {one.usual:.4g} → {one.now:.4g}; {one.excess:.4g} more in all,"
                f" {one.own:.4g} of it not its callees' ({one.errors:.1f} standard errors)"
            )
            suspects.of(one.service).suspect("flow", one.strength, None, text)


def _by_resources(suspects: Suspects, usual: pa.Table, recent: pa.Table, began: int) -> None:
    told: defaultdict[str, int] = defaultdict(int)
    for rise in measures.rises(usual, recent, began):
        if told[rise.service] < _SHOWN:
            told[rise.service] += 1
            text = f"{rise.metric} of {rise.pod or rise.service}: {rise.usual:.4g} → {rise.now:.4g}"
            suspects.of(rise.service).suspect("resources", rise.strength, rise.pod, text)


def _slots(calls: Calls, window: tuple[int, int]) -> tuple[np.ndarray, int]:
    """Slot of each span by the begin of its trace, from 1; 0 for the baseline."""
    first: dict[str, int] = {}
    for trace, start in zip(calls.trace, calls.start_ns.tolist(), strict=True):
        first[trace] = min(first.get(trace, start), start)
    began = np.array([first[trace] for trace in calls.trace], dtype=np.int64)
    width = max((window[1] - window[0]) // SLOTS, 1)
    slot = np.clip((began - window[0]) // width, 0, SLOTS - 1) + 1
    return np.where(calls.now, slot, 0), width


def _splits(
    window: tuple[int, int], width: int, given: int | None, params: Mapping[str, Any]
) -> range:
    """Slots that may be the first after the onset: those near a given onset, or all."""
    if given is None:
        return range(1, SLOTS + 1)
    slack = int(float(params.get("slack") or 0) * 1e9)
    near = [
        slot
        for slot in range(1, SLOTS + 1)
        if abs(window[0] + (slot - 1) * width - given) <= slack + width // 2
    ]
    return range(near[0], near[-1] + 1) if near else range(1, 2)


def _with_patterns(logs: pa.Table) -> pa.Table:
    """The logs with the column ``pattern``: which statement of the program wrote each line."""
    return logs.append_column("pattern", statements(logs.column("text")))


def _answer(
    ranked: list[Suspect], missing: str, began: int | None, params: Mapping[str, Any]
) -> pa.Table:
    verdict, why = _verdict(ranked, missing, params)
    rows: list[dict[str, Any]] = [
        {
            "rank": at,
            "service": one.service,
            "pod": one.pod,
            "score": round(one.score, 6),
            "methods": ", ".join(sorted(one.strength)),
            "agree": len(one.strength),
            "evidence": "\n".join(one.evidence),
            "example_trace": one.example_trace,
        }
        for at, one in enumerate(ranked, 1)
    ]
    if not rows and why and missing != NOTHING:
        rows = [{"rank": 1, "evidence": why, "score": 0.0, "agree": 0}]
    time = None if began is None else _EPOCH + timedelta(microseconds=began // 1000)
    for row in rows:
        row.update(verdict=verdict, because=why, onset=time)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


SCHEMA = pa.schema(
    {
        "rank": pa.int64(),
        "service": pa.string(),
        "pod": pa.string(),
        "score": pa.float64(),
        "methods": pa.string(),
        "agree": pa.int64(),
        "evidence": pa.string(),
        "example_trace": pa.string(),
        "onset": pa.timestamp("us", "UTC"),
        "verdict": pa.string(),
        "because": pa.string(),
    }
)


def _verdict(ranked: list[Suspect], missing: str, params: Mapping[str, Any]) -> tuple[str, str]:
    if not ranked:
        return "cannot tell", missing or "nothing changed beyond chance since the baseline"
    first = ranked[0].score
    second = ranked[1].score if len(ranked) > 1 else 0.0
    if first < float(params["min_score"]):
        return "cannot tell", f"the strongest suspicion is weak ({first:.3f})"
    if 1 - second / first < float(params["min_margin"]):
        return "cannot tell", (
            f"{ranked[0].service} and {ranked[1].service} are about as suspicious"
            f" ({first:.3f} and {second:.3f})"
        )
    return "likely", f"{ranked[0].service} stands out: {first:.3f}, the next has {second:.3f}"


def _part(table: pa.Table, name: str) -> pa.Table:
    return table.filter(pc.equal(table.column("part"), name))


def _given(params: Mapping[str, Any]) -> int | None:
    from workspace_ext.foundation.clock import parse_rfc3339

    text = params.get("onset")
    return parse_rfc3339(str(text)) if text else None


def _ns(moment: datetime) -> int:
    return round((moment - _EPOCH) / timedelta(microseconds=1)) * 1000
