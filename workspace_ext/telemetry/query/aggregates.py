"""What is kept of a result that is too large to be kept: of each column, enough to compare it.

Each column has its digest, in order. Where a replay may bring the rows in another order, there
are sums that do not mind it: over 64-bit hashes of the values (a *bag*: equal bags, equal values,
but for a chance of one in 2**64), and of floats over the values themselves. The rows have bags,
too: one over all columns, and one over those that hold no floats, by which each float is weighed
in ``weighed``, so that values that changed their rows are seen.

The hash of a number is the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable
pseudorandom number generators", 2014), that of a text a polynomial over those of its bytes. Both
are part of what is recorded: they are never changed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.foundation.canonical import Buffer
from workspace_ext.telemetry.query.digest import feed, logical_type

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Digests = list[tuple[str, str, str]]
"""Name, logical type and digest of each column."""

_NESTED = frozenset({"list", "map", "struct"})
_VARYING = frozenset({"text", "bytes", "decimal"})
_STEP = 0x9E3779B97F4A7C15
_NULL = np.uint64(0xD1B54A32D192ED03)
_MASK = (1 << 64) - 1
_CHUNK = 8192
"""Rows at a time: what is made of texts on the way is eight times as large as they are."""


class Aggregates:
    """Feed it every batch, in any order, then take `to_dict`."""

    def __init__(self, schema: pa.Schema) -> None:
        self._columns = [_Column(logical_type(field.type)) for field in schema]
        self._rows = self._exact = 0

    def update(self, batch: pa.RecordBatch) -> None:
        """Adds the rows of a batch."""
        for start in range(0, batch.num_rows, _CHUNK):
            self._add(batch.slice(start, _CHUNK))

    def to_dict(self, digests: Digests) -> dict[str, Any]:
        """What is kept: plain JSON, floats as text, since JSON has no infinity."""
        columns = [
            {**named, **column.to_dict()}
            for named, column in zip(in_order(digests)["columns"], self._columns, strict=True)
        ]
        return {"columns": columns, "rows": _hex(self._rows), "exact": _hex(self._exact)}

    def _add(self, batch: pa.RecordBatch) -> None:
        rows, exact = np.zeros((2, batch.num_rows), np.uint64)
        floats = []
        for place, (column, values) in enumerate(zip(self._columns, batch.columns, strict=True), 1):
            hashes = column.take(values)
            if hashes is None:
                continue
            told = _mixed(hashes + np.uint64(place * _STEP & _MASK))
            rows += told
            if column.is_float:
                floats.append(column)
            else:
                exact += told
        exact = _mixed(exact)
        self._rows = _added(self._rows, _mixed(rows))
        self._exact = _added(self._exact, exact)
        weights = 1.0 + exact.astype(np.float64) / 2.0**64
        for column in floats:
            column.weigh(weights)


def in_order(digests: Digests) -> dict[str, Any]:
    """What is kept where the rows come in one order: the columns' digests say it all."""
    names = ("name", "type", "digest")
    return {"columns": [dict(zip(names, each, strict=True)) for each in digests]}


class _Column:
    """One column; takes the place of its hasher, to see the bytes that are digested."""

    def __init__(self, logical: str) -> None:
        self._logical = logical
        self.is_float = logical == "f64"
        self._nulls = self._infinite = self._bag = 0
        self._least, self._most = math.inf, -math.inf
        self._sum = self._size = self._weighed = 0.0
        self._hashes: Hashes = np.zeros(0, np.uint64)
        self._finite = self._numbers = np.zeros(0)

    def take(self, values: pa.Array) -> Hashes | None:
        """Adds some values; the hash of each, None of nested ones, which are not looked into."""
        if self._logical in _NESTED:
            return None
        if isinstance(values, pa.ExtensionArray):
            values = values.storage
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        if self._logical in _VARYING:
            self._take_varying(values)
        else:
            feed(self._logical, self, values)
        self._bag = _added(self._bag, self._hashes)
        return self._hashes

    def update(self, mask: Buffer, values: Buffer, content: Buffer = b"") -> None:
        """Takes what `ColumnHasher.update` takes."""
        present = np.frombuffer(mask, "u1").astype(bool)
        if self._logical in _VARYING:
            hashes = _of_texts(np.frombuffer(values, "<i8"), np.frombuffer(content, "u1"))
        else:
            hashes = _mixed(np.frombuffer(values, "<u8"))
            self._nulls += int((~present).sum())
        self._hashes = np.where(present, hashes, _NULL)
        if self.is_float:
            self._take_floats(np.frombuffer(values, "<f8"), present)

    def weigh(self, weights: np.ndarray[Any, Any]) -> None:
        """Adds the floats taken last, each by the weight of its row."""
        self._weighed += float(np.dot(self._numbers, weights))

    def to_dict(self) -> dict[str, Any]:
        """What is kept of it beside its digest."""
        if self._logical in _NESTED:
            return {}
        told: dict[str, Any] = {"nulls": self._nulls, "bag": _hex(self._bag)}
        if self.is_float:
            numbers = {"min": self._least, "max": self._most, "sum": self._sum}
            numbers |= {"size": self._size, "weighed": self._weighed}
            told["infinite"] = self._infinite
            told |= {name: repr(float(number)) for name, number in numbers.items()}
        return told

    def _take_varying(self, values: pa.Array) -> None:
        """Each text is looked at once: most columns have far fewer texts than rows."""
        self._nulls += values.null_count
        try:
            coded = pc.dictionary_encode(values, null_encoding="encode")
        except pa.ArrowNotImplementedError:
            feed(self._logical, self, values)
            return
        feed(self._logical, self, coded.dictionary)
        buffer, start = coded.indices.buffers()[1], coded.indices.offset
        self._hashes = self._hashes[np.frombuffer(buffer, "<i4")[start : start + len(values)]]

    def _take_floats(self, values: np.ndarray[Any, Any], present: np.ndarray[Any, Any]) -> None:
        """Nulls come as zero, and NaN is null; the infinite ones are counted."""
        finite = np.isfinite(values)
        self._infinite += int((~finite).sum())
        self._numbers = np.where(finite, values, 0.0)
        self._sum += float(self._numbers.sum())
        self._size += float(np.abs(self._numbers).sum())
        if present.any():
            self._least = min(self._least, float(values[present].min()))
            self._most = max(self._most, float(values[present].max()))


def _of_texts(lengths: np.ndarray[Any, Any], content: np.ndarray[Any, Any]) -> Hashes:
    ends = np.cumsum(lengths)
    starts = ends - lengths
    longest = int(lengths.max(initial=0))
    powers = np.cumprod(np.full(longest + 1, _STEP, np.uint64))
    places = np.arange(len(content)) - np.repeat(starts, lengths)
    sums = np.concatenate(([np.uint64(0)], np.cumsum(_BYTES[content] * powers[places])))
    hashes: Hashes = sums[ends] - sums[starts] + lengths.astype(np.uint64)
    return _mixed(hashes)


def _mixed(values: np.ndarray[Any, Any]) -> Hashes:
    mixed: Hashes = values.astype(np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _added(bag: int, hashes: Hashes) -> int:
    return (bag + int(hashes.sum(dtype=np.uint64))) & _MASK


def _hex(number: int) -> str:
    return f"{number:016x}"


_BYTES = _mixed(np.arange(1, 257, dtype=np.uint64) * np.uint64(_STEP))
