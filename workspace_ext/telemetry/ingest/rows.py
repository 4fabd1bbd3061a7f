"""Rows on their way into tables: what adapters collect their records in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from workspace_ext.foundation.clock import parse_rfc3339
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.columns import arrow_schema, table
from workspace_ext.telemetry.ingest.limits import EARLIEST_NS, LATEST_NS, REJECTS, bad_time
from workspace_ext.telemetry.ingest.model import RECORD_LIMIT, Parsed, Reject

Row = dict[str, Any]
Pairs = list[tuple[str, str | None]]

_CHUNK = 20_000
_CHUNK_BYTES = 64 << 20
_NOT_KEPT = (pa.ArrowException, UnicodeEncodeError, OverflowError)
_NOT_AS_EXPECTED = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip


class BadRecord(ValueError):
    """A record that cannot be kept; its text is the reason."""


@dataclass
class Rows:
    """Rows, rejects and warnings, until they are handed on as tables.

    A bad record costs itself only: `reject` is told what it was. Rows become tables every now and
    then, so that many of them stay small.
    """

    found: dict[str, list[tuple[int | None, Row]]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    count: int = 0
    size: int = 0
    rejected: int = 0
    _tables: dict[str, list[pa.Table]] = field(default_factory=dict)

    @property
    def full(self) -> bool:
        """Whether it is time to hand on: whoever reads a file adds its bytes to ``size``."""
        return self.count >= _CHUNK or self.size >= _CHUNK_BYTES

    def add(self, signal: str, line: int | None, row: Row) -> None:
        """Keeps a row: its columns by name, where ``time`` follows from ``time_ns``."""
        waiting = self.found.setdefault(signal, [])
        waiting.append((line, row))
        self.count += 1
        if len(waiting) >= _CHUNK:
            self._settle(signal)

    def reject(self, line: int | None, reason: str, record: object) -> None:
        """Notes a bad record; of very many, the first ones are kept and all are counted."""
        self.count += 1
        self.rejected += 1
        if len(self.rejects) >= REJECTS:
            return
        self.rejects.append(Reject(line, _printable(reason)[:RECORD_LIMIT], _shown(record)))

    def warn(self, text: str) -> None:
        """Notes what the user should know; the same only once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def text(self, content: bytes) -> str:
        """Bytes as text; what is not UTF-8 is replaced, and told."""
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.warn("bytes that are not UTF-8 were replaced")
            return content.decode("utf-8", "replace")

    @contextmanager
    def guard(self, line: int | None, record: object) -> Iterator[None]:
        """What is raised because of a bad record inside rejects that record."""
        try:
            yield
        except (BadRecord, BadInput) as error:
            self.reject(line, str(error), record)
        except _NOT_AS_EXPECTED as error:
            self.reject(line, f"not as the format has it: {error}", record)

    def hand_on(self) -> Parsed:
        """Everything so far, as tables; starts anew."""
        for signal in list(self.found):
            self._settle(signal)
        tables = {signal: pa.concat_tables(parts) for signal, parts in self._tables.items()}
        parsed = Parsed(
            tables, tuple(self.rejects), tuple(self.warnings), self.rejected - len(self.rejects)
        )
        self.rejects, self.warnings, self._tables = [], [], {}
        self.count = self.size = self.rejected = 0
        return parsed

    def _settle(self, signal: str) -> None:
        rows = self.found.pop(signal)
        self._tables.setdefault(signal, []).append(self._table(signal, rows))

    def _table(self, signal: str, rows: list[tuple[int | None, Row]]) -> pa.Table:
        """Without the rows of which a value does not fit: too large a number, a text that is none.

        They are found by halves, as one by one takes seconds.
        """
        try:
            return table(signal, [row for _, row in rows])
        except _NOT_KEPT as error:
            half = len(rows) // 2
            if not half:
                line, row = rows[0]
                self.reject(line, f"a value cannot be kept: {error}", row)
                return arrow_schema(signal).empty_table()
            first, second = self._table(signal, rows[:half]), self._table(signal, rows[half:])
            found = [part for part in (first, second) if len(part)]
            return pa.concat_tables(found) if found else first


def _shown(record: object) -> str:
    if isinstance(record, bytes):
        return record[:RECORD_LIMIT].decode("utf-8", "replace")
    if isinstance(record, str):
        return _printable(record[:RECORD_LIMIT])
    try:
        return _printable(json.dumps(record, default=str))[:RECORD_LIMIT]
    except (ValueError, TypeError, RecursionError):
        return repr(type(record))


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def as_text(value: object) -> str | None:
    """An attribute's value as text; what is nested becomes JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_pairs(values: object) -> Pairs:
    """A map of attributes as texts, sorted by name.

    Raises:
        BadRecord: It is no map.
    """
    if not values:
        return []
    if not isinstance(values, dict):
        raise BadRecord("attributes are not a map")
    return sorted((str(key), as_text(value)) for key, value in values.items())


def as_time(value: object) -> int:
    """A time of day and date with its offset, in nanoseconds.

    Raises:
        BadRecord: It is something else.
    """
    try:
        return parse_rfc3339(str(value))
    except BadInput as error:
        raise BadRecord(str(error)) from None


def pick(given: dict[str, str | None], names: dict[str, tuple[str, ...]]) -> Row:
    """The hot columns: for each, the first of its names that has a value."""
    return {
        column: next((given[name] for name in known if given.get(name)), None)
        for column, known in names.items()
    }


def check_time(time_ns: int) -> None:
    """Raises when a time is missing, or cannot be true.

    Raises:
        BadRecord: It is.
    """
    if time_ns <= 0:
        raise BadRecord("no time")
    if not EARLIEST_NS <= time_ns < LATEST_NS:
        raise BadRecord(bad_time(time_ns))
