/*---
id: traffic.by_dimension
version: 5
title: RED by dimension
question: For which values of a dimension did rate, errors or duration change?
status: stable
params:
  window:    {type: window, help: when it hurts}
  baseline:  {type: window, help: when it was fine; may be shorter or longer than the window}
  dimension: {type: choice, of: [operation, service, version, pod, host, namespace, environment, region, status, attribute], default: operation, help: what to group by}
  attribute: {type: string, optional: true, help: "with dimension attribute: its name, as in http.response.status_code"}
  service:   {type: service, optional: true, help: one service only}
  counted:   {type: choice, of: [requests, spans], default: requests, help: "requests: spans by which a service was called; spans: all of them"}
  min_calls: {type: int, default: 20, min: 2, help: "with fewer calls, then or now, a value is not judged"}
  min_ratio: {type: float, default: 1.5, min: 1, help: "how many times slower, busier, or likelier to fail (odds) counts"}
  min_z:     {type: float, default: 3, min: 0, help: how many standard errors away from chance a single value must be}
requires: [spans.service]
returns:
  value: VARCHAR
  finding: VARCHAR
  calls: BIGINT
  baseline_calls: BIGINT
  per_minute: DOUBLE
  baseline_per_minute: DOUBLE
  error_share: DOUBLE
  baseline_error_share: DOUBLE
  error_z: DOUBLE
  p50_ms: DOUBLE
  baseline_p50_ms: DOUBLE
  p95_ms: DOUBLE
  baseline_p95_ms: DOUBLE
  ratio: DOUBLE
  slow_z: DOUBLE
  needed_z: DOUBLE
columns:
  error_z: "standard errors by which the share that fails differs from the baseline's; negative where it is smaller"
  slow_z: "standard errors by which calls take longer than in the baseline: the surer of how many are among the longest, and of all of them"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  ratio: "p95_ms over the baseline, a millisecond added to both"
interesting: finding <> 'as before'
reason: "{dimension} {value}: {finding} ({calls} calls, {error_share:.1%} failing against {baseline_error_share:.1%}, p95 {p95_ms:.0f} ms against {baseline_p95_ms:.0f} ms)"
quiet: "no {dimension} fails more, is {min_ratio:g}x slower or has other traffic than in the baseline, beyond chance"
empty: "no request of what was asked is recorded in the window: there was none, or nobody told of it"
covers:
  - "rate, errors and duration of each value; without the value: (none)"
  - failures marked by span status or by an ERROR log on the span
not_covered:
  - combinations of values; see attributes.compare
  - head-sampled traces (rates are those of the sample)
  - the 500 values with the most calls at most
next:
  - {template: attributes.compare, when: "finding = 'fails more'", params: {service: $service, bad: "'failing'"}}
  - {template: attributes.compare, when: "finding = 'slower'", params: {service: $service, bad: "'slow_itself'"}}
  - {template: traces.exemplars, params: {service: $service}}
chart: {mark: bar, x: ratio, y: value, color: finding}
references:
  - "slow_z: the surer of the share of calls above the baseline's p95, which tells of a longer tail, and Mann and Whitney's U (Annals of Mathematical Statistics, 1947), which needs fewer calls where all take longer"
  - "error_z, share of slow calls: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many; the baseline's p95 is itself a guess, so one slow call more counts in it"
  - "RED method: rate, errors, duration (T. Wilkie)"
  - "needed_z: min_z, raised for errors, the longest durations, all of them and traffic of each value (Bonferroni by the Gaussian tail: z² = min_z² + 2 ln m)"
  - "gone, new: the chance that none came in any twentieth of the window (new: of the baseline), if it comes in as many of them as it did before, against the tail that needed_z stands for; so what comes seldom, or in bursts, is not missed at once"
---*/
WITH seen AS (
    SELECT true AS is_now, time, duration_ns, trace_id, span_id, parent_span_id, service, status,
           coalesce(kind, 'unspecified') AS kind,
           coalesce(CASE $dimension
               WHEN 'service' THEN service WHEN 'operation' THEN service || ' ' || name
               WHEN 'version' THEN version WHEN 'pod' THEN pod WHEN 'host' THEN host
               WHEN 'namespace' THEN namespace WHEN 'environment' THEN environment
               WHEN 'region' THEN region WHEN 'status' THEN status
               ELSE coalesce(attributes[$attribute], resource[$attribute]) END, '(none)') AS value
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, time, duration_ns, trace_id, span_id, parent_span_id, service, status,
           coalesce(kind, 'unspecified'),
           coalesce(CASE $dimension
               WHEN 'service' THEN service WHEN 'operation' THEN service || ' ' || name
               WHEN 'version' THEN version WHEN 'pod' THEN pod WHEN 'host' THEN host
               WHEN 'namespace' THEN namespace WHEN 'environment' THEN environment
               WHEN 'region' THEN region WHEN 'status' THEN status
               ELSE coalesce(attributes[$attribute], resource[$attribute]) END, '(none)')
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
-- Where spans say no kind, a request is a span whose parent belongs to another service.
unmarked AS (
    SELECT is_now, trace_id, span_id, parent_span_id, service FROM seen
    WHERE kind = 'unspecified' AND parent_span_id IS NOT NULL AND $counted = 'requests'
),
inner_spans AS (
    SELECT u.is_now, u.trace_id, u.span_id
    FROM unmarked AS u JOIN seen AS p
      ON p.is_now = u.is_now AND p.trace_id = u.trace_id AND p.span_id = u.parent_span_id
     AND p.service = u.service
),
failing AS (
    SELECT DISTINCT is_now, trace_id, service
    FROM seen LEFT JOIN error_logs AS e USING (trace_id, span_id)
    WHERE status = 'error' OR e.span_id IS NOT NULL
),
calls AS (
    SELECT s.is_now, s.time, s.value, s.duration_ns / 1e6 AS ms,
           CASE WHEN $counted = 'requests' THEN f.service IS NOT NULL
                ELSE s.status IS NOT DISTINCT FROM 'error' OR e.span_id IS NOT NULL END AS failed
    FROM (SELECT * FROM seen ANTI JOIN inner_spans USING (is_now, trace_id, span_id)
          WHERE ($service IS NULL OR service = $service)
            AND ($counted = 'spans' OR parent_span_id IS NULL
                 OR kind IN ('server', 'consumer', 'unspecified'))) AS s
    LEFT JOIN failing AS f
           ON f.is_now = s.is_now AND f.trace_id = s.trace_id AND f.service = s.service
    LEFT JOIN error_logs AS e ON e.trace_id = s.trace_id AND e.span_id = s.span_id
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
per_value AS (
    SELECT value,
           count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0,
           count(*) FILTER (is_now AND failed) AS bad1, count(*) FILTER (NOT is_now AND failed) AS bad0,
           quantile_cont(ms, [0.5, 0.95]) FILTER (is_now) AS now_ms,
           quantile_cont(ms, [0.5, 0.95]) FILTER (NOT is_now) AS then_ms,
           now_ms[1] AS p50_ms, then_ms[1] AS baseline_p50_ms,
           now_ms[2] AS p95_ms, then_ms[2] AS baseline_p95_ms
    FROM calls GROUP BY value
),
slow AS (
    SELECT value, count(*) AS slower FROM calls JOIN per_value USING (value)
    WHERE is_now AND ms > baseline_p95_ms GROUP BY value
),
-- Mann and Whitney's U of durations in steps of 2 %: whether calls take longer as a whole.
shifts AS (
    SELECT value, sum(k1) * sum(k0) AS pairs, sum(k1) + sum(k0) AS n,
           (sum(k1 * (2 * below + k0)) - pairs) / 2
           / sqrt(pairs * (n + 1 - sum((k1 + k0)::HUGEINT * ((k1 + k0) * (k1 + k0) - 1)) / greatest(n * (n - 1), 1)) / 12 + 1e-9) AS shift_z
    FROM (SELECT value, k1, k0, sum(k0) OVER (PARTITION BY value ORDER BY step) - k0 AS below
          FROM (SELECT value, round(50 * ln(greatest(ms, 1e-6))) AS step,
                       count(*) FILTER (is_now) AS k1, count(*) FILTER (NOT is_now) AS k0
                FROM calls WHERE ms IS NOT NULL GROUP BY value, step))
    GROUP BY value
),
-- What came in one of the two alone: in how many pieces of time, each a twentieth of the window.
came AS (
    SELECT value, count(DISTINCT floor(20 * (epoch_us(time) - epoch_us($window_start::TIMESTAMPTZ))
                                       / (epoch_us($window_end::TIMESTAMPTZ) - epoch_us($window_start::TIMESTAMPTZ)))) AS came
    FROM calls SEMI JOIN (SELECT value FROM per_value WHERE n1 = 0 OR n0 = 0) USING (value) GROUP BY value
),
-- A SELECT of its own: each use of an alias within the same one is planned anew, with all that it stands for.
counts AS (
    SELECT *, n1 / in_window AS per_minute, n0 / in_baseline AS baseline_per_minute,
           bad1 / nullif(n1, 0) AS error_share, bad0 / nullif(n0, 0) AS baseline_error_share,
           (bad1 + bad0 + 1) / (n1 + n0 + 2) AS pooled,
           coalesce(slower, 0) AS slow1, 0.05 * n0 + 0.95 AS slow0,
           (slow1 + slow0) / (n1 + n0 + 1) AS slow_pooled,
           sqrt($min_z * $min_z
                + 2 * ln(greatest(4 * count(*) FILTER (greatest(n0, n1) >= $min_calls) OVER (), 1))) AS needed_z,
           12e8 / (epoch_us($window_end::TIMESTAMPTZ) - epoch_us($window_start::TIMESTAMPTZ)) AS pieces,  -- a minute
           sum(n0) OVER () AS all_n0, sum(n1) OVER () AS all_n1
    FROM per_value LEFT JOIN slow USING (value) LEFT JOIN shifts USING (value) LEFT JOIN came USING (value), minutes
),
figures AS (
    SELECT *, n1 AS calls, n0 AS baseline_calls,
           CASE WHEN n1 > 0 AND n0 > 0
                THEN sign(error_share - baseline_error_share)
                     * least(abs(error_share - baseline_error_share) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0)),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[bad1, n1 * pooled], [n1 - bad1, n1 * (1 - pooled)],
                                  [bad0, n0 * pooled], [n0 - bad0, n0 * (1 - pooled)]]]), 0))) END AS error_z,
           (p95_ms + 1) / (baseline_p95_ms + 1) AS ratio,
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
)
SELECT value,
       CASE
           WHEN all_n0 = 0 THEN NULL
           WHEN calls = 0 AND baseline_calls >= $min_calls AND no_accident THEN 'gone'
           WHEN baseline_calls = 0 AND calls >= $min_calls AND no_accident THEN 'new'
           WHEN calls < $min_calls OR baseline_calls < $min_calls THEN NULL
           WHEN error_z >= needed_z AND odds_ratio >= $min_ratio THEN 'fails more'
           WHEN ratio >= $min_ratio AND slow_z >= needed_z THEN 'slower'
           WHEN traffic_z >= needed_z AND per_minute >= $min_ratio * baseline_per_minute
               THEN 'more traffic'
           WHEN -traffic_z >= needed_z AND per_minute * $min_ratio <= baseline_per_minute
               THEN 'less traffic'
           ELSE 'as before'
       END AS finding,
       calls, baseline_calls, per_minute, baseline_per_minute, error_share, baseline_error_share,
       error_z, p50_ms, baseline_p50_ms, p95_ms, baseline_p95_ms, ratio, slow_z, needed_z
FROM figures WHERE all_n1 > 0
ORDER BY CASE finding WHEN 'gone' THEN 1 WHEN 'fails more' THEN 2 WHEN 'slower' THEN 3
                      WHEN 'more traffic' THEN 4 WHEN 'less traffic' THEN 4 WHEN 'new' THEN 5
                      WHEN 'as before' THEN 6 ELSE 7 END,
         greatest(error_z, slow_z) DESC NULLS LAST, calls DESC, value
LIMIT 500
