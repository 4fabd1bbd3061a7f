"""Retention over a real store: by age, by size, what is spared, what is noted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.live import done, sent
from tests.support.spans import ROWS, START, add_batch
from tests.support.store import Store, open_store
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.clock import Window, now_ns, parse_rfc3339
from workspace_ext.telemetry.ingest.live.service import LiveIngest, LiveLimits
from workspace_ext.telemetry.retention.model import Policy, Spared
from workspace_ext.telemetry.retention.service import RetentionService

ALICE = Actor("user", "alice")
DAY_NS = 86_400 * 10**9
OLD = Policy(older_than="1d")


def minutes(first: int, last: int) -> Window:
    start = parse_rfc3339(START)
    return Window(start + first * 60 * 10**9, start + last * 60 * 10**9)


def retention(store: Store, *spared: Spared, days: float = 2) -> RetentionService:
    """In so many days from now."""

    def needed(even_unarchived: bool) -> Sequence[Spared]:
        return [] if even_unarchived else spared

    def forget() -> None:
        store.catalog.forget()

    return RetentionService(
        store.engine, needed, forget, lambda: now_ns() + int(days * DAY_NS), step_rows=100
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three batches of ten minutes."""
    with open_store(tmp_path / "store") as opened:
        for _ in range(3):
            add_batch(opened)
        yield opened


def counts(store: Store) -> dict[int, int]:
    return dict(store.rows("SELECT batch_id, count(*) FROM spans GROUP BY 1 ORDER BY 1"))


def test_what_is_young_stays(store: Store) -> None:
    service = retention(store, days=0.5)
    assert service.plan(OLD).rows == {}
    assert service.apply(OLD, ALICE)["run"] is None
    assert counts(store) == {1: ROWS, 2: ROWS, 3: ROWS}
    assert service.removals() is None


def test_all_that_is_old_goes_and_is_noted(store: Store) -> None:
    service = retention(store)
    assert store.catalog.overview()["signals"]["spans"]["rows"] == 3 * ROWS
    plan = service.plan(OLD)
    assert plan.rows == {"spans": 3 * ROWS, "logs": 3 * ROWS}
    assert counts(store) == {1: ROWS, 2: ROWS, 3: ROWS}
    done = service.apply(OLD, ALICE)
    assert done["rows"] == plan.rows
    assert counts(store) == {}
    assert store.catalog.overview()["signals"]["spans"]["rows"] == 0
    assert len(store.catalog.batches()) == 3
    with store.engine.cursor() as cursor:
        noted = cursor.execute(
            "SELECT signal, sum(rows), max(rows), min(from_batch), max(upto_batch),"
            " min(from_time) = min(TIMESTAMPTZ '2024-05-01T10:00:00Z'), any_value(actor)"
            " FROM raw.removals GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert noted == [
        (signal, 3 * ROWS, 100, 1, 3, True, "user:alice") for signal in ("logs", "spans")
    ]
    removed = service.removals()
    assert removed is not None
    assert removed["removed"]["spans"]["rows"] == 3 * ROWS
    assert service.apply(OLD, ALICE)["run"] is None


def test_needed_rows_stay_up_to_their_pin(store: Store) -> None:
    window = minutes(5, 15)  # the end of the first batch, the beginning of the second
    service = retention(store, Spared("spans", (window,), 1, "open: a"))
    plan = service.plan(OLD)
    assert plan.rows == {"spans": 3 * ROWS - 300, "logs": 3 * ROWS}
    assert plan.spared == (("open: a", "spans", 300),)
    service.apply(OLD, ALICE)
    assert counts(store) == {1: 300}
    assert store.rows("SELECT min(time) >= TIMESTAMPTZ '2024-05-01T10:05:00Z' FROM spans") == [
        (True,)
    ]
    assert service.plan(Policy(older_than="1d", even_unarchived=True)).rows == {"spans": 300}


def test_an_unbounded_need_spares_all_up_to_the_pin(store: Store) -> None:
    needs = [Spared(signal, None, 2, "open: b") for signal in ("spans", "logs")]
    service = retention(store, *needs)
    service.apply(OLD, ALICE)
    assert counts(store) == {1: ROWS, 2: ROWS}


def test_by_size_the_oldest_goes_until_it_fits(store: Store) -> None:
    service = retention(store, days=0)
    store.engine.checkpoint()
    used = service.plan(Policy(larger_than="900GB")).used_bytes
    plan = service.plan(Policy(larger_than=f"{used * 0.5 / 1e6:.3f}MB"))
    assert plan.upto_batch == 2
    assert plan.rows == {"spans": 2 * ROWS, "logs": 2 * ROWS}
    assert plan.freed_bytes == pytest.approx(used * 2 / 3, rel=0.01)
    service.apply(plan.policy, ALICE)
    assert counts(store) == {3: ROWS}


def test_by_size_what_is_needed_is_passed_over(store: Store) -> None:
    needs = [Spared(signal, None, 1, "open: c") for signal in ("spans", "logs")]
    service = retention(store, *needs, days=0)
    store.engine.checkpoint()
    used = service.plan(Policy(larger_than="900GB")).used_bytes
    service.apply(Policy(larger_than=f"{used * 0.7 / 1e6:.3f}MB"), ALICE)
    assert counts(store) == {1: ROWS, 3: ROWS}


def test_a_removed_file_can_be_ingested_again(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        first = store.demo("spans")
        assert store.demo("spans").already
        late = RetentionService(store.engine, lambda _: [], store.catalog.forget)
        late.apply(Policy(older_than="1d"), ALICE)  # its clock stands in 2023
        assert store.rows("SELECT count(*) FROM spans") == [(0,)]
        again = store.demo("spans")
        assert (again.already, again.rows) == (False, first.rows)
        assert store.demo("spans").already


def test_live_data_is_merged_between_the_steps(store: Store) -> None:
    live = LiveIngest(store.engine, limits=LiveLimits(merge_seconds=0.001))
    service = retention(store)
    done([live.accept(*sent(0, 10))])
    removing = service._remove
    merged: list[bool] = []

    def remove(*arguments: object) -> None:
        removing(*arguments)  # type: ignore[arg-type]
        done([live.accept(*sent(100 * (len(merged) + 1), 10))])
        merged.append(live.flush(30))

    service._remove = remove  # type: ignore[method-assign]
    service.apply(OLD, ALICE)
    live.close()
    assert merged
    assert all(merged)


def test_the_policy_is_kept(store: Store) -> None:
    service = retention(store)
    assert service.policy() == (None, None)
    service.set_policy(OLD)
    assert service.policy() == (OLD, None)
    service.apply(OLD, ALICE, kept=True)
    policy, applied_ns = service.policy()
    assert policy == OLD
    assert applied_ns is not None
    service.set_policy(None)
    assert service.policy() == (None, None)
