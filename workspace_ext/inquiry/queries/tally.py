"""What is found out about an answer while its rows pass by: digest, verdict, kept values."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workspace_ext.protocol.messages import Compare, Verdict
from workspace_ext.telemetry.query.aggregates import Aggregates, in_order
from workspace_ext.telemetry.query.digest import ResultDigest, unordered_digest

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.inquiry.templates.judge import Judge

KEPT_ROWS = 10_000
KEPT_BYTES = 1 << 20
_COMPRESSED_BYTES = 1 << 16
_LARGE_ROWS = 20_000
_MOST_BEHIND = 16
_FREE = ("unordered", "tolerance")


@dataclass(frozen=True)
class Tallied:
    """What was found out.

    ``kept`` is an Arrow IPC stream; None when the result is too large, which then has
    ``aggregates``. ``led`` is what `Judge.led` says.
    """

    rows: int
    digest: str
    unordered_digest: str | None
    kept: bytes | None
    aggregates: dict[str, Any] | None
    verdict: Verdict
    led: list[list[int]]


class Tally:
    """Feed it every batch, in order, then `finish` it.

    Large batches are judged in one thread and digested in another, since both let other threads
    run; they may be a few batches behind, never more.

    Args:
        schema: The result's columns.
        judge: Decides what is interesting; None for free SQL.
        compare: How a replay may compare the result: where only its rows' order is free, it is
            digested without; where order is free at all, so are its aggregates.
    """

    def __init__(self, schema: pa.Schema, judge: Judge | None, compare: Compare) -> None:
        self._schema = schema
        self._mode = compare["mode"]
        self._judge = judge
        self._digest = ResultDigest(schema)
        self._small: list[pa.RecordBatch] | None = []
        self._aggregates: Aggregates | None = None
        self._takers = [self._take] if judge is None else [judge.feed, self._take]
        self._threads: list[ThreadPoolExecutor] = []
        self._behind: deque[Future[None]] = deque()

    def feed(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows."""
        if not self._threads and batch.num_rows < _LARGE_ROWS:
            for take in self._takers:
                take(batch)
            return
        if not self._threads:
            self._threads = [ThreadPoolExecutor(1, "tally") for _ in self._takers]
        for thread, take in zip(self._threads, self._takers, strict=True):
            self._behind.append(thread.submit(take, batch))
        while len(self._behind) > _MOST_BEHIND:
            self._behind.popleft().result()

    def finish(self, warnings: Callable[[], list[str]]) -> Tallied:
        """Everything found out about all rows.

        Args:
            warnings: What else goes with the verdict; waited for last.
        """
        while self._behind:
            self._behind.popleft().result()
        self.close()
        order_free, kept = self._keep()
        rows = self._digest.rows
        aggregates = None if kept is not None else self._described()
        verdict = self._verdict(rows, warnings())
        led = self._judge.led if self._judge is not None else []
        return Tallied(rows, self._digest.digest(), order_free, kept, aggregates, verdict, led)

    def close(self) -> None:
        """Lets the threads end."""
        for thread in self._threads:
            thread.shutdown(wait=False, cancel_futures=True)

    def _take(self, batch: pa.RecordBatch) -> None:
        self._digest.update(batch)
        if self._small is None:
            self._aggregate([batch])
        elif self._digest.rows > KEPT_ROWS:
            self._aggregate([*self._small, batch])
            self._small = None
        else:
            self._small.append(batch)

    def _aggregate(self, batches: Iterable[pa.RecordBatch]) -> None:
        if self._mode not in _FREE:
            return
        self._aggregates = self._aggregates or Aggregates(self._schema)
        for batch in batches:
            self._aggregates.update(batch)

    def _described(self) -> dict[str, Any]:
        if self._small is not None:  # few rows, of many bytes
            self._aggregate(self._small)
        digests = self._digest.columns()
        return self._aggregates.to_dict(digests) if self._aggregates else in_order(digests)

    def _keep(self) -> tuple[str | None, bytes | None]:
        if self._small is None:
            return None, None
        import pyarrow as pa

        table = pa.Table.from_batches(self._small, self._schema)
        sink = pa.BufferOutputStream()
        compression = "zstd" if table.nbytes >= _COMPRESSED_BYTES else None
        options = pa.ipc.IpcWriteOptions(compression=compression)
        with pa.ipc.new_stream(sink, self._schema, options=options) as writer:
            writer.write_table(table)
        kept = sink.getvalue().to_pybytes()
        order_free = unordered_digest(table) if self._mode == "unordered" else None
        return order_free, kept if len(kept) <= KEPT_BYTES else None

    def _verdict(self, rows: int, warnings: list[str]) -> Verdict:
        if self._judge is not None:
            self._judge.warn(warnings)
            return self._judge.verdict()
        reason = "no rule: free SQL" if rows else "no rows"
        return {
            "interesting": None,
            "reason": reason,
            "rows": rows,
            "interesting_rows": 0,
            "warnings": warnings,
        }
