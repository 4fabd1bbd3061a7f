/*---
id: triage.overview
version: 1
title: Triage overview
question: Which services changed their rate, errors or duration against the baseline?
status: draft
params:
  window:    {type: window, help: "when it hurts"}
  baseline:  {type: window, help: "when it was fine"}
  min_calls: {type: int, default: 20, min: 1, help: "fewer calls say nothing"}
  min_ratio: {type: float, default: 1.5, min: 1, help: "how many times slower counts as slower"}
requires: [spans.service]
returns: {service: VARCHAR, calls: BIGINT, baseline_calls: BIGINT, p95_ms: DOUBLE, baseline_p95_ms: DOUBLE, p95_ratio: DOUBLE}
interesting: "p95_ratio >= min_ratio AND calls >= min_calls"
reason: "{service}: p95 {p95_ms:.1f} ms, {p95_ratio:.1f}x its baseline, over {calls} calls"
chart: {mark: bar, x: p95_ratio, y: service}
---*/
WITH both_windows AS (
    SELECT service, duration_ns / 1e6 AS ms,
           time >= $window_start AND time < $window_end AS in_window
    FROM spans
    WHERE (time >= $window_start AND time < $window_end)
       OR (time >= $baseline_start AND time < $baseline_end)
)
SELECT service,
       count(*) FILTER (in_window) AS calls,
       count(*) FILTER (NOT in_window) AS baseline_calls,
       quantile_cont(ms, 0.95) FILTER (in_window) AS p95_ms,
       quantile_cont(ms, 0.95) FILTER (NOT in_window) AS baseline_p95_ms,
       (p95_ms + 1) / (baseline_p95_ms + 1) AS p95_ratio
FROM both_windows
GROUP BY service
ORDER BY p95_ratio DESC NULLS LAST, calls DESC, service
