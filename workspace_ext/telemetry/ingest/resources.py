"""Resources, in the form in which they are kept: each as a text, once.

A resource is the same for thousands of records. Adapters give it as a map, or as a dictionary of
maps; from here on it is a dictionary of JSON texts, which takes a tenth of the memory, the time and
the room on disk.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa

from workspace_ext.telemetry.schema import RESOURCE

KEPT = pa.dictionary(pa.int32(), pa.string())


def with_texts(records: pa.Table) -> pa.Table:
    """Records whose resources are texts; those of a signal that has none, as they are."""
    place = records.schema.get_field_index(RESOURCE)
    if place < 0:
        return records
    made = pa.chunked_array([_texts(chunk) for chunk in records.column(place).chunks], KEPT)
    return records.set_column(place, RESOURCE, made)


def with_maps(records: pa.Table) -> pa.Table:
    """Records with a map each, of which a part shares nothing with another."""
    place = records.schema.get_field_index(RESOURCE)
    if place < 0 or not pa.types.is_dictionary(records.schema.field(place).type):
        return records
    column = records.column(place)
    maps = [chunk.dictionary.take(chunk.indices) for chunk in column.chunks]
    return records.set_column(place, RESOURCE, pa.chunked_array(maps, column.type.value_type))


def text_of(pairs: list[tuple[str, str | None]] | None) -> str | None:
    """A map as text, as DuckDB's ``to_json`` would write it."""
    if pairs is None:
        return None
    return json.dumps(dict(pairs), ensure_ascii=False, separators=(",", ":"))


def _texts(maps: Any) -> pa.DictionaryArray:
    if pa.types.is_dictionary(maps.type):
        texts = [text_of(pairs) for pairs in maps.dictionary.to_pylist()]
        return pa.DictionaryArray.from_arrays(maps.indices, pa.array(texts, pa.string()))
    places: dict[str | None, int] = {}
    found = [places.setdefault(text_of(pairs), len(places)) for pairs in maps.to_pylist()]
    return pa.DictionaryArray.from_arrays(
        pa.array(found, pa.int32()), pa.array(list(places), pa.string())
    )
