/*---
id: traces.exemplars
version: 2
title: Exemplar traces
question: Which traces show the trouble best, and where did their time go?
status: stable
params:
  window:    {type: window, help: when it hurts}
  service:   {type: service, optional: true, help: only traces that this service takes part in}
  operation: {type: string, optional: true, help: only traces whose root has this name}
  each:      {type: int, default: 3, min: 1, max: 50, help: "how many slow, failing and typical traces"}
  min_ratio: {type: float, default: 3, min: 1, help: how many times slower than the typical trace counts}
  min_traces: {type: int, default: 20, min: 1, help: with fewer traces nothing is judged}
  min_share: {type: float, default: 0.02, min: 0, max: 1, help: "the share of traces like it that must be sure: a few always fail or take long"}
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
  low_share: DOUBLE
interesting: CASE WHEN traces >= min_traces THEN (sort = 'failing' OR (sort = 'slow' AND ratio >= min_ratio)) AND low_share >= min_share END
reason: "{sort} trace {trace_id}: {root_service} {root_operation} took {ms:.0f} ms ({ratio:.1f}x the typical {typical_ms:.0f} ms), {errors} failing spans; {top_share:.0%} of the time in {top_service} {top_operation}; {alike} of {traces} traces are like it"
quiet: "of {traces} traces no more than the odd one fails or takes {min_ratio:g}x the typical time (surely less than {min_share:.0%}); the first takes {ms:.0f} ms"
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
  - "low_share: Wilson's lower bound (E. B. Wilson, 1927) of the share of traces like this one (failing; slow by min_ratio), at three standard errors"
---*/
WITH seen AS (
    SELECT time, duration_ns, duration_ns / 1e6 AS ms, trace_id, span_id, parent_span_id, service,
           name, status
    FROM spans WHERE time >= $window_start AND time < $window_end + INTERVAL 1 MINUTE
),
error_logs AS (
    SELECT DISTINCT trace_id, span_id FROM logs
    WHERE time >= $window_start AND time < $window_end + INTERVAL 2 MINUTE
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
),
roots AS (
    SELECT trace_id, time, service, name, ms,
           median(ms) OVER (PARTITION BY service, name) AS typical_ms
    FROM seen
    WHERE parent_span_id IS NULL AND time < $window_end
      AND ($operation IS NULL OR name = $operation)
      AND ($service IS NULL
           OR trace_id IN (SELECT s.trace_id FROM seen AS s WHERE s.service = $service))
),
traces AS (
    SELECT trace_id, count(*) AS spans, count(DISTINCT service) AS services,
           count(*) FILTER (status = 'error' OR e.span_id IS NOT NULL) AS errors
    FROM seen LEFT JOIN error_logs AS e USING (trace_id, span_id)
    WHERE trace_id IN (SELECT r.trace_id FROM roots AS r)
    GROUP BY trace_id
),
ranked AS (
    SELECT *, (ms + 1) / (typical_ms + 1) AS ratio,
           row_number() OVER (ORDER BY ms DESC, trace_id) AS slowness,
           CASE WHEN errors > 0
                THEN row_number() OVER (ORDER BY errors DESC, ms DESC, trace_id) END AS badness,
           row_number() OVER (ORDER BY abs(ms - typical_ms) + CASE WHEN errors > 0 THEN 1e9 ELSE 0 END,
                              trace_id) AS typicality
    FROM roots JOIN traces USING (trace_id)
),
chosen AS (
    SELECT *, count(*) OVER () AS n, count(*) FILTER (errors > 0) OVER () AS failing,
           count(*) FILTER (ratio >= $min_ratio) OVER () AS slow,
           CASE WHEN badness <= $each THEN 'failing' WHEN slowness <= $each THEN 'slow'
                   ELSE 'typical' END AS sort
    FROM ranked QUALIFY badness <= $each OR slowness <= $each OR typicality <= $each
),
parts AS (
    SELECT s.trace_id, s.span_id, s.parent_span_id, s.service, s.name, s.duration_ns, s.time,
           s.time + to_microseconds(s.duration_ns // 1000) AS until
    FROM seen AS s SEMI JOIN chosen USING (trace_id)
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
       c.ms, c.typical_ms, c.ratio, c.spans, c.services, c.errors,
       o.service AS top_service, o.name AS top_operation, o.own_ms AS top_self_ms,
       least(o.own_ms / nullif(c.ms, 0), 1) AS top_share, c.n AS traces,
       CASE c.sort WHEN 'failing' THEN c.failing WHEN 'slow' THEN c.slow END AS alike,
       greatest((alike / n + 4.5 / n - 3 * sqrt(alike / n * (1 - alike / n) / n + 2.25 / (n * n)))
                / (1 + 9 / n), 0) AS low_share
FROM chosen AS c LEFT JOIN own AS o ON o.trace_id = c.trace_id AND o.place = 1
ORDER BY CASE c.sort WHEN 'failing' THEN 1 WHEN 'slow' THEN 2 ELSE 3 END,
         CASE c.sort WHEN 'failing' THEN c.errors ELSE 0 END DESC, c.ms DESC, c.trace_id
