/*---
id: changes.fix_verification
version: 4
title: Fix verification
question: Did the fix help, and did nothing else get worse?
status: stable
params:
  window:    {type: window, help: after the fix}
  baseline:  {type: window, help: "before the fix, while it hurt"}
  target:    {type: choice, of: [errors, latency], default: errors, help: what the fix was to improve}
  service:   {type: service, optional: true, help: "where; all requests from outside (roots of traces) when not given"}
  min_calls: {type: int, default: 50, min: 2, help: "with fewer requests, before or after, nothing is judged"}
  min_cut:   {type: float, default: 0.5, min: 0, max: 1, help: "the cut, as a share of the value before, that makes the target better"}
  min_ratio: {type: float, default: 1.3, min: 1, help: how many times worse makes a guardrail break}
  min_z:     {type: float, default: 3, min: 0, help: how many standard errors away from chance a single comparison must be}
requires: [spans.service]
returns:
  role: VARCHAR
  service: VARCHAR
  aspect: VARCHAR
  finding: VARCHAR
  after: DOUBLE
  before: DOUBLE
  change: DOUBLE
  z: DOUBLE
  needed_z: DOUBLE
  low: DOUBLE
  high: DOUBLE
  calls: BIGINT
  baseline_calls: BIGINT
  broken_guardrails: BIGINT
  worst_guardrail: VARCHAR
  conclusion: VARCHAR
  label: VARCHAR
columns:
  z: "standard errors by which after differs from before"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  low: "of errors: what the change is at least, 95 of 100 times"
  high: "of errors: what it is at most"
interesting: CASE WHEN role = 'target' AND finding IS NOT NULL THEN conclusion = 'fixed' END
reason: "{conclusion}: {label} {after:.4g} after the fix against {before:.4g} ({calls} and {baseline_calls} requests), and none of the guardrails got worse"
quiet: "{conclusion}: {label} {after:.4g} against {before:.4g}, {z:.1f} standard errors; guardrails that got worse: {broken_guardrails} ({worst_guardrail})"
empty: "no request of what was asked is recorded in the window: there was none, or nobody told of it"
covers:
  - "target: the share of failing requests, or the p95 of their time"
  - "guardrails: errors, p95 and traffic of every service, the target's other aspects too"
  - "low and high: the 95 % interval of the difference of the shares (errors)"
not_covered:
  - whether the fix did it; load may have gone, or a dependency may be well again
  - anything that is not in spans
  - how it was before the trouble; compare with that as baseline by triage.overview
next:
  - {template: triage.overview, when: "conclusion <> 'fixed'"}
  - {template: slo.burn_rate}
chart: {mark: rule, x: before, x2: after, y: label, color: finding, top: 20}
references:
  - "z: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many; for p95 Mann and Whitney's U of all durations (Annals of Mathematical Statistics, 1947), which needs fewer requests than a quantile; for guardrails the surer of that and of the share of requests above the p95 of before, which is a guess itself: one such call more counts before"
  - "needed_z: min_z for the one target; for the guardrails raised for their number (Bonferroni by the Gaussian tail)"
  - "interval of a difference of shares after A. Agresti and B. Caffo (2000): one success and one failure more on each side"
---*/
WITH seen AS (
    SELECT true AS is_now, time, duration_ns / 1e6 AS ms, trace_id, span_id, parent_span_id, service, status,
           coalesce(kind, 'unspecified') AS kind
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, time, duration_ns / 1e6, trace_id, span_id, parent_span_id, service, status,
           coalesce(kind, 'unspecified')
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
    SELECT DISTINCT is_now, trace_id, service
    FROM seen LEFT JOIN error_logs AS e USING (trace_id, span_id)
    WHERE status = 'error' OR e.span_id IS NOT NULL
),
inner_spans AS (
    SELECT u.is_now, u.trace_id, u.span_id
    FROM (SELECT * FROM seen WHERE kind = 'unspecified' AND parent_span_id IS NOT NULL) AS u
    JOIN seen AS p ON p.is_now = u.is_now AND p.trace_id = u.trace_id
                  AND p.span_id = u.parent_span_id AND p.service = u.service
),
requests AS (
    SELECT s.is_now, s.service, s.parent_span_id IS NULL AS is_root, s.ms, f.service IS NOT NULL AS failed
    FROM (SELECT * FROM seen ANTI JOIN inner_spans USING (is_now, trace_id, span_id)
          WHERE parent_span_id IS NULL OR kind IN ('server', 'consumer', 'unspecified')) AS s
    LEFT JOIN failing AS f
           ON f.is_now = s.is_now AND f.trace_id = s.trace_id AND f.service = s.service
),
-- The place '' is the outside: all roots.
placed AS (
    SELECT is_now, service AS place, ms, failed FROM requests
    UNION ALL SELECT is_now, '', ms, failed FROM requests WHERE is_root
),
recorded AS (
    SELECT is_now, count(*) AS n, (max(epoch_us(time)) - min(epoch_us(time))) / 6e7 AS reach,
           max(epoch_us(time) // 60000000) - min(epoch_us(time) // 60000000) + 1
           - count(DISTINCT epoch_us(time) // 60000000) AS empty
    FROM seen GROUP BY is_now
),
-- Rates are per minute that has data: a window may reach beyond what was recorded, or have gaps.
-- Where there is little traffic, an empty minute is no gap.
minutes AS (
    SELECT coalesce(max(covered) FILTER (is_now),
                    (epoch_us($window_end::TIMESTAMPTZ) - epoch_us($window_start::TIMESTAMPTZ)) / 6e7) AS in_window,
           coalesce(max(covered) FILTER (NOT is_now),
                    (epoch_us($baseline_end::TIMESTAMPTZ) - epoch_us($baseline_start::TIMESTAMPTZ)) / 6e7) AS in_baseline
    FROM (SELECT is_now, CASE WHEN n >= 10
                              THEN greatest(reach - CASE WHEN n >= 5 * (reach - empty) THEN empty ELSE 0 END,
                                            1 / 60) END AS covered
          FROM recorded)
),
per_place AS (
    SELECT place, count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0,
           count(*) FILTER (is_now AND failed) AS bad1, count(*) FILTER (NOT is_now AND failed) AS bad0,
           quantile_cont(ms, 0.95) FILTER (is_now) AS p1, quantile_cont(ms, 0.95) FILTER (NOT is_now) AS p0
    FROM placed GROUP BY place
),
slow AS (
    SELECT place, count(*) AS slower
    FROM placed JOIN per_place USING (place) WHERE is_now AND ms > p0 GROUP BY place
),
-- Mann and Whitney's U of durations in steps of 2 %: whether calls take longer as a whole.
shifts AS (
    SELECT place, sum(k1) * sum(k0) AS pairs, sum(k1) + sum(k0) AS n,
           (sum(k1 * (2 * below + k0)) - pairs) / 2
           / sqrt(pairs * (n + 1 - sum((k1 + k0)::HUGEINT * ((k1 + k0) * (k1 + k0) - 1)) / greatest(n * (n - 1), 1)) / 12 + 1e-9) AS shift_z
    FROM (SELECT place, k1, k0, sum(k0) OVER (PARTITION BY place ORDER BY step) - k0 AS below
          FROM (SELECT place, round(50 * ln(greatest(ms, 1e-6))) AS step,
                       count(*) FILTER (is_now) AS k1, count(*) FILTER (NOT is_now) AS k0
                FROM placed WHERE ms IS NOT NULL GROUP BY place, step))
    GROUP BY place
),
aspects AS (
    SELECT place, 'errors' AS aspect, n1, n0, bad1 / nullif(n1, 0) AS after, bad0 / nullif(n0, 0) AS before,
           (bad1 + bad0 + 1) / (n1 + n0 + 2) AS pooled,
           sign(after - before)
               * least(abs(after - before) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0)),
                       sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                           [[bad1, n1 * pooled], [n1 - bad1, n1 * (1 - pooled)],
                            [bad0, n0 * pooled], [n0 - bad0, n0 * (1 - pooled)]]]), 0))) AS z,
           (bad1 + 1) / (n1 + 2) AS s1, (bad0 + 1) / (n0 + 2) AS s0
    FROM per_place WHERE n1 > 0 AND n0 > 0
    UNION ALL
    SELECT place, 'latency', n1, n0, p1, p0, (slow1 + slow0) / (n1 + n0 + 1) AS pooled,
           CASE WHEN $target = 'latency' AND place = coalesce($service, '') THEN shift_z ELSE greatest(shift_z,
               sign(slow1 / n1 - slow0 / (n0 + 1))
               * least(abs(slow1 / n1 - slow0 / (n0 + 1)) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / (n0 + 1))),
                       sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                           [[slow1, n1 * pooled], [n1 - slow1, n1 * (1 - pooled)],
                            [slow0, (n0 + 1) * pooled], [(n0 + 1) - slow0, (n0 + 1) * (1 - pooled)]]]), 0)))) END,
           NULL, NULL
    FROM (SELECT place, n1, n0, p1, p0, shift_z, coalesce(slower, 0) AS slow1, 0.05 * n0 + 0.95 AS slow0
          FROM per_place LEFT JOIN slow USING (place) LEFT JOIN shifts USING (place) WHERE n1 > 0 AND n0 > 0)
    UNION ALL
    SELECT place, 'traffic', n1, n0, n1 / in_window, n0 / in_baseline, NULL,
           2 * (sqrt(n1 / in_window) - sqrt(n0 / in_baseline)) / sqrt(1 / in_window + 1 / in_baseline), NULL, NULL
    FROM per_place, minutes
),
judged AS (
    SELECT *, aspect = $target AND place = coalesce($service, '') AS is_target,
           -- for traffic less is worse
           CASE aspect WHEN 'traffic' THEN -z ELSE z END AS worse_z,
           -- of a place, four comparisons in three rows
           sqrt($min_z * $min_z + 2 * ln(greatest(4 / 3 * count(*) FILTER (least(n1, n0) >= $min_calls) OVER (), 1)))
               AS guard_z,
           CASE WHEN greatest(n1, n0) < $min_calls OR (least(n1, n0) < $min_calls AND aspect <> 'traffic')
                    THEN NULL
                WHEN sum(n0) OVER () = 0 THEN NULL
                WHEN is_target THEN
                    CASE WHEN -z >= $min_z AND after <= (1 - $min_cut) * before THEN 'better'
                         WHEN z >= $min_z THEN 'worse' ELSE 'not shown to be better' END
                WHEN worse_z >= guard_z
                     AND CASE aspect WHEN 'traffic' THEN after * $min_ratio <= before
                                     ELSE after >= $min_ratio * before END THEN 'worse'
                ELSE 'no worse' END AS finding, sum(n1) OVER () AS all_n1
    FROM aspects
),
concluded AS (
    SELECT *, coalesce(count(*) FILTER (NOT is_target AND finding = 'worse') OVER (), 0) AS broken,
           min(coalesce(nullif(place, ''), 'all requests') || ' ' || aspect)
               FILTER (NOT is_target AND finding = 'worse') OVER () AS worst
    FROM judged
)
SELECT CASE WHEN is_target THEN 'target' ELSE 'guardrail' END AS role,
       coalesce(nullif(place, ''), 'all requests') AS service, aspect, finding, after, before,
       after - before AS change, z, CASE WHEN is_target THEN $min_z ELSE guard_z END AS needed_z,
       s1 - s0 - 1.96 * sqrt(s1 * (1 - s1) / (n1 + 2) + s0 * (1 - s0) / (n0 + 2)) AS low,
       s1 - s0 + 1.96 * sqrt(s1 * (1 - s1) / (n1 + 2) + s0 * (1 - s0) / (n0 + 2)) AS high,
       n1 AS calls, n0 AS baseline_calls, broken AS broken_guardrails,
       coalesce(worst, 'none') AS worst_guardrail,
       CASE WHEN NOT is_target OR finding IS NULL THEN NULL
            WHEN before = 0 AND after = 0 THEN 'nothing to fix'
            WHEN finding <> 'better' THEN 'not fixed'
            WHEN broken > 0 THEN 'fixed at a price' ELSE 'fixed' END AS conclusion,
       coalesce(nullif(place, ''), 'all requests') || ' ' || aspect AS label
FROM concluded WHERE all_n1 > 0
ORDER BY is_target DESC, coalesce(finding = 'worse', false) DESC, worse_z DESC NULLS LAST, place, aspect
LIMIT 300
