"""What the rows of made-up incidents have in common, as the step ``rca.ranking`` gets them."""

from datetime import UTC, datetime

import pyarrow as pa

SECOND = 1_000_000_000
START = int(datetime(2024, 5, 1, 12, tzinfo=UTC).timestamp()) * SECOND
"""When their windows begin."""

SCHEMA = pa.schema(
    {
        "part": pa.string(),
        "is_now": pa.bool_(),
        "time_ns": pa.int64(),
        "duration_ns": pa.int64(),
        "trace_id": pa.string(),
        "span_id": pa.string(),
        "parent_span_id": pa.string(),
        "service": pa.string(),
        "pod": pa.string(),
        "name": pa.string(),
        "failed": pa.bool_(),
        "text": pa.string(),
        "unit": pa.string(),
        "value": pa.float64(),
        "count": pa.float64(),
        "sum": pa.float64(),
    }
)
