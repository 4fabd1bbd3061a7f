/*---
id: latency.heatmap
version: 2
title: Latency heat map
question: How do the durations of requests spread over time, and when did slow ones appear?
status: stable
params:
  window:    {type: window, help: when it hurts}
  baseline:  {type: window, help: when it was fine; may be shorter or longer than the window}
  service:   {type: service, optional: true, help: "spans of this service; the roots of traces when not given"}
  operation: {type: string, optional: true, help: only spans of this name}
  step:      {type: duration, default: 60s, help: width of a cell}
  min_calls: {type: int, default: 20, min: 2, help: a step with fewer calls is not judged}
  min_share: {type: float, default: 0.05, min: 0, max: 1, help: "how much larger a band's share must be than in the baseline"}
  min_ratio: {type: float, default: 1.25, min: 1, help: "how many times a quantile of the step (50, 90 or 99 %) must be the baseline's; a band's border alone is no slowness"}
  min_z:     {type: float, default: 4, min: 0, help: how many standard errors away from chance a single cell must be}
requires: [spans.duration_ns]
returns:
  time: TIMESTAMP WITH TIME ZONE
  end_time: TIMESTAMP WITH TIME ZONE
  band: VARCHAR
  at_least_ms: DOUBLE
  below_ms: DOUBLE
  calls: BIGINT
  all_calls: BIGINT
  share: DOUBLE
  baseline_share: DOUBLE
  z: DOUBLE
  needed_z: DOUBLE
  p50_ms: DOUBLE
  p90_ms: DOUBLE
  p99_ms: DOUBLE
  baseline_p50_ms: DOUBLE
  baseline_p90_ms: DOUBLE
  baseline_p99_ms: DOUBLE
columns:
  z: "standard errors by which it differs from the baseline; about 3 is rare by chance, if it is looked at once"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  share: "of the step's calls, so many take that long"
interesting: CASE WHEN all_calls >= min_calls AND baseline_share IS NOT NULL THEN at_least_ms > baseline_p50_ms AND share - baseline_share >= min_share AND z >= needed_z AND greatest(p50_ms / baseline_p50_ms, p90_ms / baseline_p90_ms, p99_ms / baseline_p99_ms) >= min_ratio END
reason: "from {time} on {share:.0%} of the calls take {band} against {baseline_share:.1%} in the baseline ({calls} of {all_calls}; p50 {p50_ms:.0f} ms, p90 {p90_ms:.0f} ms, p99 {p99_ms:.0f} ms in that step)"
quiet: "no step has more slow calls than the baseline, beyond chance (baseline p50 {baseline_p50_ms:.0f} ms, p90 {baseline_p90_ms:.0f} ms, p99 {baseline_p99_ms:.0f} ms)"
empty: "no request of what was asked is recorded in the window: there was none, or nobody told of it"
covers:
  - "bands of durations, each twice as long as the one below; two peaks show as two stripes"
  - quantiles of each step, and of the baseline
not_covered:
  - steps without calls have no cells
  - mixed operations; give service and operation to see one
next:
  - {template: latency.shift, params: {service: $service}}
  - {template: attributes.compare, params: {service: $service, operation: $operation, bad: "'slow'"}}
chart: {mark: rect, x: time, x2: end_time, y: band, color: share, top: 3000}
references:
  - "B. Gregg, Visualizing System Latency (ACM Queue, 2010)"
  - "needed_z: min_z, raised for the number of cells looked at (Bonferroni by the Gaussian tail)"
  - "z: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many"
---*/
WITH calls AS (
    SELECT true AS is_now, time, duration_ns / 1e6 AS ms FROM spans
    WHERE time >= $window_start AND time < $window_end AND duration_ns IS NOT NULL
      AND ($operation IS NULL OR name = $operation)
      AND CASE WHEN $service IS NULL THEN $operation IS NOT NULL OR parent_span_id IS NULL
               ELSE service = $service END
    UNION ALL
    SELECT false, time, duration_ns / 1e6 FROM spans
    WHERE time >= $baseline_start AND time < $baseline_end AND duration_ns IS NOT NULL
      AND ($operation IS NULL OR name = $operation)
      AND CASE WHEN $service IS NULL THEN $operation IS NOT NULL OR parent_span_id IS NULL
               ELSE service = $service END
),
placed AS (
    SELECT is_now, ms, ceil(log2(greatest(ms, 0.001)) + 1e-9)::BIGINT AS power,
           floor((epoch_us(time) - epoch_us($window_start::TIMESTAMPTZ)) / 1e6 / $step)::BIGINT AS step
    FROM calls
),
usual AS (
    SELECT count(*) AS n0, quantile_cont(ms, [0.5, 0.9, 0.99]) AS q FROM placed WHERE NOT is_now
),
usual_bands AS (SELECT power, count(*) AS b0 FROM placed WHERE NOT is_now GROUP BY power),
steps AS (
    SELECT step, count(*) AS all_calls, quantile_cont(ms, [0.5, 0.9, 0.99]) AS q
    FROM placed WHERE is_now GROUP BY step
),
cells AS (SELECT step, power, count(*) AS calls FROM placed WHERE is_now GROUP BY step, power),
figures AS (
    SELECT step, c.power, c.calls, all_calls, s.q, u.q AS q0, n0, coalesce(b0, 0) AS b0,
           (c.calls + coalesce(b0, 0) + 1) / (all_calls + n0 + 2) AS pooled
    FROM cells AS c JOIN steps AS s USING (step) LEFT JOIN usual_bands AS b ON b.power = c.power, usual AS u
)
SELECT $window_start::TIMESTAMPTZ + to_microseconds((step * $step * 1e6)::BIGINT) AS time,
       $window_start::TIMESTAMPTZ + to_microseconds(((step + 1) * $step * 1e6)::BIGINT) AS end_time,
       printf('%g to %g ms', power(2, power - 1), power(2, power)) AS band,
       power(2, power - 1) AS at_least_ms, power(2, power) AS below_ms, calls, all_calls,
       calls / all_calls AS share, b0 / nullif(n0, 0) AS baseline_share,
       CASE WHEN n0 > 0
            THEN sign(share - baseline_share)
                 * least(abs(share - baseline_share) / sqrt(pooled * (1 - pooled) * (1 / all_calls + 1 / n0)),
                         sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                             [[calls, all_calls * pooled], [all_calls - calls, all_calls * (1 - pooled)],
                              [b0, n0 * pooled], [n0 - b0, n0 * (1 - pooled)]]]), 0))) END AS z,
       sqrt($min_z * $min_z + 2 * ln(count(*) OVER ())) AS needed_z,
       q[1] AS p50_ms, q[2] AS p90_ms, q[3] AS p99_ms,
       q0[1] AS baseline_p50_ms, q0[2] AS baseline_p90_ms, q0[3] AS baseline_p99_ms
FROM figures
ORDER BY at_least_ms DESC, time
LIMIT 3000
