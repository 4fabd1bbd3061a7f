/*---
id: latency.self_time
version: 3
title: Self-time breakdown
question: In whose own work is the time of requests spent, and whose work grew?
status: stable
params:
  window:     {type: window, help: when it hurts}
  baseline:   {type: window, help: when it was fine; may be shorter or longer than the window}
  service:    {type: service, optional: true, help: only operations of this service}
  operation:  {type: string, optional: true, help: only traces whose root has this name}
  min_traces: {type: int, default: 20, min: 2, help: "with fewer traces, then or now, nothing is judged"}
  min_ms:     {type: float, default: 5, min: 0, help: "milliseconds a trace more that count at least, in the mean over all traces"}
  min_ratio:  {type: float, default: 1.3, min: 1, help: how many times more counts}
  min_z:      {type: float, default: 3, min: 0, help: how many standard errors away from chance a single operation must be}
requires: [spans.parent_span_id]
returns:
  service: VARCHAR
  operation: VARCHAR
  ms_per_trace: DOUBLE
  baseline_ms_per_trace: DOUBLE
  added_ms: DOUBLE
  ratio: DOUBLE
  share: DOUBLE
  baseline_share: DOUBLE
  share_of_added: DOUBLE
  calls_per_trace: DOUBLE
  baseline_calls_per_trace: DOUBLE
  z: DOUBLE
  needed_z: DOUBLE
  calls: BIGINT
  traces: BIGINT
  baseline_traces: BIGINT
  label: VARCHAR
columns:
  ms_per_trace: "own time of the operation in a trace, in the mean"
  share: "of the own time of all operations"
  share_of_added: "of all that was added to traces"
  z: "standard errors by which it differs from the baseline; about 3 is rare by chance, if it is looked at once"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  ratio: "ms_per_trace over the baseline, a millisecond added to both"
interesting: CASE WHEN traces >= min_traces AND baseline_traces >= min_traces THEN added_ms >= min_ms AND ratio >= min_ratio AND z >= needed_z END
reason: "{label}: {ms_per_trace:.1f} ms of its own in each trace against {baseline_ms_per_trace:.1f} ms ({ratio:.1f}x, {calls_per_trace:.1f} calls a trace against {baseline_calls_per_trace:.1f}); {share:.0%} of all own time"
quiet: "no operation spends {min_ms:g} ms and {min_ratio:g}x more of its own in a trace than in the baseline, beyond chance; most time is spent in {label} ({share:.0%})"
empty: "no whole trace of what was asked is recorded in the window"
covers:
  - "own time: a span's time in which none of its children runs; parallel children are counted once"
  - more calls as well as slower ones
not_covered:
  - time in calls that have no span of their own; it counts as the caller's own
  - own time in parallel branches adds up to more than the request took; see traces.critical_path
  - traces that lie across the window's edge
next:
  - {template: latency.shift, params: {service: service}}
  - {template: saturation.use, params: {service: service}}
  - {template: metrics.shift, params: {service: service}}
chart: {mark: bar, x: ms_per_trace, y: label, color: service, top: 15}
references:
  - "z of Welch for the mean over traces; needed_z: min_z, raised for the number of operations (Bonferroni by the Gaussian tail)"
---*/
-- Ids as numbers: two spans of a question share one by chance less than once in a million questions.
WITH seen AS (
    SELECT true AS is_now, epoch_us(time) AS start_us, epoch_us(time) + coalesce(duration_ns, 0) // 1000 AS end_us,
           hash(is_now, trace_id) AS trace, span_id, hash(trace, span_id) AS span,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(trace, parent_span_id) END AS parent,
           CASE WHEN service IS NOT NULL AND parent IS NOT NULL THEN hash(parent, service) END AS siblings,
           hash(service, name) AS op
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false AS is_now, epoch_us(time), epoch_us(time) + coalesce(duration_ns, 0) // 1000,
           hash(is_now, trace_id) AS trace, span_id, hash(trace, span_id),
           CASE WHEN parent_span_id IS NOT NULL THEN hash(trace, parent_span_id) END AS parent,
           CASE WHEN service IS NOT NULL AND parent IS NOT NULL THEN hash(parent, service) END,
           hash(service, name)
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end
),
names AS (
    SELECT hash(service, name) AS op, service, name
    FROM (SELECT service, name FROM spans WHERE time >= $window_start AND time < $window_end
          UNION
          SELECT service, name FROM spans WHERE time >= $baseline_start AND time < $baseline_end)
),
beside AS (
    SELECT * FROM seen SEMI JOIN (
        SELECT siblings FROM seen WHERE siblings IS NOT NULL GROUP BY siblings HAVING count(*) > 1
    ) USING (siblings)
),
-- Reactive servers record the call they wait for beside the handler that waits: it counts as below it.
awaited AS (
    SELECT b.span, min({'id': w.span_id, 'span': w.span}).span AS parent
    FROM (SELECT * FROM beside ANTI JOIN seen AS c ON c.parent = beside.span) AS w
    JOIN (SELECT * FROM beside SEMI JOIN seen AS c ON c.parent = beside.span) AS b
      ON b.siblings = w.siblings AND b.start_us >= w.start_us AND b.end_us <= w.end_us + 1000
    GROUP BY b.span
),
below AS (
    SELECT parent, start_us, end_us,
           max(end_us) OVER (PARTITION BY parent ORDER BY start_us
                             ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_us
    FROM (SELECT coalesce(a.parent, s.parent) AS parent, start_us, end_us
          FROM seen AS s LEFT JOIN awaited AS a USING (span) WHERE s.parent IS NOT NULL)
),
children AS (
    SELECT p.span, sum(greatest(least(c.end_us, p.end_us)
                                - greatest(c.start_us, p.start_us, c.covered_us), 0)) AS child_us
    FROM below AS c JOIN seen AS p ON p.span = c.parent GROUP BY p.span
),
roots AS (
    SELECT DISTINCT is_now, trace FROM seen
    WHERE parent IS NULL AND ($operation IS NULL OR op IN (SELECT n.op FROM names AS n WHERE n.name = $operation))
),
per_trace AS (
    SELECT bool_and(s.is_now) AS is_now, s.op, count(*) AS calls,
           sum(greatest(s.end_us - s.start_us - coalesce(c.child_us, 0), 0))::BIGINT AS own_us
    FROM seen AS s SEMI JOIN roots USING (trace)
    LEFT JOIN children AS c USING (span)
    GROUP BY s.trace, s.op
),
totals AS (
    SELECT count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0 FROM roots
),
-- Whole microseconds: their sums come out the same each time.
operations AS (
    SELECT op,
           coalesce(sum(calls) FILTER (is_now), 0) AS calls1, coalesce(sum(calls) FILTER (NOT is_now), 0) AS calls0,
           coalesce(sum(own_us) FILTER (is_now), 0) AS s1,
           coalesce(sum(own_us) FILTER (NOT is_now), 0) AS s0,
           coalesce(sum(own_us::HUGEINT * own_us) FILTER (is_now), 0)::DOUBLE AS q1,
           coalesce(sum(own_us::HUGEINT * own_us) FILTER (NOT is_now), 0)::DOUBLE AS q0
    FROM per_trace GROUP BY op
),
figures AS (
    SELECT *, s1 / nullif(n1, 0) AS m1, s0 / nullif(n0, 0) AS m0,
           greatest(q1 / nullif(n1, 0) - m1 * m1, 0) / nullif(n1, 0)
           + greatest(q0 / nullif(n0, 0) - m0 * m0, 0) / nullif(n0, 0) AS variance,
           s1 / nullif(sum(s1) OVER (), 0) AS share, s0 / nullif(sum(s0) OVER (), 0) AS baseline_share,
           greatest(s1 * n0 - s0 * n1, 0) AS added, sum(added) OVER () AS all_added,
           sqrt($min_z * $min_z + 2 * ln(count(*) OVER ())) AS needed_z
    FROM operations JOIN names USING (op), totals
)
SELECT service, name AS operation, m1 / 1e3 AS ms_per_trace, m0 / 1e3 AS baseline_ms_per_trace,
       (m1 - m0) / 1e3 AS added_ms, (m1 + 1e3) / (m0 + 1e3) AS ratio, share, baseline_share,
       added / nullif(all_added, 0) AS share_of_added,
       (calls1 / nullif(n1, 0)) AS calls_per_trace, (calls0 / nullif(n0, 0)) AS baseline_calls_per_trace,
       round((m1 - m0) / sqrt(variance + 1), 6) AS z, needed_z,
       calls1::BIGINT AS calls, n1 AS traces, n0 AS baseline_traces,
       coalesce(service || ' ', '') || name AS label
FROM figures WHERE n1 > 0 AND ($service IS NULL OR service = $service)
ORDER BY coalesce(added_ms >= $min_ms AND ratio >= $min_ratio AND z >= needed_z, false) DESC,
         CASE WHEN added_ms >= $min_ms AND ratio >= $min_ratio AND z >= needed_z
              THEN round(added_ms, 6) END DESC NULLS LAST,
         round(ms_per_trace, 6) DESC NULLS LAST, service, operation
LIMIT 200
