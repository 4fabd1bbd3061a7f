"""Quality: how far the data of a window can be trusted, by signal and service, at a pin."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from workspace_ext.foundation.clock import Window, moment, now_ns, to_rfc3339
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.telemetry.catalog.cautions import (
    Cautions,
    Look,
    Seen,
    look_at_traces,
    nth_of,
)
from workspace_ext.telemetry.catalog.gaps import (
    MINUTE_NS,
    MOST_MINUTES,
    MOST_SERVICES,
    STEADY,
    minutes_of,
)
from workspace_ext.telemetry.catalog.service import Catalog
from workspace_ext.telemetry.catalog.services import MOST_NAMES as MOST_NAMES_TOLD
from workspace_ext.telemetry.catalog.times import told
from workspace_ext.telemetry.catalog.traces import Sampled, Skew
from workspace_ext.telemetry.ingest.live.merge import LATE_NS
from workspace_ext.telemetry.query.runner import QueryRunner

HOUR_NS = 60 * MINUTE_NS

MOST_SERIES = 2_000
"""Of one metric and service: the limit at which OpenTelemetry's SDKs begin to fold series together
(Metrics SDK specification, cardinality limits)."""

MOST_NAMES = 1_000
"""Of one service's spans: a span's name is a class of operations, not one of them."""

_MANY = {"names": MOST_NAMES, "series": MOST_SERIES}
_LATE_SHARE = 0.05
_TWICE_SHARE = 0.2
_NAMED = 5

_FLOWS = f"""
WITH flows AS (
    SELECT signal, service, epoch_us(max(last_time) FILTER (last_time <= $now)) AS newest,
           coalesce(sum(rows) FILTER (near), 0)::BIGINT AS rows,
           coalesce(sum(duplicates) FILTER (near), 0)::BIGINT AS duplicates,
           coalesce(sum(late) FILTER (near), 0)::BIGINT AS late,
           coalesce(sum(ahead) FILTER (near), 0)::BIGINT AS ahead
    FROM (SELECT *, first_time < $end AND last_time >= $start AS near FROM raw.batch_services)
    WHERE batch_id <= getvariable('pin') AND signal <> 'services'
    GROUP BY ALL
), compared AS (
    SELECT *, max(newest) OVER (PARTITION BY signal) AS latest FROM flows
), largest AS (
    SELECT * FROM compared WHERE $only IS NULL OR service = $only
    ORDER BY rows DESC, signal, service LIMIT {MOST_SERVICES}
)
FROM largest ORDER BY signal, service
"""  # noqa: S608 - a number of ours
_NEWEST = """
SELECT epoch_us(max(last_time)) AS newest FROM raw.batch_services
WHERE batch_id <= getvariable('pin') AND signal <> 'services' AND last_time <= $now
"""
_EVENTS = """
SELECT service, count(*) AS n FROM events WHERE time >= $start AND time < $end GROUP BY service
"""
_CARDINALITY = """
SELECT * FROM (
    SELECT 'spans' AS signal, service, 'name' AS what, approx_count_distinct(name) AS n
    FROM spans WHERE time >= $start AND time < $end GROUP BY service
    UNION ALL
    SELECT 'metrics', service, 'series of ' || name,
           approx_count_distinct(hash(attributes, resource))
    FROM raw.metrics WHERE time >= $start AND time < $end AND batch_id <= getvariable('pin')
    GROUP BY service, name
) WHERE n > CASE WHEN signal = 'spans' THEN $names ELSE $series END
ORDER BY n DESC, signal, service, what LIMIT 100
"""
_SAID = """
SELECT service, key, count(*) AS spans FROM (
    SELECT service, unnest(map_keys(attributes)) AS key FROM spans
    WHERE time >= $start AND time < $end AND hash(trace_id) % $nth::UBIGINT = 0
) WHERE key LIKE 'sampling.%' GROUP BY ALL ORDER BY ALL
"""
_QUARANTINED = """
SELECT name, format, sum(quarantined)::BIGINT AS records FROM raw.batches
WHERE batch_id <= getvariable('pin') AND quarantined > 0
  AND coalesce(first_time, received_at, committed_at) < $end
  AND coalesce(last_time, received_at, committed_at) >= $start
GROUP BY ALL ORDER BY records DESC, name, format LIMIT 20
"""


class Quality:
    """Measures it. Safe to be called from several threads.

    Args:
        runner: Runs SQL.
        catalog: Tells the newest pin, and which services there are.
    """

    def __init__(self, runner: QueryRunner, catalog: Catalog) -> None:
        self._runner = runner
        self._catalog = catalog
        self._cautions = Cautions()

    def report(
        self, window: Window | None = None, *, pin: int | None = None, service: str | None = None
    ) -> dict[str, Any]:
        """The quality of a window's data.

        Late and twice are shares of the records of all batches that reach into the window; gaps,
        clocks and sampling are measured on its rows, in whole minutes.

        Args:
            window: When; the hour up to the newest record when None.
            pin: The highest batch that counts; the newest when None.
            service: The only one wanted.

        Raises:
            NotFound: There is no such service.
            BadInput: The window is too long, or there is no such pin.
            LimitExceeded: It takes too long.
        """
        newest = self._catalog.pin()
        held = self._catalog.held()
        pin = newest if pin is None else pin
        _check(pin, newest, service, self._catalog.overview()["services"])
        now = now_ns()
        whole = self._whole(window, pin, now)
        values = {"start": moment(whole.start_ns), "end": moment(whole.end_ns)}
        only = None if service is None else frozenset({service})
        looks = [Look(signal, whole, "window", only) for signal in STEADY]
        spans = self._cautions.seen(looks[0], pin, held, self._ask)
        skews, sampled = self._traces(whole, spans, pin)
        measured = {
            "signals": self._signals(whole, values, pin, now, service),
            "skew": [
                each.to_dict()
                for each in skews
                if service is None or service in (each.caller, each.service)
            ],
            "sampling": self._sampling(
                [each for each in sampled if looks[0].concerns(each.service)],
                {**values, "nth": nth_of(spans.profile)},
                pin,
            ),
            "cardinality": _only(self._ask(_CARDINALITY, {**values, **_MANY}, pin), service),
            "quarantined": self._ask(_QUARANTINED, values, pin),
        }
        cautions = self._cautions.find(looks, pin, held, self._ask)
        return {
            "pin": pin,
            "at": to_rfc3339(now),
            "window": whole.to_dict(),
            **measured,
            "warnings": [*cautions, *_warnings(measured)],
        }

    def _ask(self, sql: str, values: Mapping[str, object], pin: int) -> list[dict[str, Any]]:
        rows = self._runner.look(
            sql, values, pin=pin, limits=self._runner.limits, cancelled=threading.Event()
        )
        return [row for batch in rows for row in batch.to_pylist()]

    def _whole(self, window: Window | None, pin: int, now: int) -> Window:
        """The window in whole minutes."""
        if window is None:
            found = self._ask(_NEWEST, {"now": moment(now)}, pin)[0]["newest"]
            end = now if found is None else found * 1000 + 1
            window = Window(end - HOUR_NS, end)
        first, end = minutes_of(window)
        if end - first > MOST_MINUTES:
            raise BadInput(
                f"the window is longer than {MOST_MINUTES // 1440} days",
                hint="look at a shorter one",
                code="long_window",
            )
        return Window(first * MINUTE_NS, end * MINUTE_NS)

    def _signals(
        self, window: Window, values: Mapping[str, object], pin: int, now: int, only: str | None
    ) -> list[dict[str, Any]]:
        """A row for each signal and service that was ever seen, up to the pin; the largest ones."""
        rows = {("events", row["service"]): row["n"] for row in self._ask(_EVENTS, values, pin)}
        gaps: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
        for signal in STEADY:
            seen = self._cautions.seen(
                Look(signal, window, ""), pin, self._catalog.held(), self._ask
            )
            for service, (_, counts) in seen.profile.services.items():
                rows[signal, service] = int(counts.sum())
            for gap in seen.gaps:
                gaps.setdefault((signal, gap.service), []).append(gap.to_dict())
        flows = self._ask(_FLOWS, {**values, "now": moment(now), "only": only}, pin)
        return [
            {
                "signal": flow["signal"],
                "service": flow["service"],
                "rows": rows.get((flow["signal"], flow["service"]), 0),
                "newest": told(flow["newest"]),
                "age_seconds": _seconds(now // 1000, flow["newest"]),
                "behind_seconds": _seconds(flow["latest"] or 0, flow["newest"]),
                "gaps": gaps.get((flow["signal"], flow["service"]), []),
                "late": flow["late"],
                "late_share": _share(flow["late"], flow["rows"]),
                "ahead": flow["ahead"],
                "duplicates": flow["duplicates"],
                "duplicate_share": _share(flow["duplicates"], flow["rows"] + flow["duplicates"]),
            }
            for flow in flows
        ]

    def _traces(
        self, window: Window, spans: Seen, pin: int
    ) -> tuple[Sequence[Skew], Sequence[Sampled]]:
        """What traces tell, also of more spans than a query's warnings look at."""
        if spans.sampled or not spans.profile.total:
            return spans.skews, spans.sampled
        return look_at_traces(window, spans.profile, pin, self._ask)

    def _sampling(
        self, sampled: Sequence[Sampled], values: Mapping[str, object], pin: int
    ) -> list[dict[str, Any]]:
        """What spans say about their sampling, also in attributes of their own."""
        said = self._ask(_SAID, values, pin)
        return [
            {
                **each.to_dict(),
                "attributes": {
                    row["key"]: row["spans"] for row in said if row["service"] == each.service
                },
            }
            for each in sampled
        ]


def _check(pin: int, newest: int, service: str | None, services: list[str]) -> None:
    if not 0 <= pin <= newest:
        raise BadInput(
            f"there is no pin {pin}", hint=f"the newest data has pin {newest}", code="unknown_pin"
        )
    if service is not None and len(services) < MOST_NAMES_TOLD and service not in services:
        raise NotFound(
            f"there is no service {service!r} in this store",
            hint="`jupyter investigation catalog services` lists them",
            code="unknown_service",
        )


def _only(rows: list[dict[str, Any]], service: str | None) -> list[dict[str, Any]]:
    return [row for row in rows if service is None or row["service"] == service]


def _warnings(measured: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    """What the numbers warn of that a query's own warnings do not."""
    signals = measured["signals"]
    late = [each for each in signals if each["late_share"] > _LATE_SHARE]
    twice = [each for each in signals if each["duplicate_share"] > _TWICE_SHARE]
    behind = [each for each in signals if (each["behind_seconds"] or 0) > LATE_NS // 1_000_000_000]
    if late:
        yield f"late: {_list(late, '{late_share:.0%}')}"
    if twice:
        yield f"sent more than once: {_list(twice, '{duplicate_share:.0%}')}"
    if behind:
        yield f"behind the others: {_list(behind, '{behind_seconds:,} s')}"
    if len(signals) >= MOST_SERVICES:
        yield (
            f"only the {MOST_SERVICES:,} largest services are told apart: is a value such as an id"
            " taken for the name of a service?"
        )
    many = measured["cardinality"]
    if many:
        told_ = ", ".join(
            f"{each['service'] or '(no service)'} {each['what']} ~{each['n']:,}"
            for each in many[:_NAMED]
        )
        yield f"very many different: {told_}"
    refused = sum(each["records"] for each in measured["quarantined"])
    if refused:
        yield f"{refused:,} records could not be read and lie in quarantine"


def _list(rows: list[dict[str, Any]], number: str) -> str:
    named = [
        f"{each['signal']} of {each['service'] or '(no service)'} {number.format(**each)}"
        for each in rows[:_NAMED]
    ]
    more = f", and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return ", ".join(named) + more


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _seconds(later_us: int, earlier_us: int | None) -> int | None:
    return None if earlier_us is None else (later_us - earlier_us) // 1_000_000
