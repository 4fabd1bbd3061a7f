/*---
id: traffic.retry_storm
version: 4
title: Retry storm
question: Do retries multiply the load on a callee?
status: stable
params:
  window:      {type: window, help: when it hurts}
  baseline:    {type: window, help: when it was fine; may be shorter or longer than the window}
  service:     {type: service, optional: true, help: only retries of calls to or from this service}
  min_ratio:   {type: float, default: 1.2, min: 1, help: "calls in proportion to first tries that count: 1.2 is a fifth more load"}
  min_retries: {type: int, default: 10, min: 1, help: fewer retries are not judged}
  min_z:       {type: float, default: 3, min: 0, help: how many standard errors away from chance}
requires: [spans.parent_span_id]
returns:
  caller: VARCHAR
  callee: VARCHAR
  operation: VARCHAR
  calls: BIGINT
  retries: BIGINT
  ratio: DOUBLE
  baseline_ratio: DOUBLE
  baseline_calls: BIGINT
  most_tries: BIGINT
  error_share: DOUBLE
  baseline_error_share: DOUBLE
  z: DOUBLE
  needed_z: DOUBLE
  example_trace: VARCHAR
  edge: VARCHAR
columns:
  ratio: "calls over first tries"
  z: "standard errors by which it differs from the baseline, retries of one trace coming together; about 3 is rare by chance, if it is looked at once"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
interesting: ratio >= min_ratio AND ratio >= 1.1 * coalesce(baseline_ratio, 1) AND retries >= min_retries AND z >= needed_z
reason: "{edge} {operation}: retries make {ratio:.2f}x the calls ({retries} of {calls} are retries, up to {most_tries} tries a request; {baseline_ratio:.2f}x in the baseline), {error_share:.0%} of the calls fail"
quiet: "no call is repeated after a failure so often that it makes {min_ratio:g}x the load and more than in the baseline; the most is {ratio:.2f}x ({edge} {operation})"
empty: "no call between services is recorded in the window"
covers:
  - a call of the same operation below the same span, begun after an earlier one there had failed and ended
  - "spans with http.request.resend_count above 0"
not_covered:
  - retries of the whole request by users, queues or gateways, which begin a new trace
  - hedged requests, which do not wait for the failure
  - failures that are marked neither by status nor by an ERROR log
next:
  - {template: errors.origin, params: {service: callee}}
  - {template: dependencies.blast_radius, params: {service: callee}}
  - {template: saturation.pool_exhaustion, params: {service: callee}}
chart: {mark: bar, x: ratio, y: operation, color: edge}
references:
  - "Google, Site Reliability Engineering, ch. 22: Addressing Cascading Failures (retries)"
  - "OpenTelemetry semantic conventions: http.request.resend_count"
  - "z: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many; over the root of the design effect: sum of n² over sum of n, for n retries in each trace (J. N. K. Rao and A. J. Scott, Statistics in Medicine, 1999, on clustered counts); needed_z: min_z, raised for the number of edges (Bonferroni by the Gaussian tail: z² = min_z² + 2 ln m)"
---*/
-- Ids as numbers: two spans of a question share one by chance less than once in a million questions.
WITH seen AS (
    SELECT true AS is_now, time, duration_ns, trace_id, span_id, service, name, status, kind,
           hash(true, trace_id, span_id) AS span,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(true, trace_id, parent_span_id) END AS parent,
           coalesce(try_cast(attributes['http.request.resend_count'] AS BIGINT), 0) > 0 AS resent
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, time, duration_ns, trace_id, span_id, service, name, status, kind,
           hash(false, trace_id, span_id),
           CASE WHEN parent_span_id IS NOT NULL THEN hash(false, trace_id, parent_span_id) END,
           coalesce(try_cast(attributes['http.request.resend_count'] AS BIGINT), 0) > 0
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end
),
error_logs AS (
    SELECT trace_id, span_id FROM logs
    WHERE time >= $window_start AND time < $window_end + INTERVAL 1 MINUTE
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
    UNION
    SELECT trace_id, span_id FROM logs
    WHERE time >= $baseline_start AND time < $baseline_end + INTERVAL 1 MINUTE
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
),
below AS (
    SELECT is_now, trace_id, span, span_id, parent, service, name, kind, time, duration_ns, resent,
           hash(parent, service, name) AS call,
           status IS NOT DISTINCT FROM 'error'
           OR span IN (SELECT unnest([hash(true, trace_id, span_id), hash(false, trace_id, span_id)])
                       FROM error_logs WHERE trace_id IS NOT NULL AND span_id IS NOT NULL) AS failed
    FROM seen WHERE parent IS NOT NULL
),
-- Only a call that failed, or says that it was sent again, makes retries of it and of those beside it.
tries AS (
    SELECT span, is_now, trace_id, service, name, resent OR coalesce(min(time + to_microseconds(coalesce(duration_ns, 0) // 1000))
                                        FILTER (failed) OVER earlier <= time, false) AS retry,
           count(*) OVER (PARTITION BY call) AS together
    FROM below SEMI JOIN (SELECT call FROM below WHERE failed OR resent) USING (call)
    WINDOW earlier AS (PARTITION BY call ORDER BY time, span_id
                       ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
-- The retries of one trace come together.
retries AS (
    SELECT span, together, count(*) OVER (PARTITION BY is_now, trace_id, service, name) AS alike
    FROM tries WHERE retry
),
calls AS (
    SELECT b.is_now, coalesce(p.service, '(unknown)') AS caller, b.service AS callee,
           b.name AS operation, b.failed, t.span IS NOT NULL AS retry, t.together, t.alike, b.trace_id
    FROM below AS b
    LEFT JOIN retries AS t ON t.span = b.span
    LEFT JOIN seen AS p ON p.span = b.parent
    WHERE b.kind IN ('client', 'producer') OR p.service IS DISTINCT FROM b.service
),
edges AS (
    SELECT caller, callee, operation,
           count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0,
           count(*) FILTER (is_now AND retry) AS r1, count(*) FILTER (NOT is_now AND retry) AS r0,
           count(*) FILTER (is_now AND failed) AS bad1, count(*) FILTER (NOT is_now AND failed) AS bad0,
           coalesce(max(together) FILTER (is_now AND retry), 1) AS most_tries,
           min(trace_id) FILTER (is_now AND retry) AS example_trace,
           sum(n0) OVER () AS all_n0, coalesce(avg(alike), 1) AS design_effect,
           -- a new edge is compared with half a retry in one call that was not made
           r0 + 0.5 AS retries0, (r1 + retries0) / (n1 + n0 + 1) AS pooled
    FROM calls
    WHERE $service IS NULL OR caller = $service OR callee = $service
    GROUP BY caller, callee, operation HAVING n1 > 0
)
SELECT caller, callee, operation, n1 AS calls, r1 AS retries,
       n1 / greatest(n1 - r1, 1) AS ratio,
       CASE WHEN n0 > 0 THEN n0 / greatest(n0 - r0, 1) END AS baseline_ratio, n0 AS baseline_calls,
       most_tries, bad1 / n1 AS error_share, bad0 / nullif(n0, 0) AS baseline_error_share,
       CASE WHEN all_n0 > 0 AND n1 >= $min_retries
            THEN sign(r1 / n1 - retries0 / (n0 + 1))
                 * least(abs(r1 / n1 - retries0 / (n0 + 1)) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / (n0 + 1))),
                         sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                             [[r1, n1 * pooled], [n1 - r1, n1 * (1 - pooled)],
                              [retries0, (n0 + 1) * pooled], [n0 + 1 - retries0, (n0 + 1) * (1 - pooled)]]]), 0)))
                 / sqrt(design_effect) END AS z,
       sqrt($min_z * $min_z + 2 * ln(greatest(count(*) FILTER (n1 >= $min_retries) OVER (), 1)))
           AS needed_z,
       example_trace, caller || ' → ' || callee AS edge
FROM edges
ORDER BY coalesce(ratio >= $min_ratio AND ratio >= 1.1 * coalesce(baseline_ratio, 1)
                  AND retries >= $min_retries AND z >= needed_z, false) DESC,
         ratio DESC, z DESC NULLS LAST, calls DESC, caller, callee, operation
LIMIT 200
