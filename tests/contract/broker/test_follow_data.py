"""The stream that tells of every commit: none is missed, whenever it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.live import Receiver, export_request, receiver
from tests.support.waiting import PATIENCE_SECONDS, until

SLOW_TO_JOIN = """
import time
from pathlib import Path
from workspace_ext.telemetry.catalog.service import Catalog
newest = Catalog.newest
def slow(self):
    found = newest(self)
    Path({looked!r}).touch()
    while not Path({go_on!r}).exists():
        time.sleep(0.01)
    return found
Catalog.newest = slow
"""


def reaches(broker: Receiver, pin: int) -> bool:
    """Whether a follower that joins now is told of a pin."""
    stream = broker.client.follow_data()
    try:
        return any(told["pin"] == pin for _, told in stream)
    finally:
        stream.close()


def test_what_is_committed_while_a_follower_joins_is_told(tmp_path: Path) -> None:
    looked, go_on = tmp_path / "looked", tmp_path / "go-on"
    preamble = SLOW_TO_JOIN.format(looked=str(looked), go_on=str(go_on))
    with receiver(tmp_path / "s", preamble=preamble) as broker, ThreadPoolExecutor(1) as threads:
        told = threads.submit(reaches, broker, 1)
        until(looked.exists, "it is known what there was")
        assert (
            broker.post("/v1/traces", export_request(0, 5), "application/x-protobuf").status < 300
        )
        until(broker.client.batches, "it is committed")
        go_on.touch()
        try:
            assert told.result(PATIENCE_SECONDS)
        finally:
            broker.kill()  # which ends a stream that waits for ever
