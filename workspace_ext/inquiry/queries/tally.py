"""What is found out about an answer while its rows pass by: digest, verdict, kept values."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workspace_ext.protocol.messages import Verdict
from workspace_ext.telemetry.query.digest import ResultDigest, unordered_digest

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.inquiry.templates.judge import Judge

KEPT_ROWS = 10_000
KEPT_BYTES = 1 << 20
_COMPRESSED_BYTES = 1 << 16
_LARGE_ROWS = 20_000
_MOST_BEHIND = 8


@dataclass(frozen=True)
class Tallied:
    """What was found out. ``kept`` is an Arrow IPC stream, None when the result is too large."""

    rows: int
    digest: str
    unordered_digest: str | None
    kept: bytes | None
    verdict: Verdict


class Tally:
    """Feed it every batch, in order, then `finish` it.

    Large batches are worked off in a thread, since hashing lets other threads run; it may be
    a few batches behind, never more.

    Args:
        schema: The result's columns.
        judge: Decides what is interesting; None for free SQL.
        side: Where it does so, while the rows are digested.
    """

    def __init__(self, schema: pa.Schema, judge: Judge | None, side: Executor) -> None:
        self._schema = schema
        self._judge = judge
        self._side = side
        self._judging: Future[None] | None = None
        self._digest = ResultDigest(schema)
        self._small: list[pa.RecordBatch] | None = []
        self._thread: ThreadPoolExecutor | None = None
        self._behind: deque[Future[None]] = deque()

    def feed(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows."""
        if self._thread is None and batch.num_rows < _LARGE_ROWS:
            self._take(batch)
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="tally")
        self._behind.append(self._thread.submit(self._take, batch))
        if len(self._behind) > _MOST_BEHIND:
            self._behind.popleft().result()

    def finish(self, warnings: Callable[[], list[str]], *, unordered: bool) -> Tallied:
        """Everything found out about all rows.

        Args:
            warnings: What else goes with the verdict; waited for last.
            unordered: Whether only the rows' order is free: only then does a digest that does
                not mind it tell two results equal.
        """
        while self._behind:
            self._behind.popleft().result()
        self.close()
        order_free, kept = self._keep(unordered=unordered)
        rows = self._digest.rows
        verdict = self._verdict(rows, warnings())
        return Tallied(rows, self._digest.digest(), order_free, kept, verdict)

    def close(self) -> None:
        """Lets the thread end."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)

    def _take(self, batch: pa.RecordBatch) -> None:
        self._settle()
        if self._judge is not None:
            self._judging = self._side.submit(self._judge.feed, batch)
        self._digest.update(batch)
        if self._digest.rows > KEPT_ROWS:
            self._small = None
        elif self._small is not None:
            self._small.append(batch)

    def _settle(self) -> None:
        if self._judging is not None:
            self._judging.result()

    def _keep(self, *, unordered: bool) -> tuple[str | None, bytes | None]:
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
        order_free = unordered_digest(table) if unordered else None
        return order_free, kept if len(kept) <= KEPT_BYTES else None

    def _verdict(self, rows: int, warnings: list[str]) -> Verdict:
        self._settle()
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
