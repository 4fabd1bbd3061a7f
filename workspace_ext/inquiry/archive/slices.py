"""Which rows an archive needs: what the plans of its queries scanned, united by table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.clock import Window, parse_rfc3339, to_rfc3339, united
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.archive.container import slice_path
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.telemetry.query.model import Scan
from workspace_ext.telemetry.query.slices import Slice

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 5_000_000
MOST_MB = 500
"""How large a slice may be that nobody was asked about."""

_GROUP_ROWS = 50_000
_MB = 1_000_000


@dataclass(frozen=True)
class Cap:
    """How large a slice may be; None: `MOST_ROWS` and `MOST_MB`, and nothing is cut off."""

    rows: int | None = None
    mb: int | None = None

    def __post_init__(self) -> None:
        for name, value in (("--max-slice-rows", self.rows), ("--max-slice-mb", self.mb)):
            if value is not None and (not isinstance(value, int) or value < 0):
                raise BadInput(
                    f"{name} is a whole number, not {value!r}", hint="0 takes no rows at all"
                )


@dataclass(frozen=True)
class Written:
    """What was written of a slice: its rows, of how many, and the time of the first left out."""

    rows: int
    total: int
    until_ns: int | None = None

    def capped(self) -> dict[str, Any] | None:
        """How the manifest says that rows were left out; None when none were."""
        until = None if self.until_ns is None else to_rfc3339(self.until_ns)
        return (
            {"rows": self.rows, "of": self.total, "until": until}
            if self.rows < self.total
            else None
        )


def cut(records: Sequence[QueryRecord]) -> list[Slice]:
    """The smallest slices that answer all of some queries again, by table.

    A row is wanted when it lies in the time that some query scanned, in a batch that this query
    saw; a column when any query read it.
    """
    scans: dict[str, list[Scan]] = {}
    windows: dict[str, dict[int, list[Window | None]]] = {}
    for record in records:
        for scan in record.scans:
            scans.setdefault(scan.table, []).append(scan)
            windows.setdefault(scan.table, {}).setdefault(record.pin, []).append(scan.window)
    return [
        Slice(
            table,
            tuple(sorted({column for scan in found for column in scan.columns})),
            tuple(
                (window, pin)
                for pin, at_pin in sorted(windows[table].items())
                for window in _united(at_pin)
            ),
        )
        for table, found in sorted(scans.items())
    ]


def is_cut_off(scan: Scan, capped: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether rows that a query read were left out of a capped slice."""
    found = capped.get(slice_path(scan.table))
    if found is None:
        return False
    if found["until"] is None or scan.window is None:
        return True
    return scan.window.end_ns > parse_rfc3339(str(found["until"]))


def write_slice(
    table: str, total: int, batches: pa.RecordBatchReader, cap: Cap, target: Path
) -> Written:
    """Writes rows as Parquet, the same bytes for the same rows, up to the cap.

    Args:
        table: Where they are from.
        total: How many they are.
        batches: The rows, the oldest first.
        cap: How many may be written; megabytes are kept to by whole groups of 50,000 rows.
        target: The file.

    Raises:
        BadInput: They are too many, and nobody said how many are enough.
    """
    import pyarrow.parquet as pq

    if cap.rows is None and total > MOST_ROWS:
        raise _too_large(table, f"{total:,} rows")
    most = total if cap.rows is None else cap.rows
    most_bytes = (MOST_MB if cap.mb is None else cap.mb) * _MB
    rows = size = largest = 0
    with (
        target.open("wb") as file,
        pq.ParquetWriter(file, batches.schema, compression="zstd", store_schema=False) as writer,
    ):
        for group in _groups(batches, batches.schema):
            if size + largest > most_bytes or not most_bytes:
                if cap.mb is None:
                    raise _too_large(table, f"more than {MOST_MB:,} MB, {total:,} rows")
                return Written(rows, total, _time_ns(group, 0))
            part = group.slice(0, most - rows)
            writer.write_table(part, row_group_size=_GROUP_ROWS)
            rows, before, size = rows + part.num_rows, size, file.tell()
            largest = max(largest, size - before)
            if part.num_rows < group.num_rows:
                return Written(rows, total, _time_ns(group, part.num_rows))
    return Written(rows, total)


def _groups(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The same rows in groups of one size, however they come."""
    import pyarrow as pa

    waiting, count = [], 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= _GROUP_ROWS:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, _GROUP_ROWS).combine_chunks()
            waiting = table.slice(_GROUP_ROWS).to_batches()
            count -= _GROUP_ROWS
    if count:
        yield pa.Table.from_batches(waiting, schema).combine_chunks()


def _time_ns(group: pa.Table, row: int) -> int | None:
    if "time" not in group.schema.names:
        return None
    import pyarrow as pa

    return int(group["time"].cast(pa.timestamp("ns", "UTC")).cast(pa.int64())[row].as_py())


def _too_large(table: str, how: str) -> BadInput:
    return BadInput(
        f"the slice of {table} is large: {how}",
        hint="take the oldest part of it with --max-slice-rows N or --max-slice-mb N (the archive"
        " says what is left out), all of it with an N that is large enough, or narrow the windows"
        " of the queries",
        code="slice_too_large",
    )


def _united(windows: Sequence[Window | None]) -> list[Window | None]:
    bounded = [window for window in windows if window is not None]
    return [None] if len(bounded) < len(windows) else [*united(bounded)]
