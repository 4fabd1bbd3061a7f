"""Many spans into one store: whether the last million is as fast as the first, and how large it is.

Decoded spans (`tests.support.traffic`) go through journal and merge in this process, without the
web server. ``python -m tests.benchmarks.ingest_long --millions 50`` is the long round.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pyarrow as pa

from tests.benchmarks.table import Row
from tests.support.store import Store, open_store
from tests.support.traffic import spans
from workspace_ext.foundation.errors import Unavailable
from workspace_ext.telemetry.ingest.live.delivery import Delivery
from workspace_ext.telemetry.ingest.live.request import Request
from workspace_ext.telemetry.ingest.live.service import LiveIngest
from workspace_ext.telemetry.ingest.resources import with_texts
from workspace_ext.telemetry.query.segments import write_parquet
from workspace_ext.telemetry.schema import SPANS, selection

MILLION = 1_000_000
BATCH = 50_000
REQUEST = 5_000
DEFAULT_MILLIONS = 3
FEW = 3
"""Of so many of the first and of the last millions, at most, the median is taken."""
MOST_SLOWER = 1.25
"""The last million at 0.8 of the first one's rate takes so much longer."""
MOST_LARGER = 1.3


def run(millions: int = DEFAULT_MILLIONS) -> list[Row]:
    """Pushes millions; one figure for the rate, one for the size."""
    with tempfile.TemporaryDirectory() as name:
        with open_store(Path(name) / "store") as store:
            seconds = list(_push(store, millions))
            parquet = _parquet_bytes(store, Path(name) / "sorted.parquet")
        size = (Path(name) / "store" / "telemetry.duckdb").stat().st_size / (millions * MILLION)
    few = max(1, min(FEW, millions // 2))
    first, last = median(seconds[:few]), median(seconds[-few:])
    print(
        f"{millions} million spans: {MILLION / first:,.0f} per processor second at first,"
        f" {MILLION / last:,.0f} at last; {size:.1f} bytes a span,"
        f" {parquet:.1f} as sorted Parquet with zstd; memory at most {_most_memory() >> 20} MiB",
        file=sys.stderr,
    )
    what = f"a million spans merged, the last of {millions}, processor"
    return [
        Row(what, "the first", last, first, "ratio", MOST_SLOWER),
        Row("bytes of a span, stored", "sorted Parquet, zstd", size, parquet, "ratio", MOST_LARGER),
    ]


def _push(store: Store, millions: int) -> Iterator[float]:
    """Seconds of the processor for each million, without those that making the spans took."""
    live = LiveIngest(store.engine)
    try:
        for million in range(millions):
            used, made = time.process_time(), 0.0
            for first in range(million * MILLION, (million + 1) * MILLION, BATCH):
                begun = time.thread_time()
                records = with_texts(spans(first, BATCH))
                made += time.thread_time() - begun
                for start in range(0, BATCH, REQUEST):
                    _accept(live, first + start, records.slice(start, REQUEST))
            while not live.flush(60):
                pass
            taken = time.process_time() - used - made
            print(f"million {million + 1}: {taken:.2f} s", file=sys.stderr, flush=True)
            yield taken
    finally:
        live.close()


def _accept(live: LiveIngest, number: int, records: pa.Table) -> None:
    received_ns = time.time_ns()
    request = Request("otlp-proto", "spans", "benchmark", "", {}, b"-", received_ns)
    delivery = Delivery(
        adapter="otlp-proto",
        version=1,
        source="benchmark",
        received_ns=received_ns,
        digest=f"sha256:{number}",
        size=1,
        tables={"spans": records},
    )
    while True:
        try:
            live.accept(request, delivery).result(60)
            return
        except Unavailable:  # as a sender that comes again
            time.sleep(0.05)


def _parquet_bytes(store: Store, path: Path) -> float:
    """Of a span in the last million, sorted by time."""
    with store.engine.cursor() as cursor:
        first = cursor.execute(
            "SELECT time FROM raw.spans ORDER BY time DESC LIMIT 1 OFFSET $1", [MILLION - 1]
        ).fetchall()[0][0]
        names = (*SPANS.names, "batch_id")
        sql = selection(SPANS, names, f"time >= '{first.isoformat()}'")
        rows = write_parquet(cursor, f"{sql} ORDER BY time", path)
    return path.stat().st_size / rows


def _most_memory() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    """The long round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--millions", type=int, default=50)
    for row in run(parser.parse_args().millions):
        print(f"{row.what}: {row.figure:.2f} x {row.reference}, at most {row.bound}")


if __name__ == "__main__":
    main()
