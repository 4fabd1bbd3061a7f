"""Which statement of a program wrote a log line."""

from __future__ import annotations

import re

import pyarrow as pa

_PLACE = re.compile(
    r"(?:[\w$\[\]./\\-]+#|[\w./\\-]+\.(?:py|go|js|ts|java|kt|cs|rb|rs|php|cc|cpp|c|h):)\d+"
)
"""Where code tells its own place, as in ``o.a.Dispatcher#175`` or ``views.py:31``."""
_HEAD = 160
"""A place further on is quoted, as in a stack trace."""
_WORD = re.compile(r"[\s\[\]:,=(){}\"'|]+")


def statements(bodies: pa.ChunkedArray) -> pa.Array:
    """A name for the statement behind each line: its place, or else its words without values."""
    encoded = bodies.combine_chunks().dictionary_encode()
    names = pa.array(
        [statement(text or "") for text in encoded.dictionary.to_pylist()], pa.string()
    )
    return names.take(encoded.indices)


def statement(body: str) -> str:
    """See `statements`."""
    place = _PLACE.search(body[:_HEAD])
    if place:
        return place[0]
    words = _WORD.split(body[: 2 * _HEAD])
    return " ".join("*" if any(map(str.isdigit, word)) else word for word in words)[:_HEAD]
