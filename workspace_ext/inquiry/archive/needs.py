"""Which rows investigations need, so that retention spares them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput, InvestigationError
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.queries.reads import Reads
from workspace_ext.protocol.messages import InvestigationState
from workspace_ext.telemetry.query.model import Scan
from workspace_ext.telemetry.retention.model import Spared
from workspace_ext.telemetry.schema import SIGNALS

_ARCHIVED = "archive.created"
_ASKED = "query.answered"


@dataclass(frozen=True)
class Needs:
    """Tells what is needed: of open investigations, and of those that have no archive yet.

    An investigation needs its window, its baseline, and what its queries read, in the batches up to
    its pin; a query that read without a bound on time needs everything up to its pin.

    Args:
        investigations: Where they are kept.
        reads: Tells which rows their queries read.
    """

    investigations: InvestigationService
    reads: Reads

    def __call__(self, even_unarchived: bool = False) -> Sequence[Spared]:
        """What is spared.

        Args:
            even_unarchived: Whether concluded investigations need nothing even when the rows of
                their queries are in no archive.
        """
        found: list[Spared] = []
        for each in self.investigations.list():
            if each["state"] == "open":
                why = "open"
            elif even_unarchived or self._archived(each["uid"]):
                continue
            else:
                why = "not archived"
            state = self.investigations.state(each["uid"])
            found += self._of(state, f"{why}: {each['title']} ({each['uid']})")
        return found

    def _of(self, state: InvestigationState, why: str) -> Iterator[Spared]:
        windows = tuple(
            Window.parse(window) for window in (state["window"], state["baseline"]) if window
        )
        if windows:
            for signal in SIGNALS:
                yield Spared(signal, windows, state["pin"], why)
        read: dict[tuple[str, Window | None], int] = {}
        for record in self.investigations.queries(state["uid"]):
            for scan in self._scans(record) if record.ok else ():
                place = scan.table, scan.window
                read[place] = max(read.get(place, 0), record.pin)
        for (table, window), pin in read.items():
            yield Spared(table, None if window is None else (window,), pin, why)

    def _scans(self, record: QueryRecord) -> Sequence[Scan]:
        try:
            return self.reads.of(record)
        except (InvestigationError, duckdb.Error):  # its template is gone, or another one
            return _by_parameters(record)

    def _archived(self, uid: str) -> bool:
        """Whether an archive was made after the last query."""
        for entry in reversed(self.investigations.entries(uid)):
            if entry["type"] in (_ARCHIVED, _ASKED):
                return bool(entry["type"] == _ARCHIVED)
        return True


def _by_parameters(record: QueryRecord) -> list[Scan]:
    """All that lies in the windows it was given, or everything when it was given none."""
    windows: list[Window | None] = []
    for value in record.params.values():
        try:
            windows.append(Window.parse(value))
        except BadInput:
            continue
    return [Scan(signal, (), window) for signal in SIGNALS for window in windows or [None]]
