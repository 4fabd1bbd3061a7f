"""The tables of the telemetry: names follow OpenTelemetry, rows lie sorted by time.

Raw tables live in schema ``raw``. What queries see are the views of the same names in schema
``main``: the rows of all batches up to the pin, which the connection sets with
``SET VARIABLE pin = …`` (no pin, no rows).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HOT = ("service", "environment", "version", "namespace", "pod", "host", "region")
"""Attributes that every signal keeps in columns of their own; the rest is in the map."""

MAP = "MAP(VARCHAR, VARCHAR)"

RESOURCE = "resource"
"""Kept as JSON text, which costs a tenth of a map's room: it is the same for thousands of rows."""


def _hash(*names: str) -> str:
    return f"hash({', '.join(names)})"


@dataclass(frozen=True)
class Signal:
    """One kind of fact.

    Attributes:
        name: Of the table and of the view.
        columns: Name and SQL type of each column but the last, ``batch_id``.
        identity: SQL of what tells a record from its duplicate; the whole record when empty.
        timed: Whether its rows have a time.
        ranged: Whether equal records have equal times, so that a duplicate need not be looked for
            outside the times of the new records.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    identity: tuple[str, ...] = ()
    timed: bool = True
    ranged: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(name for name, _ in self.columns)

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """The columns as the raw table has them."""
        return tuple((name, "VARCHAR" if name == RESOURCE else kind) for name, kind in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """SQL expressions over a row; records that are equal in all of them are the same one.

        Equal hashes at the same nanosecond are equal records: the keys of the maps are sorted.
        """
        return self.identity or (*(("time_ns",) if self.timed else ()), _hash(*self.names))


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for line in text.strip().splitlines():
        name, _, kind = line.strip().partition(" ")
        if name == "<hot>":
            found.extend((hot, "VARCHAR") for hot in HOT)
        else:
            found.append((name, kind))
    return tuple(found)


SPANS = Signal(
    "spans",
    _columns(
        f"""
        time TIMESTAMPTZ
        time_ns BIGINT
        duration_ns BIGINT
        trace_id VARCHAR
        span_id VARCHAR
        parent_span_id VARCHAR
        name VARCHAR
        kind VARCHAR
        status VARCHAR
        status_message VARCHAR
        trace_state VARCHAR
        <hot>
        scope VARCHAR
        attributes {MAP}
        resource {MAP}
        span_events STRUCT(time TIMESTAMPTZ, name VARCHAR, attributes {MAP})[]
        links STRUCT(trace_id VARCHAR, span_id VARCHAR)[]
        """
    ),
    identity=("trace_id", "span_id"),
)

LOGS = Signal(
    "logs",
    _columns(
        f"""
        time TIMESTAMPTZ
        time_ns BIGINT
        observed_time TIMESTAMPTZ
        severity_number INTEGER
        severity VARCHAR
        body VARCHAR
        trace_id VARCHAR
        span_id VARCHAR
        event_name VARCHAR
        <hot>
        scope VARCHAR
        attributes {MAP}
        resource {MAP}
        """
    ),
)

METRICS = Signal(
    "metrics",
    _columns(
        f"""
        time TIMESTAMPTZ
        time_ns BIGINT
        start_time TIMESTAMPTZ
        name VARCHAR
        unit VARCHAR
        kind VARCHAR
        temporality VARCHAR
        monotonic BOOLEAN
        value DOUBLE
        count BIGINT
        sum DOUBLE
        min DOUBLE
        max DOUBLE
        bucket_counts BIGINT[]
        explicit_bounds DOUBLE[]
        quantiles MAP(DOUBLE, DOUBLE)
        <hot>
        scope VARCHAR
        attributes {MAP}
        resource {MAP}
        """
    ),
    identity=("time_ns", _hash("name", "kind", "scope", *HOT, "attributes", "resource")),
)

EVENTS = Signal(
    "events",
    _columns(
        f"""
        time TIMESTAMPTZ
        time_ns BIGINT
        end_time TIMESTAMPTZ
        kind VARCHAR
        source VARCHAR
        severity VARCHAR
        title VARCHAR
        body VARCHAR
        state VARCHAR
        fingerprint VARCHAR
        <hot>
        attributes {MAP}
        """
    ),
    # An alert is known by fingerprint and start, and each state of it is a row of its own; other
    # events by their sender's name for them, whenever they are sent again.
    identity=(
        "kind",
        "state",
        "fingerprint",
        "CASE WHEN kind = 'alert' OR fingerprint IS NULL THEN time_ns END",
        "CASE WHEN fingerprint IS NULL THEN "
        + _hash("end_time", "source", "severity", "title", "body", *HOT, "attributes")
        + " END",
    ),
    ranged=False,
)

SERVICES = Signal(
    "services",
    _columns(
        f"""
        name VARCHAR
        owner VARCHAR
        tier VARCHAR
        lifecycle VARCHAR
        system VARCHAR
        depends_on VARCHAR[]
        attributes {MAP}
        """
    ),
    timed=False,
)

SIGNALS: dict[str, Signal] = {
    signal.name: signal for signal in (SPANS, LOGS, METRICS, EVENTS, SERVICES)
}


def present(signal: Signal) -> str:
    """SQL for the rows that a record may be a duplicate of.

    An entry of the service catalog that holds again is news, so only the newest of each service
    count.
    """
    if signal is not SERVICES:
        return f"raw.{signal.name}"
    newest = "rank() OVER (PARTITION BY name ORDER BY batch_id DESC) = 1"
    return f"(FROM raw.{signal.name} QUALIFY {newest})"


def keeping(name: str, value: str) -> str:
    """SQL that makes of a column's value what the raw table keeps."""
    return f"to_json({value})::VARCHAR" if name == RESOURCE else value


def noting(signal: Signal, source: str) -> str:
    """SQL that reads each different resource of some rows, once for all queries to come.

    Whoever writes rows runs it, in the same transaction.

    Args:
        signal: Of the rows.
        source: A table or view of them, with the columns that are kept.
    """
    if RESOURCE not in signal.names:
        return ""
    return (
        f"INSERT INTO raw.resources SELECT text, text::JSON::{MAP}"  # noqa: S608 - own names
        f" FROM (SELECT DISTINCT {RESOURCE} AS text FROM {source} WHERE {RESOURCE} IS NOT NULL)"
        " WHERE text NOT IN (SELECT text FROM raw.resources)"
    )


def selection(signal: Signal, names: Sequence[str], condition: str) -> str:
    """SQL for rows of a raw table as queries see them, up to any pin."""
    if RESOURCE not in names:
        return f"SELECT {', '.join(names)} FROM raw.{signal.name} WHERE {condition}"  # noqa: S608
    chosen = ", ".join(
        f"known.attributes AS {name}" if name == RESOURCE else f"kept.{name}" for name in names
    )
    return (
        f"SELECT {chosen} FROM raw.{signal.name} kept"  # noqa: S608 - names of the schema
        # Grouped, so that DuckDB sees that no row comes twice, and leaves the join out of queries
        # that read no resource.
        " LEFT JOIN (SELECT text, any_value(attributes) AS attributes FROM raw.resources"
        f" GROUP BY text) known ON kept.{RESOURCE} = known.text WHERE {condition}"
    )


def plain_views() -> str:
    """SQL for views that mean the same without a join, for whoever looks at plans only."""
    return "".join(
        view(signal)
        .replace("CREATE VIEW", "CREATE OR REPLACE VIEW")
        .replace(f" {RESOURCE},", f" {RESOURCE}::JSON::{MAP} AS {RESOURCE},")
        for signal in SIGNALS.values()
        if RESOURCE in signal.names
    )


PINNED = "batch_id <= getvariable('pin')"
UPTO = f"WHERE {PINNED}"


def visible(signal: Signal) -> str:
    """What a view shows of its table: the rows up to the pin, and of each service its newest entry.

    A catalog that is imported again brings new entries for what changed; older pins still see
    the older ones.
    """
    if signal is not SERVICES:
        return UPTO
    newest = "PARTITION BY name ORDER BY batch_id DESC, owner, tier, lifecycle, system"
    return f"{UPTO} QUALIFY row_number() OVER ({newest}) = 1"


def view(signal: Signal, rows: str = UPTO) -> str:
    """SQL for the view of a signal's rows, as they lie."""
    names = ", ".join((*signal.names, "batch_id"))
    return f"CREATE VIEW main.{signal.name} AS SELECT {names} FROM raw.{signal.name} {rows};\n"  # noqa: S608
