"""Digests: the same for the same values, whatever their types, batches or machines."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspace_ext.telemetry.query.digest import ResultDigest, logical_type, unordered_digest


def digest(table: pa.Table, *, size: int | None = None) -> str:
    made = ResultDigest(table.schema)
    for batch in table.to_batches(max_chunksize=size):
        made.update(batch)
    return made.digest()


def column(values: list[Any], kind: pa.DataType) -> pa.Table:
    return pa.table({"x": pa.array(values, kind)})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (column([1, None], pa.int8()), column([1, None], pa.int64())),
        (column([1.5, 0.0], pa.float32()), column([1.5, -0.0], pa.float64())),
        (column([float("nan")], pa.float64()), column([None], pa.float64())),
        (column(["a", None], pa.string()), column(["a", None], pa.large_string())),
        (
            column(["a", "b"], pa.string()),
            column(["a", "b"], pa.string()).cast(
                pa.schema([("x", pa.dictionary(pa.int8(), pa.string()))])
            ),
        ),
        (
            column([1, 2], pa.timestamp("s", "UTC")),
            column([10**6, 2 * 10**6], pa.timestamp("us", "UTC")),
        ),
        (
            column([Decimal("1.50")], pa.decimal128(9, 2)),
            column([Decimal("1.5")], pa.decimal128(9, 1)),
        ),
        (column([3], pa.uint64()), column([Decimal(3)], pa.decimal128(38, 0))),
        (
            column([[1, 2], None], pa.list_(pa.int32())),
            column([[1, 2], None], pa.large_list(pa.int64())),
        ),
    ],
)
def test_equal_values_of_other_types_are_equal(one: pa.Table, other: pa.Table) -> None:
    assert digest(one) == digest(other)
    assert unordered_digest(one) == unordered_digest(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (column([1], pa.int64()), column([2], pa.int64())),
        (column([0], pa.int64()), column([None], pa.int64())),
        (column([""], pa.string()), column([None], pa.string())),
        (column(["ab", "c"], pa.string()), column(["a", "bc"], pa.string())),
        (column(["1"], pa.string()), column([1], pa.int64())),
        (column([[1], [2]], pa.list_(pa.int64())), column([[1, 2], []], pa.list_(pa.int64()))),
        (column([[]], pa.list_(pa.int64())), column([None], pa.list_(pa.int64()))),
        (column([1], pa.int64()), pa.table({"y": [1]})),
        (column([1, 2], pa.int64()), column([2, 1], pa.int64())),
    ],
)
def test_different_values_differ(one: pa.Table, other: pa.Table) -> None:
    assert digest(one) != digest(other)


def test_unordered_forgets_the_order_only() -> None:
    one = pa.table({"x": [1, 1, 2, None], "t": ["a", "b", "a", "c"], "m": [[1], [2], [3], None]})
    assert unordered_digest(one) == unordered_digest(one.take([3, 1, 0, 2]))
    swapped = pa.table(
        {"x": [1, 1, 2, None], "t": ["b", "a", "c", "a"], "m": [[1], [2], [3], None]}
    )
    assert unordered_digest(one) != unordered_digest(swapped)


SCALARS = st.one_of(st.none(), st.text(max_size=5))
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        st.one_of(st.none(), st.floats()),
        SCALARS,
        st.one_of(st.none(), st.lists(SCALARS, max_size=3)),
        st.one_of(st.none(), st.lists(st.tuples(st.text(max_size=3), SCALARS), max_size=3)),
        st.one_of(st.none(), st.fixed_dictionaries({"a": SCALARS, "b": st.booleans()})),
    ),
    max_size=20,
)
SCHEMA = pa.schema(
    [
        ("i", pa.int64()),
        ("f", pa.float64()),
        ("t", pa.string()),
        ("l", pa.list_(pa.string())),
        ("m", pa.map_(pa.string(), pa.string())),
        ("s", pa.struct([("a", pa.string()), ("b", pa.bool_())])),
    ]
)


@settings(max_examples=60)
@given(ROWS, st.integers(1, 7), st.randoms(use_true_random=False))
def test_neither_batches_nor_slices_matter(rows: list[Any], size: int, random: Any) -> None:
    table = pa.Table.from_pylist(
        [dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA
    )
    assert digest(table) == digest(table, size=size)
    padded = pa.concat_tables([table, table]).combine_chunks().slice(len(rows))
    assert digest(table) == digest(padded)
    order = list(range(len(rows)))
    random.shuffle(order)
    assert unordered_digest(table) == unordered_digest(table.take(pa.array(order, pa.int64())))


EVERYTHING = """
SELECT 1::TINYINT AS i, 2::UBIGINT AS u, 3::HUGEINT AS h, 1.50::DECIMAL(9, 3) AS d,
       0.1::DOUBLE AS f,
       'ä'::VARCHAR AS t, 'a'::BLOB AS b, true AS o, DATE '2024-02-29' AS day,
       TIMESTAMP '2024-02-29 12:00:00.5' AS ts, TIMESTAMPTZ '2024-02-29 12:00:00+00' AS tz,
       TIMESTAMP_NS '2024-02-29 12:00:00.000000001' AS ns, INTERVAL 1 MONTH AS gap,
       'x'::ENUM('x', 'y') AS e, [1, NULL] AS l, MAP {'k': 'v'} AS m, {'a': 1, 'b': 'z'} AS s
"""
EVERYTHING_TYPES = {
    "i": "i64",
    "u": "decimal",
    "h": "decimal",
    "d": "decimal",
    "f": "f64",
    "t": "text",
    "b": "bytes",
    "o": "bool",
    "day": "date",
    "ts": "timestamp[us]",
    "tz": "timestamp[us,utc]",
    "ns": "timestamp[ns]",
    "gap": "text",
    "e": "text",
    "l": "list",
    "m": "map",
    "s": "struct",
}
EVERYTHING_DIGEST = "sha256:f7d4fc2cccb389bee521f8527af8cbf56c5cc16932f39ebed614ff061a738ff5"


def everything() -> pa.Table:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection.sql(EVERYTHING).to_arrow_table()


def test_test_vector() -> None:
    """If this fails, digests in notebooks and archives that people have no longer compare."""
    table = everything()
    assert {field.name: logical_type(field.type) for field in table.schema} == EVERYTHING_TYPES
    assert digest(table) == EVERYTHING_DIGEST
    empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert digest(pa.table({})) != empty  # the number of rows is part of it


def test_digesting_does_not_import_pandas() -> None:
    """Which would add a quarter of a second to the first answer of a broker."""
    code = (
        "import sys, duckdb; from workspace_ext.telemetry.query.digest import ResultDigest\n"
        "t = duckdb.sql(\"SELECT 1 AS i, 'a' AS t, 0.5::DOUBLE AS f, [1] AS l, now() AS n\")\n"
        "t = t.to_arrow_table(); d = ResultDigest(t.schema); d.update(t.to_batches()[0])\n"
        "sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
