/*---
id: metrics.shift
version: 4
title: Metric shift
question: Which metrics left their usual level, and did they move with the symptom?
status: stable
params:
  window:     {type: window, help: when it hurts}
  baseline:   {type: window, help: when it was fine; may be shorter or longer than the window}
  service:    {type: service, optional: true, help: only metrics of this service}
  metric:     {type: string, optional: true, help: only this metric}
  symptom:    {type: choice, of: [latency, errors], default: latency, help: "what the metrics are correlated with: p95 of requests, or the share of failing traces"}
  symptom_service: {type: service, optional: true, help: whose symptom; the roots of all traces when not given}
  bucket:     {type: duration, default: 60s, help: the step in which metric and symptom are compared}
  history:    {type: duration, default: 20m, help: "how far around the baseline, outside the window, values count as usual; metrics come too seldom for a short baseline"}
  min_points: {type: int, default: 2, min: 1, help: "with fewer values, then or now, a series is not judged"}
  min_score:  {type: float, default: 6, min: 0, help: how many usual deviations away counts}
  min_change: {type: float, default: 0.2, min: 0, help: change in proportion to the usual level that counts at least}
requires: [metrics.value, metrics.service]
returns:
  service: VARCHAR
  pod: VARCHAR
  metric: VARCHAR
  unit: VARCHAR
  direction: VARCHAR
  median: DOUBLE
  baseline_median: DOUBLE
  change: DOUBLE
  usual_deviation: DOUBLE
  score: DOUBLE
  points: BIGINT
  baseline_points: BIGINT
  correlation: DOUBLE
  buckets: BIGINT
  label: VARCHAR
columns:
  change: "the change of the level, over its size"
  usual_deviation: "how far values are from their level as a rule"
  score: "change of the level in usual deviations"
  correlation: "with p95 of the requests"
interesting: CASE WHEN score IS NOT NULL THEN score >= min_score AND abs(change) >= min_change END
reason: "{label}: {median:.4g} {unit} against {baseline_median:.4g}, {score:.0f} usual deviations {direction}; correlation with the symptom {correlation:.2f}"
quiet: "no metric is {min_score:.0f} usual deviations away from its level; the furthest is {label} ({score:.1f})"
empty: "no metric of what was asked is recorded in the window"
covers:
  - gauges, rates of counters (also cumulative ones, across resets), means of histograms
not_covered:
  - quantiles of histograms and summaries
  - several processes of one service in one container, or on one host without pods; they are one series
  - daily and weekly rhythm, unless the baseline is taken at the same hour
  - correlation with fewer than 5 common buckets; it is then not given
next:
  - {template: saturation.use, params: {service: service}}
  - {template: runtime.restarts, params: {service: service}}
  - {template: attributes.compare, params: {service: service}}
chart: {mark: bar, x: score, y: label, color: direction, top: 15}
references:
  - "score: difference of the medians over the usual deviation: 1.48 MAD of the series, at least 5 % of its level and what nine in ten values of that metric keep to"
  - "correlation: Spearman's, over the buckets of baseline and window"
---*/
-- A series is known by a number; its names are looked up in the end, at its last point, for those that are shown.
WITH points AS NOT MATERIALIZED (
    SELECT time, time >= $window_start AND time < $window_end AS is_now,
           hash(service, pod, host, name, attributes, resource['k8s.container.name']) AS series,
           hash(name) AS metric, kind, temporality, value, count, sum,
           temporality IS DISTINCT FROM 'delta'
           AND (kind IN ('histogram', 'exponential_histogram', 'summary')
                OR (kind = 'sum' AND coalesce(monotonic, false))) AS counts_up
    FROM metrics
    WHERE ((time >= $baseline_start - to_seconds($history)
            AND time < $baseline_end + to_seconds($history))
           OR (time >= $window_start AND time < $window_end))
      AND ($metric IS NULL OR name = $metric)
),
steps AS (
    SELECT time, is_now, series, metric, kind, epoch_us(time) - epoch_us(lag(time) OVER one) AS step_us,
           value - lag(value) OVER one AS value_step,
           count - lag(count) OVER one AS count_step, sum - lag(sum) OVER one AS sum_step
    FROM points WHERE counts_up
    WINDOW one AS (PARTITION BY is_now, series ORDER BY time)
),
-- One number a point: the value, the rate of a counter, or the mean of what a histogram counted.
levels AS (
    SELECT time, is_now, series, metric,
           CASE WHEN kind IN ('histogram', 'exponential_histogram', 'summary') THEN sum / nullif(count, 0)
                ELSE value END AS level
    FROM points WHERE NOT coalesce(counts_up, false)
    UNION ALL
    SELECT time, is_now, series, metric,
           CASE WHEN kind <> 'sum' THEN CASE WHEN count_step > 0 THEN sum_step / count_step END
                WHEN value_step >= 0 AND step_us > 0 THEN value_step / step_us * 1e6 END
    FROM steps
),
known AS (
    SELECT * FROM levels WHERE level IS NOT NULL AND isfinite(level)
),
medians AS (
    SELECT series, metric, max(time) AS last_time,
           median(level) FILTER (is_now) AS m1, median(level) FILTER (NOT is_now) AS m0,
           count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0
    FROM known GROUP BY series, metric
),
deviations AS (
    SELECT series, k.metric, abs(level) AS height, abs(level - m0) AS away
    FROM known AS k JOIN medians USING (series) WHERE NOT is_now
),
spreads AS (
    SELECT series, median(away) * 1.4826 AS mad FROM deviations GROUP BY series
),
-- What is ordinary for a metric is also learned from its other series: one that never moved has
-- no spread of its own, and one that idles jumps when it wakes.
-- Quantiles, not means: sums of floats differ in their last bits from run to run.
ordinary AS (
    SELECT metric, quantile_cont(away, 0.9) AS away_90,
           coalesce(nullif(quantile_cont(height, 0.9), 0), max(height)) AS floor
    FROM deviations GROUP BY metric
),
scored AS (
    SELECT series, last_time, m1, m0, n1, n0,
           CASE WHEN n0 > 0 THEN greatest(mad, 0.05 * abs(m0), 0.05 * floor, away_90, 1e-9)
           END AS deviation,
           (m1 - m0) / greatest(abs(m0), 0.05 * floor, 1e-9) AS change,
           CASE WHEN n1 >= $min_points AND n0 >= $min_points THEN abs(m1 - m0) / deviation END AS score,
           coalesce(score >= $min_score AND abs(change) >= $min_change, false) AS stands_out
    FROM medians LEFT JOIN spreads USING (series) LEFT JOIN ordinary USING (metric)
    WHERE n1 > 0
),
names AS (
    SELECT hash(service, pod, host, name, attributes, resource['k8s.container.name']) AS series, service, pod, host, name,
           resource['k8s.container.name'] AS container, min(unit) AS unit, CAST(attributes AS VARCHAR) AS tags
    FROM metrics
    WHERE ((time >= $baseline_start - to_seconds($history)
            AND time < $baseline_end + to_seconds($history))
           OR (time >= $window_start AND time < $window_end))
      AND time IN (SELECT last_time FROM scored)
    GROUP BY service, pod, host, name, attributes, container
),
shown AS (
    SELECT * FROM scored JOIN names USING (series)
    WHERE $service IS NULL OR service = $service
    QUALIFY rank() OVER (ORDER BY stands_out DESC, score DESC NULLS LAST) <= 200
),
symptom_errors AS (
    SELECT DISTINCT trace_id, span_id FROM logs
    WHERE $symptom = 'errors'
      AND ((time >= $baseline_start - to_seconds($history)
            AND time < $baseline_end + to_seconds($history))
           OR (time >= $window_start AND time < $window_end))
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
),
symptom_spans AS (
    SELECT floor(epoch_us(time) / 1e6 / $bucket) AS step, duration_ns, hash(trace_id) AS trace,
           status = 'error' OR (trace_id, span_id) IN (FROM symptom_errors) AS failed
    FROM spans
    WHERE ((time >= $baseline_start - to_seconds($history)
            AND time < $baseline_end + to_seconds($history))
           OR (time >= $window_start AND time < $window_end))
      AND CASE WHEN $symptom_service IS NULL THEN parent_span_id IS NULL OR $symptom = 'errors'
               ELSE service = $symptom_service END
),
symptoms AS (
    SELECT step, quantile_cont(duration_ns, 0.95) AS hurt FROM symptom_spans
    WHERE $symptom = 'latency' GROUP BY step
    UNION ALL
    SELECT step, count(DISTINCT trace) FILTER (failed) / count(DISTINCT trace) FROM symptom_spans
    WHERE $symptom = 'errors' GROUP BY step
),
together AS (
    SELECT series, level, hurt
    FROM (SELECT series, floor(epoch_us(time) / 1e6 / $bucket) AS step, median(level) AS level
          FROM known SEMI JOIN shown USING (series) GROUP BY series, step)
    JOIN symptoms USING (step)
),
ranks AS (
    SELECT series,
           rank() OVER (one ORDER BY level) + (count(*) OVER (one ORDER BY level RANGE CURRENT ROW) - 1) / 2
               AS level_rank,
           rank() OVER (one ORDER BY hurt) + (count(*) OVER (one ORDER BY hurt RANGE CURRENT ROW) - 1) / 2
               AS hurt_rank
    FROM together WINDOW one AS (PARTITION BY series)
),
correlations AS (
    SELECT series, count(*) AS buckets,
           CASE WHEN count(*) >= 5 AND stddev_pop(level_rank) > 0 AND stddev_pop(hurt_rank) > 0
                THEN round(corr(level_rank, hurt_rank), 3) END AS correlation
    FROM ranks GROUP BY series
),
figures AS (
    SELECT *, CASE WHEN tags = '{}' OR tags IS NULL THEN '' ELSE ' ' || tags END AS suffix
    FROM shown LEFT JOIN correlations USING (series)
)
SELECT service, pod, name || suffix AS metric, unit,
       CASE WHEN m1 > m0 THEN 'up' WHEN m1 < m0 THEN 'down' ELSE 'level' END AS direction,
       m1 AS median, m0 AS baseline_median, change, deviation AS usual_deviation, score,
       n1 AS points, n0 AS baseline_points, correlation, coalesce(buckets, 0) AS buckets,
       concat_ws('/', coalesce(pod, host, service, ''), container) || ' ' || name || suffix AS label
FROM figures
ORDER BY stands_out DESC, score DESC NULLS LAST, abs(correlation) DESC NULLS LAST, service, pod, host, container, metric, suffix
LIMIT 200
