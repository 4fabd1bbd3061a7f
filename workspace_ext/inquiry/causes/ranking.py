"""The step ``rca.ranking``: what the SQL gathered → services, ranked as likely causes.

Methods look at different things, and each gives a strength between 0 and 1: traces (what spans do
and how long they take, blamed on the deepest change), logs (the same, of lines without spans),
resources (an instance uses what it never did), silence (it tells nothing any more), and, where
spans and lines tell nothing, flows (failures and times as metrics, along the call graph). What a
callee's own reasons explain is taken off its callers' symptoms, and the rest is combined as
independent reasons: 1 - (1 - a)(1 - b). A change just before the onset makes a suspicion count
more. A ranking is a verdict only when the first stands out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.inquiry.causes import flows, measures, words
from workspace_ext.inquiry.causes.blame import Change
from workspace_ext.inquiry.causes.calls import reached
from workspace_ext.inquiry.causes.changed import changed
from workspace_ext.inquiry.causes.during import placed
from workspace_ext.inquiry.causes.excess import busier, by_chance, read_series
from workspace_ext.inquiry.causes.habits import Kind
from workspace_ext.inquiry.causes.named import with_named
from workspace_ext.inquiry.causes.readings import readings
from workspace_ext.inquiry.causes.roles import Role, role_of
from workspace_ext.inquiry.causes.silence import silences
from workspace_ext.inquiry.causes.statements import statements
from workspace_ext.inquiry.causes.suspects import FAINT, Suspect, Suspects
from workspace_ext.inquiry.causes.trial import Trial, try_traces
from workspace_ext.inquiry.causes.visits import visits

NOTHING = "nothing to rank"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PARTS = ("span", "load", "log", "line", "metric", "edge", "change")


def rank(table: pa.Table, params: Mapping[str, Any]) -> pa.Table:
    """See the module.

    Args:
        table: Rows of several kinds, told apart by ``part``: span, load, log, line, metric, edge,
            change.
        params: window_start, window_end, onset (RFC 3339, optional), slack, service, symptom,
            history, min_score, min_margin.
    """
    if table.num_rows == 0:
        return _answer(Suspects(), NOTHING, params)
    parts = {name: _part(table, name) for name in _PARTS}
    parts["usual"], parts["recent"] = readings(parts["metric"])
    edges = (parts["edge"].column(each).to_pylist() for each in ("service", "name"))
    suspects = Suspects(onset_ns=_given(params), edges=set(zip(*edges, strict=True)))
    others = pa.concat_tables([parts["metric"], parts["line"], parts["log"]]).column("service")
    spans = with_named(parts["span"], pc.unique(others).to_pylist())
    on_spans, lines = placed(parts["span"], parts["line"])
    logs = pa.concat_tables([parts["log"], on_spans])
    missing = _by_traces(suspects, spans, logs, params, logs_only=False)
    spans, logs = visits(lines)
    no_lines = _by_traces(suspects, spans, logs, params, logs_only=True)
    if not suspects.beyond_chance:
        _by_flows(suspects, parts, params)
    if missing is None:
        missing = no_lines or ""
    began = suspects.onset_ns or _ns(params["window_start"])
    _by_resources(suspects, parts, began, _load(parts, began, params))
    _by_silence(suspects, parts["metric"])
    suspects.explain()
    _by_changes(suspects, parts["change"], began, params)
    return _answer(suspects, missing, params)


def _by_traces(
    suspects: Suspects,
    spans: pa.Table,
    logs: pa.Table,
    params: Mapping[str, Any],
    *,
    logs_only: bool,
) -> str | None:
    """Says what is missing; None when there are no spans at all."""
    sides = {bool(side) for side in pc.unique(spans.column("is_now")).to_pylist()}
    what = "lines" if logs_only else "spans"
    if sides != {True, False}:
        side = "baseline" if True in sides else "window"
        return f"the {side} has no {what} to compare with" if sides else None
    window = (_ns(params["window_start"]), _ns(params["window_end"]))
    given = suspects.onset_ns
    slack = int(float(params.get("slack") or 0) * 1e9)
    trial = try_traces(spans, _with_patterns(logs), window, given, slack)
    if trial.onset_ns is not None:
        suspects.onset_ns = trial.onset_ns
    suspects.chance = max(suspects.chance, trial.chance)
    suspects.edges |= trial.calls.edges
    by_number = {change.number: change for change in trial.found}
    heard = _heard(trial, suspects)
    for service, blamed in trial.blamed.items():
        share = (blamed.share if trial.sure else blamed.share * FAINT) * (1 - heard.get(service, 0))
        if share <= 0:
            continue
        suspect = suspects.of(service)
        by_method: Counter[str] = Counter()
        why = sorted(blamed.why.items(), key=lambda item: (-item[1][0], item[0]))
        for number, (count, _) in why:
            timed = by_number[number].fact.kind >= Kind.OWN
            by_method["logs" if logs_only else "times" if timed else "behaviour"] += count
        total = sum(by_method.values())
        for method, count in by_method.items():
            suspect.suspect(method, share * count / total)
        for number, (count, first) in why[: words.SHOWN]:
            text = words.of_change(by_number[number], trial, service, first, count)
            suspect.tell(share * count / total, text)
        for number, (count, _) in why:
            _point(suspect, by_number[number], share * count / total)
        suspect.example_trace = suspect.example_trace or trial.calls.trace[why[0][1][1]]
        for pod, count in blamed.pods.items():
            suspect.point("pod", pod, share * count / total)
    return ""


def _heard(trial: Trial, suspects: Suspects) -> dict[str, float]:
    """Of the errors in lines on no trace, the part that a service only heard from further down."""
    faults = {change.number for change in trial.found if change.fact.kind is Kind.FAULT}
    told = {
        service: sum(
            count
            for number, (count, first) in blamed.why.items()
            if number in faults and trial.calls.lone[first]
        )
        for service, blamed in trial.blamed.items()
    }
    callees = suspects.callees
    return {
        service: min(max(told.get(each, 0) for each in below) / count, 1.0)
        for service, count in told.items()
        if count and (below := reached(callees, service) - {service})
    }


def _point(suspect: Suspect, change: Change, weight: float) -> None:
    fact = change.fact
    if fact.service == suspect.service:
        suspect.point("operation", fact.path.rpartition(" / ")[2], weight)
    for text in (fact.then, fact.given):
        if text.startswith("log "):
            suspect.point("log_pattern", text.removeprefix("log "), weight)
            return


def _by_flows(suspects: Suspects, parts: Mapping[str, pa.Table], params: Mapping[str, Any]) -> None:
    given = suspects.onset_ns
    series = read_series(parts["usual"], parts["recent"])
    target = params.get("service")
    wanted = params.get("symptom")
    best: list[flows.Trouble] = []
    for symptom in [wanted] if wanted else flows.symptoms(series, target):
        began = given or flows.onset_ns(series, target, symptom) or _ns(params["window_start"])
        found = flows.troubles(series, suspects.edges, began, service=target, symptom=symptom)
        if found and (not best or found[0].strength > best[0].strength):
            best, suspects.onset_ns = found, began
    worst = max((one for one in best if target in {None, one.service}), default=None, key=_errors)
    # of the service that was named, nobody chose among many
    chance, of_many = by_chance(1 if target else len(best)), by_chance(len(best))
    sure = worst is not None and _errors(worst) >= chance
    if worst is not None and not sure:
        suspects.doubt = (
            f"{worst.metric} of {worst.service} is not out of the usual"
            f" ({_errors(worst):.1f} standard errors)"
        )
    for one in best:
        strength = one.strength * (1 if sure or _errors(one) >= of_many else FAINT)
        if strength > 0:
            suspect = suspects.of(one.service)
            suspect.suspect("flow", strength)
            suspect.point("metric", one.metric, strength)
            suspect.tell(strength, words.of_trouble(one))


def _errors(one: flows.Trouble) -> float:
    return one.excess.errors


def _by_resources(
    suspects: Suspects, parts: Mapping[str, pa.Table], began: int, load: Mapping[str, float]
) -> None:
    told: defaultdict[str, int] = defaultdict(int)
    # with spans there are better ways to see trouble than a metric of which nobody knows what it is
    roles = {role_of(name) for name in pc.unique(parts["metric"].column("name")).to_pylist()}
    unnamed = not parts["span"].num_rows or roles == {Role.UNKNOWN}
    found = measures.rises(parts["usual"], parts["recent"], began, load=load, unnamed=unnamed)
    for rise in found:
        suspect = suspects.of(rise.service)
        suspect.suspect("resources", rise.strength)
        suspect.point("pod", rise.pod, rise.strength)
        suspect.point("metric", rise.metric, rise.strength)
        if told[rise.service] < words.SHOWN:
            told[rise.service] += 1
            suspect.tell(rise.strength, words.of_rise(rise))


def _by_silence(suspects: Suspects, metrics: pa.Table) -> None:
    for one in silences(metrics):
        suspect = suspects.of(one.service)
        suspect.suspect("silence", one.strength)
        suspect.tell(one.strength, words.of_silence(one))


def _load(parts: Mapping[str, pa.Table], began: int, params: Mapping[str, Any]) -> dict[str, float]:
    """Service → how many times as much is asked of it as in the baseline, since the onset.

    In spans a second; of services without spans, by the metric that counts requests.
    """
    counted = busier(read_series(parts["usual"], parts["recent"]), began)
    if not parts["load"].num_rows or "baseline_start" not in params:
        return counted
    count: dict[tuple[str, bool], float] = {}
    for service, now, spans in zip(
        *(parts["load"].column(name).to_pylist() for name in ("service", "is_now", "value")),
        strict=True,
    ):
        count[service or "", bool(now)] = spans
    spans = parts["span"].filter(parts["span"].column("is_now"))
    drawn = Counter(spans.column("service").to_pylist())
    late = pc.greater_equal(spans.column("time_ns"), began)
    since = Counter(spans.filter(late).column("service").to_pylist())
    quiet = (_ns(params["baseline_end"]) - _ns(params["baseline_start"])) or 1
    after = max(_ns(params["window_end"]) - began, 1)
    return counted | {
        service: count.get((service, True), 0.0)
        * since[service]
        / drawn[service]
        / after
        / (count[service, False] / quiet)
        for service in drawn
        if service and count.get((service, False))
    }


def _by_changes(
    suspects: Suspects, events: pa.Table, began: int, params: Mapping[str, Any]
) -> None:
    slack, history = (float(params.get(name) or 0) for name in ("slack", "history"))
    for one in changed(events, began, slack=slack, history=history):
        suspect = suspects.of(one.service)
        suspect.prior = 1 - one.chance
        when = f"{abs(one.before_s):.0f} s {'before' if one.before_s >= 0 else 'after'} the onset"
        suspect.tell(
            suspect.prior,
            f"{one.kind} {one.title}: {when}; as near by accident with {one.chance:.0%}",
        )


def _with_patterns(logs: pa.Table) -> pa.Table:
    """The logs with the column ``pattern``: which statement of the program wrote each line."""
    return logs.append_column("pattern", statements(logs.column("text")))


def _answer(suspects: Suspects, missing: str, params: Mapping[str, Any]) -> pa.Table:
    ranked, began = suspects.ranked(), suspects.onset_ns
    verdict, why = _verdict(suspects, missing, params)
    rows: list[dict[str, Any]] = [
        {
            "rank": at,
            "service": one.service,
            **{name: one.most(name) for name in NAMED},
            "score": round(one.score, 6),
            "methods": ", ".join(one.methods),
            "agree": len(one.methods),
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


NAMED = ("pod", "operation", "metric", "log_pattern")
SCHEMA = pa.schema(
    {
        "rank": pa.int64(),
        "service": pa.string(),
        **dict.fromkeys(NAMED, pa.string()),
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


def _verdict(suspects: Suspects, missing: str, params: Mapping[str, Any]) -> tuple[str, str]:
    ranked = suspects.ranked()
    if not suspects.beyond_chance:
        nothing = "nothing changed beyond chance since the baseline"
        return "cannot tell", missing or suspects.doubt or nothing
    first = ranked[0].score
    second = ranked[1].score if len(ranked) > 1 else 0.0
    if suspects.doubt and ranked[0].without("flow") < float(params["min_score"]):
        return "cannot tell", suspects.doubt
    if first <= suspects.chance:
        return "cannot tell", (
            f"comparing the end of the baseline with its begin gives as much"
            f" ({first:.3f} and {suspects.chance:.3f})"
        )
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
