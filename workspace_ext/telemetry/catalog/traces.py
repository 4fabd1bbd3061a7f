"""How far traces can be trusted: clocks that differ, and spans that were sampled away.

Skew is what Jaeger's clock skew adjuster would shift a called span by that begins before its
caller in another service: by the difference of the starts when the callee took longer, else to
the middle of the caller, since a call's way there and back is taken to be equally long.

Sampling shows in ``tracestate`` (``ot=th:…``, a rejection threshold of 56 bits, written in
hexadecimal without trailing zeros; ``ot=p:…``, a power of two, before it), and in spans whose
parent never came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LOOKED_AT = 20_000
"""About so many spans are looked at, as whole traces: all, or every nth trace."""

MOST_SPANS = 5_000_000
"""Of windows with more, a query's warnings say nothing about traces."""

_FEW = 10
_EARLY_SHARE = 0.05
_LEAST_SKEW_NS = 1_000_000
_ORPHAN_SHARE = 0.05
_ORPHANS = 30

TRACES_SQL = r"""
WITH seen AS MATERIALIZED (
    SELECT trace_id, span_id, nullif(parent_span_id, '') AS parent, service, time_ns, duration_ns,
           time >= $start AS inside,
           regexp_extract(trace_state, '(^|,)\s*ot=([^,]*;)?(th:[0-9a-f]{1,14}|p:\d+)', 3) AS hint
    FROM spans
    WHERE time >= $start - INTERVAL 5 MINUTE AND time < $end AND hash(trace_id) % $nth::UBIGINT = 0
),
paired AS (
    SELECT child.service, child.hint, child.parent IS NOT NULL AND caller.span_id IS NULL AS orphan,
           caller.service AS caller, child.time_ns < caller.time_ns AS early,
           caller.time_ns - child.time_ns + CASE WHEN child.duration_ns > caller.duration_ns THEN 0
               ELSE (caller.duration_ns - child.duration_ns) // 2 END AS skew_ns
    FROM seen child
    LEFT JOIN seen caller ON caller.trace_id = child.trace_id AND caller.span_id = child.parent
    WHERE child.inside
)
SELECT 'service' AS kind, service, NULL AS caller, hint, count(*) AS n,
       count(*) FILTER (orphan) AS noted, NULL::DOUBLE AS skew_ns
FROM paired GROUP BY service, hint
UNION ALL
SELECT 'pair', service, caller, NULL, count(*), count(*) FILTER (early),
       median(skew_ns) FILTER (early)
FROM paired WHERE caller <> service GROUP BY service, caller
ORDER BY ALL
"""
"""Bind ``$start`` and ``$end``, and ``$nth``: every nth trace is looked at."""


@dataclass(frozen=True)
class Skew:
    """Calls from one service to another of which some begin before their caller.

    Attributes:
        caller: The calling service.
        service: The called one.
        calls: How many were looked at.
        early: How many of them began too early.
        median_ns: By how much the called one's clock would have to be put forward for these.
    """

    caller: str
    service: str
    calls: int
    early: int
    median_ns: float

    @property
    def doubtful(self) -> bool:
        """Whether the clocks differ enough to matter."""
        often = self.early >= _FEW and self.early >= _EARLY_SHARE * self.calls
        return often and self.median_ns >= _LEAST_SKEW_NS

    def to_dict(self) -> dict[str, Any]:
        """The form that travels."""
        return {
            "caller": self.caller,
            "service": self.service,
            "calls": self.calls,
            "early": self.early,
            "median_ms": round(self.median_ns / 1e6, 3),
        }


@dataclass(frozen=True)
class Sampled:
    """What a service's spans say about sampling.

    Attributes:
        service: Whose; None for spans without one.
        spans: How many were looked at.
        hints: Of them, how many by sampling probability, where it is told and below 1.
        orphans: How many have a parent that is not in the data.
    """

    service: str | None
    spans: int
    hints: Mapping[float, int]
    orphans: int

    @property
    def torn(self) -> bool:
        """Whether so many parents are missing that traces are not whole."""
        return self.orphans >= _ORPHANS and self.orphans >= _ORPHAN_SHARE * self.spans

    def to_dict(self) -> dict[str, Any]:
        """The form that travels."""
        return {
            "service": self.service,
            "spans": self.spans,
            "sampled": [
                {"probability": chance, "spans": spans} for chance, spans in self.hints.items()
            ],
            "orphans": self.orphans,
            "orphan_share": round(self.orphans / self.spans, 4),
        }


def read_traces(rows: Iterable[Mapping[str, Any]]) -> tuple[list[Skew], list[Sampled]]:
    """The answer to `TRACES_SQL`: pairs with calls that begin too early, and all services."""
    skews: list[Skew] = []
    seen: dict[str | None, tuple[int, int, dict[float, int]]] = {}
    for row in rows:
        if row["kind"] == "pair":
            if row["noted"]:
                skews.append(
                    Skew(row["caller"], row["service"], row["n"], row["noted"], row["skew_ns"])
                )
            continue
        spans, orphans, hints = seen.get(row["service"], (0, 0, {}))
        chance = probability(row["hint"] or "")
        if chance is not None and chance < 1:
            hints[chance] = hints.get(chance, 0) + row["n"]
        seen[row["service"]] = (spans + row["n"], orphans + row["noted"], hints)
    sampled = [Sampled(name, spans, hints, n) for name, (spans, n, hints) in seen.items()]
    return sorted(skews, key=lambda each: -each.early), sampled


def probability(hint: str) -> float | None:
    """The share of spans that are kept, as ``th:c`` or ``p:2`` tells; None when nothing does."""
    kind, _, value = hint.partition(":")
    if kind == "th" and value:
        return round(1 - int(value.ljust(14, "0"), 16) / (1 << 56), 12)
    if kind == "p" and value:
        return 2.0 ** -int(value) if int(value) < 63 else 0.0
    return None
