"""Resources are kept as texts, and come back as the maps they were."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.store import NOW_NS
from workspace_ext.telemetry.ingest.columns import packed, shared_schema, table
from workspace_ext.telemetry.ingest.limits import ATTRIBUTES, bounded_each
from workspace_ext.telemetry.ingest.model import Together
from workspace_ext.telemetry.ingest.resources import with_maps, with_texts
from workspace_ext.telemetry.schema import MAP, RESOURCE, keeping

TEXT = st.text(st.characters(codec="utf-8"), max_size=5)
MAPS = st.none() | st.dictionaries(TEXT, st.none() | TEXT, max_size=3)


def spans(resources: list[dict[str, str | None] | None]) -> pa.Table:
    pairs = [None if each is None else sorted(each.items()) for each in resources]
    return table("spans", [{"time_ns": NOW_NS, "resource": each} for each in pairs])


def shared(records: pa.Table, places: list[int]) -> pa.Table:
    """The records' resources as a dictionary, and which of them each of the rows has."""
    column = records[RESOURCE].combine_chunks()
    coded = pa.DictionaryArray.from_arrays(pa.array(places, pa.int32()), column)
    taken = records.take(pa.array(places, pa.int64()))
    place = records.schema.get_field_index(RESOURCE)
    return taken.set_column(place, shared_schema("spans").field(RESOURCE), coded)


@given(st.lists(MAPS, min_size=1, max_size=4), st.integers(1, 3))
def test_they_come_back(maps: list[dict[str, str | None] | None], times: int) -> None:
    records = spans(maps * times)
    connection = duckdb.connect()
    connection.register("kept", with_texts(records))
    found = connection.execute(f"SELECT resource::JSON::{MAP} FROM kept").fetchall()
    assert [row[0] for row in found] == maps * times
    twice = shared(spans(maps), list(range(len(maps))) * times)
    texts = with_texts(records)[RESOURCE].to_pylist()
    assert with_texts(twice)[RESOURCE].to_pylist() == texts
    assert with_maps(twice)[RESOURCE].to_pylist() == records[RESOURCE].to_pylist()


@pytest.mark.parametrize("text", ["", "a/b", 'a"b\\c', "é😀\u2028", "\x7f\n\t\b", "null", "[1]"])
def test_they_are_written_as_the_database_does(text: str) -> None:
    """So that what an older store held, and what comes again, are the same record."""
    (made,) = with_texts(spans([{"k": text, "n": None}]))[RESOURCE].to_pylist()
    sql = f"SELECT {keeping(RESOURCE, f'MAP {{k: $text, n: NULL}}::{MAP}')}".replace("k:", "'k':")
    sql = sql.replace("n:", "'n':")
    assert duckdb.connect().execute(sql, {"text": text}).fetchall() == [(made,)]


def test_one_with_very_many_names_is_cut_and_told_to_its_sender_only() -> None:
    many: dict[str, Any] = {f"name-{n:04d}": "x" for n in range(ATTRIBUTES + 1)}
    records = shared(spans([{"a": "1"}, many]), [0, 1, 0])
    good, bad, after = bounded_each(Together("spans", records, (1, 1, 1)))
    assert good is not None
    assert bad is not None
    assert after is not None
    assert (good.warnings, len(bad.warnings), after.warnings) == ((), 1, ())
    assert good.tables["spans"][RESOURCE].to_pylist() == ['{"a":"1"}']
    assert after.tables["spans"][RESOURCE].to_pylist() == ['{"a":"1"}']
    (text,) = bad.tables["spans"][RESOURCE].to_pylist()
    assert text.count('"x"') == ATTRIBUTES


def test_packed_lies_in_one_piece() -> None:
    rows = [{"time_ns": NOW_NS + n, "attributes": [("n", "x" * n)]} for n in range(99)]
    records = with_texts(table("spans", rows))
    made = packed(records)
    assert made.equals(records)
    places = [
        (buffer.address, buffer.address + buffer.size)
        for column in made.columns
        for buffer in column.chunk(0).buffers()
        if buffer is not None and buffer.size
    ]
    assert max(end for _, end in places) - min(start for start, _ in places) < 2 * made.nbytes
