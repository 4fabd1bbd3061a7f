"""Spans over OTLP, durable and without duplicates: a real broker beside a plain loop.

Requests of 512 spans in protobuf. The plain loop decodes, inserts and commits each request for
itself, in one process without a web server. Seconds are for `SPANS` spans: by the clock, and of the
processor (the machine may be shared), until whoever asks sees them. The last rows are at half the
rate that was reached; an acknowledgement waits for the disk, whose own p99 is printed beside.
"""

import os
import re
import resource
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

import duckdb
import urllib3
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from tests.benchmarks.table import Row
from tests.support.live import Receiver, export_request, receiver
from tests.support.waiting import until
from workspace_ext.telemetry.ingest.adapters.otlp_proto_records import KINDS
from workspace_ext.telemetry.ingest.columns import arrow_schema
from workspace_ext.telemetry.ingest.rows import Rows
from workspace_ext.telemetry.schema import SPANS as SIGNAL

REQUEST = 512
REQUESTS = 400
SPANS = REQUEST * REQUESTS
SENDERS = 8
FLOOR = 60_000
ACK_P99_SECONDS = 0.1
PLAIN_REQUESTS = 40
PACED = 500


def bodies(first: int, count: int) -> list[bytes]:
    """Requests whose spans follow one another."""
    return [export_request((first + number) * REQUEST, REQUEST) for number in range(count)]


def cpu_seconds(pid: int) -> float:
    """That a process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return ticks / 100


def memory_bytes(pid: int) -> int:
    """The most that a process has had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def figures(broker: Receiver, name: str) -> dict[str, float]:
    """A counter of the broker, by what stands in its first label."""
    text = urllib3.request("GET", f"{broker.address}/metrics").data.decode()
    found = re.findall(rf'^investigation_ingest_{name}_total\{{\w+="(.+)"\}} (.+)$', text, re.M)
    return {label: float(value) for label, value in found}


def stored(broker: Receiver, spans: int) -> None:
    """Waits until whoever asks sees so many."""
    until(lambda: broker.client.catalog()["signals"]["spans"]["rows"] >= spans, f"{spans} spans")


def sync_p99(folder: Path, body: bytes) -> float:
    """Of the disk itself: a request is appended to a file and synced, `PACED` times."""
    seconds = []
    with (folder / "appended").open("wb", buffering=0) as file:
        for _ in range(PACED):
            started = time.perf_counter()
            file.write(body)
            os.fdatasync(file.fileno())
            seconds.append(time.perf_counter() - started)
    return quantiles(seconds, n=100)[-1]


def push(address: str, requests: list[bytes], pause: float = 0.0) -> list[float]:
    """Sends all, `SENDERS` at once; the seconds until each was acknowledged."""
    waited: list[float] = []
    turn = iter(requests)
    lock = threading.Lock()
    begun = time.perf_counter()
    count = 0

    def send() -> None:
        nonlocal count
        pool = urllib3.PoolManager(1)
        headers = {"Content-Type": "application/x-protobuf"}
        url = f"{address}/v1/traces"
        while True:
            with lock:
                body = next(turn, None)
                due = begun + pause * count
                count += 1
            if body is None:
                return
            time.sleep(max(due - time.perf_counter(), 0))
            started = time.perf_counter()
            while True:
                answer = pool.request("POST", url, body=body, headers=headers)
                if answer.status == 200:
                    break
                time.sleep(int(answer.headers["Retry-After"]))
            with lock:
                waited.append(time.perf_counter() - started)

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waited


def measured(work: Callable[[], object], cpu: Callable[[], float]) -> tuple[float, float]:
    """Seconds by the clock, and of the processor."""
    clock, processor = time.perf_counter(), cpu()
    work()
    return time.perf_counter() - clock, cpu() - processor


def plain(folder: Path) -> tuple[float, float]:
    """The plain loop; for as many spans as we get."""
    connection = duckdb.connect(str(folder / "plain.duckdb"))
    columns = ", ".join(f"{name} {kind}" for name, kind in SIGNAL.columns)
    connection.execute(f"CREATE TABLE spans ({columns})")
    requests = bodies(0, PLAIN_REQUESTS)
    schema = arrow_schema("spans")

    def loop() -> None:
        for body in requests:
            message = TracesData.FromString(body)
            rows = Rows()
            KINDS["spans"].convert(rows, 1, message.resource_spans)
            incoming = rows.hand_on().tables["spans"]
            assert incoming.schema == schema
            connection.register("incoming", incoming)
            connection.execute("INSERT INTO spans SELECT * FROM incoming")

    def cpu() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime

    clock, processor = measured(loop, cpu)
    connection.close()
    times = REQUESTS / PLAIN_REQUESTS
    return clock * times, processor * times


def run() -> list[Row]:
    """Full speed, then half of it."""
    with tempfile.TemporaryDirectory() as name, receiver(Path(name) / "store") as broker:
        pid = broker.process.pid
        plain_clock, plain_cpu = plain(Path(name))
        push(broker.address, bodies(0, 20))
        requests = bodies(20, REQUESTS)

        def all_of_it() -> None:
            push(broker.address, requests)
            stored(broker, SPANS + 20 * REQUEST)

        stored(broker, 20 * REQUEST)
        before = figures(broker, "cpu_seconds")
        clock, cpu = measured(all_of_it, lambda: cpu_seconds(pid))
        after = figures(broker, "cpu_seconds")
        assert broker.rows("SELECT count(*) AS n FROM spans")[0]["n"] == SPANS + 20 * REQUEST
        spent = {stage: used - before.get(stage, 0) for stage, used in after.items()}
        spent["the rest"] = cpu - sum(spent.values())
        paced = bodies(20 + REQUESTS, PACED)
        disk_p99 = sync_p99(Path(name), paced[0])
        waited = push(broker.address, paced, pause=2 * clock / REQUESTS)
        p99 = quantiles(waited, n=100)[-1]
        memory = memory_bytes(pid)
    print(
        f"{SPANS / clock:,.0f} spans/s by the clock, {SPANS / cpu:,.0f} per processor second"
        f" (plain: {SPANS / plain_clock:,.0f}, {SPANS / plain_cpu:,.0f});"
        f" acknowledged at half the rate: median {sorted(waited)[len(waited) // 2] * 1000:.0f} ms,"
        f" p99 {p99 * 1000:.0f} ms (the disk alone: {disk_p99 * 1000:.0f} ms);"
        f" memory {memory >> 20} MiB\n"
        "microseconds of the processor a span: "
        + ", ".join(f"{stage} {used / SPANS * 1e6:.1f}" for stage, used in spent.items()),
        file=sys.stderr,
    )
    floor = SPANS / FLOOR
    return [
        Row(f"{SPANS:,} spans, processor", "a plain loop", cpu, plain_cpu, "ratio", 0.6),
        Row(f"{SPANS:,} spans, processor", "60,000 spans/s", cpu, floor, "ratio", 1.0),
        Row(f"{SPANS:,} spans, clock", "a plain loop", clock, plain_clock, "ratio", 1.0),
        Row("acknowledged, p99 at half the rate", "-", p99, 0.0, "absolute", ACK_P99_SECONDS),
    ]
