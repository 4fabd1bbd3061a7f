"""Maps that repeat, in the form in which DuckDB takes them fastest.

DuckDB looks at every key of every map that Arrow hands to it, whether it is there twice; that costs
as much as all the rest of a row. Of a dictionary it looks at each map once, and a resource is the
same for thousands of records.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_MOST_SHARE = 4
"""A dictionary pays when it has at most one map for so many rows."""

_SEPARATOR = "\x1f"


def each_once(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of maps of text as a dictionary of its different maps, where that pays.

    Args:
        column: Of ``map<string, string>``.

    Returns:
        The same values: a dictionary, or the column as it came.
    """
    maps = column.combine_chunks() if column.num_chunks > 1 else column.chunk(0)
    if isinstance(maps, pa.ChunkedArray):  # too large for one array
        return column
    keys, items, offsets = maps.keys, maps.items, maps.offsets
    if _has_separator(keys) or _has_separator(items) or _has_empty(keys):
        return column
    texts = pc.binary_join_element_wise(
        pc.binary_join(pa.ListArray.from_arrays(offsets, keys), _SEPARATOR),
        pc.binary_join(pa.ListArray.from_arrays(offsets, items), _SEPARATOR),
        _SEPARATOR + _SEPARATOR,
    )
    if texts.null_count or maps.null_count:  # a map, or a value in it, is null
        return column
    coded = texts.dictionary_encode()
    if len(coded.dictionary) * _MOST_SHARE > len(maps):
        return column
    _, first = np.unique(coded.indices.to_numpy(), return_index=True)
    return pa.chunked_array([pa.DictionaryArray.from_arrays(coded.indices, maps.take(first))])


def _has_separator(texts: pa.StringArray) -> bool:
    content = texts.buffers()[2]
    return content is not None and _SEPARATOR.encode() in memoryview(content).tobytes()


def _has_empty(keys: pa.StringArray) -> bool:
    """A map of one empty key would look like an empty map."""
    return len(keys) > 0 and pc.min(pc.binary_length(keys)).as_py() == 0
