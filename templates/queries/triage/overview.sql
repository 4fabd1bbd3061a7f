/*---
id: triage.overview
version: 6
title: Triage overview
question: Which services fail more, answer slower, or get other traffic than in the baseline?
status: stable
params:
  window:       {type: window, help: when it hurts}
  baseline:     {type: window, help: when it was fine; may be shorter or longer than the window}
  min_requests: {type: int, default: 10, min: 1, help: with fewer requests a service is not judged}
  min_ratio:    {type: float, default: 1.5, min: 1, help: "how many times slower, busier, or likelier to fail (odds) counts"}
  min_z:        {type: float, default: 3, min: 0, help: how many standard errors away from chance a single comparison must be}
requires: [spans.service, spans.parent_span_id]
returns:
  service: VARCHAR
  finding: VARCHAR
  requests: BIGINT
  baseline_requests: BIGINT
  per_minute: DOUBLE
  baseline_per_minute: DOUBLE
  error_share: DOUBLE
  baseline_error_share: DOUBLE
  error_z: DOUBLE
  p50_ms: DOUBLE
  baseline_p50_ms: DOUBLE
  p95_ms: DOUBLE
  baseline_p95_ms: DOUBLE
  p95_ratio: DOUBLE
  slow_z: DOUBLE
  needed_z: DOUBLE
columns:
  error_z: "standard errors by which the share that fails differs from the baseline's; negative where it is smaller"
  slow_z: "standard errors by which calls take longer than in the baseline: the surer of how many are among the longest, and of all of them"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  p95_ratio: "p95_ms over the baseline, a millisecond added to both"
interesting: finding <> 'as before'
reason: "{service}: {finding} ({requests} requests, {error_share:.0%} failing against {baseline_error_share:.0%}, p95 {p95_ms:.0f} ms against {baseline_p95_ms:.0f} ms)"
quiet: "no service fails more, answers {min_ratio:g}x slower or has other traffic than in the baseline, beyond chance"
empty: "no request of what was asked is recorded in the window: there was none, or nobody told of it"
covers:
  - requests as each service received them, from spans
  - failures marked by span status or by an ERROR log on a span
not_covered:
  - head-sampled traces (rates are those of the sample)
  - a service called several times in one trace; its calls share their fate
  - which of the services is the cause; see errors.origin and latency.shift
next:
  - {template: errors.origin, when: "finding = 'fails more'"}
  - {template: dependencies.blast_radius, when: "finding = 'fails more'", params: {service: service}}
  - {template: latency.shift, when: "finding = 'slower'", params: {service: service}}
  - {template: traces.critical_path, when: "finding = 'slower'"}
  - {template: runtime.restarts, when: "finding = 'gone'", params: {service: service}}
  - {template: traffic.retry_storm, when: "finding = 'more traffic'", params: {service: service}}
  - {template: changes.ranking, when: "finding <> 'as before'"}
  - {template: traces.exemplars, when: "finding IN ('fails more', 'slower')", params: {service: service}}
chart: {mark: bar, x: p95_ratio, y: service, color: finding}
references:
  - "slow_z: the surer of the share of calls above the baseline's p95, which tells of a longer tail, and Mann and Whitney's U (Annals of Mathematical Statistics, 1947), which needs fewer calls where all take longer"
  - "error_z, share of slow calls: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many; the baseline's p95 is itself a guess, so one slow call more counts in it"
  - "RED method (rate, errors, duration)"
  - "needed_z: min_z, raised for the number of comparisons made (Bonferroni by the Gaussian tail: z² = min_z² + 2 ln m)"
  - "gone, new: the chance that none came in any twentieth of the window (new: of the baseline), if it comes in as many of them as it did before, against the tail that needed_z stands for; so what comes seldom, or in bursts, is not missed at once"
---*/
-- Ids as numbers: two spans of a question share one by chance less than once in a million questions.
WITH seen AS (
    SELECT true AS is_now, time, duration_ns, hash(true, trace_id, span_id) AS span,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(true, trace_id, parent_span_id) END AS parent,
           hash(true, trace_id, service) AS visit, service, coalesce(kind, 'unspecified') AS kind, status
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, time, duration_ns, hash(false, trace_id, span_id),
           CASE WHEN parent_span_id IS NOT NULL THEN hash(false, trace_id, parent_span_id) END,
           hash(false, trace_id, service), service, coalesce(kind, 'unspecified'), status
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
-- Where spans say no kind, a request is a span whose parent belongs to another service.
inner_spans AS (
    SELECT u.span FROM seen AS u JOIN seen AS p ON p.span = u.parent AND p.service IS NOT DISTINCT FROM u.service
    WHERE u.kind = 'unspecified' AND u.parent IS NOT NULL
),
requests AS (
    SELECT s.is_now, s.service, s.duration_ns / 1e6 AS ms, f.visit IS NOT NULL AS failed
    FROM (SELECT * FROM seen WHERE parent IS NULL OR kind IN ('server', 'consumer', 'unspecified')) AS s
    ANTI JOIN inner_spans AS i ON i.span = s.span
    LEFT JOIN failing AS f ON f.visit = s.visit
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
per_service AS (
    SELECT service,
           count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0,
           count(*) FILTER (is_now AND failed) AS bad1, count(*) FILTER (NOT is_now AND failed) AS bad0,
           quantile_cont(ms, [0.5, 0.95]) FILTER (is_now) AS now_ms,
           quantile_cont(ms, [0.5, 0.95]) FILTER (NOT is_now) AS then_ms,
           now_ms[1] AS p50_ms, then_ms[1] AS baseline_p50_ms,
           now_ms[2] AS p95_ms, then_ms[2] AS baseline_p95_ms
    FROM requests GROUP BY service
),
slow AS (
    SELECT service, count(*) AS slower
    FROM requests JOIN per_service USING (service)
    WHERE is_now AND ms > baseline_p95_ms GROUP BY service
),
-- Mann and Whitney's U of durations in steps of 2 %: whether calls take longer as a whole.
shifts AS (
    SELECT service, sum(k1) * sum(k0) AS pairs, sum(k1) + sum(k0) AS n,
           (sum(k1 * (2 * below + k0)) - pairs) / 2
           / sqrt(pairs * (n + 1 - sum((k1 + k0)::HUGEINT * ((k1 + k0) * (k1 + k0) - 1)) / greatest(n * (n - 1), 1)) / 12 + 1e-9) AS shift_z
    FROM (SELECT service, k1, k0, sum(k0) OVER (PARTITION BY service ORDER BY step) - k0 AS below
          FROM (SELECT service, round(50 * ln(greatest(ms, 1e-6))) AS step,
                       count(*) FILTER (is_now) AS k1, count(*) FILTER (NOT is_now) AS k0
                FROM requests WHERE ms IS NOT NULL GROUP BY service, step))
    GROUP BY service
),
-- What came in one of the two alone: in how many pieces of time, each a twentieth of the window.
came AS (
    SELECT service, count(DISTINCT floor(20 * (epoch_us(time) - epoch_us($window_start::TIMESTAMPTZ))
                                       / (epoch_us($window_end::TIMESTAMPTZ) - epoch_us($window_start::TIMESTAMPTZ)))) AS came
    FROM seen SEMI JOIN (SELECT service FROM per_service WHERE n1 = 0 OR n0 = 0) USING (service) GROUP BY service
),
-- A SELECT of its own: each use of an alias within the same one is planned anew, with all that it stands for.
counts AS (
    SELECT *, n1 / in_window AS per_minute, n0 / in_baseline AS baseline_per_minute,
           bad1 / nullif(n1, 0) AS error_share, bad0 / nullif(n0, 0) AS baseline_error_share,
           (bad1 + bad0 + 1) / (n1 + n0 + 2) AS pooled,
           coalesce(slower, 0) AS slow1, 0.05 * n0 + 0.95 AS slow0,
           (slow1 + slow0) / (n1 + n0 + 1) AS slow_pooled,
           -- errors, the longest durations and all of them, and traffic of each service that is judged
           sqrt($min_z * $min_z
                + 2 * ln(greatest(4 * count(*) FILTER (greatest(n0, n1) >= $min_requests) OVER (), 1))) AS needed_z,
           12e8 / (epoch_us($window_end::TIMESTAMPTZ) - epoch_us($window_start::TIMESTAMPTZ)) AS pieces,  -- a minute
           sum(n0) OVER () AS all_n0, sum(n1) OVER () AS all_n1
    FROM per_service LEFT JOIN slow USING (service) LEFT JOIN shifts USING (service) LEFT JOIN came USING (service), minutes
),
figures AS (
    SELECT *, n1 AS requests, n0 AS baseline_requests,
           CASE WHEN n1 > 0 AND n0 > 0
                THEN sign(error_share - baseline_error_share)
                     * least(abs(error_share - baseline_error_share) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0)),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[bad1, n1 * pooled], [n1 - bad1, n1 * (1 - pooled)],
                                  [bad0, n0 * pooled], [n0 - bad0, n0 * (1 - pooled)]]]), 0))) END AS error_z,
           (p95_ms + 1) / (baseline_p95_ms + 1) AS p95_ratio,
           CASE WHEN n1 > 0 AND n0 > 0
                THEN sign(slow1 / n1 - slow0 / (n0 + 1))
                     * least(abs(slow1 / n1 - slow0 / (n0 + 1)) / sqrt(slow_pooled * (1 - slow_pooled) * (1 / n1 + 1 / (n0 + 1))),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[slow1, n1 * slow_pooled], [n1 - slow1, n1 * (1 - slow_pooled)],
                                  [slow0, (n0 + 1) * slow_pooled], [(n0 + 1) - slow0, (n0 + 1) * (1 - slow_pooled)]]]), 0))) END AS tail_z,
           greatest(tail_z, shift_z) AS slow_z,
           2 * (sqrt(per_minute) - sqrt(baseline_per_minute))
             / sqrt(1 / in_window + 1 / in_baseline) AS traffic_z,
           (bad1 + 0.5) / (n1 - bad1 + 0.5) / ((bad0 + 0.5) / (n0 - bad0 + 0.5)) AS odds_ratio,
           CASE WHEN n1 = 0 THEN power(1 - (came + 0.5) / (in_baseline * pieces + 1), in_window * pieces)
                WHEN n0 = 0 THEN power(1 - (came + 0.5) / (in_window * pieces + 1), in_baseline * pieces) END
               <= exp(-needed_z * needed_z / 2) AS no_accident
    FROM counts
),
judged AS (
    SELECT *,
           CASE
               WHEN all_n0 = 0 THEN NULL
               WHEN requests = 0 AND baseline_requests >= $min_requests AND no_accident THEN 'gone'
               WHEN baseline_requests = 0 AND requests >= $min_requests AND no_accident THEN 'new'
               WHEN requests < $min_requests OR baseline_requests < $min_requests THEN NULL
               WHEN error_z >= needed_z AND odds_ratio >= $min_ratio THEN 'fails more'
               WHEN p95_ratio >= $min_ratio AND slow_z >= needed_z THEN 'slower'
               WHEN traffic_z >= needed_z AND per_minute >= $min_ratio * baseline_per_minute
                   THEN 'more traffic'
               WHEN -traffic_z >= needed_z AND per_minute * $min_ratio <= baseline_per_minute
                   THEN 'less traffic'
               ELSE 'as before'
           END AS finding
    FROM figures
)
SELECT service, finding, requests, baseline_requests, per_minute, baseline_per_minute,
       error_share, baseline_error_share, error_z, p50_ms, baseline_p50_ms,
       p95_ms, baseline_p95_ms, p95_ratio, slow_z, needed_z
FROM judged WHERE all_n1 > 0
ORDER BY CASE finding WHEN 'gone' THEN 1 WHEN 'fails more' THEN 2 WHEN 'slower' THEN 3
                      WHEN 'more traffic' THEN 4 WHEN 'less traffic' THEN 4 WHEN 'new' THEN 5
                      WHEN 'as before' THEN 6 ELSE 7 END,
         greatest(error_z, slow_z) DESC NULLS LAST, requests DESC, service
