"""Takes values out of Arrow tables.

Most columns hold nothing to take out: a quick look by RE2 over the column tells, and only those
columns that may are gone through value by value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from workspace_ext.inquiry.redaction.redactor import BY_POLICY, Redactor

if TYPE_CHECKING:
    import pyarrow as pa

KEYS = frozenset({"trace_id", "span_id", "parent_span_id", "batch_id", "time", "time_ns"})
"""What joins rows and orders them stays; a policy can name even these."""


class TableRedactor:
    """Redacts the batches of one table, or one result.

    Args:
        redactor: Does it.
        file: Where they will stand.
        table: Where they are from; empty for a result, which may have taken its columns and
            values from anywhere.
    """

    def __init__(self, redactor: Redactor, file: str, table: str = "") -> None:
        self._redactor = redactor
        self._file = file
        self._table = table
        columns = redactor.policy.columns
        self._columns = {name for name in columns if "." not in name} | {
            name.partition(".")[2]
            for name in columns
            if not table or name.partition(".")[0] == table
        }
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
        import pyarrow as pa
        import pyarrow.compute as pc

        if name in self._columns:
            return self._emptied(name, column)
        if name in KEYS:
            return column
        if pa.types.is_string(column.type):
            return self._searched(name, column)
        # The fields of a result's structs have names of their own; maps are looked through here.
        if self._table and not any(pc.any(self._may_hold(leaf)).as_py() for leaf in _texts(column)):
            return column
        values = column.to_pylist()
        redacted = [self._value(value, name) for value in values]
        if redacted == values:
            return column
        self.changed.add(name)
        return pa.array(redacted, column.type)

    def _searched(self, name: str, column: pa.Array) -> pa.Array:
        """A column of text: only the values that may hold something are gone through."""
        import pyarrow as pa
        import pyarrow.compute as pc

        named = bool(self._redactor.names_secret(name))
        suspects = column.is_valid() if named else pc.fill_null(self._may_hold(column), False)  # noqa: FBT003 - its signature
        values = column.filter(suspects).to_pylist()
        redacted = [self._value(value, name) for value in values]
        if redacted == values:
            return column
        self.changed.add(name)
        return pc.replace_with_mask(column, suspects, pa.array(redacted, column.type))

    def _may_hold(self, texts: pa.Array) -> pa.Array:
        """Which texts have to be gone through."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self._hint or (self._redactor.has_learned and not self._table):
            return pa.repeat(True, len(texts))  # noqa: FBT003 - its signature
        found = pc.match_substring_regex(texts, self._hint)
        attributes = sorted(self._redactor.policy.attributes)
        if attributes:
            found = pc.or_(found, pc.is_in(texts, value_set=pa.array(attributes, pa.string())))
        return found

    def _value(self, value: Any, key: object) -> Any:
        """A value under a key, redacted; Arrow gives the pairs of a map as a list of tuples."""
        if isinstance(value, list) and value and all(isinstance(pair, tuple) for pair in value):
            attributes = self._redactor.policy.attributes
            return [
                (
                    self._redactor.key(name, self._file) if isinstance(name, str) else name,
                    self._redactor.whole(item, self._file)
                    if name in attributes and isinstance(item, str)
                    else self._value(item, name),
                )
                for name, item in value
            ]
        if isinstance(value, list):
            return [self._value(item, key) for item in value]
        if isinstance(value, dict):
            return {name: self._value(item, name) for name, item in value.items()}
        return (
            self._redactor.value(str(key), value, self._file) if isinstance(value, str) else value
        )

    def _emptied(self, name: str, column: pa.Array) -> pa.Array:
        import pyarrow as pa

        if column.null_count == len(column):
            return column
        self.changed.add(name)
        if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
            self._redactor.counts[self._file][BY_POLICY] += len(column) - column.null_count
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
