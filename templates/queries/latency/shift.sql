/*---
id: latency.shift
version: 5
title: Latency shift
question: Which operations got slower than in the baseline, and is the time spent in themselves?
status: stable
params:
  window:    {type: window, help: when it hurts}
  baseline:  {type: window, help: when it was fine; may be shorter or longer than the window}
  service:   {type: service, optional: true, help: one service only}
  quantile:  {type: float, default: 0.95, min: 0.5, max: 0.99, help: which quantile is compared}
  min_calls: {type: int, default: 10, min: 2, help: "with fewer calls, then or now, an operation is not judged"}
  min_ratio: {type: float, default: 1.5, min: 1, help: how many times slower counts}
  min_ms:    {type: float, default: 10, min: 0, help: how many milliseconds slower counts at least}
  min_z:     {type: float, default: 3, min: 0, help: how many standard errors away from chance a single operation must be}
requires: [spans.parent_span_id]
returns:
  service: VARCHAR
  operation: VARCHAR
  calls: BIGINT
  baseline_calls: BIGINT
  ms: DOUBLE
  baseline_ms: DOUBLE
  ratio: DOUBLE
  p50_ms: DOUBLE
  p90_ms: DOUBLE
  p99_ms: DOUBLE
  baseline_p50_ms: DOUBLE
  baseline_p90_ms: DOUBLE
  baseline_p99_ms: DOUBLE
  self_ms: DOUBLE
  baseline_self_ms: DOUBLE
  self_added_ms: DOUBLE
  slow_share: DOUBLE
  slow_z: DOUBLE
  needed_z: DOUBLE
  where_spent: VARCHAR
columns:
  ratio: "ms over the baseline, a millisecond added to both"
  ms: "the quantile asked for"
  self_added_ms: "what the operation itself takes longer, without what it calls"
  slow_share: "of the calls, so many take longer than the baseline's quantile"
  slow_z: "standard errors by which calls take longer than in the baseline: the surer of how many are among the longest, and of all of them"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
interesting: ratio >= min_ratio AND ms - baseline_ms >= min_ms AND slow_z >= needed_z
reason: "{service} {operation}: {ms:.1f} ms at quantile {quantile}, {ratio:.1f}x its baseline of {baseline_ms:.1f} ms ({self_added_ms:+.1f} ms in the operation itself), over {calls} calls"
quiet: "no operation with at least {min_calls} calls is {min_ratio:g}x and {min_ms:g} ms slower than its baseline beyond chance"
empty: "no request of what was asked is recorded in the window: there was none, or nobody told of it"
covers:
  - spans of any kind
  - time in an operation itself apart from time in what it calls
not_covered:
  - time in calls that have no span of their own; it counts as the caller's own
  - children that run in parallel; an operation's own time is then too small
next:
  - {template: attributes.compare, when: "where_spent = 'itself'", params: {service: service, operation: operation, bad: "'slow_itself'"}}
  - {template: latency.heatmap, params: {service: service, operation: operation}}
  - {template: saturation.use, when: "where_spent = 'itself'", params: {service: service}}
  - {template: saturation.pool_exhaustion, when: "where_spent = 'itself'", params: {service: service}}
  - {template: dependencies.map, when: "where_spent = 'what it calls'", params: {service: service}}
chart: {mark: rule, x: baseline_ms, x2: ms, y: operation, color: service, top: 15}
references:
  - "slow_z: the surer of the share of calls above the baseline's quantile, which tells of a longer tail, and Mann and Whitney's U (Annals of Mathematical Statistics, 1947), which needs fewer calls where all take longer"
  - "share of calls above the baseline's quantile, which is itself a guess: one slow call more counts in the baseline; the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many"
  - "needed_z: min_z, raised for the number of comparisons made (Bonferroni by the Gaussian tail: z² = min_z² + 2 ln m)"
---*/
-- Ids as numbers: two spans of a question share one by chance less than once in a million questions.
WITH seen AS (
    SELECT true AS is_now, time, duration_ns,
           hash(true, trace_id, span_id) AS span,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(true, trace_id, parent_span_id) END AS parent,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(true, trace_id, parent_span_id, service) END AS siblings,
           service, name
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, time, duration_ns,
           hash(false, trace_id, span_id),
           CASE WHEN parent_span_id IS NOT NULL THEN hash(false, trace_id, parent_span_id) END,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(false, trace_id, parent_span_id, service) END,
           service, name
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end
),
children AS (
    SELECT parent AS span, sum(duration_ns) AS child_ns FROM seen WHERE parent IS NOT NULL GROUP BY parent
),
beside AS (
    SELECT * FROM seen SEMI JOIN (
        SELECT siblings FROM seen WHERE siblings IS NOT NULL GROUP BY siblings HAVING count(*) > 1
    ) USING (siblings)
),
-- Reactive servers record the call they wait for beside the handler that waits, not below it.
awaited AS (
    SELECT w.span, sum(b.duration_ns) AS beside_ns
    FROM (SELECT * FROM beside ANTI JOIN children USING (span)) AS w
    JOIN (SELECT * FROM beside SEMI JOIN children USING (span)) AS b
      ON b.siblings = w.siblings AND b.service = w.service AND b.time >= w.time
     AND b.time + to_microseconds(b.duration_ns // 1000)
         <= w.time + to_microseconds(w.duration_ns // 1000 + 1000)
    GROUP BY w.span
),
calls AS (
    SELECT is_now, service, name, duration_ns / 1e6 AS ms,
           greatest(duration_ns - coalesce(child_ns, 0) - coalesce(beside_ns, 0), 0) / 1e6 AS own_ms
    FROM seen LEFT JOIN children USING (span) LEFT JOIN awaited USING (span)
    WHERE $service IS NULL OR service = $service
),
per_operation AS (
    SELECT service, name,
           count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0,
           quantile_cont(ms, [$quantile, 0.5, 0.9, 0.99]) FILTER (is_now) AS now_ms, now_ms[1] AS q1,
           quantile_cont(ms, [$quantile, 0.5, 0.9, 0.99]) FILTER (NOT is_now) AS then_ms, then_ms[1] AS q0,
           quantile_cont(own_ms, $quantile) FILTER (is_now) AS own1,
           quantile_cont(own_ms, $quantile) FILTER (NOT is_now) AS own0
    FROM calls GROUP BY service, name
    HAVING n1 > 0
),
slow AS (
    SELECT service, name, count(*) AS slower
    FROM calls JOIN per_operation USING (service, name)
    WHERE is_now AND ms > q0 GROUP BY service, name
),
-- Mann and Whitney's U of durations in steps of 2 %: whether calls take longer as a whole.
shifts AS (
    SELECT service, name, sum(k1) * sum(k0) AS pairs, sum(k1) + sum(k0) AS n,
           (sum(k1 * (2 * below + k0)) - pairs) / 2
           / sqrt(pairs * (n + 1 - sum((k1 + k0)::HUGEINT * ((k1 + k0) * (k1 + k0) - 1)) / greatest(n * (n - 1), 1)) / 12 + 1e-9) AS shift_z
    FROM (SELECT service, name, k1, k0, sum(k0) OVER (PARTITION BY service, name ORDER BY step) - k0 AS below
          FROM (SELECT service, name, round(50 * ln(greatest(ms, 1e-6))) AS step,
                       count(*) FILTER (is_now) AS k1, count(*) FILTER (NOT is_now) AS k0
                FROM calls WHERE ms IS NOT NULL GROUP BY service, name, step))
    GROUP BY service, name
),
-- A SELECT of its own: each use of an alias within the same one is planned anew, with all that it stands for.
counts AS (
    SELECT *, coalesce(slower, 0) / n1 AS slow_share,
           coalesce(slower, 0) AS slow1, (1 - $quantile) * n0 + $quantile AS slow0,
           (slow1 + slow0) / (n1 + n0 + 1) AS slow_pooled
    FROM per_operation LEFT JOIN slow USING (service, name) LEFT JOIN shifts USING (service, name)
),
figures AS (
    SELECT service, name AS operation, n1 AS calls, n0 AS baseline_calls, now_ms, then_ms,
           q1 AS ms, q0 AS baseline_ms, (q1 + 1) / (q0 + 1) AS ratio,
           own1 AS self_ms, own0 AS baseline_self_ms, own1 - own0 AS self_added_ms,
           slow_share,
           CASE WHEN n1 >= $min_calls AND n0 >= $min_calls
                THEN sign(slow_share - slow0 / (n0 + 1))
                     * least(abs(slow_share - slow0 / (n0 + 1)) / sqrt(slow_pooled * (1 - slow_pooled) * (1 / n1 + 1 / (n0 + 1))),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[slow1, n1 * slow_pooled], [n1 - slow1, n1 * (1 - slow_pooled)],
                                  [slow0, (n0 + 1) * slow_pooled], [(n0 + 1) - slow0, (n0 + 1) * (1 - slow_pooled)]]]), 0))) END AS tail_z,
           CASE WHEN tail_z IS NOT NULL THEN greatest(tail_z, shift_z) END AS slow_z,
           sqrt($min_z * $min_z
                + 2 * ln(greatest(2 * count(*) FILTER (least(n0, n1) >= $min_calls) OVER (), 1))) AS needed_z,
           CASE WHEN self_added_ms >= 0.5 * (q1 - q0) THEN 'itself'
                WHEN self_added_ms < 0.5 * (q1 - q0) THEN 'what it calls' END AS where_spent
    FROM counts
)
SELECT service, operation, calls, baseline_calls, ms, baseline_ms, ratio,
       now_ms[2] AS p50_ms, now_ms[3] AS p90_ms, now_ms[4] AS p99_ms,
       then_ms[2] AS baseline_p50_ms, then_ms[3] AS baseline_p90_ms, then_ms[4] AS baseline_p99_ms,
       self_ms, baseline_self_ms, self_added_ms, slow_share, slow_z, needed_z, where_spent
FROM figures
ORDER BY coalesce(ratio >= $min_ratio AND ms - baseline_ms >= $min_ms AND slow_z >= needed_z, false)
             DESC,
         self_added_ms DESC NULLS LAST, ratio DESC NULLS LAST, service, operation
LIMIT 200
