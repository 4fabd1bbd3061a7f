/*---
id: dependencies.map
version: 6
title: Dependency map
question: Who calls whom, and which of these edges fails more or got slower?
status: stable
params:
  window:    {type: window, help: when it hurts}
  baseline:  {type: window, help: when it was fine; may be shorter or longer than the window}
  service:   {type: service, optional: true, help: only edges from or to this service}
  min_calls: {type: int, default: 10, min: 2, help: "with fewer calls, then or now, an edge is not judged"}
  min_ratio: {type: float, default: 1.5, min: 1, help: "how many times slower, or likelier to fail (odds), counts"}
  min_ms:    {type: float, default: 10, min: 0, help: how many milliseconds slower counts at least}
  min_z:     {type: float, default: 3, min: 0, help: how many standard errors away from chance a single comparison must be}
requires: [spans.parent_span_id]
returns:
  caller: VARCHAR
  callee: VARCHAR
  calls: BIGINT
  baseline_calls: BIGINT
  error_share: DOUBLE
  baseline_error_share: DOUBLE
  error_z: DOUBLE
  p95_ms: DOUBLE
  baseline_p95_ms: DOUBLE
  ratio: DOUBLE
  callee_p95_ms: DOUBLE
  baseline_callee_p95_ms: DOUBLE
  between_p95_ms: DOUBLE
  baseline_between_p95_ms: DOUBLE
  slow_z: DOUBLE
  needed_z: DOUBLE
  finding: VARCHAR
  edge: VARCHAR
columns:
  error_z: "standard errors by which the share that fails differs from the baseline's; negative where it is smaller"
  slow_z: "standard errors by which calls take longer than in the baseline: the surer of how many are among the longest, and of all of them"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  between_p95_ms: "time that passes between the two: the call as its caller sees it, less as its callee does"
  ratio: "p95_ms over the baseline, a millisecond added to both"
interesting: finding <> 'as before'
reason: "{edge}: {finding} (p95 {p95_ms:.0f} ms as the caller sees it against {baseline_p95_ms:.0f} ms, of it {between_p95_ms:.0f} ms between the two against {baseline_between_p95_ms:.0f} ms; {error_share:.0%} failing against {baseline_error_share:.0%}; {calls} calls)"
quiet: "no edge with at least {min_calls} calls fails more, or got {min_ratio:g}x and {min_ms:g} ms slower, beyond chance"
empty: "no call between services is recorded in the window"
covers:
  - calls between services that both have spans
  - time lost between caller and callee (network, queues, connection pools)
not_covered:
  - services without spans, as databases and queues often are
  - asynchronous messages; the time between is then no waiting
  - "whether time between is lost on the way or in the caller's own work, where the caller makes no span for the call"
next:
  - {template: errors.origin, when: "finding = 'callee fails more'", params: {service: callee}}
  - {template: traffic.retry_storm, when: "finding = 'callee fails more'", params: {service: callee}}
  - {template: saturation.pool_exhaustion, when: "finding = 'slower between the two'", params: {service: caller}}
  - {template: latency.shift, when: "finding = 'slower in the callee'", params: {service: callee}}
chart: {mark: rule, x: baseline_p95_ms, x2: p95_ms, y: edge, color: finding, top: 15}
references:
  - "slow_z: the surer of the share of calls above the baseline's p95, which tells of a longer tail, and Mann and Whitney's U (Annals of Mathematical Statistics, 1947), which needs fewer calls where all take longer"
  - "error_z, share of slow calls: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many; the baseline's p95 is itself a guess, so one slow call more counts in it"
  - "between = the caller's span minus all spans below it"
  - "needed_z: min_z, raised for the number of comparisons made (Bonferroni by the Gaussian tail: z² = min_z² + 2 ln m)"
  - "gone, new: the chance that none came in any twentieth of the window (new: of the baseline), if it comes in as many of them as it did before, against the tail that needed_z stands for; so what comes seldom, or in bursts, is not missed at once"
---*/
-- Ids as numbers: two spans of a question share one by chance less than once in a million questions.
WITH seen AS (
    SELECT true AS is_now, duration_ns, hash(true, trace_id, span_id) AS span,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(true, trace_id, parent_span_id) END AS parent,
           hash(true, trace_id, service) AS visit, service, status,
           floor(20 * (epoch_us(time) - epoch_us($window_start::TIMESTAMPTZ))
                 / (epoch_us($window_end::TIMESTAMPTZ) - epoch_us($window_start::TIMESTAMPTZ)))::BIGINT AS slot
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, duration_ns, hash(false, trace_id, span_id),
           CASE WHEN parent_span_id IS NOT NULL THEN hash(false, trace_id, parent_span_id) END,
           hash(false, trace_id, service), service, status,
           floor(20 * (epoch_us(time) - epoch_us($window_start::TIMESTAMPTZ))
                 / (epoch_us($window_end::TIMESTAMPTZ) - epoch_us($window_start::TIMESTAMPTZ)))::BIGINT
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
failing AS (
    SELECT DISTINCT visit FROM seen
    WHERE status = 'error'
       OR span IN (SELECT unnest([hash(true, trace_id, span_id), hash(false, trace_id, span_id)])
                   FROM error_logs WHERE trace_id IS NOT NULL AND span_id IS NOT NULL)
),
-- In whole nanoseconds: sums of fractions differ in their last bits from run to run.
below AS (
    SELECT parent AS span, sum(duration_ns) / 1e6 AS ms FROM seen WHERE parent IS NOT NULL GROUP BY parent
),
callers AS (
    SELECT span, service, duration_ns / 1e6 AS ms, greatest(duration_ns / 1e6 - b.ms, 0) AS between_ms
    FROM seen JOIN below AS b USING (span)
),
calls AS (
    SELECT c.is_now, p.service AS caller, c.service AS callee,
           p.ms AS caller_ms, c.duration_ns / 1e6 AS callee_ms, p.between_ms,
           f.visit IS NOT NULL AS failed, slot
    FROM seen AS c JOIN callers AS p ON p.span = c.parent
    LEFT JOIN failing AS f ON f.visit = c.visit
    WHERE p.service <> c.service
      AND ($service IS NULL OR p.service = $service OR c.service = $service)
),
edges AS (
    SELECT caller, callee,
           count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0,
           count(*) FILTER (is_now AND failed) AS bad1, count(*) FILTER (NOT is_now AND failed) AS bad0,
           quantile_cont(caller_ms, 0.95) FILTER (is_now) AS p95_ms,
           quantile_cont(caller_ms, 0.95) FILTER (NOT is_now) AS baseline_p95_ms,
           quantile_cont(callee_ms, 0.95) FILTER (is_now) AS callee_p95_ms,
           quantile_cont(callee_ms, 0.95) FILTER (NOT is_now) AS baseline_callee_p95_ms,
           quantile_cont(between_ms, 0.95) FILTER (is_now) AS between_p95_ms,
           quantile_cont(between_ms, 0.95) FILTER (NOT is_now) AS baseline_between_p95_ms
    FROM calls GROUP BY caller, callee
),
slow AS (
    SELECT caller, callee, count(*) AS slower
    FROM calls JOIN edges USING (caller, callee)
    WHERE is_now AND caller_ms > baseline_p95_ms GROUP BY caller, callee
),
-- Mann and Whitney's U of durations in steps of 2 %: whether calls take longer as a whole.
shifts AS (
    SELECT caller, callee, sum(k1) * sum(k0) AS pairs, sum(k1) + sum(k0) AS n,
           (sum(k1 * (2 * below + k0)) - pairs) / 2
           / sqrt(pairs * (n + 1 - sum((k1 + k0)::HUGEINT * ((k1 + k0) * (k1 + k0) - 1)) / greatest(n * (n - 1), 1)) / 12 + 1e-9) AS shift_z
    FROM (SELECT caller, callee, k1, k0, sum(k0) OVER (PARTITION BY caller, callee ORDER BY step) - k0 AS below
          FROM (SELECT caller, callee, round(50 * ln(greatest(caller_ms, 1e-6))) AS step,
                       count(*) FILTER (is_now) AS k1, count(*) FILTER (NOT is_now) AS k0
                FROM calls WHERE caller_ms IS NOT NULL GROUP BY caller, callee, step))
    GROUP BY caller, callee
),
-- What came in one of the two alone: in how many twentieths of the window, and of those before it.
came AS (
    SELECT caller, callee, count(DISTINCT slot) AS came
    FROM calls SEMI JOIN (SELECT caller, callee FROM edges WHERE n1 = 0 OR n0 = 0) USING (caller, callee)
    GROUP BY caller, callee
),
slots AS (
    SELECT count(DISTINCT slot) FILTER (is_now) AS slots1, count(DISTINCT slot) FILTER (NOT is_now) AS slots0
    FROM seen
),
figures AS (
    SELECT caller, callee, n1 AS calls, n0 AS baseline_calls,
           bad1 / nullif(n1, 0) AS error_share, bad0 / nullif(n0, 0) AS baseline_error_share,
           (bad1 + bad0 + 1) / (n1 + n0 + 2) AS pooled,
           CASE WHEN n1 > 0 AND n0 > 0
                THEN sign(error_share - baseline_error_share)
                     * least(abs(error_share - baseline_error_share) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0)),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[bad1, n1 * pooled], [n1 - bad1, n1 * (1 - pooled)],
                                  [bad0, n0 * pooled], [n0 - bad0, n0 * (1 - pooled)]]]), 0))) END AS error_z,
           p95_ms, baseline_p95_ms, (p95_ms + 1) / (baseline_p95_ms + 1) AS ratio,
           callee_p95_ms, baseline_callee_p95_ms, between_p95_ms,
           baseline_between_p95_ms,
           coalesce(slower, 0) AS slow1, 0.05 * n0 + 0.95 AS slow0,
           (slow1 + slow0) / (n1 + n0 + 1) AS slow_pooled,
           CASE WHEN n1 > 0 AND n0 > 0
                THEN sign(slow1 / n1 - slow0 / (n0 + 1))
                     * least(abs(slow1 / n1 - slow0 / (n0 + 1)) / sqrt(slow_pooled * (1 - slow_pooled) * (1 / n1 + 1 / (n0 + 1))),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[slow1, n1 * slow_pooled], [n1 - slow1, n1 * (1 - slow_pooled)],
                                  [slow0, (n0 + 1) * slow_pooled], [(n0 + 1) - slow0, (n0 + 1) * (1 - slow_pooled)]]]), 0))) END AS tail_z,
           greatest(tail_z, shift_z) AS slow_z,
           (bad1 + 0.5) / (n1 - bad1 + 0.5) / ((bad0 + 0.5) / (n0 - bad0 + 0.5)) AS odds_ratio,
           -- errors, the longest durations and all of them, of each edge that is judged
           sqrt($min_z * $min_z
                + 2 * ln(greatest(3 * count(*) FILTER (least(n0, n1) >= $min_calls) OVER (), 1))) AS needed_z,
           CASE WHEN n1 = 0 THEN power(1 - (came + 0.5) / (slots0 + 1), slots1)
                WHEN n0 = 0 THEN power(1 - (came + 0.5) / (slots1 + 1), slots0) END
               <= exp(-needed_z * needed_z / 2) AS no_accident,
           sum(n0) OVER () AS all_n0, sum(n1) OVER () AS all_n1
    FROM edges LEFT JOIN slow USING (caller, callee) LEFT JOIN shifts USING (caller, callee) LEFT JOIN came USING (caller, callee), slots
),
judged AS (
    SELECT *,
           CASE
               WHEN all_n0 = 0 THEN NULL
               WHEN calls = 0 AND baseline_calls >= $min_calls AND no_accident THEN 'gone'
               WHEN baseline_calls = 0 AND calls >= $min_calls AND no_accident THEN 'new'
               WHEN calls < $min_calls OR baseline_calls < $min_calls THEN NULL
               WHEN error_z >= needed_z AND odds_ratio >= $min_ratio THEN 'callee fails more'
               WHEN ratio >= $min_ratio AND p95_ms - baseline_p95_ms >= $min_ms
                    AND slow_z >= needed_z THEN
                   CASE WHEN between_p95_ms - baseline_between_p95_ms
                             >= 0.5 * (p95_ms - baseline_p95_ms) THEN 'slower between the two'
                        WHEN callee_p95_ms - baseline_callee_p95_ms
                             >= 0.25 * (p95_ms - baseline_p95_ms) THEN 'slower in the callee'
                        ELSE 'as before' END  -- what made the caller slower is another call
               ELSE 'as before'
           END AS finding
    FROM figures
)
SELECT caller, callee, calls, baseline_calls, error_share, baseline_error_share, error_z,
       p95_ms, baseline_p95_ms, ratio, callee_p95_ms, baseline_callee_p95_ms, between_p95_ms,
       baseline_between_p95_ms, slow_z, needed_z, finding, caller || ' → ' || callee AS edge
FROM judged WHERE all_n1 > 0
ORDER BY CASE finding WHEN 'gone' THEN 1 WHEN 'callee fails more' THEN 2
                      WHEN 'slower between the two' THEN 3 WHEN 'slower in the callee' THEN 4
                      WHEN 'new' THEN 5 WHEN 'as before' THEN 6 ELSE 7 END,
         CASE WHEN finding = 'callee fails more' THEN error_z ELSE p95_ms - baseline_p95_ms END
             DESC NULLS LAST,
         calls DESC, caller, callee
LIMIT 500
