"""A full disk, and more than can be taken: senders are told, nothing is lost, all recovers."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import urllib3

from tests.support.live import Receiver, export_request, receiver
from tests.support.waiting import until

PROTOBUF = "application/x-protobuf"

# SIGUSR1 takes the room away, SIGUSR2 gives it back: a limit on the size of files gives the same
# errors as a full disk.
SMALL_DISK = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
signal.signal(signal.SIGUSR1, lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES, most)))
signal.signal(signal.SIGUSR2, lambda *_: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
"""

# Merges wait, so that what is accepted piles up.
SLOW_MERGE = """
from workspace_ext.telemetry.ingest.live import service
service.LiveLimits.__init__.__defaults__ = (100 << 10, 512, 1 << 20, 122_880, 0.7, 0.7)
real = service.merge
import time
def slow(*arguments):
    time.sleep(1.0)
    return real(*arguments)
service.merge = slow
"""


def send(broker: Receiver, number: int, spans: int = 60) -> urllib3.BaseHTTPResponse:
    return broker.post("/v1/traces", export_request(number * spans, spans), PROTOBUF)


def sent(broker: Receiver, numbers: list[int]) -> None:
    """Exactly these are there."""
    rows = broker.rows(
        "SELECT (time_ns - 1700000000000000000) // 1000 // 60 AS number, count(*) AS n"
        " FROM spans GROUP BY 1 ORDER BY 1"
    )
    assert [(row["number"], row["n"]) for row in rows] == [(n, 60) for n in numbers]


@pytest.mark.parametrize("limit", [1_000, 40_000], ids=["journal", "database"])
def test_no_room(tmp_path: Path, limit: int) -> None:
    import signal

    preamble = SMALL_DISK.replace("BYTES", str(limit))
    with receiver(tmp_path / "s", preamble=preamble) as broker:
        accepted, refused = [], []
        assert send(broker, 0).status == 200
        sent(broker, [0])
        accepted.append(0)
        broker.process.send_signal(signal.SIGUSR1)
        for number in range(1, 13):
            answer = send(broker, number)
            (accepted if answer.status == 200 else refused).append(number)
            if answer.status != 200:
                assert answer.status == 503
                assert int(answer.headers["Retry-After"]) >= 1
                assert b"no space left" in answer.data
        if limit == 1000:
            assert refused == list(range(1, 13))
        else:
            assert broker.client.catalog()["signals"]["spans"]["rows"] < 60 * len(accepted)
            metrics = f"{broker.address}/metrics"
            failing = b"investigation_ingest_failing 1.0"
            until(lambda: failing in urllib3.request("GET", metrics).data, "it says so itself")
        broker.process.send_signal(signal.SIGUSR2)
        for number in refused:
            assert send(broker, number).status == 200
        sent(broker, list(range(13)))


def test_pressure(tmp_path: Path) -> None:
    """Beyond what can be merged a sender is told when to come again; then it is taken."""
    with receiver(tmp_path / "s", preamble=SLOW_MERGE) as broker:
        answers: dict[int, list[int]] = {number: [] for number in range(30)}

        def push(number: int) -> None:
            while not answers[number] or answers[number][-1] != 200:
                answer = send(broker, number)
                answers[number].append(answer.status)
                if answer.status != 200:
                    assert answer.status == 503
                    threading.Event().wait(int(answer.headers["Retry-After"]))

        threads = [threading.Thread(target=push, args=[number]) for number in answers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert any(503 in given for given in answers.values())
        assert all(given[-1] == 200 for given in answers.values())
        sent(broker, list(range(30)))
