"""The steps from an empty file to the tables of today; each is written once, never changed."""

from __future__ import annotations

from workspace_ext.storage.migrations import Migration
from workspace_ext.telemetry.schema import (
    LOGS,
    MAP,
    METRICS,
    PINNED,
    RESOURCE,
    SERVICES,
    SIGNALS,
    SPANS,
    Signal,
    keeping,
    noting,
    selection,
    view,
    visible,
)

_BOOKS = """
CREATE TABLE raw.batches (
    batch_id BIGINT PRIMARY KEY,
    committed_at TIMESTAMPTZ NOT NULL,
    name VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    content_digest VARCHAR NOT NULL,
    mapping_digest VARCHAR,
    bytes BIGINT NOT NULL,
    spans BIGINT NOT NULL,
    logs BIGINT NOT NULL,
    metrics BIGINT NOT NULL,
    events BIGINT NOT NULL,
    services BIGINT NOT NULL,
    duplicates BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    first_time TIMESTAMPTZ,
    last_time TIMESTAMPTZ
);
CREATE TABLE raw.quarantine (
    batch_id BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    line BIGINT,
    reason VARCHAR NOT NULL,
    record VARCHAR
);
"""


def _table(signal: Signal) -> str:
    columns = ",\n    ".join(f"{name} {kind}" for name, kind in signal.columns)
    return f"CREATE TABLE raw.{signal.name} (\n    {columns},\n    batch_id BIGINT NOT NULL\n);\n"


MIGRATIONS: tuple[Migration, ...] = (
    Migration(
        1,
        "signals, batches and quarantine",
        "CREATE SCHEMA raw;\n"
        + "".join(_table(signal) for signal in SIGNALS.values())
        + _BOOKS
        + "".join(view(signal) for signal in SIGNALS.values()),
    ),
    Migration(
        2,
        "where a batch came from, and how late; how far the journal of live data is merged",
        """
        ALTER TABLE raw.batches ADD COLUMN adapter_version VARCHAR;
        ALTER TABLE raw.batches ADD COLUMN received_at TIMESTAMPTZ;
        ALTER TABLE raw.batches ADD COLUMN requests BIGINT;
        ALTER TABLE raw.batches ADD COLUMN records BIGINT;
        ALTER TABLE raw.batches ADD COLUMN late BIGINT;
        ALTER TABLE raw.batches ADD COLUMN ahead BIGINT;
        CREATE TABLE raw.journal (merged BIGINT NOT NULL);
        INSERT INTO raw.journal VALUES (0);
        """,
    ),
    Migration(
        3,
        "what a batch warned of, and what it brought of each service",
        """
        ALTER TABLE raw.batches ADD COLUMN warnings VARCHAR[];
        CREATE TABLE raw.batch_services (
            batch_id BIGINT NOT NULL,
            signal VARCHAR NOT NULL,
            service VARCHAR,
            rows BIGINT NOT NULL,
            duplicates BIGINT NOT NULL,
            late BIGINT,
            ahead BIGINT,
            first_time TIMESTAMPTZ,
            last_time TIMESTAMPTZ
        );
        """,
    ),
    Migration(
        4,
        "what retention removed, and the policy that the broker applies",
        """
        CREATE TABLE raw.removals (
            number BIGINT PRIMARY KEY,
            removed_at TIMESTAMPTZ NOT NULL,
            signal VARCHAR NOT NULL,
            from_time TIMESTAMPTZ NOT NULL,
            upto_time TIMESTAMPTZ NOT NULL,
            from_batch BIGINT NOT NULL,
            upto_batch BIGINT NOT NULL,
            rows BIGINT NOT NULL,
            reason VARCHAR NOT NULL,
            run VARCHAR NOT NULL,
            actor VARCHAR NOT NULL
        );
        CREATE TABLE raw.retention (policy VARCHAR NOT NULL, applied_ns BIGINT);
        """,
    ),
    Migration(
        5,
        "of each service the newest entry",
        "DROP VIEW main.services;\n" + view(SERVICES, visible(SERVICES)),
    ),
    Migration(
        6,
        "resources as text, and each of them read once",
        f"CREATE TABLE raw.resources (text VARCHAR NOT NULL, attributes {MAP});\n"
        + "".join(
            f"DROP VIEW main.{signal.name};\n"
            f"ALTER TABLE raw.{signal.name} ALTER {RESOURCE}"
            f" TYPE VARCHAR USING {keeping(RESOURCE, RESOURCE)};\n"
            f"{noting(signal, f'raw.{signal.name}')};\n"
            f"CREATE VIEW main.{signal.name} AS"
            f" {selection(signal, (*signal.names, 'batch_id'), PINNED)};\n"
            for signal in (SPANS, LOGS, METRICS)
        ),
    ),
)
"""Written once, never changed: a later change of a table is a later step."""
