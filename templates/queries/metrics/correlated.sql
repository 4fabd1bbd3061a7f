/*---
id: metrics.correlated
version: 4
title: Metrics that move with the symptom
question: Which metrics move with the symptom, and which of them lead it?
status: stable
params:
  window:    {type: window, help: when it hurts}
  baseline:  {type: window, help: when it was fine; the series are looked at from its begin to the window's end}
  symptom:   {type: choice, of: [latency, errors, calls], default: latency, help: "p95 of requests, share of failing requests, or requests"}
  symptom_service: {type: service, optional: true, help: whose symptom; the roots of all traces when not given}
  service:   {type: service, optional: true, help: only metrics of this service}
  bucket:    {type: duration, default: 60s, help: the step in which both are compared}
  max_lag:   {type: int, default: 3, min: 0, max: 20, help: how many steps a metric may lead or follow}
  min_correlation: {type: float, default: 0.6, min: 0, max: 1, help: correlation that counts at least}
  min_shift: {type: float, default: 4, min: 0, help: how many usual deviations from its level counts}
requires: [metrics.value, spans.service]
step: metrics.correlated
returns:
  service: VARCHAR
  pod: VARCHAR
  metric: VARCHAR
  correlation: DOUBLE
  lead_seconds: DOUBLE
  at_once: DOUBLE
  q: DOUBLE
  points: BIGINT
  before: DOUBLE
  during: DOUBLE
  shift: DOUBLE
  label: VARCHAR
columns:
  lead_seconds: "how much earlier the metric moves; negative where it follows"
  at_once: "correlation without that shift in time"
  q: "of such series, the part that moves so by chance (false discovery rate); near 1 says nothing"
  shift: "usual deviations between the level in the window and before"
interesting: "CASE WHEN correlation IS NOT NULL AND shift IS NOT NULL THEN abs(correlation) >= min_correlation AND shift >= min_shift END"
reason: "{label} moves with the symptom (correlation {correlation:.2f}, {lead_seconds:.0f} s ahead; of such findings {q:.0%} are chance) and left its level: {during:.4g} against {before:.4g}"
quiet: "no metric moves with the symptom and left its level too; the nearest is {label} ({correlation:.2f})"
empty: "no metric of what was asked is recorded"
covers:
  - gauges, rates of counters, means of histograms, one series a service, pod (or host, where there is none), container and name
  - a metric that leads or follows by up to max_lag steps
not_covered:
  - cause; what moves together may have one
  - "whether moving together is more than chance: two series that each change once agree easily; q says how easily, over all series and lags"
  - series with fewer than 8 common steps, and relations that go up and down
  - quantiles of histograms and summaries
chart: {mark: bar, x: correlation, y: label, top: 15}
references:
  - "Pearson's correlation of values clipped at their 10th and 90th percentile; independent points after Bartlett (1935), q after Benjamini and Hochberg (1995) over all series and lags"
  - "shift: difference of the medians in and before the window over 1.48 MAD before, at least 5 % of the level"
next:
  - {template: metrics.shift, params: {service: service, metric: metric}}
---*/
WITH wide AS (
    SELECT least($baseline_start::TIMESTAMPTZ, $window_start::TIMESTAMPTZ) AS first
),
requests AS (
    SELECT time, duration_ns / 1e6 AS ms, status = 'error' AS failed
    FROM spans
    WHERE time >= least($baseline_start, $window_start) AND time < greatest($baseline_end, $window_end)
      AND CASE WHEN $symptom_service IS NULL THEN parent_span_id IS NULL
               ELSE service = $symptom_service
                    AND (parent_span_id IS NULL OR coalesce(kind, 'unspecified') IN ('server', 'consumer', 'unspecified'))
          END
),
symptom AS (
    SELECT floor((epoch_us(time) - epoch_us(first)) / ($bucket * 1e6))::BIGINT AS bucket,
           CASE $symptom WHEN 'latency' THEN quantile_cont(ms, 0.95)
                         WHEN 'errors' THEN count(*) FILTER (failed) / count(*)
                         ELSE count(*) END AS value
    FROM requests, wide GROUP BY bucket
),
points AS NOT MATERIALIZED (
    SELECT time, service, pod, concat_ws('/', coalesce(pod, host), resource['k8s.container.name']) AS place, name, attributes,
           kind, temporality, value, count, sum,
           temporality IS DISTINCT FROM 'delta'
           AND (kind IN ('histogram', 'exponential_histogram', 'summary')
                OR (kind = 'sum' AND coalesce(monotonic, false))) AS counts_up
    FROM metrics
    WHERE time >= least($baseline_start, $window_start) AND time < greatest($baseline_end, $window_end)
      AND ($service IS NULL OR service = $service)
),
-- Only what counts up needs the point before; a series is known by a number there, which sorts faster.
steps AS (
    SELECT time, service, pod, place, name, kind,
           epoch_us(time) - epoch_us(lag(time) OVER one) AS step_us, value - lag(value) OVER one AS value_step,
           count - lag(count) OVER one AS count_step, sum - lag(sum) OVER one AS sum_step
    FROM (SELECT *, hash(service, place, name, attributes) AS series FROM points WHERE counts_up)
    WINDOW one AS (PARTITION BY series ORDER BY time)
),
-- One number a point: the value, the rate of a counter, or the mean of what a histogram counted.
levels AS (
    SELECT time, service, pod, place, name,
           CASE WHEN kind IN ('histogram', 'exponential_histogram', 'summary') THEN sum / nullif(count, 0)
                ELSE value END AS level
    FROM points WHERE NOT coalesce(counts_up, false)
    UNION ALL
    SELECT time, service, pod, place, name,
           CASE WHEN kind <> 'sum' THEN CASE WHEN count_step > 0 THEN sum_step / count_step END
                WHEN value_step >= 0 AND step_us > 0 THEN value_step / step_us * 1e6 END
    FROM steps
),
metric AS (
    SELECT service, pod, place, name,
           floor((epoch_us(time) - epoch_us(first)) / ($bucket * 1e6))::BIGINT AS bucket,
           median(level) AS value
    FROM levels, wide WHERE level IS NOT NULL AND isfinite(level)
    GROUP BY service, pod, place, name, bucket
)
SELECT 'symptom' AS part, NULL AS service, NULL AS pod, NULL AS place, NULL AS name, bucket, value, NULL AS is_now FROM symptom
UNION ALL
SELECT 'metric', service, pod, place, name, bucket, value,
       first + to_seconds(bucket * $bucket) >= $window_start::TIMESTAMPTZ
       AND first + to_seconds(bucket * $bucket) < $window_end::TIMESTAMPTZ
FROM metric, wide
ORDER BY ALL
