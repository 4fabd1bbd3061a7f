/*---
id: series.onset
version: 3
title: Onset
question: When did each service's series leave its level, and how sure is that time?
status: stable
params:
  window:     {type: window, help: when it hurts}
  baseline:   {type: window, help: when it was fine; the series is looked at from its begin to the window's end}
  measure:    {type: choice, of: [latency, errors, calls, log_lines, metric], default: latency, help: "p95 of requests, share of failing requests, requests, log lines, or a metric: its values' median, a counter's rate"}
  service:    {type: service, optional: true, help: one service only}
  metric:     {type: string, optional: true, help: "which metric, when a metric is looked at; one series a service, pod (or host, where there is none) and container"}
  bucket:     {type: duration, default: 60s, help: the step of the series; the onset is as exact}
  max_p:      {type: float, default: 0.01, min: 0, max: 1, help: "how likely such a change may be without any, over all series and all places that it could be at"}
  min_change: {type: float, default: 0.2, min: 0, help: change in proportion to the level before that counts at least}
requires: [spans.service]
step: series.onset
returns:
  service: VARCHAR
  series: VARCHAR
  direction: VARCHAR
  onset: TIMESTAMP WITH TIME ZONE
  earliest: TIMESTAMP WITH TIME ZONE
  latest: TIMESTAMP WITH TIME ZONE
  recovered: TIMESTAMP WITH TIME ZONE
  before: DOUBLE
  during: DOUBLE
  change: DOUBLE
  z: DOUBLE
  p: DOUBLE
  points: BIGINT
columns:
  earliest: "it began between this"
  latest: "and this"
  recovered: "when it was back at its level; empty where it is not"
  change: "over the level before"
  z: "standard errors of the step"
  p: "chance of such a step without a cause, for all series and places"
interesting: "p <= max_p AND (change IS NULL OR abs(change) >= min_change)"
reason: "{service}: {series} went {direction} at {onset}, from {before:.4g} to {during:.4g}"
quiet: "no series left its level beyond chance; the nearest is {series} of {service} (p {p:.2g})"
empty: "no series of what was asked is recorded"
covers:
  - one stretch on another level in each series, that lasts or ends; its begin with an interval that held it in 95 of 100 planted ones
  - series with a memory of their own (autocorrelation), by fewer independent points
not_covered:
  - slow drifts, and a change of spread or rhythm without one of level
  - series with fewer than 8 points, or more than 720
  - histograms, and metrics of no service
  - "counts: a step without any row of anybody is no data; one without rows of the service is a zero"
chart: {mark: point, x: onset, y: service, color: direction}
references:
  - "Olshen et al., Circular binary segmentation, Biostatistics 2004; here over ranks; p is Bonferroni's over series and places"
next:
  - {template: changes.ranking, when: "p <= max_p", params: {onset: onset}}
  - {template: rca.ranking, when: "p <= max_p", params: {onset: onset}}
  - {template: metrics.correlated, when: "p <= max_p", params: {symptom_service: service}}
---*/
WITH wide AS (
    SELECT least($baseline_start::TIMESTAMPTZ, $window_start::TIMESTAMPTZ) AS first,
           greatest($baseline_end::TIMESTAMPTZ, $window_end::TIMESTAMPTZ) AS last
),
points AS (
    SELECT time, service, name, concat_ws('/', coalesce(pod, host), resource['k8s.container.name']) AS place,
           attributes, value, kind = 'sum' AND monotonic AND temporality IS DISTINCT FROM 'delta' AS counts_up
    FROM metrics
    WHERE time >= least($baseline_start, $window_start) AND time < greatest($baseline_end, $window_end)
      AND $measure = 'metric' AND name = $metric
),
rows AS (
    SELECT time, service, $measure AS series, duration_ns / 1e6 AS value, status = 'error' AS failed
    FROM spans
    WHERE time >= least($baseline_start, $window_start) AND time < greatest($baseline_end, $window_end)
      AND $measure IN ('latency', 'errors', 'calls')
      AND (parent_span_id IS NULL OR coalesce(kind, 'unspecified') IN ('server', 'consumer', 'unspecified'))
    UNION ALL
    SELECT time, service, $measure, NULL, NULL
    FROM logs
    WHERE time >= least($baseline_start, $window_start) AND time < greatest($baseline_end, $window_end)
      AND $measure = 'log_lines'
    UNION ALL
    SELECT time, service, concat_ws(' ', name, place),
           CASE WHEN counts_up THEN CASE WHEN value >= lag(value) OVER one
                THEN (value - lag(value) OVER one) / nullif(epoch_us(time) - epoch_us(lag(time) OVER one), 0) * 1e6 END
                ELSE value END, NULL
    FROM points WINDOW one AS (PARTITION BY service, place, attributes ORDER BY time)
),
placed AS (
    SELECT service, series, value, failed,
           floor((epoch_us(time) - epoch_us(first)) / ($bucket * 1e6))::BIGINT AS bucket
    FROM rows, wide
),
-- Where nobody wrote anything nothing was recorded; where others did, none is a zero.
heard AS (
    SELECT DISTINCT bucket FROM placed
),
wanted AS (
    SELECT DISTINCT service, series FROM placed
    WHERE service IS NOT NULL AND ($service IS NULL OR service = $service)
),
measured AS (
    SELECT service, series, bucket, count(*) AS n, count(*) FILTER (failed) AS failing,
           quantile_cont(value, 0.95) AS p95, median(value) AS middle
    FROM placed GROUP BY service, series, bucket
)
SELECT service, series, bucket, first + to_seconds(bucket * $bucket) AS time,
       CASE $measure
           WHEN 'latency' THEN p95
           WHEN 'errors' THEN failing / n
           WHEN 'metric' THEN middle
           ELSE coalesce(n, 0)::DOUBLE
       END AS value
FROM wanted CROSS JOIN heard CROSS JOIN wide LEFT JOIN measured USING (service, series, bucket)
ORDER BY service, series, bucket
