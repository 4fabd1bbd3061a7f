"""The limits of what is taken in, all in this one place.

Senders are not to be trusted with sizes: what is too long is cut, what cannot be true is put aside,
and both are told. The limits bound what one record, one line and one request may cost.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.telemetry.ingest.model import Parsed, Reject, Together

WHOLE_BYTES = 64 << 20
"""Of a file or request that must be read at once, before and after decompression."""

PIECE_BYTES = 512 << 10
"""A larger protobuf message is parsed in pieces of about this size: two bytes may need hundreds."""

MOST_RECORDS = 1_000_000
"""Of one request, or of a file that must be read at once."""

MOST_PARTS = 100_000
"""A record larger than a piece may be made of so many messages, such as attributes and events."""

LINE_BYTES = 16 << 20
"""Of one line of a file that is read line by line."""

REJECTS = 10_000
"""So many rejects of a part are kept; all are counted."""

EARLIEST_NS, LATEST_NS = 315_532_800_000_000_000, 4_102_444_800_000_000_000
"""1980 and 2100: a time outside is a broken clock or a wrong unit, and its record is put aside."""

TEXT = 65_536
"""So many characters of a text are kept: of a body, a name, an attribute's value."""

ATTRIBUTES = 512
"""So many attributes of a record are kept, the first ones by name."""

PARTS = 1_024
"""So many events, and links, of a span are kept."""

NAMES = 5_000
"""More different names of services, or of attributes, in one request or part are told."""

BUCKETS = 10_000
"""Of one histogram."""

YAML_BYTES = 4 << 20
"""Of a document in YAML, which is slow to read."""

YAML_DEPTH = 50
"""So many lists and maps may stand within each other in YAML."""

_CUT = "… (cut)"


def bounded(part: Parsed) -> Parsed:
    """What an adapter gave, within the limits and in the form that is kept.

    Raises:
        TypeError: Its tables are not of a signal's shape.
    """
    from workspace_ext.telemetry.ingest.model import Parsed
    from workspace_ext.telemetry.ingest.resources import with_maps, with_texts

    tables: dict[str, pa.Table] = {}
    rejects = list(part.rejects)
    warnings = list(part.warnings)
    for signal, records in part.tables.items():
        within, aside, told = _bounded(signal, with_maps(records))
        tables[signal] = with_texts(within)
        rejects += aside
        warnings += told
    kept = rejects[:REJECTS]
    more = part.more_rejects + len(rejects) - len(kept)
    return Parsed(tables, tuple(kept), tuple(dict.fromkeys(warnings)), more)


def with_many_names(whole: Parsed) -> Parsed:
    """What came in parts, with a warning when all of them together have very many names."""
    told = [text for records in whole.tables.values() for text in _many_names(records)]
    return replace(whole, warnings=tuple(dict.fromkeys((*whole.warnings, *told))))


def bounded_each(together: Together) -> list[Parsed | None]:
    """The records of several requests, each as `bounded` gives it; nearly free if all are.

    Raises:
        TypeError: The table is not of a signal's shape.
    """
    from workspace_ext.telemetry.ingest.columns import packed
    from workspace_ext.telemetry.ingest.model import Parsed
    from workspace_ext.telemetry.ingest.resources import with_texts

    signal, records = together.signal, together.records
    within, aside, told = _bounded(signal, records)
    good = within is records and not aside and not told
    if good:
        together = replace(together, records=packed(with_texts(records)))
    parts = (None if part is None else Parsed({signal: part}) for part in together.each())
    return [part if part is None or good else bounded(part) for part in parts]


def _bounded(signal: str, records: pa.Table) -> tuple[pa.Table, list[Reject], list[str]]:
    import pyarrow as pa

    from workspace_ext.telemetry.ingest.columns import arrow_schema, shared_schema
    from workspace_ext.telemetry.schema import RESOURCE

    known = [arrow_schema(signal)]
    if RESOURCE in known[0].names:
        known.append(shared_schema(signal))
    if not any(map(records.schema.equals, known)):
        raise TypeError(f"its table of {signal} has other columns than `columns.arrow_schema`")
    aside: list[Reject] = []
    records = _with_few_resources(records)
    if "time_ns" in records.column_names:
        records, aside = _timely(records)
    told = _many_names(records)
    for place, (name, kind) in enumerate(
        zip(records.column_names, records.schema.types, strict=True)
    ):
        column = records.column(place)
        if pa.types.is_timestamp(kind) and name != "time":
            made = _plausible(column)
        elif pa.types.is_string(kind):
            made = _short(column, told, name)
        elif pa.types.is_map(kind):
            made = _few(column, told, name)
        elif name == "span_events":
            made = _few_within(column, told, name)
        else:
            continue
        if made is not column:
            records = records.set_column(place, records.schema.field(place), made)
    return records, aside, told


def _timely(records: pa.Table) -> tuple[pa.Table, list[Reject]]:
    """The records whose time can be true, and the others."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from workspace_ext.telemetry.ingest.model import RECORD_LIMIT, Reject

    times = records["time_ns"]
    if not times.null_count and all(_timely_all(chunk.to_numpy()) for chunk in times.chunks):
        return records, []
    inside = pc.and_(pc.greater_equal(times, EARLIEST_NS), pc.less(times, LATEST_NS))
    good = pc.fill_null(inside, fill_value=False)
    plain = [
        field.name for field in records.schema
        if pa.types.is_string(field.type) or field.name == "time_ns"
    ]  # fmt: skip
    bad = records.filter(pc.invert(good)).select(plain)
    aside = [
        Reject(
            None, bad_time(row["time_ns"]), str({k: v for k, v in row.items() if v})[:RECORD_LIMIT]
        )
        for row in bad.to_pylist()
    ]
    return records.filter(good), aside


def _timely_all(times: Any) -> bool:
    return not len(times) or bool(times.min() >= EARLIEST_NS and times.max() < LATEST_NS)


def bad_time(time_ns: int | None) -> str:
    """The reason to put aside a record with an impossible time."""
    return f"time {time_ns} is out of range: not between 1980 and 2100"


def _plausible(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Further times, such as an end: one that cannot be true is left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    times = column.cast(pa.int64())
    good = pc.and_(pc.greater_equal(times, EARLIEST_NS // 1000), pc.less(times, LATEST_NS // 1000))
    if pc.all(good, min_count=0).as_py() is not False:
        return column
    return pc.if_else(good, column, pa.scalar(None, column.type))


def _short(column: Any, told: list[str], name: str) -> Any:
    """Texts of a column, cut where they are too long."""
    import pyarrow.compute as pc

    if not any(_may_be_long(chunk) for chunk in column.chunks):
        return column
    long = pc.greater(pc.utf8_length(column), TEXT)
    count = pc.sum(long).as_py()
    if not count:
        return column
    told.append(f"{name}: {count} values of more than {TEXT} characters were cut")
    cut = pc.binary_join_element_wise(pc.utf8_slice_codeunits(column, 0, TEXT), _CUT, "")
    return pc.if_else(long, cut, column)


def _may_be_long(texts: pa.StringArray) -> bool:
    """Whether one has more bytes than it may have characters."""
    import numpy as np

    offsets = _offsets(texts)
    return bool(offsets[-1] - offsets[0] > TEXT and np.diff(offsets).max() > TEXT)


def _offsets(values: Any) -> Any:
    """Where each text or list begins, and at last where they end."""
    import numpy as np

    places = values.buffers()[1]
    if places is None or not len(values):
        return np.zeros(1, np.int32)
    return np.frombuffer(places, np.int32, len(values) + 1, values.offset * 4)


def _few(column: pa.ChunkedArray, told: list[str], name: str) -> pa.ChunkedArray:
    """Maps with no more and no longer entries than there may be, each key once and in order.

    The database refuses a map with a key twice, and equal records must have equal maps.
    """
    import numpy as np
    import pyarrow as pa

    many = sum(int((np.diff(_offsets(chunk)) > ATTRIBUTES).sum()) for chunk in column.chunks)
    if many:
        told.append(f"{name}: {many} records had more than {ATTRIBUTES}: the rest was left out")
    long = False
    if pa.types.is_string(column.type.key_type):
        for chunk in column.chunks:
            keys, items = _entries(chunk)
            long = long or _has_long(keys) or _has_long(items)
    if long:
        told.append(f"{name}: values of more than {TEXT} characters were cut")
    if not many and not long and all(_in_order(chunk) for chunk in column.chunks):
        return column
    made = [None if pairs is None else _cut_map(pairs) for pairs in column.to_pylist()]
    return pa.chunked_array([pa.array(made, column.type)])


def _with_few_resources(records: pa.Table) -> pa.Table:
    """Resources that are shared, if each is within the limits; else each record with its own."""
    import pyarrow as pa

    from workspace_ext.telemetry.ingest.resources import with_maps
    from workspace_ext.telemetry.schema import RESOURCE

    if RESOURCE not in records.column_names:
        return records
    column = records[RESOURCE]
    if not pa.types.is_dictionary(column.type):
        return records
    maps = pa.chunked_array([chunk.dictionary for chunk in column.chunks], column.type.value_type)
    return records if _few(maps, [], RESOURCE) is maps else with_maps(records)


def _entries(maps: pa.MapArray) -> tuple[Any, Any]:
    """The keys and items of these maps, and of no others in the same memory."""
    offsets = _offsets(maps)
    first, count = int(offsets[0]), int(offsets[-1] - offsets[0])
    return maps.keys.slice(first, count), maps.items.slice(first, count)


def _few_within(column: pa.ChunkedArray, told: list[str], name: str) -> pa.ChunkedArray:
    """The same for the attributes of events within spans."""
    import pyarrow as pa

    kind = column.type.value_type.field("attributes").type
    maps = [chunk.flatten().field("attributes") for chunk in column.chunks]
    every = pa.chunked_array(maps, kind)
    if _few(every, told, name) is every:
        return column
    made = [
        [{**event, "attributes": _cut_map(event["attributes"] or [])} for event in events or ()]
        for events in column.to_pylist()
    ]
    return pa.chunked_array([pa.array(made, column.type)])


def _in_order(maps: pa.MapArray) -> bool:
    """Whether in each map the keys rise."""
    import numpy as np
    import pyarrow.compute as pc

    offsets = _offsets(maps)
    keys, _ = _entries(maps)
    if len(keys) < 2:
        return True
    rising = np.array(pc.less(keys.slice(0, len(keys) - 1), keys.slice(1)))
    firsts = offsets[1:-1] - offsets[0]
    rising[firsts[(firsts > 0) & (firsts < len(keys))] - 1] = True
    return bool(rising.all())


def _has_long(texts: pa.Array) -> bool:
    import pyarrow.compute as pc

    return _may_be_long(texts) and (pc.max(pc.utf8_length(texts)).as_py() or 0) > TEXT


def _cut_map(pairs: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    made = {_cut(key): _cut(value) for key, value in pairs if key == key}  # noqa: PLR0124 - NaN
    return sorted(made.items())[:ATTRIBUTES]


def _cut(value: Any) -> Any:
    return value[:TEXT] + _CUT if isinstance(value, str) and len(value) > TEXT else value


def _many_names(records: pa.Table) -> list[str]:
    """Warnings about columns with very many different services or names of attributes."""
    import pyarrow as pa

    told: list[str] = []
    for name, kind in zip(records.column_names, records.schema.types, strict=True):
        if name == "service":
            _tell_many(records.column(name), told, "services")
        elif pa.types.is_map(kind) and pa.types.is_string(kind.key_type):
            keys = [_entries(chunk)[0] for chunk in records.column(name).chunks]
            _tell_many(pa.chunked_array(keys, pa.string()), told, f"names of {name}")
    return told


def _tell_many(values: Any, told: list[str], what: str) -> None:
    import pyarrow.compute as pc

    if len(values) <= NAMES:
        return
    count = pc.count_distinct(values).as_py()
    if count > NAMES:
        told.append(f"{count} different {what}: is a value such as an id taken for a name?")
