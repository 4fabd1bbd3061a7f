/*---
id: saturation.use
version: 5
title: USE of resources
question: Which resources are at their limit, keep work waiting, or report errors?
status: stable
params:
  window:     {type: window, help: when it hurts}
  baseline:   {type: window, help: when it was fine; may be shorter or longer than the window}
  service:    {type: service, optional: true, help: one service only}
  busy:       {type: float, default: 0.85, min: 0.1, max: 1, help: utilization from which a resource counts as at its limit}
  waiting:    {type: float, default: 0.1, min: 0, help: "share of time that work waits (throttled, stalled) that counts"}
  min_share:  {type: float, default: 0.5, min: 0.05, max: 1, help: share of the values that must be beyond the limit}
  min_points: {type: int, default: 3, min: 1, help: "with fewer values, a resource is not judged"}
  min_z:      {type: float, default: 3, min: 0, help: "for errors: how many standard errors above the baseline's rate a single series must be"}
requires: [metrics.value]
returns:
  resource: VARCHAR
  aspect: VARCHAR
  service: VARCHAR
  pod: VARCHAR
  host: VARCHAR
  metric: VARCHAR
  finding: VARCHAR
  level: DOUBLE
  baseline_level: DOUBLE
  highest: DOUBLE
  beyond_share: DOUBLE
  baseline_beyond_share: DOUBLE
  errors: DOUBLE
  baseline_errors: DOUBLE
  z: DOUBLE
  points: BIGINT
  baseline_points: BIGINT
  label: VARCHAR
columns:
  z: "standard errors by which errors come more often than in the baseline"
  level: "in the median"
  beyond_share: "of the values, so many are beyond the limit"
interesting: finding IN ('at its limit', 'keeps work waiting', 'reports errors')
reason: "{label}: {resource} {finding}, {level:.2g} (baseline {baseline_level:.2g}), beyond the limit in {beyond_share:.0%} of {points} values"
quiet: "no resource came to its limit, kept work waiting or reported errors that was not so in the baseline; the highest is {label} at {level:.2g}"
empty: "no use, waiting or errors of a resource are recorded in the window: whether one is at its limit is not known"
covers:
  - "utilization: any metric that ends in utilization, and percentages of CPU, memory, disk or file system use; of 1 or of 100 %"
  - "saturation: container_cpu_cfs_throttled_periods_total over container_cpu_cfs_periods_total, seconds of throttling, node_pressure_*_waiting_seconds_total; share of time"
  - "errors: network and disk errors and drops (system.network.errors, system.network.dropped, node_network_*, container_network_*)"
not_covered:
  - usage without a known limit (bytes, cores); see metrics.shift
  - pools of connections and threads; see saturation.pool_exhaustion
  - what was beyond its limit in the baseline too; it says "as before"
next:
  - {template: saturation.noisy_neighbour, when: "resource = 'cpu'", params: {host: host}}
  - {template: runtime.restarts, when: "resource = 'memory'", params: {service: service}}
  - {template: latency.shift, params: {service: service}}
chart: {mark: rule, x: baseline_level, x2: level, y: label, color: aspect, top: 15}
references:
  - "USE method: utilization, saturation, errors (B. Gregg)"
  - "level: the median of the values; z of two Poisson rates over the time watched, the smaller of that after the square root transform and the signed root of the likelihood ratio; min_z raised for the number of series of errors (Bonferroni by the Gaussian tail)"
---*/
-- What a metric tells is found out once for each name; what it is about, once for each series at its last point.
WITH kinds AS (
    SELECT name, unit, metric,
           CASE WHEN metric LIKE '%cpu%' THEN 'cpu' WHEN metric LIKE '%mem%' THEN 'memory'
                WHEN regexp_matches(metric, 'network|_net_') THEN 'network'
                WHEN regexp_matches(metric, 'disk|filesystem|_fs_|_io_') THEN 'disk'
                END AS resource,
           CASE WHEN regexp_matches(metric, '^container_cpu_cfs_(throttled_)?periods_total$') THEN 'periods'
                WHEN regexp_matches(metric, 'throttled.*seconds|throttled_time|node_pressure_\w+_waiting_seconds_total$')
                    THEN 'saturation'
                WHEN regexp_matches(metric, 'utili[sz]ation$') OR unit = '%' OR metric LIKE '%percent'
                    THEN 'utilization'
                WHEN regexp_matches(metric, '(system|node|container)_(network|disk|netstat).*(error|drop|errs)')
                    THEN 'errors' END AS aspect,
           CASE WHEN unit = '%' OR metric LIKE '%percent' THEN 100 ELSE 1 END AS whole
    FROM (SELECT name, unit, replace(lower(name), '.', '_') AS metric
          FROM (SELECT DISTINCT name, unit FROM metrics
                WHERE (time >= $window_start AND time < $window_end)
                   OR (time >= $baseline_start AND time < $baseline_end)
                ORDER BY ALL OFFSET 0))  -- lest DuckDB looks at the names before it makes them distinct
    WHERE regexp_matches(lower(name), 'utili[sz]ation$|(usage.?rate|percent|usage)$|throttled|cfs.periods|node.pressure.*waiting|(error|drop|errs)')
),
points AS (
    SELECT time, time >= $window_start AND time < $window_end AS is_now, temporality, value,
           hash(service, pod, host, attributes, m.resource['k8s.container.name']) AS place,
           hash(service, pod, host, m.name, attributes, m.resource['k8s.container.name']) AS series,
           metric, k.resource, aspect, whole
    FROM metrics AS m JOIN kinds AS k ON k.name = m.name AND k.unit IS NOT DISTINCT FROM m.unit
    WHERE ((time >= $window_start AND time < $window_end)
           OR (time >= $baseline_start AND time < $baseline_end))
      AND value IS NOT NULL AND isfinite(value) AND ($service IS NULL OR service = $service)
      AND aspect IS NOT NULL AND k.resource IS NOT NULL
),
-- A counter that falls was set back: what it shows then came since.
steps AS (
    SELECT *,
           CASE WHEN temporality = 'delta' THEN value
                WHEN value >= lag(value) OVER one THEN value - lag(value) OVER one
                WHEN lag(value) OVER one IS NOT NULL THEN value END AS increase,
           (epoch_us(time) - epoch_us(lag(time) OVER one)) / 1e6 AS seconds
    FROM points WHERE aspect <> 'utilization'
    WINDOW one AS (PARTITION BY is_now, series ORDER BY time)
),
levels AS (
    SELECT time, is_now, resource, aspect, series, value / whole AS level, NULL::DOUBLE AS errors
    FROM points WHERE aspect = 'utilization'
    UNION ALL
    SELECT time, is_now, resource, aspect, series, increase / nullif(seconds, 0),
           CASE aspect WHEN 'errors' THEN increase END
    FROM steps WHERE aspect <> 'periods'
    UNION ALL
    SELECT time, t.is_now, t.resource, 'saturation', t.series, t.increase / nullif(p.increase, 0), NULL
    FROM steps AS t JOIN steps AS p USING (place, time)
    WHERE t.metric = 'container_cpu_cfs_throttled_periods_total'
      AND p.metric = 'container_cpu_cfs_periods_total' AND p.increase > 0
),
-- An increase over a gap took the whole gap; a delta tells of its own interval.
watched AS (
    SELECT series, round(sum(length) FILTER (is_now), 6) AS t1, round(sum(length) FILTER (NOT is_now), 6) AS t0
    FROM (SELECT series, is_now, CASE WHEN temporality = 'delta' THEN 1 ELSE seconds END AS length
          FROM steps WHERE aspect = 'errors' AND seconds > 0)
    GROUP BY series
),
resources AS (
    SELECT resource, aspect, series, max(time) AS last_time,
           count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0,
           median(level) FILTER (is_now) AS level, median(level) FILTER (NOT is_now) AS baseline_level,
           max(level) FILTER (is_now) AS highest,
           count(*) FILTER (is_now AND level >= bound) / nullif(n1, 0) AS beyond_share,
           count(*) FILTER (NOT is_now AND level >= bound) / nullif(n0, 0) AS baseline_beyond_share,
           round(sum(errors) FILTER (is_now), 6) AS errors,
           round(sum(errors) FILTER (NOT is_now), 6) AS baseline_errors
    FROM (SELECT *, CASE aspect WHEN 'utilization' THEN $busy WHEN 'saturation' THEN $waiting END AS bound
          FROM levels WHERE level IS NOT NULL)
    GROUP BY resource, aspect, series HAVING n1 > 0
),
names AS (
    SELECT DISTINCT hash(service, pod, host, name, attributes, resource['k8s.container.name']) AS series,
           service, pod, host, resource['k8s.container.name'] AS container,
           CASE WHEN replace(lower(name), '.', '_') = 'container_cpu_cfs_throttled_periods_total'
                THEN 'throttled share of periods' ELSE name END
           || CASE WHEN attributes IS NULL OR cardinality(attributes) = 0 THEN ''
                   ELSE ' ' || CAST(attributes AS VARCHAR) END AS metric
    FROM metrics
    WHERE ((time >= $window_start AND time < $window_end)
           OR (time >= $baseline_start AND time < $baseline_end))
      AND time IN (SELECT last_time FROM resources)
),
judged AS (
    SELECT *,
           CASE WHEN aspect = 'errors' AND t0 > 0 AND t1 > 0
                THEN sign(errors / t1 - baseline_errors / t0)
                     * least(abs(2 * (sqrt(errors / t1) - sqrt(baseline_errors / t0)) / sqrt(1 / t1 + 1 / t0)),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[errors, (errors + baseline_errors + 1e-9) * t1 / (t1 + t0)],
                                  [baseline_errors, (errors + baseline_errors + 1e-9) * t0 / (t1 + t0)]]]), 0))) END AS z,
           sqrt($min_z * $min_z + 2 * ln(greatest(count(*) FILTER (aspect = 'errors' AND least(n1, n0) >= $min_points)
                                                  OVER (), 1))) AS needed_z,
           CASE
               WHEN n1 < $min_points THEN NULL
               WHEN aspect = 'errors' THEN
                   CASE WHEN n0 < $min_points THEN NULL
                        WHEN errors >= 5 AND z >= needed_z THEN 'reports errors' ELSE 'as before' END
               WHEN beyond_share < $min_share THEN 'below its limit'
               WHEN coalesce(baseline_beyond_share, 0) >= $min_share / 2 THEN 'as before'
               WHEN aspect = 'utilization' THEN 'at its limit'
               ELSE 'keeps work waiting'
           END AS finding
    FROM resources JOIN names USING (series) LEFT JOIN watched USING (series)
)
SELECT resource, aspect, service, pod, host, metric, finding, level, baseline_level, highest,
       beyond_share, baseline_beyond_share, errors, baseline_errors, z,
       n1 AS points, n0 AS baseline_points,
       concat_ws('/', coalesce(pod, host, service, ''), container) || ' ' || metric AS label
FROM judged
ORDER BY CASE finding WHEN 'at its limit' THEN 1 WHEN 'keeps work waiting' THEN 1
                      WHEN 'reports errors' THEN 2 WHEN 'as before' THEN 4
                      WHEN 'below its limit' THEN 5 ELSE 6 END,
         beyond_share - coalesce(baseline_beyond_share, 0) DESC NULLS LAST, level DESC NULLS LAST,
         resource, aspect, service, pod, host, container, metric
LIMIT 300
