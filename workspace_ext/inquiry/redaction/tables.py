"""Takes values out of Arrow tables.

Most columns hold nothing to take out: a quick look by RE2 over the column tells, and only those
columns that may are gone through value by value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from workspace_ext.inquiry.redaction.redactor import Redactor

if TYPE_CHECKING:
    import pyarrow as pa

KEYS = frozenset({"trace_id", "span_id", "parent_span_id", "batch_id", "time", "time_ns"})
"""What joins rows and orders them stays; a policy can name even these."""


class TableRedactor:
    """Redacts the batches of one table, or one result.

    Args:
        redactor: Does it.
        file: Where they will stand.
        table: Where they are from; empty for a result.
    """

    def __init__(self, redactor: Redactor, file: str, table: str = "") -> None:
        self._redactor = redactor
        self._file = file
        self._table = table
        hints = [pattern.hint for pattern in redactor.policy.patterns]
        self._hint = "|".join(f"(?:{hint})" for hint in hints) if all(hints) else ""
        self.changed: set[str] = set()

    def reader(
        self, rows: pa.RecordBatchReader, batches: Counter[int] | None = None
    ) -> pa.RecordBatchReader:
        """The same rows, redacted as they are read.

        Args:
            rows: The rows.
            batches: Where to count how many rows of each batch of telemetry were read.
        """
        import pyarrow as pa

        return pa.RecordBatchReader.from_batches(rows.schema, self._batches(rows, batches))

    def batch(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """One batch, redacted."""
        import pyarrow as pa

        arrays = [
            self._column(name, column)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)

    def _batches(
        self, rows: pa.RecordBatchReader, batches: Counter[int] | None
    ) -> Iterator[pa.RecordBatch]:
        for batch in rows:
            if batches is not None:
                counted = batch.column("batch_id").value_counts().to_pylist()
                batches.update({found["values"]: found["counts"] for found in counted})
            yield self.batch(batch)

    def _column(self, name: str, column: pa.Array) -> pa.Array:
        columns = self._redactor.policy.columns
        if name in columns or f"{self._table}.{name}" in columns:
            return self._emptied(name, column)
        if name in KEYS or not any(self._may_hold(leaf) for leaf in _texts(column)):
            return column
        import pyarrow as pa

        redacted = [self._value(value) for value in column.to_pylist()]
        if redacted == column.to_pylist():
            return column
        self.changed.add(name)
        return pa.array(redacted, column.type)

    def _may_hold(self, texts: pa.Array) -> bool:
        import pyarrow.compute as pc

        attributes = self._redactor.policy.attributes
        if attributes and pc.any(pc.is_in(texts, value_set=_array(sorted(attributes)))).as_py():
            return True
        if not self._hint:
            return True
        return bool(pc.any(pc.match_substring_regex(texts, self._hint)).as_py())

    def _value(self, value: Any) -> Any:
        """A value, redacted; Arrow gives the pairs of a map as a list of tuples."""
        if isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value):
            attributes = self._redactor.policy.attributes
            return [
                (key, self._redactor.whole(item, self._file))
                if key in attributes and isinstance(item, str)
                else (key, self._value(item))
                for key, item in value
            ]
        if isinstance(value, list):
            return [self._value(item) for item in value]
        if isinstance(value, dict):
            return {key: self._value(item) for key, item in value.items()}
        return self._redactor.text(value, self._file) if isinstance(value, str) else value

    def _emptied(self, name: str, column: pa.Array) -> pa.Array:
        import pyarrow as pa

        if column.null_count == len(column):
            return column
        self.changed.add(name)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            self._redactor.counts[self._file]["policy"] += len(column) - column.null_count
            return pa.nulls(len(column), column.type)
        whole = self._redactor.whole
        redacted = [
            None if value is None else whole(value, self._file) for value in column.to_pylist()
        ]
        return pa.array(redacted, column.type)


def _texts(column: pa.Array) -> Iterator[pa.Array]:
    """The texts in a column, however deep."""
    import pyarrow as pa

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        yield column
    elif pa.types.is_dictionary(column.type):
        yield from _texts(column.dictionary)
    elif pa.types.is_map(column.type):
        yield from _texts(column.keys)
        yield from _texts(column.items)
    elif pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        yield from _texts(column.flatten())
    elif pa.types.is_struct(column.type):
        for index in range(column.type.num_fields):
            yield from _texts(column.field(index))


def _array(values: list[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, pa.string())
