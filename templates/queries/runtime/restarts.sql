/*---
id: runtime.restarts
version: 2
title: Restarts and memory kills
question: Which containers and processes restarted, and which were killed for their memory?
status: stable
params:
  window:       {type: window, help: when it hurts}
  baseline:     {type: window, help: when it was fine; may be shorter or longer than the window}
  service:      {type: service, optional: true, help: one service only}
  min_restarts: {type: int, default: 1, min: 1, help: fewer restarts do not count}
  min_ratio:    {type: float, default: 2, min: 1, help: how many times more often than in the baseline counts}
requires: [metrics.value]
returns:
  service: VARCHAR
  namespace: VARCHAR
  pod: VARCHAR
  container: VARCHAR
  finding: VARCHAR
  restarts: BIGINT
  per_hour: DOUBLE
  baseline_restarts: BIGINT
  baseline_per_hour: DOUBLE
  memory_kills: BIGINT
  baseline_memory_kills: BIGINT
  first_time: TIMESTAMP WITH TIME ZONE
  last_time: TIMESTAMP WITH TIME ZONE
  seen_by: VARCHAR
  memory_share: DOUBLE
  points: BIGINT
  label: VARCHAR
columns:
  seen_by: "which kind of metric or line told"
  memory_share: "the most memory it had, of its limit"
interesting: finding IN ('killed for its memory', 'restarts again and again', 'restarted')
reason: "{label}: {finding}, {restarts} restarts ({baseline_restarts} in the baseline) and {memory_kills} memory kills; memory at most {memory_share:.0%} of its limit; seen by {seen_by}"
quiet: "of what is watched, nothing restarted or was killed more often than in the baseline"
empty: "nothing recorded tells of restarts or memory kills (see what this covers): whether there were some is not known"
covers:
  - "counters of restarts: kube_pod_container_status_restarts_total, k8s.container.restarts"
  - "times of start that move: process_start_time_seconds, container_start_time_seconds, kube_pod_container_state_started; uptimes that fall: process.uptime, k8s.pod.uptime, container.uptime"
  - "memory kills: container_oom_events_total, kube_pod_container_status_last_terminated_reason and k8s.container.status.last_terminated_reason (OOMKilled), logs with OOMKilled, OutOfMemoryError or the kernel's message"
not_covered:
  - restarts between two values of one metric are one, unless it is a counter
  - pods that were replaced by new ones; see changes.deploys
  - processes that no metric tells of
next:
  - {template: saturation.use, when: "memory_kills > 0", params: {service: service}}
  - {template: errors.origin, params: {service: service}}
  - {template: changes.ranking}
chart: {mark: bar, x: restarts, y: label, color: finding}
references:
  - "kube-state-metrics: pod metrics; OpenTelemetry semantic conventions for Kubernetes and process metrics"
---*/
-- What a metric tells is found out once for each name.
WITH kinds AS (
    SELECT name,
           CASE WHEN metric IN ('kube_pod_container_status_restarts_total', 'k8s_container_restarts',
                                'container_restarts', 'kube_pod_container_status_restarts') THEN 'counter'
                WHEN metric IN ('process_start_time_seconds', 'container_start_time_seconds',
                                'kube_pod_container_state_started') THEN 'start time'
                WHEN metric IN ('process_uptime', 'process_uptime_seconds', 'k8s_pod_uptime',
                                'container_uptime', 'process_runtime_uptime') THEN 'uptime'
                WHEN metric IN ('container_oom_events_total', 'container_oom_events') THEN 'kills'
                WHEN regexp_matches(metric, 'last_terminated_reason$') THEN 'last end'
                WHEN regexp_matches(metric, 'memory.*utili[sz]ation$|memoryusagerate') THEN 'memory' END AS role
    FROM (SELECT name, replace(lower(name), '.', '_') AS metric
          FROM (SELECT DISTINCT name FROM metrics
                WHERE (time >= $window_start AND time < $window_end)
                   OR (time >= $baseline_start AND time < $baseline_end)
                ORDER BY ALL OFFSET 0))  -- lest DuckDB looks at the names before it makes them distinct
),
known AS (
    SELECT time, time >= $window_start AND time < $window_end AS is_now, service, namespace, pod, role, unit,
           temporality, value,
           coalesce(attributes['container'], attributes['k8s.container.name'],
                    attributes['k8s_container_name'], resource['k8s.container.name']) AS container,
           coalesce(attributes['reason'], attributes['k8s.container.status.reason'],
                    attributes['k8s.container.status.last_terminated_reason'],
                    resource['k8s.container.status.last_terminated_reason']) AS why,
           hash(service, namespace, pod, host, name, attributes, container) AS series
    FROM metrics JOIN kinds USING (name)
    WHERE ((time >= $window_start AND time < $window_end)
           OR (time >= $baseline_start AND time < $baseline_end))
      AND value IS NOT NULL AND ($service IS NULL OR service = $service) AND role IS NOT NULL
),
-- Over both windows and what lies between, so that a restart at their border is seen once.
steps AS (
    SELECT *, value - lag(value) OVER one AS rise
    FROM known WHERE role <> 'memory' AND (role <> 'last end' OR why = 'OOMKilled')
    WINDOW one AS (PARTITION BY series ORDER BY time)
),
signs AS (
    SELECT is_now, time, service, namespace, pod, container, role,
           CASE role
               WHEN 'counter' THEN CASE WHEN temporality = 'delta' THEN value
                                        WHEN rise >= 0 THEN rise WHEN rise < 0 THEN value END
               WHEN 'start time' THEN CASE WHEN rise > 1 THEN 1 WHEN rise IS NOT NULL THEN 0 END
               WHEN 'uptime' THEN CASE WHEN rise < 0 THEN 1 WHEN rise IS NOT NULL THEN 0 END END AS restarts,
           CASE role
               WHEN 'kills' THEN CASE WHEN temporality = 'delta' THEN value
                                      WHEN rise >= 0 THEN rise WHEN rise < 0 THEN value END
               WHEN 'last end' THEN CASE WHEN rise > 0 THEN rise ELSE 0 END END AS kills,
           NULL::DOUBLE AS memory_share
    FROM steps
    UNION ALL
    SELECT is_now, time, service, namespace, pod, container, role, NULL, NULL,
           value / CASE WHEN unit = '%' THEN 100 ELSE 1 END
    FROM known WHERE role = 'memory'
),
-- Signs of one kind are added up; of several kinds the one that says most is taken.
by_role AS (
    SELECT is_now, service, namespace, pod, container, role, count(*) AS n,
           round(sum(restarts))::BIGINT AS restarts, round(sum(kills))::BIGINT AS kills,
           max(memory_share) AS memory_share,
           min(time) FILTER (restarts > 0 OR kills > 0) AS first_time,
           max(time) FILTER (restarts > 0 OR kills > 0) AS last_time
    FROM signs GROUP BY is_now, service, namespace, pod, container, role
    UNION ALL
    SELECT time >= $window_start AND time < $window_end, service, namespace, pod, attributes['container'],
           'logs', count(*), 0, count(*), NULL, min(time), max(time)
    FROM logs
    WHERE ((time >= $window_start AND time < $window_end)
           OR (time >= $baseline_start AND time < $baseline_end))
      AND ($service IS NULL OR service = $service)
      AND (contains(body, 'OOMKilled') OR contains(body, 'OutOfMemoryError') OR contains(body, 'oom-kill')
           OR contains(body, 'Out of memory: Killed process'))
    GROUP BY ALL
),
things AS (
    SELECT service, namespace, pod, container,
           coalesce(max(restarts) FILTER (is_now), 0) AS restarts,
           coalesce(max(restarts) FILTER (NOT is_now), 0) AS baseline_restarts,
           coalesce(max(kills) FILTER (is_now), 0) AS memory_kills,
           coalesce(max(kills) FILTER (NOT is_now), 0) AS baseline_memory_kills,
           min(first_time) FILTER (is_now) AS first_time, max(last_time) FILTER (is_now) AS last_time,
           string_agg(DISTINCT role, ', ' ORDER BY role)
               FILTER (is_now AND (restarts > 0 OR kills > 0)) AS seen_by,
           max(memory_share) FILTER (is_now) AS memory_share,
           coalesce(sum(n) FILTER (is_now), 0)::BIGINT AS points
    FROM by_role GROUP BY service, namespace, pod, container
    HAVING bool_or(role <> 'memory')
),
rates AS (
    SELECT *,
           (epoch_us($window_end::TIMESTAMPTZ) - epoch_us($window_start::TIMESTAMPTZ)) / 3.6e9 AS hours,
           (epoch_us($baseline_end::TIMESTAMPTZ) - epoch_us($baseline_start::TIMESTAMPTZ)) / 3.6e9
               AS baseline_hours
    FROM things
)
SELECT service, namespace, pod, container,
       CASE
           WHEN points = 0 THEN NULL
           WHEN memory_kills > 0
                AND memory_kills / hours >= $min_ratio * baseline_memory_kills / baseline_hours
               THEN 'killed for its memory'
           WHEN restarts < $min_restarts THEN 'stable'
           WHEN restarts / hours < $min_ratio * baseline_restarts / baseline_hours THEN 'restarts as before'
           WHEN restarts >= 3 THEN 'restarts again and again'
           ELSE 'restarted'
       END AS finding,
       restarts, restarts / hours AS per_hour, baseline_restarts,
       baseline_restarts / baseline_hours AS baseline_per_hour,
       memory_kills, baseline_memory_kills, first_time, last_time, seen_by, memory_share, points,
       coalesce(pod, service, '(unknown)') || coalesce(' ' || container, '') AS label
FROM rates
ORDER BY CASE finding WHEN 'killed for its memory' THEN 1 WHEN 'restarts again and again' THEN 2
                      WHEN 'restarted' THEN 3 WHEN 'restarts as before' THEN 4
                      WHEN 'stable' THEN 5 ELSE 6 END,
         memory_kills DESC, restarts DESC, first_time, service, namespace, pod, container
LIMIT 300
