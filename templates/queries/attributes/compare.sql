/*---
id: attributes.compare
version: 5
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
columns:
  bad_rate: "of the spans with this value, so many are bad"
  lift: "bad_rate over the share of bad spans in all"
  difference: "bad_share less good_share"
  z: "standard errors by which it differs from the others, a trace having one vote; about 3 is rare by chance, if it is looked at once"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
interesting: bad >= min_bad AND z >= needed_z AND (difference >= min_difference OR lift >= min_lift)
reason: "{attribute} = {value}: {bad_share:.0%} of the {all_bad} bad spans against {good_share:.0%} of the others; {bad_rate:.0%} of its spans are bad, {lift:.1f}x the average"
quiet: "no value is found among the {all_bad} bad spans much more often than among the others, beyond chance; the furthest is {label}, {bad_share:.0%} against {good_share:.0%}"
empty: "no span of the window is bad ({bad}); slow can only be said of operations with 10 calls in the baseline"
covers:
  - "service, operation, pod, host, version, namespace, environment, region, kind and all attributes"
not_covered:
  - combinations of values; narrow by service or operation and ask again
  - values that fewer bad spans have than min_bad; they are not shown where others are
  - where slow is meant, operations with fewer than 10 calls in the baseline
next:
  - {template: traffic.by_dimension, when: "attribute IN ('version', 'pod', 'host', 'namespace', 'environment', 'region')", params: {dimension: attribute, service: $service}}
  - {template: runtime.restarts, when: "attribute = 'pod'", params: {service: $service}}
  - {template: changes.deploys, when: "attribute = 'version'", params: {service: $service}}
chart: {mark: bar, x: difference, y: label, color: attribute}
references:
  - "z: of two shares among traces: the bad spans of a trace have one vote together, as spans of one trace are not independent (J. N. K. Rao and A. J. Scott, Biometrics, 1992, on clustered binary data, divide by a design effect; one vote a trace is that of spans all alike); where slow is meant, widened by 1 + calls / calls in the baseline, since the baseline's p95 is a guess itself"
  - "lift = share of bad spans with the value, over the share of bad spans in all"
  - "needed_z: min_z, raised for the number of values looked at (Bonferroni by the Gaussian tail: z² = min_z² + 2 ln m)"
---*/
-- Ids as numbers: two spans of a question share one by chance less than once in a million questions.
WITH seen AS (
    SELECT true AS is_now, time, duration_ns,
           hash(true, trace_id, span_id) AS span, coalesce(hash(trace_id), 0) AS trace,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(true, trace_id, parent_span_id) END AS parent,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(true, trace_id, parent_span_id, service) END AS siblings,
           service, name, status
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, time, duration_ns,
           hash(false, trace_id, span_id), NULL,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(false, trace_id, parent_span_id) END,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(false, trace_id, parent_span_id, service) END,
           service, name, NULL
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end AND $bad <> 'failing'
),
children AS (
    SELECT parent AS span, sum(duration_ns) AS child_ns
    FROM seen WHERE parent IS NOT NULL AND $bad = 'slow_itself' GROUP BY parent
),
beside AS (
    SELECT * FROM seen SEMI JOIN (
        SELECT siblings FROM seen WHERE siblings IS NOT NULL AND $bad = 'slow_itself'
        GROUP BY siblings HAVING count(*) > 1
    ) USING (siblings)
),
-- Reactive servers record the call they wait for beside the handler that waits, not below it.
awaited AS (
    SELECT w.span, sum(b.duration_ns) AS beside_ns
    FROM (SELECT * FROM beside ANTI JOIN children USING (span)) AS w
    JOIN (SELECT * FROM beside SEMI JOIN children USING (span)) AS b
      ON b.siblings = w.siblings AND b.service = w.service AND b.time >= w.time
     AND b.time + to_microseconds(b.duration_ns // 1000)
         <= w.time + to_microseconds(w.duration_ns // 1000 + 1000)
    GROUP BY w.span
),
timed AS (
    SELECT is_now, span, trace, service, name, status,
           greatest(duration_ns - coalesce(child_ns, 0) - coalesce(beside_ns, 0), 0) / 1e6
               AS counted_ms
    FROM seen LEFT JOIN children USING (span) LEFT JOIN awaited USING (span)
    WHERE ($service IS NULL OR service = $service) AND ($operation IS NULL OR name = $operation)
),
usual AS (
    SELECT service, name, quantile_cont(counted_ms, 0.95) AS usual_ms, count(*) AS calls
    FROM timed WHERE NOT is_now GROUP BY service, name
),
error_logs AS (
    SELECT DISTINCT hash(true, trace_id, span_id) AS span FROM logs
    WHERE time >= $window_start AND time < $window_end + INTERVAL 1 MINUTE
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
      AND trace_id IS NOT NULL AND span_id IS NOT NULL AND $bad = 'failing'
),
judged AS (
    SELECT t.span, t.trace,
           CASE WHEN $bad = 'failing' THEN t.status IS NOT DISTINCT FROM 'error' OR e.span IS NOT NULL
                ELSE counted_ms > usual_ms + $min_ms END AS is_bad
    FROM timed AS t
    LEFT JOIN usual AS u ON u.service = t.service AND u.name = t.name AND u.calls >= 10
    LEFT JOIN error_logs AS e USING (span)
    WHERE t.is_now
),
-- What happens within a trace happens together: its bad spans have one vote, as have its good ones.
votes AS (
    SELECT trace, count(*) FILTER (is_bad) AS bad, count(*) FILTER (NOT is_bad) AS good FROM judged GROUP BY trace
),
totals AS (
    SELECT sum(bad)::BIGINT AS all_bad, sum(good)::BIGINT AS all_good,
           count(*) FILTER (bad > 0) AS bad_traces, count(*) FILTER (good > 0) AS good_traces,
           -- what is slow is a guess from the baseline's calls, the same for all calls of an operation
           1 + CASE WHEN $bad = 'failing' THEN 0
                    ELSE (sum(bad) + sum(good)) / (SELECT sum(calls) FROM usual WHERE calls >= 10) END AS doubt
    FROM votes
),
told AS (
    SELECT is_bad, CASE WHEN is_bad THEN 1 / v.bad END AS vote,
           service, name, kind, pod, host, version, namespace, environment, region, attributes
    FROM (SELECT *, hash(true, trace_id, span_id) AS span FROM spans
          WHERE time >= $window_start AND time < $window_end)
    JOIN judged AS j USING (span) LEFT JOIN votes AS v ON v.trace = j.trace AND is_bad WHERE is_bad IS NOT NULL
),
-- What all spans have is counted column by column, of rows that are alike at once.
alike AS (
    SELECT service, name, kind, pod, host, version, namespace, environment, region,
           count(*) FILTER (is_bad) AS bad, count(*) FILTER (NOT is_bad) AS good, sum(vote) AS vote
    FROM told GROUP BY ALL
),
columns AS (
    SELECT CASE WHEN grouping(service) = 0 THEN 'service' WHEN grouping(name) = 0 THEN 'operation'
                WHEN grouping(kind) = 0 THEN 'kind' WHEN grouping(pod) = 0 THEN 'pod'
                WHEN grouping(host) = 0 THEN 'host' WHEN grouping(version) = 0 THEN 'version'
                WHEN grouping(namespace) = 0 THEN 'namespace'
                WHEN grouping(environment) = 0 THEN 'environment' ELSE 'region' END AS attribute,
           coalesce(service, name, kind, pod, host, version, namespace, environment, region) AS value,
           sum(bad) AS bad, sum(good) AS good, sum(vote) AS vote
    FROM alike
    GROUP BY GROUPING SETS ((service), (name), (kind), (pod), (host), (version), (namespace),
                            (environment), (region))
),
-- Of attributes, only values that enough of the bad spans have are looked for among the others.
bad_pairs AS (
    SELECT pair.key AS attribute, pair.value AS value, count(*) AS bad, sum(vote) AS vote
    FROM (SELECT vote, unnest(map_entries(attributes)) AS pair FROM told WHERE is_bad)
    GROUP BY pair.key, pair.value QUALIFY bad >= least($min_bad, max(bad) OVER ())
),
good_pairs AS (
    SELECT pair.key AS attribute, pair.value AS value, count(*) AS good
    FROM (SELECT unnest(map_entries(attributes)) AS pair FROM told WHERE NOT is_bad)
    SEMI JOIN bad_pairs AS b ON b.attribute = pair.key AND b.value = pair.value GROUP BY ALL
),
counted AS (
    SELECT attribute, value, sum(bad)::BIGINT AS bad, sum(good)::BIGINT AS good, round(sum(vote), 6) AS vote
    FROM (SELECT * FROM columns
          UNION ALL
          SELECT attribute, value, bad, coalesce(good, 0), vote FROM bad_pairs LEFT JOIN good_pairs USING (attribute, value))
    WHERE value IS NOT NULL GROUP BY attribute, value HAVING sum(bad) > 0
)
SELECT attribute, value, bad, good,
       bad / all_bad AS bad_share, good / nullif(all_good, 0) AS good_share,
       bad_share - good_share AS difference,
       bad / (bad + good) AS bad_rate,
       bad_rate / (all_bad / (all_bad + all_good)) AS lift,
       (vote / bad_traces - good_share) / sqrt((vote + good_share * good_traces + 1) / (bad_traces + good_traces + 2)
                * (1 - (vote + good_share * good_traces + 1) / (bad_traces + good_traces + 2))
                * (1 / bad_traces + 1 / good_traces) * doubt) AS z,
       sqrt($min_z * $min_z + 2 * ln(greatest(count(*) FILTER (bad >= $min_bad) OVER (), 1))) AS needed_z,
       all_bad, all_good, attribute || ' = ' || value AS label
FROM counted, totals
ORDER BY coalesce(bad >= $min_bad AND z >= needed_z
                  AND (difference >= $min_difference OR lift >= $min_lift), false) DESC,
         difference * ln(1 + lift) DESC NULLS LAST, bad DESC, attribute, value
LIMIT 100
