"""What the rows of made-up incidents have in common, as the step ``rca.ranking`` gets them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from workspace_ext.foundation.clock import moment

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


@dataclass
class Planted:
    """An incident whose cause is known; it happens at `START`.

    Attributes:
        seed: Of all that is drawn, the system and its habits included.
        kind: The fault, or what goes on without one.
        rows: Those of its table.
        services: Their names.
        guilty: The number of the service with the fault; -1 when there is none.
        onset: When the fault begins after `START`, in seconds unless `onset_s` says otherwise.
    """

    seed: int
    kind: str
    rows: list[dict[str, Any]] = field(init=False, default_factory=list)
    services: list[str] = field(init=False)
    guilty: int = field(init=False)
    onset: int = field(init=False)

    @property
    def truth(self) -> str | None:
        """The service with the fault."""
        return self.services[self.guilty] if self.guilty >= 0 else None

    @property
    def onset_s(self) -> int:
        """When the fault begins, in seconds after `START`."""
        return self.onset

    @property
    def began(self) -> str:
        """The onset, as the template takes it."""
        return f"{moment(START + self.onset_s * SECOND):%Y-%m-%dT%H:%M:%SZ}"


def asked(window_s: int, before_s: int, gap_s: int = 0) -> dict[str, Any]:
    """The template's parameters but the symptom: a window from `START`, a baseline before it."""
    return {
        "window_start": moment(START),
        "window_end": moment(START + window_s * SECOND),
        "baseline_start": moment(START - (gap_s + before_s) * SECOND),
        "baseline_end": moment(START - gap_s * SECOND),
        "onset": None,
        "slack": 60.0,
        "history": 3600.0,
        "service": None,
        "symptom": None,
        "min_score": 0.02,
        "min_margin": 0.2,
    }
