/*---
id: saturation.pool_exhaustion
version: 4
title: Pool exhaustion
question: Which pools of connections or threads are used up, so that callers wait for them?
status: stable
params:
  window:     {type: window, help: when it hurts}
  baseline:   {type: window, help: when it was fine; may be shorter or longer than the window}
  service:    {type: service, optional: true, help: one service only}
  size:       {type: int, optional: true, min: 1, help: "how much a pool holds, where no metric says it"}
  full:       {type: float, default: 0.95, min: 0.1, max: 1, help: "used in proportion to its size from which a pool counts as full"}
  min_share:  {type: float, default: 0.25, min: 0, max: 1, help: "share of the steps in which it is full, or callers wait, that counts"}
  min_points: {type: int, default: 3, min: 1, help: "with values in fewer steps, a pool is not judged"}
  step:       {type: duration, default: 30s, help: the step in which values are put together}
requires: [metrics.value, metrics.service]
returns:
  service: VARCHAR
  pod: VARCHAR
  pool: VARCHAR
  finding: VARCHAR
  used: DOUBLE
  most_used: DOUBLE
  size: DOUBLE
  utilization: DOUBLE
  baseline_utilization: DOUBLE
  full_share: DOUBLE
  baseline_full_share: DOUBLE
  most_pending: DOUBLE
  pending_share: DOUBLE
  baseline_pending_share: DOUBLE
  timeouts: DOUBLE
  baseline_timeouts: DOUBLE
  points: BIGINT
  baseline_points: BIGINT
  label: VARCHAR
columns:
  full_share: "of the time in which it was full"
  pending_share: "of the time in which callers waited"
  utilization: "what it was in use at most in nine tenths of the time, of its size"
interesting: finding IN ('exhausted', 'callers wait', 'times out')
reason: "{label}: {finding}; {most_used:g} of {size:g} used, full in {full_share:.0%} of the time (baseline {baseline_full_share:.0%}), up to {most_pending:g} waiting, {timeouts:g} timeouts"
quiet: "no pool became full, kept callers waiting, or timed out more than in the baseline; the fullest is {label}, at {utilization:.0%}"
empty: "no metric of a pool of connections or threads is recorded in the window: whether one is full is not known"
covers:
  - "OpenTelemetry: db.client.connection.count, .max, .pending_requests, .timeouts (and the older db.client.connections.*)"
  - "Prometheus: hikaricp_connections_*, jdbc_connections_*, tomcat_threads_*, jetty_threads_*, executor_*, go_sql_*, pg_stat_activity_count, mysql_global_status_threads_connected, redis_connected_clients"
not_covered:
  - pools that no metric tells of; waiting for them shows between spans (dependencies.map)
  - what lasts shorter than the interval of the metric
  - exhaustion that was there in the baseline too; it says "full as before"
next:
  - {template: latency.shift, params: {service: service}}
  - {template: dependencies.map, params: {service: service}}
  - {template: changes.ranking}
chart: {mark: rule, x: baseline_utilization, x2: utilization, y: label, color: finding, top: 15}
references:
  - "OpenTelemetry semantic conventions for database client connection pools"
  - "utilization: the 90 % quantile over the steps"
  - "full and waiting are states that the metric tells of, no estimates; timeouts: z of two Poisson rates over the time watched, after the square root transform, 3 for one pool, raised for the number of pools that tell of timeouts (Bonferroni by the Gaussian tail: z² = 9 + 2 ln m)"
---*/
-- What a metric tells is found out once for each name; whose it is, once for each series at its last point.
WITH kinds AS (
    SELECT name, regexp_extract(metric, '^(db_client|hikaricp|jdbc|tomcat|jetty|executor|go_sql|pg|mysql|redis)', 1)
               AS family,
           metric IN ('db_client_connection_count', 'db_client_connections_usage') AS by_state,
           CASE
               WHEN by_state
                    OR metric IN ('hikaricp_connections_active', 'jdbc_connections_active',
                               'tomcat_threads_busy', 'tomcat_threads_busy_threads',
                               'jetty_threads_busy', 'executor_active', 'executor_active_threads',
                               'go_sql_in_use_connections', 'go_sql_stats_connections_in_use',
                               'pg_stat_activity_count', 'mysql_global_status_threads_connected',
                               'redis_connected_clients') THEN 'used'
               WHEN metric IN ('db_client_connection_max', 'db_client_connections_max',
                               'hikaricp_connections_max', 'jdbc_connections_max',
                               'tomcat_threads_config_max', 'tomcat_threads_config_max_threads',
                               'jetty_threads_config_max', 'executor_pool_max',
                               'executor_pool_max_threads', 'go_sql_max_open_connections',
                               'go_sql_stats_connections_max_open', 'pg_settings_max_connections',
                               'mysql_global_variables_max_connections', 'redis_config_maxclients')
                   THEN 'size'
               WHEN metric IN ('db_client_connection_pending_requests',
                               'db_client_connections_pending_requests',
                               'hikaricp_connections_pending', 'executor_queued',
                               'executor_queued_tasks') THEN 'pending'
               WHEN metric IN ('db_client_connection_timeouts', 'db_client_connections_timeouts',
                               'hikaricp_connections_timeout', 'hikaricp_connections_timeout_total')
                   THEN 'timeouts'
           END AS role
    FROM (SELECT name, replace(lower(name), '.', '_') AS metric
          FROM (SELECT DISTINCT name FROM metrics
                WHERE (time >= $window_start AND time < $window_end)
                   OR (time >= $baseline_start AND time < $baseline_end)
                ORDER BY ALL OFFSET 0))  -- lest DuckDB looks at the names before it makes them distinct
),
points AS (
    SELECT time, time >= $window_start AND time < $window_end AS is_now, temporality, value,
           floor(epoch_us(time) / 1e6 / $step) AS step,
           hash(service, pod, host, name, attributes) AS series, family, role, by_state
    FROM metrics JOIN kinds USING (name)
    WHERE ((time >= $window_start AND time < $window_end)
           OR (time >= $baseline_start AND time < $baseline_end))
      AND value IS NOT NULL AND ($service IS NULL OR service = $service) AND role IS NOT NULL
),
-- A counter that falls was set back: what it shows then came since.
counted AS (
    SELECT time, is_now, step, series, family, role, by_state, value AS level, NULL::DOUBLE AS timeouts, NULL::DOUBLE AS watched
    FROM points WHERE role <> 'timeouts'
    UNION ALL
    SELECT time, is_now, step, series, family, role, by_state, NULL,
           CASE WHEN temporality = 'delta' THEN value
                WHEN value >= lag(value) OVER one THEN value - lag(value) OVER one
                WHEN lag(value) OVER one IS NOT NULL THEN value END AS timeouts,
           -- an increase over a gap took the whole gap; a delta tells of its own step
           CASE WHEN timeouts IS NULL THEN NULL WHEN temporality = 'delta' THEN $step
                ELSE (epoch_us(time) - epoch_us(lag(time) OVER one)) / 1e6 END
    FROM points WHERE role = 'timeouts'
    WINDOW one AS (PARTITION BY is_now, series ORDER BY time)
),
levels AS (
    SELECT is_now, step, series, family, role, by_state, max(time) AS last_time,
           coalesce(max(level),
                    list_sum(list(timeouts ORDER BY timeouts) FILTER (timeouts IS NOT NULL))) AS level,
           sum(watched) AS watched
    FROM counted WHERE isfinite(coalesce(level, timeouts))
    GROUP BY is_now, step, series, family, role, by_state
),
names AS (
    -- where pods are not named, each host has a pool of its own
    SELECT DISTINCT hash(service, pod, host, name, attributes) AS series, service, coalesce(pod, host) AS pod,
           coalesce(attributes['db.client.connection.state'], attributes['db_client_connection_state'],
                    attributes['state'], '') AS state,
           coalesce(attributes['db.client.connection.pool.name'],
                    attributes['db_client_connection_pool_name'], attributes['pool.name'],
                    attributes['pool_name'], attributes['pool'], attributes['datname'],
                    attributes['db_name'], attributes['name'], '') AS pool_name
    FROM metrics
    WHERE ((time >= $window_start AND time < $window_end)
           OR (time >= $baseline_start AND time < $baseline_end))
      AND time IN (SELECT max(last_time) FROM levels GROUP BY series)
),
per_series AS (
    SELECT is_now, service, pod, family, CASE WHEN family = 'pg' THEN '' ELSE pool_name END AS pool_name,
           role, step, level, watched
    FROM levels JOIN names USING (series) WHERE NOT by_state OR state = 'used'
),
steps AS (
    SELECT is_now, service, pod, family, pool_name, step,
           round(sum(level) FILTER (role = 'used'), 6) AS used,
           round(sum(level) FILTER (role = 'pending'), 6) AS pending,
           round(sum(level) FILTER (role = 'timeouts'), 6) AS timeouts, round(sum(watched), 6) AS watched
    FROM per_series GROUP BY ALL
),
sizes AS (
    SELECT service, pod, family, pool_name, max(level) AS size
    FROM per_series WHERE role = 'size' AND level > 0 GROUP BY ALL
),
sized AS (
    SELECT s.*, coalesce(z.size, $size) AS size, used >= $full * coalesce(z.size, $size) AS is_full
    FROM steps AS s LEFT JOIN sizes AS z
      ON z.service IS NOT DISTINCT FROM s.service AND z.pod IS NOT DISTINCT FROM s.pod
     AND z.family = s.family AND z.pool_name = s.pool_name
),
pools AS (
    SELECT service, pod, family, pool_name, max(size)::DOUBLE AS size,
           count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0,
           median(used) FILTER (is_now) AS used, max(used) FILTER (is_now) AS most_used,
           quantile_cont(used, 0.9) FILTER (is_now) AS used_90,
           quantile_cont(used, 0.9) FILTER (NOT is_now) AS baseline_used_90,
           count(*) FILTER (is_now AND is_full) / nullif(count(used) FILTER (is_now), 0) AS full_share,
           count(*) FILTER (NOT is_now AND is_full) / nullif(count(used) FILTER (NOT is_now), 0)
               AS baseline_full_share,
           max(pending) FILTER (is_now) AS most_pending,
           count(*) FILTER (is_now AND pending > 0) / nullif(count(pending) FILTER (is_now), 0)
               AS pending_share,
           count(*) FILTER (NOT is_now AND pending > 0)
               / nullif(count(pending) FILTER (NOT is_now), 0) AS baseline_pending_share,
           round(sum(timeouts) FILTER (is_now), 6) AS timeouts,
           round(sum(timeouts) FILTER (NOT is_now), 6) AS baseline_timeouts,
           round(sum(watched) FILTER (is_now), 6) AS t1,
           -- many counters are not there before they count
           coalesce(round(sum(watched) FILTER (NOT is_now), 6), greatest(n0, 1) * $step) AS t0
    FROM sized GROUP BY ALL
)
SELECT service, pod, trim(family || ' ' || pool_name) AS pool,
       CASE
           WHEN n1 < $min_points THEN NULL
           WHEN full_share >= $min_share AND coalesce(baseline_full_share, 0) < $min_share / 2
               THEN 'exhausted'
           WHEN pending_share >= $min_share AND coalesce(baseline_pending_share, 0) < $min_share / 2
               THEN 'callers wait'
           WHEN timeouts >= 5
                AND 2 * (sqrt(timeouts / t1) - sqrt(coalesce(baseline_timeouts, 0) / t0)) / sqrt(1 / t1 + 1 / t0)
                    >= sqrt(9 + 2 * ln(greatest(count(timeouts) FILTER (n1 >= $min_points) OVER (), 1)))
               THEN 'times out'
           WHEN full_share >= $min_share OR pending_share >= $min_share THEN 'full as before'
           ELSE 'as before'
       END AS finding,
       used, most_used, size, used_90 / size AS utilization,
       baseline_used_90 / size AS baseline_utilization, full_share, baseline_full_share,
       most_pending, pending_share, baseline_pending_share, timeouts, baseline_timeouts,
       n1 AS points, n0 AS baseline_points,
       trim(coalesce(pod, service, '') || ' ' || pool) AS label
FROM pools WHERE n1 > 0
ORDER BY CASE finding WHEN 'exhausted' THEN 1 WHEN 'callers wait' THEN 2 WHEN 'times out' THEN 3
                      WHEN 'full as before' THEN 4 WHEN 'as before' THEN 5 ELSE 6 END,
         pending_share DESC NULLS LAST, full_share DESC NULLS LAST, utilization DESC NULLS LAST,
         service, pod, pool
LIMIT 200
