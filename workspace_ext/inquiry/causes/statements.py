"""Which statement of a program wrote a log line."""

from __future__ import annotations

import re

import pyarrow as pa

from workspace_ext.inquiry.steps.log_patterns import mine

_PLACE = re.compile(
    r"(?:[\w$\[\]./\\-]+#|[\w./\\-]+\.(?:py|go|js|ts|java|kt|cs|rb|rs|php|cc|cpp|c|h):)\d+"
)
"""Where code tells its own place, as in ``o.a.Dispatcher#175`` or ``views.py:31``."""
_HEAD = 160
"""A place further on is quoted, as in a stack trace."""


def statements(bodies: pa.ChunkedArray) -> pa.Array:
    """A name for the statement behind each line: its place, or else its pattern."""
    encoded = bodies.combine_chunks().dictionary_encode()
    texts = [text or "" for text in encoded.dictionary.to_pylist()]
    names = [place[0] if (place := _PLACE.search(text[:_HEAD])) else None for text in texts]
    unplaced = [at for at, name in enumerate(names) if name is None]
    mined = mine(pa.array([texts[at] for at in unplaced], pa.string()))
    for at, pattern in zip(unplaced, mined, strict=True):
        names[at] = pattern.text if pattern else ""
    return pa.array(names, pa.string()).take(encoded.indices)
