"""Clocks that differ, and spans that were sampled away."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.store import open_store
from workspace_ext.telemetry.catalog.traces import TRACES_SQL, probability, read_traces

MS = 1_000_000
START = datetime(2024, 5, 1, 10, tzinfo=UTC)
VALUES = {"start": START, "end": datetime(2024, 5, 1, 11, tzinfo=UTC), "nth": 1}


@pytest.mark.parametrize(
    ("hint", "share"),
    [("th:0", 1.0), ("th:c", 0.25), ("th:8", 0.5), ("th:fd70a4", 0.01), ("p:2", 0.25),
     ("p:63", 0.0), ("", None), ("th:", None), ("x:1", None)],
)  # fmt: skip
def test_the_share_that_is_kept(hint: str, share: float | None) -> None:
    assert probability(hint) == (None if share is None else pytest.approx(share, rel=1e-4))


def test_skew_sampling_and_lost_parents_of_a_store(tmp_path: Path) -> None:
    base = int(START.timestamp()) * 1_000_000_000 + 60_000 * MS
    spans = []
    for trace in range(40):
        at = base + trace * 1000 * MS
        # a call of 100 ms, whose callee took 40 ms by a clock that is 25 ms behind
        spans.append((f"t{trace}", "a", None, "front", at, 100 * MS, "ot=rv:1;th:c"))
        spans.append((f"t{trace}", "b", "a", "cart", at + 5 * MS, 40 * MS, None))
        spans.append((f"t{trace}", "c", "b", "stock", at - 20 * MS, 30 * MS, "x=1,ot=p:1"))
        spans.append((f"t{trace}", "d", "gone", "stock", at, MS, "other=th:c"))
    with open_store(tmp_path / "s") as store:
        with store.engine.write() as connection:
            connection.executemany(
                "INSERT INTO raw.spans (trace_id, span_id, parent_span_id, service, time_ns, time,"
                " duration_ns, trace_state, batch_id) SELECT $1, $2, $3, $4, $5,"
                " make_timestamptz($5::BIGINT // 1000), $6, $7, 1",
                [list(span) for span in spans],
            )
        with store.engine.cursor() as cursor:
            cursor.execute("SET VARIABLE pin = 1")
            rows = cursor.execute(TRACES_SQL, VALUES).to_arrow_table().to_pylist()
            half = cursor.execute(TRACES_SQL, {**VALUES, "nth": 2}).to_arrow_table().to_pylist()
    (skew,), sampled = read_traces(rows)
    # starts 25 ms before its caller; the middle of what is left of 40 ms is 5 ms later
    assert skew.to_dict() == {
        "caller": "cart", "service": "stock", "calls": 40, "early": 40, "median_ms": 30.0
    }  # fmt: skip
    assert skew.doubtful
    by_service = {each.service: each for each in sampled}
    assert by_service["front"].hints == {0.25: 40}
    assert by_service["stock"].hints == {0.5: 40}
    assert (by_service["stock"].orphans, by_service["stock"].spans) == (40, 80)
    assert by_service["stock"].torn
    assert not by_service["cart"].torn
    assert 0 < sum(row["n"] for row in half if row["kind"] == "service") < len(spans)
    assert read_traces([]) == ([], [])
