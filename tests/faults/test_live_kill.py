"""kill -9 of the broker while senders push: what was acknowledged is there after, and once.

A short round; the long one is ``INVESTIGATION_KILLS=200 pytest tests/faults/test_live_kill.py``.
"""

from __future__ import annotations

import os
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import urllib3

from tests.support.live import Receiver, export_request, receiver
from tests.support.waiting import until

KILLS = int(os.environ.get("INVESTIGATION_KILLS", "10"))
SENDERS = 3
SPANS = 64
SEED = 20_240_501
LONGEST_SECONDS = 1.5
FLOWING = 0.9
PROTOBUF = "application/x-protobuf"


@dataclass
class Senders:
    """Send one request after another until the broker is gone; each request is sent twice at times.

    What was in flight at the kill is sent again to the next broker, as a real sender does.
    """

    number: int = 0
    acknowledged: set[int] = field(default_factory=set)
    unsure: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    flowing: threading.Event = field(default_factory=threading.Event)

    def take(self) -> int:
        with self.lock:
            if self.unsure:
                return self.unsure.pop()
            self.number += 1
            return self.number

    def send(self, broker: Receiver) -> None:
        pool = urllib3.PoolManager(1, retries=False, timeout=30)
        while True:
            number = self.take()
            try:
                for _ in range(1 + (number % 7 == 0)):
                    answer = pool.request(
                        "POST",
                        f"{broker.address}/v1/traces",
                        body=export_request(number * SPANS, SPANS),
                        headers={"Content-Type": PROTOBUF},
                    )
                    assert answer.status == 200, answer.data
            except urllib3.exceptions.HTTPError:
                with self.lock:
                    self.unsure.append(number)
                return
            with self.lock:
                self.acknowledged.add(number)
            self.flowing.set()


@pytest.mark.timeout(300 + 120 * KILLS)
def test_killed_at_random_moments(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    senders = Senders()
    for _ in range(KILLS):
        with receiver(tmp_path / "store") as broker:
            assert_there(broker, senders.acknowledged)
            threads = [threading.Thread(target=senders.send, args=[broker]) for _ in range(SENDERS)]
            senders.flowing.clear()
            for thread in threads:
                thread.start()
            if chance.random() < FLOWING:  # else while it starts
                assert senders.flowing.wait(60)
            threading.Event().wait(chance.uniform(0, LONGEST_SECONDS))
            broker.kill()
            for thread in threads:
                thread.join(60)
    assert senders.acknowledged
    with receiver(tmp_path / "store") as broker:
        assert_there(broker, senders.acknowledged)


def assert_there(broker: Receiver, acknowledged: set[int]) -> None:
    """Every span of every acknowledged request, each once; of the others all or nothing."""

    def found() -> dict[int, tuple[int, int]]:
        rows = broker.rows(
            f"SELECT (time_ns - 1700000000000000000) // 1000 // {SPANS} AS number,"
            " count(*) AS n, count(DISTINCT span_id) AS different FROM spans GROUP BY 1"
        )
        return {row["number"]: (row["n"], row["different"]) for row in rows}

    # A query waits 5 s for what was left over to be merged, and a machine may be busier than that.
    until(lambda: acknowledged <= found().keys(), "what was acknowledged is there", 60)
    assert set(found().values()) <= {(SPANS, SPANS)}
