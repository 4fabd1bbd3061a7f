/*---
id: attributes.compare
version: 2
title: Attribute comparison
question: What do the bad spans have in common that the others have not?
status: stable
params:
  window:    {type: window, help: when it hurts}
  baseline:  {type: window, help: when it was fine; tells what slow means}
  bad:       {type: choice, of: [slow, slow_itself, failing], default: slow_itself, help: "slow: takes longer than 95 % of the baseline's calls of that operation; slow_itself: the time in the span itself does; failing: status error or an ERROR log"}
  service:   {type: service, optional: true, help: only spans of this service}
  operation: {type: string, optional: true, help: only spans of this name}
  min_ms:    {type: float, default: 5, min: 0, help: slower by fewer milliseconds is not slow}
  min_bad:   {type: int, default: 10, min: 1, help: fewer bad spans with a value are not judged}
  min_difference: {type: float, default: 0.1, min: 0, max: 1, help: difference of the shares that counts}
  min_lift:  {type: float, default: 3, min: 1, help: "or, for rare values, how many times more of its spans must be bad than on average"}
  min_z:     {type: float, default: 3, min: 0, help: how many standard errors away from chance a single value must be}
requires: [spans.parent_span_id]
returns:
  attribute: VARCHAR
  value: VARCHAR
  bad: BIGINT
  good: BIGINT
  bad_share: DOUBLE
  good_share: DOUBLE
  difference: DOUBLE
  bad_rate: DOUBLE
  lift: DOUBLE
  z: DOUBLE
  needed_z: DOUBLE
  all_bad: BIGINT
  all_good: BIGINT
  label: VARCHAR
interesting: bad >= min_bad AND z >= needed_z AND (difference >= min_difference OR lift >= min_lift)
reason: "{attribute} = {value}: {bad_share:.0%} of the {all_bad} bad spans against {good_share:.0%} of the others; {bad_rate:.0%} of its spans are bad, {lift:.1f}x the average"
quiet: "no value is found among the {all_bad} bad spans much more often than among the others"
covers:
  - "service, operation, pod, host, version, namespace, environment, region, kind and all attributes"
not_covered:
  - combinations of values; narrow by service or operation and ask again
  - values that few spans have (min_bad)
next:
  - {template: traffic.by_dimension, when: "attribute IN ('version', 'pod', 'host', 'namespace', 'environment', 'region')", params: {dimension: attribute, service: $service}}
  - {template: runtime.restarts, when: "attribute = 'pod'", params: {service: $service}}
  - {template: changes.deploys, when: "attribute = 'version'", params: {service: $service}}
chart: {mark: bar, x: difference, y: label, color: attribute}
references:
  - "lift = share of bad spans with the value, over the share of bad spans in all"
  - "needed_z: min_z, raised for the number of values looked at (Bonferroni by the Gaussian tail: z² = min_z² + 2 ln m)"
---*/
WITH seen AS (
    SELECT true AS is_now, time, duration_ns, duration_ns / 1e6 AS ms,
           trace_id, span_id, parent_span_id, service, name, status, kind,
           pod, host, version, namespace, environment, region, attributes
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, time, duration_ns, duration_ns / 1e6,
           trace_id, span_id, parent_span_id, service, name,
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end AND $bad <> 'failing'
),
children AS (
    SELECT is_now, trace_id, parent_span_id AS span_id, sum(duration_ns) AS child_ns
    FROM seen WHERE parent_span_id IS NOT NULL AND $bad = 'slow_itself'
    GROUP BY is_now, trace_id, parent_span_id
),
-- Reactive servers record the call they wait for beside the handler that waits, not below it.
awaited AS (
    SELECT w.is_now, w.trace_id, w.span_id, sum(b.duration_ns) AS beside_ns
    FROM (SELECT * FROM seen ANTI JOIN children USING (is_now, trace_id, span_id)
          WHERE $bad = 'slow_itself') AS w
    JOIN (SELECT * FROM seen SEMI JOIN children USING (is_now, trace_id, span_id)) AS b
      ON b.is_now = w.is_now AND b.trace_id = w.trace_id AND b.parent_span_id = w.parent_span_id
     AND b.service = w.service AND b.time >= w.time
     AND b.time + to_microseconds(b.duration_ns // 1000)
         <= w.time + to_microseconds(w.duration_ns // 1000 + 1000)
    GROUP BY w.is_now, w.trace_id, w.span_id
),
timed AS (
    SELECT seen.*,
           greatest(duration_ns - coalesce(child_ns, 0) - coalesce(beside_ns, 0), 0) / 1e6
               AS counted_ms
    FROM seen
    LEFT JOIN children USING (is_now, trace_id, span_id)
    LEFT JOIN awaited USING (is_now, trace_id, span_id)
    WHERE ($service IS NULL OR service = $service) AND ($operation IS NULL OR name = $operation)
),
usual AS (
    SELECT service, name, quantile_cont(counted_ms, 0.95) AS usual_ms, count(*) AS calls
    FROM timed WHERE NOT is_now GROUP BY service, name
),
error_logs AS (
    SELECT DISTINCT trace_id, span_id FROM logs
    WHERE time >= $window_start AND time < $window_end + INTERVAL 1 MINUTE
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
      AND $bad = 'failing'
),
judged AS (
    SELECT CASE WHEN $bad = 'failing' THEN t.status IS NOT DISTINCT FROM 'error' OR e.span_id IS NOT NULL
                ELSE counted_ms > usual_ms + $min_ms END AS is_bad,
           t.*
    FROM timed AS t
    LEFT JOIN usual AS u ON u.service = t.service AND u.name = t.name AND u.calls >= 5
    LEFT JOIN error_logs AS e ON e.trace_id = t.trace_id AND e.span_id = t.span_id
    WHERE t.is_now
),
totals AS (
    SELECT count(*) FILTER (is_bad) AS all_bad, count(*) FILTER (NOT is_bad) AS all_good FROM judged
),
pairs AS (
    SELECT is_bad, unnest(list_concat(
        [{'k': 'service', 'v': service}, {'k': 'operation', 'v': name}, {'k': 'kind', 'v': kind},
         {'k': 'pod', 'v': pod}, {'k': 'host', 'v': host}, {'k': 'version', 'v': version},
         {'k': 'namespace', 'v': namespace}, {'k': 'environment', 'v': environment},
         {'k': 'region', 'v': region}],
        list_transform(coalesce(map_entries(attributes), []),
                       lambda a: {'k': a.key, 'v': a.value}))) AS pair
    FROM judged WHERE is_bad IS NOT NULL
),
counted AS (
    SELECT pair.k AS attribute, pair.v AS value,
           count(*) FILTER (is_bad) AS bad, count(*) FILTER (NOT is_bad) AS good
    FROM pairs WHERE pair.v IS NOT NULL
    GROUP BY ALL HAVING bad > 0
)
SELECT attribute, value, bad, good,
       bad / all_bad AS bad_share, good / nullif(all_good, 0) AS good_share,
       bad_share - good_share AS difference,
       bad / (bad + good) AS bad_rate,
       bad_rate / (all_bad / (all_bad + all_good)) AS lift,
       difference / sqrt(((bad + good + 1) / (all_bad + all_good + 2))
                         * (1 - (bad + good + 1) / (all_bad + all_good + 2))
                         * (1 / all_bad + 1 / all_good)) AS z,
       sqrt($min_z * $min_z + 2 * ln(greatest(count(*) FILTER (bad >= $min_bad) OVER (), 1))) AS needed_z,
       all_bad, all_good, attribute || ' = ' || value AS label
FROM counted, totals
ORDER BY coalesce(bad >= $min_bad AND z >= needed_z
                  AND (difference >= $min_difference OR lift >= $min_lift), false) DESC,
         difference * ln(1 + lift) DESC NULLS LAST, bad DESC, attribute, value
LIMIT 100
