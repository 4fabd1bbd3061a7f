"""Answers as a broker gives them, for what shows and completes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from workspace_kernel.result import Result


def answer(**changes: Any) -> dict[str, Any]:
    return {
        "query": "q1",
        "template": {"id": "latency.shift", "version": 2, "digest": "sha256:" + "0" * 64},
        "title": "Latency shift",
        "question": "Which operations got slower?",
        "params": {},
        "pin": 4,
        "rows": 2,
        "digest": "sha256:" + "0" * 64,
        "unordered_digest": None,
        "verdict": {
            "interesting": True,
            "reason": "cart: p95 900.0 ms",
            "rows": 2,
            "interesting_rows": 1,
            "warnings": ["only 3 traces"],
        },
        "compare": {"mode": "ordered", "reason": ""},
        "chart": {
            "title": "Latency shift",
            "mark": {"type": "bar", "tooltip": True},
            "transform": [],
            "encoding": {
                "x": {"field": "p95", "type": "quantitative", "title": "p95"},
                "y": {"field": "service", "type": "nominal", "sort": None},
            },
        },
        "next": [],
        "test": None,
        "elapsed_ms": 7,
        "error": None,
        **changes,
    }


@pytest.fixture
def make() -> Callable[..., Result]:
    def make(columns: dict[str, Any], **changes: Any) -> Result:
        return Result(pa.table(columns), answer(**changes))  # type: ignore[arg-type]

    return make
