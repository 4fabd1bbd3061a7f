"""The journal keeps whatever an adapter needs: each format is read again as it was at first."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from tests.support import payloads
from tests.support.live import START_NS
from tests.support.samples import samples
from workspace_ext.telemetry.ingest.live import journal
from workspace_ext.telemetry.ingest.live.decoding import decode
from workspace_ext.telemetry.ingest.live.recovery import recover
from workspace_ext.telemetry.ingest.live.request import Request, pack


@pytest.mark.parametrize("name", sorted(samples().keys() - {"csv", "jsonl", "parquet"}))
def test_every_format_is_recovered_as_it_was_received(tmp_path: Path, name: str) -> None:
    """From what the journal keeps come the very records that came from what was sent."""
    came = [
        Request(name, each.signal, "a", "", each.headers, each.body, START_NS)
        for each in samples()[name]
    ]
    journal.Journal(tmp_path, 1).append([pack(request) for request in came])
    found, whole = recover(journal.file_of(tmp_path, 1))
    assert whole
    assert found
    for request, delivery in zip(came, found, strict=True):
        assert delivery == decode(request).delivery


def test_remote_write_in_zstd_is_recovered(tmp_path: Path) -> None:
    headers = {"content-encoding": "zstd", **payloads.V2}
    message = payloads.written_2(({"__name__": "up"}, [(1.0, payloads.MS)]))
    body = pa.compress(message.SerializeToString(), codec="zstd", asbytes=True)
    came = Request("prometheus-remote-write", "", "a", "", headers, body, START_NS)
    journal.Journal(tmp_path, 1).append([pack(came)])
    (found,), _ = recover(journal.file_of(tmp_path, 1))
    assert found.tables["metrics"]["name"].to_pylist() == ["up"]
