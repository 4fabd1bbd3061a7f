"""Which statement of a program wrote a log line."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from workspace_ext.inquiry.steps.log_patterns import mine

_PLACE = (
    r"(?P<place>(?:[\w$\[\]./\\-]+#"
    r"|[\w./\\-]+\.(?:py|go|js|ts|java|kt|cs|rb|rs|php|cc|cpp|c|h):)\d+)"
)
"""Where code tells its own place, as in ``o.a.Dispatcher#175`` or ``views.py:31``."""
_HEAD = 160
"""A place further on is quoted, as in a stack trace."""
_SAID = r'^\s*\{.*?"(?:message|msg|@message|event)"\s*:\s*"(?P<said>(?:[^"\\]|\\.)*)'
"""What a line in JSON says beside its fields, which tell of the request."""
_ASSIGNED = r"(\w=)[^\s,;&)\]}\"']+"


def statements(bodies: pa.ChunkedArray) -> pa.Array:
    """A name for the statement behind each line: its place, or else its pattern."""
    lines = pc.fill_null(bodies, "").combine_chunks().dictionary_encode()
    head = pc.utf8_slice_codeunits(lines.dictionary, 0, _HEAD)
    places = pc.struct_field(pc.extract_regex(head, _PLACE), "place")
    unplaced = pc.is_null(places)
    texts = lines.dictionary.filter(unplaced)
    said = pc.struct_field(pc.extract_regex(texts, _SAID), "said")
    texts = pc.replace_substring_regex(pc.coalesce(said, texts), _ASSIGNED, r"\1<*>")
    mined = mine(texts)
    patterns = pa.array([pattern.text if pattern else "" for pattern in mined], pa.string())
    return pc.replace_with_mask(places, unplaced, patterns).take(lines.indices)
