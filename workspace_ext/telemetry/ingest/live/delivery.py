"""One request's records, on their way to the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa

from workspace_ext.telemetry.ingest.model import Reject

REJECTS_KEPT = 100
"""So many rejects of one request are kept with their record; all are counted."""


@dataclass(frozen=True)
class Delivery:
    """What one request brought.

    Attributes:
        adapter: The name of the format it was decoded by.
        version: Of the adapter.
        source: Where it came from, as a user should read it.
        received_ns: When its last byte was there.
        digest: Of its body.
        size: Of its body, in bytes.
        tables: Its records by signal; the columns are those of `model.Parsed` within limits.
        rejected: How many records could not be read.
        rejects: The first of them.
        warnings: What the user should know.
    """

    adapter: str
    version: int
    source: str
    received_ns: int
    digest: str
    size: int
    tables: Mapping[str, pa.Table]
    rejected: int = 0
    rejects: tuple[Reject, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> int:
        """How many records it has."""
        rows: int = sum(table.num_rows for table in self.tables.values())
        return rows

    @cached_property
    def held_bytes(self) -> int:
        """About how much memory it takes."""
        records: int = sum(table.nbytes for table in self.tables.values())
        return records + sum(len(reject.record) for reject in self.rejects) + 1024
