"""Which rows an archive needs: what the plans of its queries scanned, united by table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workspace_ext.foundation.clock import Window
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.telemetry.query.model import Scan


@dataclass(frozen=True)
class Slice:
    """Part of one table.

    Attributes:
        table: Its name.
        columns: Those that any query read.
        windows: Disjoint, in order; None: everything up to the pin.
        pin: The highest batch that any query saw.
    """

    table: str
    columns: tuple[str, ...]
    windows: tuple[Window, ...] | None
    pin: int


def scans_of(record: QueryRecord) -> tuple[Scan, ...]:
    """What one query read."""
    return tuple(Scan.from_dict(read) for read in record.scan.get("tables", ()))


def cut(records: Sequence[QueryRecord]) -> list[Slice]:
    """The smallest slices that answer all of some queries again, by table."""
    scans: dict[str, list[Scan]] = {}
    pins: dict[str, int] = {}
    for record in records:
        for scan in scans_of(record):
            scans.setdefault(scan.table, []).append(scan)
            pins[scan.table] = max(pins.get(scan.table, 0), record.pin)
    return [
        Slice(
            table,
            tuple(sorted({column for scan in found for column in scan.columns})),
            _united([scan.window for scan in found]),
            pins[table],
        )
        for table, found in sorted(scans.items())
    ]


def _united(windows: Sequence[Window | None]) -> tuple[Window, ...] | None:
    bounded = [window for window in windows if window is not None]
    if len(bounded) < len(windows):
        return None
    united: list[Window] = []
    for window in sorted(bounded, key=lambda each: each.start_ns):
        if united and window.start_ns <= united[-1].end_ns:
            last = united[-1]
            united[-1] = Window(last.start_ns, max(last.end_ns, window.end_ns))
        else:
            united.append(window)
    return tuple(united)
