/*---
id: saturation.noisy_neighbour
version: 2
title: Noisy neighbour
question: Does a pod take so much of its host that others on the same host get slow?
status: stable
params:
  window:    {type: window, help: when it hurts}
  baseline:  {type: window, help: when it was fine; may be shorter or longer than the window}
  host:      {type: string, optional: true, help: one host only}
  min_ratio: {type: float, default: 1.5, min: 1, help: how many times more processor time counts}
  min_part:  {type: float, default: 0.5, min: 0, max: 1, help: "the noisy pod's part of what its host has more"}
  min_calls: {type: int, default: 30, min: 2, help: "with fewer requests on the host, on others, then or now, nothing is judged"}
  min_share: {type: float, default: 0.1, min: 0, max: 1, help: "how much larger the share of slow requests on the host must be than the same services' elsewhere"}
  min_z:     {type: float, default: 3, min: 0, help: how many standard errors away from chance a single host must be}
requires: [metrics.host, spans.host]
returns:
  host: VARCHAR
  pod: VARCHAR
  service: VARCHAR
  metric: VARCHAR
  usage: DOUBLE
  baseline_usage: DOUBLE
  ratio: DOUBLE
  part_of_growth: DOUBLE
  victims: VARCHAR
  slow_share: DOUBLE
  elsewhere_slow_share: DOUBLE
  difference: DOUBLE
  z: DOUBLE
  needed_z: DOUBLE
  calls: BIGINT
  elsewhere_calls: BIGINT
  points: BIGINT
  label: VARCHAR
columns:
  ratio: "its processor time over the baseline"
  part_of_growth: "of what its host has more, so much is its"
  slow_share: "of the others' requests on this host"
  elsewhere_slow_share: "of the same services on other hosts"
  z: "standard errors by which it differs from elsewhere; about 3 is rare by chance, if it is looked at once"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
interesting: CASE WHEN calls >= min_calls AND elsewhere_calls >= min_calls THEN ratio >= min_ratio AND part_of_growth >= min_part AND difference >= min_share AND z >= needed_z END
reason: "{label} uses {ratio:.1f}x its processor time ({part_of_growth:.0%} of what the host has more); of {victims} on this host {slow_share:.0%} of the requests are slow, of the same services elsewhere {elsewhere_slow_share:.0%} ({calls} and {elsewhere_calls} requests)"
quiet: "no pod takes {min_ratio:g}x more while its neighbours get slower than the same services elsewhere; the largest growth is that of {label} ({ratio:.1f}x)"
empty: "no processor time of pods is recorded with their hosts, in the window and the baseline"
covers:
  - "processor time: container_cpu_usage_seconds_total, container.cpu.time, container.cpu.usage, k8s.pod.cpu.time, k8s.pod.cpu.usage, and utilization where the host has no usage; containers of a pod added up"
  - "slow: longer than 95 % of the baseline's calls of that operation; victims are compared with the same services on other hosts"
not_covered:
  - noise by disk, network, memory bandwidth or cache
  - services that run on one host alone
  - hosts that spans or metrics do not name
next:
  - {template: saturation.use, params: {service: service}}
  - {template: changes.ranking}
chart: {mark: bar, x: difference, y: label, color: host}
references:
  - "difference: the same services at the same time on other hosts, their shares weighted by the calls here (direct standardization), so that another mix of services is no difference"
  - "z: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many; the calls elsewhere count as their weights leave them (Kish's effective size)"
  - "CPI2: CPU performance isolation for shared compute clusters (X. Zhang et al., EuroSys 2013) on antagonists"
---*/
WITH points AS (
    SELECT time >= $window_start AND time < $window_end AS is_now, time, host, pod, service, name, kind,
           temporality, coalesce(monotonic, false) AS monotonic, value,
           coalesce(attributes['container'], resource['k8s.container.name'], '') AS container,
           hash(attributes, resource['k8s.container.name']) AS series,
           replace(lower(name), '.', '_') AS metric
    FROM metrics
    WHERE ((time >= $window_start AND time < $window_end)
           OR (time >= $baseline_start AND time < $baseline_end))
      AND host IS NOT NULL AND pod IS NOT NULL AND value IS NOT NULL
      AND ($host IS NULL OR host = $host)
      AND regexp_matches(replace(lower(name), '.', '_'), '^container_cpu_(usage_seconds_total|time|usage|utilization)$|^k8s_pod_cpu_(time|usage|utilization)$')
),
steps AS (
    SELECT *, value - lag(value) OVER one AS rise,
           (epoch_us(time) - epoch_us(lag(time) OVER one)) / 1e6 AS seconds
    FROM points
    WINDOW one AS (PARTITION BY is_now, host, pod, name, series ORDER BY time)
),
-- A pod's containers are added up; where they are told, what is told of the pod as a whole is left out.
levels AS (
    SELECT host, pod, min(service) AS service, name, metric, container,
           median(level) FILTER (is_now) AS usage, median(level) FILTER (NOT is_now) AS baseline_usage,
           count(*) FILTER (is_now) AS k1, max(container) OVER (PARTITION BY host, pod, name) <> '' AS by_container
    FROM (SELECT *, CASE WHEN kind = 'sum' AND monotonic AND temporality IS DISTINCT FROM 'delta'
                         THEN CASE WHEN rise >= 0 AND seconds > 0 THEN rise / seconds END
                         ELSE value END AS level FROM steps)
    WHERE level IS NOT NULL AND isfinite(level) GROUP BY host, pod, name, metric, container, series
),
usages AS (
    SELECT host, pod, min(service) AS service, name, metric LIKE '%utilization' AS is_share,
           round(sum(usage), 9) AS usage, round(sum(baseline_usage), 9) AS baseline_usage, sum(k1) AS k1
    FROM levels WHERE (container NOT IN ('', 'POD')) = by_container
    GROUP BY host, pod, name, is_share
),
growth AS (
    SELECT *, (usage + 1e-3) / (baseline_usage + 1e-3) AS ratio,
           greatest(usage - baseline_usage, 0)
               / nullif(max(sums) OVER (PARTITION BY host, name), 0) AS part_of_growth,
           row_number() OVER (PARTITION BY host ORDER BY is_share, usage - baseline_usage DESC, name, pod) AS place
    FROM (SELECT *, list_sum(list_sort(list(greatest(usage - baseline_usage, 0)) OVER (PARTITION BY host, name)))
                        AS sums
          FROM usages WHERE usage IS NOT NULL AND baseline_usage IS NOT NULL)
),
noisy AS (SELECT * FROM growth WHERE place = 1),
seen AS (
    SELECT true AS is_now, host, pod, service, name, duration_ns / 1e6 AS ms
    FROM spans WHERE time >= $window_start AND time < $window_end
      AND (kind IN ('server', 'consumer') OR kind IS NULL OR kind = 'unspecified')
    UNION ALL
    SELECT false, host, pod, service, name, duration_ns / 1e6
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end
      AND (kind IN ('server', 'consumer') OR kind IS NULL OR kind = 'unspecified')
),
usual AS (
    SELECT service, name, quantile_cont(ms, 0.95) AS usual_ms FROM seen
    WHERE NOT is_now AND host IS NOT NULL GROUP BY service, name HAVING count(*) >= 20
),
calls AS (
    SELECT host, pod, service, count(*) AS n, count(*) FILTER (ms > usual_ms) AS slow
    FROM seen JOIN usual USING (service, name)
    WHERE is_now AND host IS NOT NULL GROUP BY host, pod, service
),
neighbours AS (
    SELECT n.host, c.service, sum(c.n) AS n1, sum(c.slow) AS slow1
    FROM noisy AS n JOIN calls AS c ON c.host = n.host AND c.pod IS DISTINCT FROM n.pod
    GROUP BY n.host, c.service
),
compared AS (
    SELECT v.host, v.service, n1, slow1, sum(e.n) AS n0, sum(e.slow) AS slow0
    FROM neighbours AS v JOIN calls AS e ON e.service = v.service AND e.host <> v.host
    GROUP BY v.host, v.service, n1, slow1
),
victims AS (
    SELECT host, string_agg(service, ', ' ORDER BY service) FILTER (slow1 / n1 > slow0 / n0) AS victims,
           sum(n1) AS n1, sum(slow1) AS slow1, sum(n0) AS elsewhere_calls,
           -- elsewhere as if the services were called there as they are here, and how many calls that is worth
           round(sum(n1 * slow0 / n0), 6) / sum(n1) AS share0, power(sum(n1), 2) / round(sum(n1 * n1 / n0), 6) AS n0
    FROM compared GROUP BY host
),
figures AS (
    SELECT n.*, coalesce(victims, 'none') AS victims, coalesce(n1, 0) AS n1, n0,
           coalesce(elsewhere_calls, 0) AS elsewhere_calls, slow1 / n1 AS slow_share, share0 AS elsewhere_slow_share,
           slow1, share0 * n0 AS slow0, (slow1 + slow0 + 1) / (n1 + n0 + 2) AS pooled
    FROM noisy AS n LEFT JOIN victims AS v ON v.host = n.host
)
SELECT host, pod, service, name AS metric, usage, baseline_usage, ratio, part_of_growth, victims,
       slow_share, elsewhere_slow_share, slow_share - elsewhere_slow_share AS difference,
       sign(difference)
       * least(abs(difference) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0)),
               sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                   [[slow1, n1 * pooled], [n1 - slow1, n1 * (1 - pooled)],
                    [slow0, n0 * pooled], [n0 - slow0, n0 * (1 - pooled)]]]), 0))) AS z,
       sqrt($min_z * $min_z + 2 * ln(count(*) OVER ())) AS needed_z,
       n1::BIGINT AS calls, elsewhere_calls::BIGINT AS elsewhere_calls, k1::BIGINT AS points, pod || ' on ' || host AS label
FROM figures
ORDER BY coalesce(n1 >= $min_calls AND elsewhere_calls >= $min_calls AND ratio >= $min_ratio
                  AND part_of_growth >= $min_part AND difference >= $min_share AND z >= needed_z, false) DESC,
         z DESC NULLS LAST, ratio DESC, host, pod
LIMIT 200
