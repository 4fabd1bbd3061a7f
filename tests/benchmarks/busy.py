"""Questions while spans come in as fast as the broker takes them: how much longer they take.

A real broker with the sample incident, and another process that sends. The question is always the
same one, never with the same parameters, so that no answer comes from a cache; idle first, then for
as long as the sender has something to send.
"""

import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

from tests.benchmarks.ingest import REQUEST, bodies, cpu_seconds, memory_bytes, push
from tests.benchmarks.table import Row
from tests.support.broker import load_demo
from tests.support.live import Receiver, receiver
from workspace_ext.foundation.clock import to_rfc3339
from workspace_ext.telemetry.ingest.incident import incident_folder, load_incident

QUESTION = "triage.overview"
IDLE = 300
REQUESTS = 2_000
MOST_SLOWER = 3.0
MOST_MEMORY_MB = 1_024 * 1.048576


@contextmanager
def sender(address: str, requests: int) -> Iterator[subprocess.Popen[str]]:
    """A process that has its requests ready, and sends them once it reads a line."""
    command = [sys.executable, "-m", __name__, address, str(requests)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait(60)


def question(broker: Receiver) -> Callable[[], float]:
    """Asks once more; the seconds until all of the answer was there."""
    incident = load_incident(incident_folder("trainticket"))
    window = incident.window
    start = to_rfc3339(window.start_ns)
    uid = load_demo(broker.client)
    microseconds = itertools.count(1000, 1000)

    def ask() -> float:
        end = to_rfc3339(window.end_ns - next(microseconds))
        params = {"window": {"start": start, "end": end}}
        begun = time.perf_counter()
        answer = broker.client.query({"template": QUESTION, "params": params, "investigation": uid})
        assert answer.table.num_rows
        return time.perf_counter() - begun

    return ask


def run() -> list[Row]:
    """Idle, then busy."""
    with tempfile.TemporaryDirectory() as name, receiver(Path(name) / "store") as broker:
        pid = broker.process.pid
        ask = question(broker)
        with sender(broker.address, REQUESTS) as process:
            for _ in range(20):
                ask()
            idle = [ask() for _ in range(IDLE)]
            assert process.stdin is not None
            assert process.stdout is not None
            processor, begun = cpu_seconds(pid), time.perf_counter()
            process.stdin.write("go\n")
            busy = []
            while process.poll() is None:
                busy.append(ask())
            seconds = time.perf_counter() - begun
            processor = cpu_seconds(pid) - processor
            refused = process.stdout.read().strip()
        memory = memory_bytes(pid)
    print(
        f"{REQUESTS * REQUEST / seconds:,.0f} spans/s by the clock"
        f" ({processor / REQUESTS / REQUEST * 1e6:.1f} microseconds of the processor each,"
        f" questions included); p50 {middle(idle)} idle, {middle(busy)} busy ({len(busy)} asked);"
        f" p99 {last(idle) * 1000:.0f} ms idle, {last(busy) * 1000:.0f} ms busy;"
        f" most {max(idle) * 1000:.0f} and {max(busy) * 1000:.0f} ms;"
        f" memory {memory >> 20} MiB; {refused}",
        file=sys.stderr,
    )
    return [
        Row(f"{QUESTION} under full ingest, p99", "idle", last(busy), last(idle), "ratio",
            MOST_SLOWER),
        Row("memory under full ingest", "-", memory / 1e6, 0.0, "absolute", MOST_MEMORY_MB, "MB"),
    ]  # fmt: skip


def last(seconds: list[float]) -> float:
    """The p99."""
    return quantiles(seconds, n=100)[-1]


def middle(seconds: list[float]) -> str:
    return f"{sorted(seconds)[len(seconds) // 2] * 1000:.0f} ms"


def main(address: str, requests: str) -> None:
    """The sender."""
    ready = bodies(0, int(requests))
    print("ready", flush=True)
    sys.stdin.readline()
    waited = push(address, ready)
    print(f"acknowledged: p50 {middle(waited)}, p99 {last(waited) * 1000:.0f} ms")


if __name__ == "__main__":
    main(*sys.argv[1:])
