"""Which rectangles of time and batches go: pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from workspace_ext.telemetry.retention.model import Piece, Spared

_BEGINNING, _END = -(1 << 62), 1 << 62

Span = tuple[int, int, int]
"""From and up to, in microseconds, and the highest batch that is spared between."""


def pieces(signal: str, spared: Sequence[Spared], upto_batch: int) -> list[Piece]:
    """What of a signal goes: all times and batches up to a batch, without what is spared.

    Args:
        signal: The table.
        spared: What somebody needs, of this and of other tables.
        upto_batch: The newest batch that may go; 0 for none.

    Returns:
        Disjoint rectangles, in the order of time.
    """
    found: list[Piece] = []
    for start, end, pin in _united([each for each in spared if each.table == signal]):
        if pin >= upto_batch:
            continue
        piece = Piece(
            signal,
            None if start == _BEGINNING else start,
            None if end == _END else end,
            pin + 1,
            upto_batch,
        )
        found.append(piece)
    return found


def _united(spared: Sequence[Spared]) -> Iterator[Span]:
    """All of time, cut where the highest spared batch changes."""
    spans = [span for each in spared for span in _spans(each)]
    edges = sorted({_BEGINNING, _END, *(time for span in spans for time in span[:2])})
    before: Span | None = None
    for start, end in pairwise(edges):
        pin = max((pin for low, high, pin in spans if low <= start and end <= high), default=0)
        if before is not None and before[2] == pin:
            before = before[0], end, pin
            continue
        if before is not None:
            yield before
        before = start, end, pin
    if before is not None:
        yield before


def _spans(spared: Spared) -> Iterator[Span]:
    if spared.windows is None:
        yield _BEGINNING, _END, spared.pin
        return
    for window in spared.windows:
        yield window.start_ns // 1000, -(-window.end_ns // 1000), spared.pin
