/*---
id: traces.exemplars
version: 3
title: Exemplar traces
question: Which traces show the trouble best, and where did their time go?
status: stable
params:
  window:    {type: window, help: when it hurts}
  baseline:  {type: window, help: when it was fine; may be shorter or longer than the window}
  service:   {type: service, optional: true, help: only traces that this service takes part in}
  operation: {type: string, optional: true, help: only traces whose root has this name}
  each:      {type: int, default: 3, min: 1, max: 50, help: "how many slow, failing and typical traces"}
  min_ratio: {type: float, default: 3, min: 1, help: "how many times slower counts than the typical trace of that root (the baseline's median; the window's, where the baseline has no such trace)"}
  min_traces: {type: int, default: 20, min: 1, help: "with fewer traces, then or now, nothing is judged"}
  min_share: {type: float, default: 0.01, min: 0, max: 1, help: "by how much the share of traces like it must surely be larger than in the baseline: a few always fail or take long"}
requires: [spans.parent_span_id]
returns:
  sort: VARCHAR
  trace_id: VARCHAR
  time: TIMESTAMP WITH TIME ZONE
  root_service: VARCHAR
  root_operation: VARCHAR
  ms: DOUBLE
  typical_ms: DOUBLE
  ratio: DOUBLE
  spans: BIGINT
  services: BIGINT
  errors: BIGINT
  top_service: VARCHAR
  top_operation: VARCHAR
  top_self_ms: DOUBLE
  top_share: DOUBLE
  traces: BIGINT
  alike: BIGINT
  share: DOUBLE
  baseline_traces: BIGINT
  baseline_share: DOUBLE
  low_difference: DOUBLE
columns:
  ratio: "how many times as long as a typical trace of the same root takes"
  alike: "traces that fail, or are as slow, too"
  share: "of all traces"
  low_difference: "what the share is larger than in the baseline at least"
interesting: CASE WHEN traces >= min_traces AND baseline_traces >= min_traces THEN (sort = 'failing' OR (sort = 'slow' AND ratio >= min_ratio)) AND low_difference >= min_share END
reason: "{sort} trace {trace_id}: {root_service} {root_operation} took {ms:.0f} ms ({ratio:.1f}x the typical {typical_ms:.0f} ms), {errors} failing spans; {top_share:.0%} of the time in {top_service} {top_operation}; {alike} of {traces} traces are like it ({share:.0%}, {baseline_share:.1%} in the baseline)"
quiet: "of {traces} traces no more fail or take {min_ratio:g}x the typical time than in the baseline, beyond chance and {min_share:.0%}; the first takes {ms:.0f} ms"
empty: "no whole trace of what was asked is recorded in the window"
covers:
  - complete traces, from their root span
  - the span with the most time of its own in each trace
not_covered:
  - traces whose root lies before the window
  - parallel children, whose time is counted more than once
next:
  - {template: errors.origin, when: "errors > 0"}
  - {template: traces.critical_path, when: "errors = 0", params: {operation: root_operation}}
chart: {mark: bar, x: ms, y: trace_id, color: sort}
references:
  - "low_difference: lower bound, at 2.5 standard errors, of the difference between the shares of traces like this one (failing; slow by min_ratio) now and then, from Wilson's intervals of both (R. G. Newcombe, Statistics in Medicine, 1998, method 10)"
---*/
-- Ids as numbers: two spans of a question share one by chance less than once in a million questions.
WITH error_logs AS (
    SELECT hash(trace_id, span_id) AS span FROM logs
    WHERE time >= $window_start AND time < $window_end + INTERVAL 2 MINUTE
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
    UNION ALL
    SELECT hash(trace_id, span_id) FROM logs
    WHERE time >= $baseline_start AND time < $baseline_end + INTERVAL 2 MINUTE
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
),
failures AS (
    SELECT true AS is_now, hash(trace_id) AS trace, count(*) AS errors FROM spans
    WHERE time >= $window_start AND time < $window_end + INTERVAL 1 MINUTE
      AND (status = 'error' OR hash(trace_id, span_id) IN (FROM error_logs))
    GROUP BY trace
    UNION ALL
    SELECT false, hash(trace_id) AS trace, count(*) FROM spans
    WHERE time >= $baseline_start AND time < $baseline_end + INTERVAL 1 MINUTE
      AND (status = 'error' OR hash(trace_id, span_id) IN (FROM error_logs))
    GROUP BY trace
),
roots AS (
    SELECT true AS is_now, trace_id, time, service, name, duration_ns / 1e6 AS ms FROM spans
    WHERE time >= $window_start AND time < $window_end AND parent_span_id IS NULL
      AND ($operation IS NULL OR name = $operation)
      AND ($service IS NULL
           OR trace_id IN (SELECT s.trace_id FROM spans AS s
                           WHERE s.time >= $window_start AND s.time < $window_end + INTERVAL 1 MINUTE
                             AND s.service = $service))
    UNION ALL
    SELECT false, trace_id, time, service, name, duration_ns / 1e6 FROM spans
    WHERE time >= $baseline_start AND time < $baseline_end AND parent_span_id IS NULL
      AND ($operation IS NULL OR name = $operation)
      AND ($service IS NULL
           OR trace_id IN (SELECT s.trace_id FROM spans AS s
                           WHERE s.time >= $baseline_start AND s.time < $baseline_end + INTERVAL 1 MINUTE
                             AND s.service = $service))
),
usual AS (
    SELECT service, name, coalesce(median(ms) FILTER (NOT is_now), median(ms)) AS typical_ms
    FROM roots GROUP BY service, name
),
judged AS (
    SELECT r.*, typical_ms, (ms + 1) / (typical_ms + 1) AS ratio, coalesce(errors, 0) AS errors
    FROM roots AS r JOIN usual AS u
      ON u.service IS NOT DISTINCT FROM r.service AND u.name IS NOT DISTINCT FROM r.name
    LEFT JOIN failures AS f ON f.is_now = r.is_now AND f.trace = hash(r.trace_id)
),
ranked AS (
    SELECT *, row_number() OVER (ORDER BY ms DESC, trace_id) AS slowness,
           row_number() OVER (ORDER BY errors DESC, ms DESC, trace_id) AS badness,
           row_number() OVER (ORDER BY errors > 0, abs(ms - typical_ms), trace_id) AS typicality
    FROM judged WHERE is_now
),
totals AS (
    SELECT count(*) FILTER (is_now) AS n, count(*) FILTER (is_now AND errors > 0) AS failing,
           count(*) FILTER (is_now AND ratio >= $min_ratio) AS slow,
           count(*) FILTER (NOT is_now) AS n0, count(*) FILTER (NOT is_now AND errors > 0) AS failing0,
           count(*) FILTER (NOT is_now AND ratio >= $min_ratio) AS slow0
    FROM judged
),
chosen AS (
    SELECT *, CASE WHEN errors > 0 AND badness <= $each THEN 'failing' WHEN slowness <= $each THEN 'slow'
                   ELSE 'typical' END AS sort
    FROM ranked WHERE (errors > 0 AND badness <= $each) OR slowness <= $each OR typicality <= $each
),
parts AS (
    SELECT trace_id, span_id, parent_span_id, service, name, duration_ns, time,
           time + to_microseconds(duration_ns // 1000) AS until
    FROM spans
    WHERE time >= $window_start AND time < $window_end + INTERVAL 1 MINUTE
      AND trace_id IN (SELECT c.trace_id FROM chosen AS c)
),
sizes AS (
    SELECT trace_id, count(*) AS spans, count(DISTINCT service) AS services FROM parts GROUP BY trace_id
),
children AS (
    SELECT trace_id, parent_span_id AS span_id, sum(duration_ns) AS child_ns
    FROM parts WHERE parent_span_id IS NOT NULL GROUP BY trace_id, parent_span_id
),
-- Reactive servers record the call they wait for beside the handler that waits, not below it.
awaited AS (
    SELECT w.trace_id, w.span_id, sum(b.duration_ns) AS beside_ns
    FROM (SELECT * FROM parts ANTI JOIN children USING (trace_id, span_id)) AS w
    JOIN (SELECT * FROM parts SEMI JOIN children USING (trace_id, span_id)) AS b
      ON b.trace_id = w.trace_id AND b.parent_span_id = w.parent_span_id AND b.service = w.service
     AND b.time >= w.time AND b.until <= w.until + INTERVAL 1 MILLISECOND
    GROUP BY w.trace_id, w.span_id
),
own AS (
    SELECT trace_id, service, name,
           greatest(duration_ns - coalesce(child_ns, 0) - coalesce(beside_ns, 0), 0) / 1e6 AS own_ms,
           row_number() OVER (PARTITION BY trace_id ORDER BY own_ms DESC, time, span_id) AS place
    FROM parts LEFT JOIN children USING (trace_id, span_id)
    LEFT JOIN awaited USING (trace_id, span_id)
)
SELECT c.sort, c.trace_id, c.time, c.service AS root_service, c.name AS root_operation,
       c.ms, c.typical_ms, c.ratio, z.spans, z.services, c.errors,
       o.service AS top_service, o.name AS top_operation, o.own_ms AS top_self_ms,
       least(o.own_ms / nullif(c.ms, 0), 1) AS top_share, n AS traces,
       CASE c.sort WHEN 'failing' THEN failing WHEN 'slow' THEN slow END AS alike,
       alike / n AS share, n0 AS baseline_traces,
       CASE c.sort WHEN 'failing' THEN failing0 WHEN 'slow' THEN slow0 END / nullif(n0, 0) AS baseline_share,
       -- Wilson's bounds at 2.5 standard errors: the lower one of now, the upper one of then
       share - baseline_share
       - sqrt(power(share - (share + 3.125 / n - 2.5 * sqrt(share * (1 - share) / n + 1.5625 / (n * n))) / (1 + 6.25 / n), 2)
              + power((baseline_share + 3.125 / n0 + 2.5 * sqrt(baseline_share * (1 - baseline_share) / n0
                                                                + 1.5625 / (n0 * n0))) / (1 + 6.25 / n0)
                      - baseline_share, 2)) AS low_difference
FROM chosen AS c JOIN sizes AS z USING (trace_id) LEFT JOIN own AS o ON o.trace_id = c.trace_id AND o.place = 1, totals
ORDER BY CASE c.sort WHEN 'failing' THEN 1 WHEN 'slow' THEN 2 ELSE 3 END,
         CASE c.sort WHEN 'failing' THEN c.errors ELSE 0 END DESC, c.ms DESC, c.trace_id
