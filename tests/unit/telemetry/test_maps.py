"""Maps as a dictionary are the same maps."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.telemetry.ingest.live.maps import each_once

KIND = pa.map_(pa.string(), pa.string())
MAPS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)


def column(*parts: list[object]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(part, KIND) for part in parts], KIND)


def plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array(
        [
            chunk.dictionary.take(chunk.indices) if pa.types.is_dictionary(chunk.type) else chunk
            for chunk in values.chunks
        ],
        KIND,
    )


@given(st.lists(MAPS, min_size=1, max_size=3), st.integers(1, 20), st.integers(0, 5))
def test_the_same_values(maps: list[dict[str, str]], times: int, skip: int) -> None:
    rows = [list(each.items()) for each in maps * times]
    given_ = column(rows, rows).slice(skip)
    if len(given_):
        assert plain(each_once(given_)).to_pylist() == given_.to_pylist()


def test_what_repeats_becomes_a_dictionary() -> None:
    found = each_once(column([[("a", "1")], [("a", "2")]] * 8, [[("b", "1")]] * 8))
    assert pa.types.is_dictionary(found.type)
    assert len(found.chunk(0).dictionary) == 3
    connection = duckdb.connect()
    table = pa.table({"m": found})
    connection.register("t", table)
    rows = connection.execute("SELECT m, count(*) FROM t GROUP BY 1 ORDER BY 2, 1").fetchall()
    assert rows == [({"a": "1"}, 8), ({"a": "2"}, 8), ({"b": "1"}, 8)]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [("a", None)],
        [("a\x1f", "1")],
        [("a", "\x1f")],
    ],
)
def test_what_could_be_mistaken_stays(odd: object) -> None:
    given_ = column([[("a", "1")]] * 20 + [odd])
    assert each_once(given_) is given_
