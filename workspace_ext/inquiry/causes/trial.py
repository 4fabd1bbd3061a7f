"""One comparison of traces: facts, what of it changed, since when, and who is to blame for it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from workspace_ext.inquiry.causes.blame import (
    Blame,
    Change,
    Tally,
    blame,
    changes,
    compare,
    tally,
    troubled,
)
from workspace_ext.inquiry.causes.calls import Calls, read_calls
from workspace_ext.inquiry.causes.habits import Habits, read_habits
from workspace_ext.inquiry.steps.columns import Ints

SLOTS = 24
"""Into so many parts the window is cut, and the baseline, to look for the onset."""
LOOKS = range(SLOTS, 2 * SLOTS, 2)
"""From these places on it is looked for what is new."""


@dataclass(frozen=True)
class Trial:
    """What came of it.

    Attributes:
        calls: The spans.
        habits: Their facts.
        found: Changes since the onset.
        blamed: By service.
        onset_ns: When it began; None when nothing changed or the time that was given stands.
        sure: Whether anything changed beyond chance; else the blame is the best guess there is.
        chance: The strongest blame when the baseline's end is compared with its begin.
    """

    calls: Calls
    habits: Habits
    found: list[Change]
    blamed: dict[str, Blame]
    onset_ns: int | None
    sure: bool
    chance: float


def try_traces(
    spans: pa.Table, logs: pa.Table, window: tuple[int, int], given: int | None, slack: int
) -> Trial:
    """Compares the window with the baseline.

    Args:
        spans: See `read_calls`.
        logs: See `read_habits`.
        window: Begin and end (ns).
        given: When it began (ns), if that is known.
        slack: By how much (ns) that may be wrong.
    """
    calls = read_calls(spans)
    habits = read_habits(calls, logs)
    if not len(habits.facts):
        return Trial(calls, habits, [], {}, None, sure=False, chance=0.0)
    slot = _slots(calls, window)
    counted = tally(habits, slot, 2 * SLOTS)
    width = max((window[1] - window[0]) // SLOTS, 1)

    def likely(split: int) -> bool:
        """Whether what was told allows that onset."""
        began = window[0] + (split - SLOTS) * width
        return given is None or abs(began - given) <= slack + width

    split = _look(calls, habits, counted, slot, list(filter(likely, LOOKS)) or LOOKS[:1])
    compared = compare(habits, counted, split, SLOTS)
    found = changes(habits, compared)
    sure = bool(found)
    found = found or changes(habits, compared, faint=True)
    began = window[0] + (split - SLOTS) * width if given is None and sure else None
    blamed = blame(calls, habits, found, slot >= split)
    chance = _by_chance(calls, habits, counted, slot)
    return Trial(calls, habits, found, blamed, began, sure, chance)


def _slots(calls: Calls, window: tuple[int, int]) -> Ints:
    """Slot of each span by the begin of its trace: those of the baseline, then the window's."""
    first = np.full(len(calls.trace.names), np.iinfo(np.int64).max)
    np.minimum.at(first, calls.trace.number, calls.start_ns)
    began = first[calls.trace.number]
    before = began[~calls.now]
    quiet = (int(before.min()), int(before.max()) + 1)
    parts = []
    for begin, end in (quiet, window):
        width = max((end - begin) / SLOTS, 1)
        parts.append(np.clip((began - begin) // width, 0, SLOTS - 1).astype(np.int64))
    return np.asarray(np.where(calls.now, parts[1] + SLOTS, parts[0]), dtype=np.int64)


def _look(calls: Calls, habits: Habits, counted: Tally, slot: Ints, splits: Sequence[int]) -> int:
    """The slot from which on most is new.

    What is new may be hard to see when most of the window was before it, so it is looked for from
    several places on.
    """
    _, first = np.unique(calls.trace.number, return_index=True)
    traces = np.bincount(slot[first], minlength=2 * SLOTS)
    best, most = splits[0], 0.0
    for split in splits:
        heaviest = np.zeros(len(first))
        weight = troubled(calls, habits, changes(habits, compare(habits, counted, split, SLOTS)))
        np.maximum.at(heaviest, calls.trace.number, weight)
        trouble = np.bincount(slot[first], heaviest, minlength=2 * SLOTS)
        after, before = traces[split:].sum(), traces[:split].sum()
        if not after or not before:
            continue
        gain = float(trouble[split:].sum() / after - trouble[:split].sum() / before)
        more = gain * math.sqrt(after * before / (after + before))
        if more > most:
            best, most = split, more
    return best


def _by_chance(calls: Calls, habits: Habits, counted: Tally, slot: Ints) -> float:
    """What the same comparison finds where nothing is broken: the baseline's end and its begin."""
    before = Tally(counted.met[:, :SLOTS], counted.seen[:, :SLOTS])
    found = changes(habits, compare(habits, before, SLOTS // 2, SLOTS // 2))
    blamed = blame(calls, habits, found, slot >= SLOTS // 2, among=slot < SLOTS)
    return max((of.share for of in blamed.values()), default=0.0)
