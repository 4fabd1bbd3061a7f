"""Live data: the journal and the merge, without a wire."""

from __future__ import annotations

import json
import os
import threading
import weakref
from concurrent.futures import Future
from dataclasses import replace

import pyarrow as pa
import pytest

from tests.support.live import SECOND, START_NS, delivery, done, live_ingest, sent
from tests.support.payloads import CLOUD_EVENT
from tests.support.store import Store
from tests.support.waiting import PATIENCE_SECONDS, until
from workspace_ext.foundation.errors import Unavailable
from workspace_ext.telemetry.ingest.live.decoding import decode
from workspace_ext.telemetry.ingest.live.merge import LATE_NS, MOST_SOURCES, merge
from workspace_ext.telemetry.ingest.live.request import Request
from workspace_ext.telemetry.ingest.live.service import LiveLimits
from workspace_ext.telemetry.ingest.model import Reject
from workspace_ext.telemetry.ingest.tally import MOST_SERVICES

COUNT = "SELECT count(*), count(DISTINCT span_id) FROM spans"
NEVER = LiveLimits(merge_seconds=3600, patience_seconds=3600)


def test_accepted_is_in_the_next_pin(store: Store) -> None:
    with live_ingest(store, NEVER) as live:
        done([live.accept(*sent(0))])
        assert store.rows(COUNT) == [(0, 0)]
        assert live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(10, 10)]


def test_merged_without_being_asked(store: Store) -> None:
    with live_ingest(store, LiveLimits(merge_seconds=0.01)) as live:
        done([live.accept(*sent(0))])
        with live._changed:
            assert live._changed.wait_for(lambda: live.totals.merges == 1, 30)
        assert store.rows(COUNT) == [(10, 10)]
        until(lambda: not list(store.folder.journal.iterdir()), "the journal is dropped")


def test_nothing_is_held_of_what_was_merged(store: Store) -> None:
    with live_ingest(store, NEVER) as live:
        came, made = sent(0)
        held = weakref.ref(made)
        done([live.accept(came, made)])
        del made
        assert held() is not None
        live.flush(PATIENCE_SECONDS)
        until(lambda: held() is None, "the memory of what was merged is free")


def test_the_same_again_adds_nothing(store: Store) -> None:
    with live_ingest(store) as live:
        done([live.accept(*sent(0)), live.accept(*sent(5)), live.accept(*sent(0))])
        live.flush(PATIENCE_SECONDS)
        done([live.accept(*sent(10, 10))])
        live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(20, 20)]
        assert live.totals.records["otlp-proto", "kept"] == 20
        assert live.totals.records["otlp-proto", "duplicate"] == 20


def test_an_event_without_a_time_is_the_same_when_it_is_sent_again(store: Store) -> None:
    """Its time is that of its arrival, so each attempt has another one."""
    event = {key: value for key, value in CLOUD_EVENT.items() if key != "time"}
    first = Request(
        format="cloudevents",
        signal="events",
        source="test",
        encoding="",
        headers={"content-type": "application/cloudevents+json"},
        body=json.dumps(event).encode(),
        received_ns=START_NS,
    )
    with live_ingest(store) as live:
        for hours in (0, 1, 30):
            attempt = replace(first, received_ns=START_NS + hours * 3600 * SECOND)
            done([live.accept(attempt, decode(attempt).delivery)])
            live.flush(PATIENCE_SECONDS)
        assert store.rows("SELECT epoch_ns(time) FROM events") == [(START_NS,)]
        assert live.totals.records["cloudevents", "duplicate"] == 2


def test_many_requests_share_a_sync(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    held, begun = threading.Event(), threading.Event()
    sync = os.fdatasync

    def slow(descriptor: int) -> None:
        begun.set()
        held.wait(30)
        sync(descriptor)

    monkeypatch.setattr(os, "fdatasync", slow)
    with live_ingest(store, NEVER) as live:
        futures = [live.accept(*sent(0))]
        assert begun.wait(30)
        futures += [live.accept(*sent(number * 10)) for number in range(1, 50)]
        assert not any(future.done() for future in futures)
        held.set()
        done(futures)
        assert live.totals.syncs == 2


def test_each_source_has_its_batch(store: Store) -> None:
    late, ahead = START_NS + LATE_NS + SECOND, START_NS - LATE_NS - SECOND
    with live_ingest(store, NEVER) as live:
        done(
            [
                live.accept(*sent(0, source="a", received_ns=late)),
                live.accept(*sent(10, source="b", received_ns=ahead)),
                live.accept(*sent(15, source="a", rejects=(Reject(None, "no", "x"),))),
            ]
        )
        live.flush(PATIENCE_SECONDS)
    newest, first = store.catalog.batches()
    assert (first["name"], first["requests"], first["records"]) == ("a", 2, 21)
    assert (first["rows"], first["duplicates"], first["quarantined"]) == ({"spans": 15}, 5, 1)
    assert (first["late"], first["ahead"]) == (10, 0)
    assert (newest["name"], newest["rows"], newest["duplicates"]) == ("b", {"spans": 10}, 0)
    assert newest["ahead"] == 10
    assert store.rows("SELECT batch_id, count(*) FROM spans GROUP BY 1 ORDER BY 1") == [
        (1, 15),
        (2, 10),
    ]
    assert store.quarantine() == [(None, "no")]


def test_each_service_is_counted(store: Store) -> None:
    late, ahead = START_NS + LATE_NS + SECOND, START_NS - LATE_NS - SECOND

    def odd(number: int) -> str | None:
        return "odd" if number % 2 else None

    with live_ingest(store, NEVER) as live:
        done(
            [
                live.accept(*sent(0, source="a", received_ns=late, warnings=("slow",))),
                live.accept(*sent(5, source="a", warnings=("slow", "old"))),
                live.accept(*sent(20, 3, source="b", service=odd, received_ns=ahead)),
            ]
        )
        live.flush(PATIENCE_SECONDS)
        done([live.accept(*sent(0, source="a"))])
        live.flush(PATIENCE_SECONDS)
    columns = "batch_id, signal, service, rows, duplicates, late, ahead"
    times = f"epoch_us(first_time) - {START_NS // 1000}, epoch_us(last_time) - {START_NS // 1000}"
    assert store.rows(f"SELECT {columns}, {times} FROM raw.batch_services ORDER BY 1, 3") == [
        (1, "spans", "cart", 15, 5, 10, 0, 0, 14),
        (2, "spans", "odd", 1, 0, 0, 1, 21, 21),
        (2, "spans", None, 2, 0, 0, 2, 20, 22),
        (3, "spans", "cart", 0, 10, 0, 0, 0, 9),
    ]
    assert store.rows("SELECT warnings FROM raw.batches ORDER BY batch_id") == [
        (["slow", "old"],),
        ([],),
        ([],),
    ]


def test_very_many_services_share_a_row(store: Store) -> None:
    many = MOST_SERVICES + 5
    with live_ingest(store, NEVER) as live:
        done([live.accept(*sent(0, many, service=lambda number: f"s{number}"))])
        live.flush(PATIENCE_SECONDS)
        done([live.accept(*sent(many, 1))])
        live.flush(PATIENCE_SECONDS)
    counts = "count(*), count(service), sum(rows), max(rows) FILTER (service IS NULL)"
    assert store.rows(f"SELECT {counts} FROM raw.batch_services GROUP BY batch_id ORDER BY 1") == [
        (1, 1, 1, None),
        (MOST_SERVICES + 1, MOST_SERVICES, many, 5),
    ]
    newer, older = store.catalog.batches()
    assert not newer["warnings"]
    assert "taken for the name of a service" in older["warnings"][0]


def test_a_request_sent_again_in_part(store: Store) -> None:
    """Only what is new of it is kept, and no other request is touched."""
    with live_ingest(store, NEVER) as live:
        done([live.accept(*sent(number)) for number in (0, 40)])
        live.flush(PATIENCE_SECONDS)
        done([live.accept(*sent(number)) for number in (0, 5, 20, 35, 60)])
        live.flush(PATIENCE_SECONDS)
    assert store.rows(
        f"SELECT batch_id, list((time_ns - {START_NS}) // 1000 ORDER BY time_ns) FROM spans"
        " GROUP BY 1 ORDER BY 1"
    ) == [
        (1, [*range(10), *range(40, 50)]),
        (2, [*range(10, 15), *range(20, 30), *range(35, 40), *range(60, 70)]),
    ]


def test_very_many_sources_share_a_batch(store: Store) -> None:
    with live_ingest(store, NEVER) as live:
        many = range(MOST_SOURCES + 1)
        done([live.accept(*sent(n * 10, source=f"s{n}")) for n in many])
        live.flush(PATIENCE_SECONDS)
    assert [batch["name"] for batch in store.catalog.batches()] == [f"{MOST_SOURCES + 1} sources"]


def test_a_merge_waits_for_a_row_group_that_fills_up(store: Store) -> None:
    limits = LiveLimits(group_rows=30, merge_seconds=0.01, patience_seconds=3600)
    with live_ingest(store, limits) as live:
        done([live.accept(*sent(0)), live.accept(*sent(10))])
        with live._changed:
            assert not live._changed.wait_for(lambda: live.totals.merges, 0.1)
        done([live.accept(*sent(20))])
        with live._changed:
            assert live._changed.wait_for(lambda: live.totals.merges == 1, 30)
        assert store.rows(COUNT) == [(30, 30)]


def test_a_merge_fills_row_groups_and_the_rest_waits(store: Store) -> None:
    limits = LiveLimits(group_rows=25, merge_seconds=3600, patience_seconds=3600)
    with live_ingest(store, limits) as live:
        done([live.accept(*sent(number, rejects=(Reject(None, "no", "x"),))) for number in (0, 10)])
        done([live.accept(*sent(20))])
        with live._changed:
            assert live._changed.wait_for(lambda: live.totals.merges == 1, 30)
        assert store.rows(COUNT) == [(25, 25)]
        assert len(list(store.folder.journal.iterdir())) == 1, "it holds the rest"
        done([live.accept(*sent(30))])
        assert live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(40, 40)]
        until(lambda: not list(store.folder.journal.iterdir()), "the journal is dropped")
        assert live.held_bytes == 0
        assert live.totals.records["otlp-proto", "duplicate"] == 0
        assert live.totals.records["otlp-proto", "rejected"] == 2


def test_requests_lie_sorted(store: Store) -> None:
    with live_ingest(store, NEVER) as live:
        done([live.accept(*sent(number)) for number in (500, 0, 300)])
        live.flush(PATIENCE_SECONDS)
    with store.engine.cursor() as cursor:
        times = [row[0] for row in cursor.execute("SELECT time_ns FROM raw.spans").fetchall()]
    assert times == sorted(times)
    assert len(times) == 30


def test_beyond_the_limits(store: Store) -> None:
    size = delivery(0).held_bytes
    with live_ingest(store, LiveLimits(held_bytes=size * 3 + 1000, merge_seconds=3600)) as live:
        done([live.accept(*sent(number * 10)) for number in range(3)])
        with pytest.raises(Unavailable) as refused:
            live.accept(*sent(30))
        assert refused.value.code == "ingest_busy"
        assert live.flush(PATIENCE_SECONDS)
        done([live.accept(*sent(30))])
        live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(40, 40)]


def test_no_room_on_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a failed write stays, and the next one works."""
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 100:
            write(descriptor, data[:100])
            raise OSError(28, "No space left on device")
        return write(descriptor, data)

    with live_ingest(store, NEVER) as live:
        done([live.accept(*sent(0))])
        monkeypatch.setattr(os, "write", full)
        failed: Future[None] = live.accept(*sent(10))
        with pytest.raises(Unavailable) as refused:
            failed.result(30)
        assert refused.value.code == "disk_full"
        monkeypatch.undo()
        done([live.accept(*sent(20))])
        live.flush(PATIENCE_SECONDS)
        assert store.rows("SELECT DISTINCT name, count(*) FROM spans GROUP BY 1") == [("GET /", 20)]
        assert live.held_bytes == 0


def test_one_bad_delivery_stops_no_other(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from workspace_ext.telemetry.ingest.live import service

    def picky(connection, deliveries, number, now):  # type: ignore[no-untyped-def]
        if any(each.source == "bad" for each in deliveries):
            raise ValueError("cannot")
        return merge(connection, deliveries, number, now)

    monkeypatch.setattr(service, "merge", picky)
    with live_ingest(store, NEVER) as live:
        done([live.accept(*sent(n * 10, source=s)) for n, s in enumerate(("a", "bad", "c"))])
        live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(20, 20)]
    assert [left.suffix for left in store.folder.journal.iterdir()] == [".damaged"]


def test_what_the_database_refuses_stops_no_other(store: Store) -> None:
    """An adapter of somebody else's may give texts that are not UTF-8; Arrow does not look."""
    request, good = sent(10)
    names = pa.array([b"\xff\xfe, and not UTF-8"] * good.rows, pa.binary())
    torn = pa.StringArray.from_buffers(len(names), *names.buffers()[1:])
    table = good.tables["spans"]
    spans = table.set_column(table.schema.get_field_index("name"), "name", torn)
    with live_ingest(store, NEVER) as live:
        bad = live.accept(request, replace(good, tables={"spans": spans}))
        done([live.accept(*sent(0)), bad, live.accept(*sent(20))])
        assert live.flush(PATIENCE_SECONDS)
        assert live.failed is None
        assert store.rows(COUNT) == [(20, 20)]
    assert [left.suffix for left in store.folder.journal.iterdir()] == [".damaged"]


def test_no_file_of_the_journal_goes_before_all_of_it_is_merged(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad delivery has those of several files merged one by one; a crash may end that halfway."""
    from workspace_ext.telemetry.ingest.live import service

    broken = threading.Event()
    noted: list[int] = []

    def picky(connection, deliveries, number, now):  # type: ignore[no-untyped-def]
        if broken.is_set():
            raise OSError(5, "Input/output error")
        if any(each.source == "bad" for each in deliveries):
            raise ValueError("cannot")
        noted.append(number)
        return merge(connection, deliveries, number, now)

    monkeypatch.setattr(service, "merge", picky)
    with live_ingest(store, NEVER) as live:
        broken.set()
        done([live.accept(*sent(0, source="a"))])
        assert not live.flush(PATIENCE_SECONDS)  # it ended its file, and waits
        done([live.accept(*sent(n * 10, source=s)) for n, s in ((1, "bad"), (2, "c"))])
        broken.clear()
        assert live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(20, 20)]
    assert noted == [0, 0, 2]
