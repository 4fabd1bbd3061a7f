"""The last answers of templates: on one pin the data stay the same, and so do the answers.

Who runs a notebook again, or after a colleague, asks what was asked before. Such a question is
judged and recorded as any other; only its rows are not made anew. No template may give others each
time: lint refuses what no replay could agree with.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workspace_ext.foundation.canonical import canonical_json

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.inquiry.queries.question import Question
    from workspace_ext.protocol.messages import Compare
    from workspace_ext.telemetry.query.model import Limits, RunningQuery, Scan

_MOST_BYTES = 1 << 20
"""Of one answer; few are larger, and those of a thousand rows have a tenth of it."""

_MOST_BYTES_OF_ALL = 32 << 20


@dataclass(frozen=True)
class Key:
    """What makes a question the same: equal keys, equal answers.

    Attributes:
        template: The digest of its text.
        params: What it was asked with, absolute.
        pin: The data that it saw.
        removed: How many rows retention had removed.
    """

    template: str
    params: bytes
    pin: int
    removed: int

    @classmethod
    def of(cls, question: Question, pin: int, removed: int) -> Key | None:
        """The key of a template's question; None for free SQL, which may do anything."""
        if question.template is None:
            return None
        return cls(question.template.digest, canonical_json(question.recorded), pin, removed)


@dataclass(frozen=True)
class _Answer:
    """All rows of an answer."""

    schema: pa.Schema
    compare: Compare
    batches: tuple[pa.RecordBatch, ...]
    rows: int
    size: int


class AnswerCache:
    """Small answers, those asked for last. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: OrderedDict[Key, _Answer] = OrderedDict()
        self._size = 0

    def find(self, key: Key, limits: Limits) -> RunningQuery | None:
        """The answer that was given before; None when it is not kept, or larger than allowed."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is None or answer.rows > limits.rows:
                return None
            self._answers.move_to_end(key)
        return _Given(answer)

    def keeping(self, key: Key, running: RunningQuery) -> RunningQuery:
        """The same query; once all its rows have passed by, its answer is kept."""
        return _Kept(self, key, running)

    def keep(self, key: Key, answer: _Answer) -> None:
        """Keeps an answer, in the place of those that nobody asked for in a while."""
        with self._lock:
            before = self._answers.pop(key, None)
            self._answers[key] = answer
            self._size += answer.size - (before.size if before is not None else 0)
            while self._size > _MOST_BYTES_OF_ALL:
                _, oldest = self._answers.popitem(last=False)
                self._size -= oldest.size


class _Given:
    """A `RunningQuery` that was answered before: it takes no turn."""

    lane = "cache"
    scan: tuple[Scan, ...] = ()

    def __init__(self, answer: _Answer) -> None:
        self._batches = answer.batches
        self.schema = answer.schema
        self.compare = answer.compare

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return iter(self._batches)

    def close(self) -> None:
        """Nothing is left to end."""


class _Kept:
    """A `RunningQuery` whose rows are kept as they pass by."""

    def __init__(self, cache: AnswerCache, key: Key, running: RunningQuery) -> None:
        self._cache = cache
        self._key = key
        self._running = running
        self.schema = running.schema
        self.lane = running.lane
        self.compare = running.compare

    @property
    def scan(self) -> tuple[Scan, ...]:
        return self._running.scan

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        batches: list[pa.RecordBatch] = []
        size = 0
        for batch in self._running:
            size += batch.get_total_buffer_size()
            if size <= _MOST_BYTES:
                batches.append(batch)
            else:
                batches.clear()
            yield batch
        if size <= _MOST_BYTES:
            rows = sum(batch.num_rows for batch in batches)
            answer = _Answer(self.schema, self.compare, tuple(batches), rows, size)
            self._cache.keep(self._key, answer)

    def close(self) -> None:
        self._running.close()
