"""Trees of spans, all at once: who is above whom, and the time between them.

Rows are spans; ``parent`` is the row of the span above, -1 where there is none. Times are
nanoseconds.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.inquiry.steps.columns import Flags, Ints, Named, distinct


class Places:
    """In which row a span is, by its trace and id; the last, if it came twice."""

    def __init__(self, trace: pa.ChunkedArray, span: pa.ChunkedArray) -> None:
        self._traces, self._spans = pc.unique(trace), pc.unique(span)
        keys = self._keys(trace, span)
        self._row = np.argsort(keys, kind="stable")
        self._key = keys[self._row]

    def find(self, trace: pa.ChunkedArray, span: pa.ChunkedArray) -> Ints:
        """The rows of some spans; -1 where there is none."""
        if not len(self._key):
            return np.full(len(trace), -1)
        keys = self._keys(trace, span)
        at = np.searchsorted(self._key, keys, side="right") - 1
        return np.where((keys >= 0) & (self._key[at] == keys), self._row[at], -1)

    def _keys(self, trace: pa.ChunkedArray, span: pa.ChunkedArray) -> Ints:
        traces, spans = (
            np.asarray(
                pc.fill_null(pc.index_in(column, known, skip_nulls=True), -1).to_numpy(),
                dtype=np.int64,
            )
            for column, known in ((trace, self._traces), (span, self._spans))
        )
        return np.where((traces < 0) | (spans < 0), -1, traces * len(self._spans) + spans)


def without_loops(parent: Ints) -> Ints:
    """Spans that are above themselves become first ones: senders may mistake ids."""
    nobody = len(parent)
    up = np.append(np.where(parent >= 0, parent, nobody), nobody)
    for _ in range(nobody.bit_length()):  # each turn looks twice as far up
        further = up[up]
        if np.array_equal(further, up):
            break
        up = further
    endless = up[up != nobody]
    whole = parent.copy()
    whole[endless] = -1
    return whole


def tops(up: Ints) -> Ints:
    """Where the way up ends for each row; ends lead to themselves, and loops there are none."""
    while not np.array_equal(further := up[up], up):
        up = further
    return up


def paths(
    inside: Ints, service: Named, step: Ints, steps: list[str]
) -> tuple[Ints, list[tuple[str, str]]]:
    """The path of each span from where its service was entered, as number and name.

    Args:
        inside: The parent, where that is of the same service; else -1.
        service: Of each span.
        step: What each span does; ``steps`` are the names of that.
        steps: See ``step``.
    """
    path = np.full(len(inside), -1)
    names: list[tuple[str, str]] = []
    rows = np.flatnonzero(inside < 0)
    above = service.number[rows]
    while len(rows):
        keys = above * len(steps) + step[rows]
        known, number = np.unique(keys, return_inverse=True)
        path[rows] = number.reshape(-1) + len(names)
        added = [divmod(key, len(steps)) for key in known.tolist()]
        if not names:
            names = [(service.names[who], steps[what]) for who, what in added]
        else:
            names += [(names[up][0], f"{names[up][1]} / {steps[what]}") for up, what in added]
        rows = np.flatnonzero((path < 0) & (path[inside] >= 0) & (inside >= 0))
        above = path[inside[rows]]
    return path, names


def waiting(
    parent: Ints, entry: Ints, called: Flags, asking: Flags, start: Ints, length: Ints
) -> Ints:
    """Of each visit to a service, how long some call to another was under way.

    Args:
        parent: See the module.
        entry: The span by which the visit of each span began.
        called: Whether a span enters a service from another.
        asking: Whether a span is a call to another service and nothing else.
        start: Begin of each span.
        length: And how long it took.
    """
    rows = np.flatnonzero(called)
    up = parent[rows]
    during = np.where(asking[up] & (up != entry[up]), up, rows)
    visit, during = np.divmod(distinct(entry[up] * len(parent) + during), len(parent))
    order = np.lexsort((during, start[during], visit))
    visit, during = visit[order], during[order]
    until = np.minimum(start[during] + length[during], start[visit] + length[visit])
    reached = start[visit]
    reached[1:] = np.maximum(
        reached[1:], np.where(visit[1:] == visit[:-1], _highest(until, visit)[:-1], reached[1:])
    )
    waited = np.zeros(len(parent), dtype=np.int64)
    np.add.at(waited, visit, np.maximum(until - np.maximum(start[during], reached), 0))
    return waited


def _highest(values: Ints, group: Ints) -> Ints:
    """The highest so far within each group; rows of a group are neighbours."""
    highest, far = values.copy(), 1
    while far < len(values) and (same := group[far:] == group[:-far]).any():
        highest[far:] = np.maximum(highest[far:], np.where(same, highest[:-far], highest[far:]))
        far *= 2
    return highest


def around(parent: Ints, start: Ints, length: Ints) -> Ints:
    """From what its caller did before each span to it, and from it to what the caller did next."""
    rows = np.flatnonzero(parent >= 0)
    rows = rows[np.lexsort((start[rows], parent[rows]))]
    up, end = parent[rows], start + length
    turn = np.flatnonzero(up[1:] != up[:-1]) + 1
    ended, begun = np.roll(end[rows], 1), np.roll(start[rows], -1)
    first = np.concatenate([[0], turn])[: len(rows)]
    last = np.concatenate([turn - 1, [len(rows) - 1]])[: len(rows)]
    ended[first], begun[last] = start[up[first]], end[up[last]]
    waited = np.zeros(len(parent), dtype=np.int64)
    waited[rows] = np.maximum(start[rows] - ended, 0) + np.maximum(begun - end[rows], 0)
    return waited
