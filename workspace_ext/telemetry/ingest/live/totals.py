"""What live ingest did since the start."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial


@dataclass
class Totals:
    """What happened since the start; read by whoever reports on health.

    Attributes:
        requests: Accepted, by adapter.
        records: By adapter and what became of them: kept, duplicate, rejected.
        late: Kept records that came late, by adapter.
        size: Bytes of bodies, by adapter.
        warnings: That senders were told, by adapter.
        refused: Requests that were told to come again, by reason.
        syncs: Of the journal.
        merges: Into the store.
        failures: Merges that failed and were tried again.
        merge_seconds: That merges took.
        cpu_seconds: Of the processor, that the threads of each stage used.
    """

    requests: Counter[str] = field(default_factory=Counter)
    records: Counter[tuple[str, str]] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    size: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    syncs: int = 0
    merges: int = 0
    failures: int = 0
    merge_seconds: float = 0.0
    cpu_seconds: defaultdict[str, float] = field(default_factory=partial(defaultdict, float))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the processor's time of a stage; each stage is done by one thread only."""
        started = time.thread_time()
        try:
            yield
        finally:
            self.cpu_seconds[name] += time.thread_time() - started
