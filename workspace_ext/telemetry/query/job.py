"""What the broker tells a worker, and how a worker ends its answer.

A worker gets one line of JSON and gives an Arrow IPC stream whose last batch has no rows and
carries its `Ending` as custom metadata. A stream without one is a worker that died.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from workspace_ext.telemetry.query.model import Scan

ENDING_KEY = b"investigation.ending"


@dataclass(frozen=True)
class Job:
    """One free query, which has passed the guard.

    Attributes:
        sql: One SELECT.
        values: Its values, as JSON has them.
        pin: The highest batch it sees.
        rows: How many rows it may give.
        segments: For each table, the paths of its segments.
        folder: Where the segments lie; the only folder the worker may read.
        spill: Its own folder for temporary files.
        memory_mb: How much memory the engine may use.
        spill_mb: How much disk.
        threads: How many threads.
    """

    sql: str
    values: Mapping[str, Any]
    pin: int
    rows: int
    segments: Mapping[str, list[str]]
    folder: str
    spill: str
    memory_mb: int
    spill_mb: int
    threads: int

    def to_line(self) -> bytes:
        """The form that travels."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Job:
        """From `to_line`."""
        return cls(**json.loads(line))


@dataclass(frozen=True)
class Ending:
    """How a worker's answer ends: with what was scanned, or with an error.

    Attributes:
        scan: What was read of which tables.
        error: As `InvestigationError.to_dict` has it.
        seconds: Of the processor; None when there is nothing to learn from them.
    """

    scan: tuple[Scan, ...] = ()
    error: dict[str, str] | None = None
    seconds: float | None = None

    def to_bytes(self) -> bytes:
        """The form that travels."""
        scan = [each.to_dict() for each in self.scan]
        return json.dumps({"scan": scan, "error": self.error, "seconds": self.seconds}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Ending:
        """From `to_bytes`."""
        value = json.loads(content)
        scan = tuple(Scan.from_dict(each) for each in value["scan"])
        return cls(scan, value["error"], value["seconds"])
