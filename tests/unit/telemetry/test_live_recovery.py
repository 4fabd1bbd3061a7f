"""The journal: its form, and what a crash, damage or another version leaves in it."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.live import START_NS, done, live_ingest, request, sent
from tests.support.store import open_store
from tests.support.waiting import PATIENCE_SECONDS
from workspace_ext.foundation.errors import Damaged
from workspace_ext.telemetry.ingest.live import journal
from workspace_ext.telemetry.ingest.live.decoding import decode
from workspace_ext.telemetry.ingest.live.request import Request, pack, unpack
from workspace_ext.telemetry.ingest.live.service import LiveIngest, LiveLimits

COUNT = "SELECT count(*), count(DISTINCT span_id) FROM spans"
NEVER = LiveLimits(merge_seconds=3600, patience_seconds=3600)


def test_journal_form_keeps_everything() -> None:
    given = request(3, source="somebody")
    assert unpack(pack(given)) == given
    secret = replace(given, headers={"authorization": "Bearer x", "content-type": "y"})
    assert unpack(pack(secret)).headers == {"content-type": "y"}
    assert b"Bearer" not in pack(secret)


@pytest.mark.parametrize("content", [b"", b"\2\0\0\0{}", b"\xff\xff\xff\xffx", b"\1\0\0\0["])
def test_another_form_is_told(content: bytes) -> None:
    with pytest.raises(Damaged, match="no head that is known"):
        unpack(content)


def test_the_rest_of_a_merge_survives_a_crash(tmp_path: Path) -> None:
    limits = LiveLimits(group_rows=25, merge_seconds=3600, patience_seconds=3600)
    with open_store(tmp_path / "store") as store:
        live = LiveIngest(store.engine, limits=limits)
        requests = [sent(number)[0] for number in (0, 10, 20)]
        done([live.accept(request, decode(request).delivery) for request in requests])
        with live._changed:
            assert live._changed.wait_for(lambda: live.totals.merges == 1, 30)
        (path,) = store.folder.journal.iterdir()
        content = path.read_bytes()
        with store.engine.write() as connection:
            merged = connection.execute("SELECT merged FROM raw.journal").fetchall()
        live.close()
        with store.engine.write() as connection:  # as if it was killed before the rest was merged
            connection.execute("DELETE FROM raw.spans WHERE batch_id > 1")
            connection.execute("UPDATE raw.journal SET merged = $1", [merged[0][0]])
        path.write_bytes(content)
    with open_store(tmp_path / "store") as store, live_ingest(store) as live:
        assert live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(30, 30)]


def test_left_over_journal_is_merged_once(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        live = LiveIngest(store.engine, limits=NEVER)
        done([live.accept(*sent(0)), live.accept(*sent(10))])
        kept = {path.name: path.read_bytes() for path in store.folder.journal.iterdir()}
        live.close()
        assert len(kept) == 1
        for name, content in kept.items():  # as if it was killed before it deleted them
            (store.folder.journal / name).write_bytes(content)
    with open_store(tmp_path / "store") as store, live_ingest(store) as live:
        assert live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(20, 20)]
        assert len(store.catalog.batches()) == 1


@pytest.mark.parametrize("cut", [1, 9, 200, 100_000])
def test_torn_end(tmp_path: Path, cut: int) -> None:
    """A crash before the sync tears the last frame only."""
    with open_store(tmp_path / "store") as store:
        write = journal.Journal(store.folder.journal, 1)
        write.append([pack(request(0))])
        write.append([pack(request(10))])
        path = journal.file_of(store.folder.journal, 1)
        whole = path.read_bytes()
        path.write_bytes(whole[:-cut] if cut < len(whole) // 2 else whole + bytes(1000))
        with live_ingest(store) as live:
            live.flush(PATIENCE_SECONDS)
            expected = 10 if cut < len(whole) // 2 else 20
            assert store.rows(COUNT) == [(expected, expected)]
            done([live.accept(*sent(50))])
            live.flush(PATIENCE_SECONDS)
            assert store.rows(COUNT) == [(expected + 10, expected + 10)]
        assert not list(store.folder.journal.iterdir())


@pytest.mark.parametrize("begin", [b"investigation journal 9\n", b"\0" * 24], ids=["other", "torn"])
def test_a_file_of_another_form_is_kept(tmp_path: Path, begin: bytes) -> None:
    """Another version wrote it, or its beginning is damaged: it was acknowledged all the same."""
    with open_store(tmp_path / "store") as store:
        journal.Journal(store.folder.journal, 1).append([pack(request(0))])
        path = journal.file_of(store.folder.journal, 1)
        content = begin + path.read_bytes()[len(begin) :]
        path.write_bytes(content)
        with live_ingest(store) as live:
            live.flush(PATIENCE_SECONDS)
        (kept,) = store.folder.journal.iterdir()
        assert (kept.suffix, kept.read_bytes()) == (".damaged", content)


def test_a_file_that_was_only_begun_is_no_loss(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        journal.file_of(store.folder.journal, 1).write_bytes(b"investigation jou")
        with live_ingest(store) as live:
            done([live.accept(*sent(0))])
            assert live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(10, 10)]
        assert not list(store.folder.journal.iterdir())


def test_damage_is_told_and_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with open_store(tmp_path / "store") as store:
        write = journal.Journal(store.folder.journal, 1)
        write.append([pack(request(number)) for number in (0, 10, 20)])
        path = journal.file_of(store.folder.journal, 1)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
        with live_ingest(store) as live:
            live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(20, 20)]
        assert [left.suffix for left in store.folder.journal.iterdir()] == [".damaged"]
    assert "what could be read is in the store" in caplog.text


@pytest.mark.parametrize(
    "left",
    [
        replace(request(10), format="gone"),
        replace(request(10), body=b"\xff"),
        replace(request(10), encoding="gzip"),
        b"another form",
    ],
    ids=["adapter", "body", "compression", "form"],
)
def test_what_cannot_be_decoded_any_more_is_set_aside(
    tmp_path: Path, left: Request | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with open_store(tmp_path / "store") as store:
        write = journal.Journal(store.folder.journal, 1)
        frame = left if isinstance(left, bytes) else pack(left)
        write.append([pack(request(0)), frame, pack(request(20))])
        with live_ingest(store) as live:
            live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(20, 20)]
        assert [path.suffix for path in store.folder.journal.iterdir()] == [".damaged"]
    assert "000000000001.journal" in caplog.text


def test_a_left_over_request_is_decoded_as_it_was(tmp_path: Path) -> None:
    """Compressed, with the time at which it came, and with what its headers say."""
    body = json.dumps({"specversion": "1.0"})
    came = replace(request(0), body=gzip.compress(request(0).body), encoding="gzip")
    event = Request(
        "cloudevents", "", "b", "", {"content-type": "text/plain", "ce-id": "1", "ce-source": "s",
        "ce-type": "deploy", "ce-specversion": "1.0"}, body.encode(), START_NS + 5
    )  # fmt: skip
    with open_store(tmp_path / "store") as store:
        journal.Journal(store.folder.journal, 1).append([pack(came), pack(event)])
        with live_ingest(store) as live:
            live.flush(PATIENCE_SECONDS)
        assert store.rows(COUNT) == [(10, 10)]
        assert store.rows("SELECT time_ns FROM events") == [(START_NS + 5,)]
