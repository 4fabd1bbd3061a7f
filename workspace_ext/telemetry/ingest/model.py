"""What passes between the steps of an ingest, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from workspace_ext.foundation.clock import to_rfc3339

Progress = Callable[[int, int | None], None]
"""Told how many bytes are done, and of how many."""

RECORD_LIMIT = 4096
"""So many characters of a rejected record are kept."""


@dataclass(frozen=True)
class Reject:
    """A record that could not be read.

    Attributes:
        line: Where it is, counted from 1: the line of a text file, the row of a Parquet file, the
            message of a protobuf file; None when it is not known.
        reason: Why, as a user should read it.
        record: The record itself, cut to `RECORD_LIMIT`.
    """

    line: int | None
    reason: str
    record: str


@dataclass(frozen=True)
class Parsed:
    """Some records of a file.

    Attributes:
        tables: By signal; the columns are those of `columns.arrow_schema`, and once they are within
            the limits `resources.with_texts` of these.
        rejects: What could not be read.
        warnings: What the user should know.
        more_rejects: How many records could not be read beyond `rejects`.
    """

    tables: dict[str, pa.Table]
    rejects: tuple[Reject, ...] = ()
    warnings: tuple[str, ...] = ()
    more_rejects: int = 0

    @property
    def rejected(self) -> int:
        """How many records could not be read."""
        return len(self.rejects) + self.more_rejects

    @property
    def records(self) -> int:
        """How many there were, with those that could not be read."""
        kept: int = sum(table.num_rows for table in self.tables.values())
        return kept + self.rejected


@dataclass(frozen=True)
class Together:
    """The records of several requests in one table.

    Attributes:
        signal: What they are.
        records: In the order of the requests; the columns are those of `columns.arrow_schema`
            or `columns.shared_schema`.
        counts: How many are of each request; None for one that must be read by itself.
    """

    signal: str
    records: pa.Table
    counts: tuple[int | None, ...]

    def each(self) -> Iterator[pa.Table | None]:
        """The records of each request."""
        start = 0
        for count in self.counts:
            yield None if count is None else self.records.slice(start, count)
            start += count or 0


def joined(parts: list[Parsed]) -> Parsed:
    """Parts as one."""
    if len(parts) == 1:
        return parts[0]
    tables: dict[str, list[pa.Table]] = {}
    for part in parts:
        for signal, records in part.tables.items():
            tables.setdefault(signal, []).append(records)
    return Parsed(
        {signal: pa.concat_tables(found) for signal, found in tables.items()},
        tuple(reject for part in parts for reject in part.rejects),
        tuple(dict.fromkeys(warning for part in parts for warning in part.warnings)),
        sum(part.more_rejects for part in parts),
    )


@dataclass(frozen=True)
class IngestReport:
    """What came of one file; given only after it is on disk.

    Attributes:
        name: The file's name.
        format: What it was read as.
        digest: Of its bytes.
        already: Whether the same content was ingested before; then nothing was added, and the
            other fields tell of that time.
        batch_id: The batch that holds it.
        rows: New rows by signal, only where there are any.
        duplicates: Records that were there before, or came twice in the file.
        quarantined: Records that could not be read.
        first_time_ns: Of its earliest record.
        last_time_ns: Of its latest record.
        warnings: What the user should know.
    """

    name: str
    format: str
    digest: str
    already: bool
    batch_id: int
    rows: dict[str, int]
    duplicates: int
    quarantined: int
    first_time_ns: int | None
    last_time_ns: int | None
    warnings: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """The form that travels."""
        return {
            "name": self.name,
            "format": self.format,
            "digest": self.digest,
            "already": self.already,
            "batch_id": self.batch_id,
            "rows": self.rows,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "first_time": None if self.first_time_ns is None else to_rfc3339(self.first_time_ns),
            "last_time": None if self.last_time_ns is None else to_rfc3339(self.last_time_ns),
            "warnings": list(self.warnings),
        }
