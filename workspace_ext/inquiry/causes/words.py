"""What was found, in words for whoever is on call."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from workspace_ext.inquiry.causes.blame import Change
from workspace_ext.inquiry.causes.flows import Trouble
from workspace_ext.inquiry.causes.habits import Fact, Kind
from workspace_ext.inquiry.causes.measures import Rise
from workspace_ext.inquiry.causes.silence import Silence
from workspace_ext.inquiry.causes.trial import Trial

SHOWN = 3
"""So many of a kind are told."""
_LONGEST = 120
_VERBS = {"log ": ("logs", "logging"), "call ": ("calls", "calling")}


def of_change(change: Change, trial: Trial, service: str, first: int, count: int) -> str:
    """A change in what spans do, or how long they take.

    Args:
        change: What changed.
        trial: Where it was found.
        service: Who is blamed for it.
        first: The first span blamed for it.
        count: How many were.
    """
    fact, calls = change.fact, trial.calls
    (k0, n0), (k1, n1) = change.before, change.after
    what, example = _did(fact, service, gone=change.gone), first
    if fact.kind >= Kind.OWN:
        slow = trial.habits.seen.of(change.number)
        slow = slow[calls.now[slow]]
        lost = trial.habits.excess_ms[fact.kind][slow]
        typical = float(np.median(lost))
        example = int(slow[np.argmin(np.abs(lost - typical))])
        what += f", typically by {_ms(typical)}"
    blamed = f", {count} of them to blame" if count != k1 else ""
    trace = "" if calls.lone[example] else f"; trace {calls.trace[example]}"
    return f"{what}: {k1} of {n1}{blamed}, before {k0} of {n0}{trace}"


def _did(fact: Fact, blamed: str, *, gone: bool) -> str:
    if fact.kind is Kind.GAP:
        if fact.service == blamed:
            return f"callers of {blamed} wait longer than it takes"
        return f"its calls of {fact.service} wait longer than those take"
    who, now = fact.path.rpartition(" / ")[2] or fact.service, "no longer" if gone else "now"
    if fact.kind is Kind.OWN:
        return f"{who} takes longer itself"
    if fact.kind is Kind.SILENCE:
        return f"{who} gets {fact.then}"
    if fact.then == "status error":
        return f"{who} {now} fails"
    verb, _, said = _said(fact.then)
    what = f"{who} {now} {verb} {said}" if verb else f"{who} {now} {fact.then}s"
    _, verb, said = _said(fact.given)
    return f"{what} after {verb} {said}" if verb else what


def _said(event: str) -> tuple[str, str, str]:
    """Of an event, two forms of its verb, and what follows; empty for begin and end."""
    for prefix, (does, doing) in _VERBS.items():
        if event.startswith(prefix):
            text = event.removeprefix(prefix)
            return does, doing, f"“{text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}”"
    return "", "", ""


def _ms(value: float) -> str:
    if value >= 10_000:
        return f"{value / 1e3:.1f} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"


def of_trouble(trouble: Trouble) -> str:
    """More failures or longer times, as a metric counts them."""
    of = trouble.excess
    own = "" if trouble.own >= of.more else f", {trouble.own:.4g} of {of.more:.4g} more its own"
    return f"{trouble.metric}: {of.usual:.4g} → {of.now:.4g}, {of.errors:.0f} standard errors{own}"


def of_rise(rise: Rise) -> str:
    """More of a resource."""
    return f"{rise.metric} of {rise.pod or rise.service}: {rise.usual:.4g} → {rise.now:.4g}"


def of_silence(silence: Silence) -> str:
    """Metrics that come no more."""
    last = datetime.fromtimestamp(silence.since_ns // 10**9, UTC)
    more = ", …" if len(silence.ceased) > SHOWN else ""
    return (
        f"{len(silence.ceased)} of its {silence.known} metrics ceased at {last:%H:%M:%S} UTC:"
        f" {', '.join(silence.ceased[:SHOWN])}{more}"
    )
