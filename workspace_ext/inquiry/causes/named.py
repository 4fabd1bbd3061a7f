"""Services that leave no spans, where the calls to them tell their names.

A database or a program that nobody instrumented is seen by its callers alone. A call that is
answered by no span, in which the name of such a service is, counts as a visit to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

SHORTEST = 3
"""A shorter name is found by chance in others."""
_BETWEEN = re.compile(r"[^a-z0-9]+")


def with_named(spans: pa.Table, services: Iterable[str]) -> pa.Table:
    """The spans, and a visit below each call that names one of the services, and no other.

    Args:
        spans: See `read_calls`.
        services: Those of which there is something else than spans.
    """
    traced = set(pc.unique(spans.column("service")).to_pylist())
    plain = {_plain(each): each for each in set(services) - traced if each}
    wanted = {word: each for word, each in plain.items() if len(word) >= SHORTEST}
    if not wanted or not spans.num_rows:
        return spans
    names = spans.column("name").combine_chunks().dictionary_encode()
    called = pa.array(
        [_called(name or "", wanted) for name in names.dictionary.to_pylist()], pa.string()
    )
    callee = called.take(names.indices)
    asks = pc.is_in(
        spans.column("text"), pa.array(["client", "producer", "unspecified", "internal", None])
    )
    rows = spans.append_column("callee", callee).filter(pc.and_(pc.is_valid(callee), asks))
    keys = _keys(rows.column("trace_id"), rows.column("span_id"))
    answered = pc.unique(_keys(spans.column("trace_id"), spans.column("parent_span_id")))
    rows = rows.filter(pc.invert(pc.is_in(keys, answered)))
    below = {
        "span_id": pc.binary_join_element_wise(rows.column("span_id"), "callee", " "),
        "parent_span_id": rows.column("span_id"),
        "service": rows.column("callee"),
        "pod": pa.nulls(rows.num_rows, pa.string()),
        # how much of the call was the way, only what else waits can tell
        "duration_ns": pa.repeat(pa.scalar(0, pa.int64()), rows.num_rows),
        "text": pa.repeat(pa.scalar("server"), rows.num_rows),
    }
    visits = [below.get(name, rows.column(name)) for name in spans.column_names]
    return pa.concat_tables([spans, pa.table(visits, schema=spans.schema)])


def _called(name: str, wanted: dict[str, str]) -> str | None:
    """The longest of the names in it."""
    text = _plain(name)
    found = [word for word in wanted if word in text]
    return wanted[max(found, key=lambda word: (len(word), word))] if found else None


def _plain(name: str) -> str:
    return _BETWEEN.sub("", name.lower())


def _keys(trace: pa.ChunkedArray, span: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.binary_join_element_wise(trace, span, " ")
