from __future__ import annotations

import hashlib

from tests.support.store import Store
from workspace_ext.telemetry.ingest.columns import arrow_schema
from workspace_ext.telemetry.migrations import MIGRATIONS
from workspace_ext.telemetry.schema import SIGNALS


def test_a_released_step_never_changes() -> None:
    """A store made by any version is at the same tables: change them by a further step."""
    digests = {step.number: hashlib.sha256(step.sql.encode()).hexdigest() for step in MIGRATIONS}
    assert digests[1] == "a1008d4452ec2ed6c43b8f4e539028c4dc2c54e933ac49d03cec4d2b30da0227"


def test_views_have_the_columns_of_the_signals(store: Store) -> None:
    for name, signal in SIGNALS.items():
        described = [(row[0], row[1]) for row in store.rows(f"DESCRIBE {name}")]
        expected = [
            (c, t.replace("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE")) for c, t in signal.columns
        ]
        assert [c for c, _ in described] == [*(c for c, _ in expected), "batch_id"]
        simple = {c: t for c, t in expected if "STRUCT" not in t}
        assert {c: t for c, t in described if c in simple} == simple


def test_without_a_pin_there_are_no_rows(store: Store) -> None:
    store.demo("frontend")
    with store.engine.cursor() as cursor:
        assert cursor.execute("SELECT count(*) FROM metrics").fetchall() == [(0,)]
        cursor.execute("SET VARIABLE pin = 0")
        assert cursor.execute("SELECT count(*) FROM metrics").fetchall() == [(0,)]
        cursor.execute("SET VARIABLE pin = 1")
        assert cursor.execute("SELECT count(*) FROM metrics").fetchall() == [(85,)]


def test_every_signal_has_an_arrow_shape() -> None:
    for name, signal in SIGNALS.items():
        assert tuple(arrow_schema(name).names) == signal.names
