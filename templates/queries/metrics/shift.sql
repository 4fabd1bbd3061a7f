/*---
id: metrics.shift
version: 1
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
interesting: score >= min_score AND abs(change) >= min_change
reason: "{label}: {median:.4g} {unit} against {baseline_median:.4g}, {score:.0f} usual deviations {direction}; correlation with the symptom {correlation:.2f}"
quiet: "no metric is {min_score:.0f} usual deviations away from its level; the furthest is {label} ({score:.1f})"
covers:
  - gauges, rates of counters (also cumulative ones, across resets), means of histograms
not_covered:
  - quantiles of histograms and summaries
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
WITH points AS (
    SELECT time, time >= $window_start AND time < $window_end AS is_now, service, pod, name, unit, kind,
           temporality, coalesce(monotonic, false) AS monotonic, value, count, sum,
           CAST(attributes AS VARCHAR) AS series
    FROM metrics
    WHERE ((time >= $baseline_start - to_seconds($history)
            AND time < $baseline_end + to_seconds($history))
           OR (time >= $window_start AND time < $window_end))
      AND ($metric IS NULL OR name = $metric)
),
steps AS (
    SELECT *, epoch_us(time) - epoch_us(lag(time) OVER one) AS step_us,
           value - lag(value) OVER one AS value_step,
           count - lag(count) OVER one AS count_step, sum - lag(sum) OVER one AS sum_step
    FROM points
    WINDOW one AS (PARTITION BY is_now, service, pod, name, series ORDER BY time)
),
-- One number a point: the value, the rate of a counter, or the mean of what a histogram counted.
levels AS (
    SELECT time, is_now, service, pod, name, unit, series,
           CASE
               WHEN kind IN ('histogram', 'exponential_histogram', 'summary')
                    AND temporality = 'delta' THEN sum / nullif(count, 0)
               WHEN kind IN ('histogram', 'exponential_histogram', 'summary')
                    THEN CASE WHEN count_step > 0 THEN sum_step / count_step END
               WHEN kind = 'sum' AND monotonic AND temporality IS DISTINCT FROM 'delta'
                    THEN CASE WHEN value_step >= 0 AND step_us > 0
                              THEN value_step / step_us * 1e6 END
               ELSE value
           END AS level
    FROM steps
),
known AS (
    SELECT * FROM levels WHERE level IS NOT NULL AND isfinite(level)
),
medians AS (
    SELECT service, pod, name, series, min(unit) AS unit,
           median(level) FILTER (is_now) AS m1, median(level) FILTER (NOT is_now) AS m0,
           count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0
    FROM known GROUP BY service, pod, name, series
),
deviations AS (
    SELECT service, pod, name, series, level, abs(level - m0) AS away
    FROM known JOIN medians USING (service, pod, name, series)
    WHERE NOT is_now
),
spreads AS (
    SELECT service, pod, name, series, median(away) * 1.4826 AS mad
    FROM deviations GROUP BY service, pod, name, series
),
-- What is ordinary for a metric is also learned from its other series: one that never moved has
-- no spread of its own, and one that idles jumps when it wakes.
-- Quantiles, not means: sums of floats differ in their last bits from run to run.
ordinary AS (
    SELECT name, quantile_cont(away, 0.9) AS away_90, quantile_cont(abs(level), 0.9) AS level_90,
           max(abs(level)) AS level_max
    FROM deviations GROUP BY name
),
symptom_spans AS (
    SELECT time, trace_id, span_id, duration_ns, status
    FROM spans
    WHERE ((time >= $baseline_start - to_seconds($history)
            AND time < $baseline_end + to_seconds($history))
           OR (time >= $window_start AND time < $window_end))
      AND CASE WHEN $symptom_service IS NULL THEN parent_span_id IS NULL OR $symptom = 'errors'
               ELSE service = $symptom_service END
),
symptom_errors AS (
    SELECT DISTINCT trace_id, span_id FROM logs
    WHERE $symptom = 'errors'
      AND ((time >= $baseline_start - to_seconds($history)
            AND time < $baseline_end + to_seconds($history))
           OR (time >= $window_start AND time < $window_end))
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
),
symptoms AS (
    SELECT floor(epoch_us(time) / 1e6 / $bucket) AS step,
           CASE WHEN $symptom = 'latency' THEN quantile_cont(duration_ns, 0.95)
                ELSE count(DISTINCT trace_id) FILTER (status = 'error' OR e.span_id IS NOT NULL)
                     / count(DISTINCT trace_id) END AS hurt
    FROM symptom_spans LEFT JOIN symptom_errors AS e USING (trace_id, span_id)
    GROUP BY step
),
together AS (
    SELECT service, pod, name, series, step, median(level) AS level, max(hurt) AS hurt
    FROM known JOIN symptoms ON step = floor(epoch_us(time) / 1e6 / $bucket)
    GROUP BY service, pod, name, series, step
),
ranks AS (
    SELECT service, pod, name, series,
           rank() OVER (one ORDER BY level) + (count(*) OVER (one ORDER BY level RANGE CURRENT ROW) - 1) / 2
               AS level_rank,
           rank() OVER (one ORDER BY hurt) + (count(*) OVER (one ORDER BY hurt RANGE CURRENT ROW) - 1) / 2
               AS hurt_rank
    FROM together WINDOW one AS (PARTITION BY service, pod, name, series)
),
correlations AS (
    SELECT service, pod, name, series, count(*) AS buckets,
           CASE WHEN count(*) >= 5 AND stddev_pop(level_rank) > 0 AND stddev_pop(hurt_rank) > 0
                THEN round(corr(level_rank, hurt_rank), 3) END AS correlation
    FROM ranks GROUP BY service, pod, name, series
),
figures AS (
    SELECT m.service, m.pod, m.name AS metric, m.unit, m.m1, m.m0, m.n1, m.n0,
           c.correlation, coalesce(c.buckets, 0) AS buckets,
           CASE WHEN n0 > 0 THEN greatest(mad, 0.05 * abs(m0), 0.05 * floor, away_90, 1e-9)
           END AS deviation,
           (m1 - m0) / greatest(abs(m0), 0.05 * floor, 1e-9) AS change,
           CASE WHEN m.series IN ('{}', '') OR m.series IS NULL THEN '' ELSE ' ' || m.series END AS tags
    FROM medians AS m
    LEFT JOIN spreads AS d
           ON d.service IS NOT DISTINCT FROM m.service AND d.pod IS NOT DISTINCT FROM m.pod
          AND d.name = m.name AND d.series IS NOT DISTINCT FROM m.series
    LEFT JOIN (SELECT *, coalesce(nullif(level_90, 0), level_max) AS floor FROM ordinary) AS o
           ON o.name = m.name
    LEFT JOIN correlations AS c
           ON c.service IS NOT DISTINCT FROM m.service AND c.pod IS NOT DISTINCT FROM m.pod
          AND c.name = m.name AND c.series IS NOT DISTINCT FROM m.series
)
SELECT service, pod, metric || tags AS metric, unit,
       CASE WHEN m1 > m0 THEN 'up' WHEN m1 < m0 THEN 'down' ELSE 'level' END AS direction,
       m1 AS median, m0 AS baseline_median, change, deviation AS usual_deviation,
       CASE WHEN n1 >= $min_points AND n0 >= $min_points THEN abs(m1 - m0) / deviation END AS score,
       n1 AS points, n0 AS baseline_points, correlation, buckets,
       coalesce(pod, service, '') || ' ' || metric || tags AS label
FROM figures
WHERE n1 > 0 AND ($service IS NULL OR service = $service)
ORDER BY coalesce(score >= $min_score AND abs(change) >= $min_change, false) DESC,
         score DESC NULLS LAST, abs(correlation) DESC NULLS LAST, service, pod, metric, tags
LIMIT 200
