"""A small template that holds, and ways to break it."""

from __future__ import annotations

from pathlib import Path

HEADER = """\
id: cart.slow
version: 1
title: Slow calls
question: Which operations of a service are slow?
status: stable
params:
  window:  {type: window}
  service: {type: service, optional: true, help: one service only}
  limit_ms: {type: float, default: 100, min: 0, max: 10000}
requires: [spans.duration_ns]
returns: {service: VARCHAR, calls: BIGINT, slowest_ms: DOUBLE}
interesting: slowest_ms > limit_ms
reason: "{service}: {slowest_ms:.0f} ms"
quiet: "the slowest call of {service} took {slowest_ms:.0f} ms"
covers: [spans]
not_covered: [everything else]
chart: {mark: bar, x: slowest_ms, y: service}
"""

SQL = """\
SELECT service, count(*) AS calls, max(duration_ns) / 1e6 AS slowest_ms
FROM spans
WHERE time >= $window_start AND time < $window_end AND ($service IS NULL OR service = $service)
GROUP BY service
ORDER BY slowest_ms DESC, service
"""

FIXTURES = """\
origin: 2024-05-01T12:00:00Z
window: [0s, 60s]
cases:
  - name: slow
    spans:
      - {at: 1s, service: cart, duration: 300ms}
    expect: {interesting: true, rows: 1, first: {slowest_ms: 300}, reason: "cart: 300 ms"}
  - name: fast
    spans:
      - {at: 1s, service: cart, duration: 30ms}
    expect: {interesting: false, warning: the window has only 1 spans}
  - name: nothing
    expect: {interesting: null, rows: 0}
"""


def write_template(
    folder: Path,
    *,
    header: str = HEADER,
    sql: str = SQL,
    fixtures: str | None = FIXTURES,
    name: str = "cart/slow",
) -> Path:
    """Writes a template with its fixtures under a folder of templates; returns its path."""
    path = folder / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"/*---\n{header}---*/\n{sql}", encoding="utf-8")
    if fixtures is not None:
        path.with_suffix(".fixtures.yaml").write_text(fixtures, encoding="utf-8")
    return path
