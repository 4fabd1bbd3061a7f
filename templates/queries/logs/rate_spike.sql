/*---
id: logs.rate_spike
version: 1
title: Log rate spike
question: Which messages, services, pods or versions make up the lines that came on top?
status: stable
params:
  window:    {type: window, help: when there were more lines}
  baseline:  {type: window, help: when there were as many as usual}
  service:   {type: service, optional: true, help: one service only}
  min_ratio: {type: float, default: 1.5, min: 1, help: how many times more lines a minute is a spike}
  min_share: {type: float, default: 0.1, min: 0, max: 1, help: the share of the added lines that a value must carry}
  min_lift:  {type: float, default: 0.1, min: 0, max: 1, help: "how much larger than its share of the lines before; what all lines have explains nothing"}
  max_p:     {type: float, default: 0.001, min: 0, max: 1, help: "how likely it may be by chance, over all values looked at"}
requires: [logs.body]
step: logs.rate_spike
returns:
  field: VARCHAR
  value: VARCHAR
  lines: BIGINT
  baseline_lines: BIGINT
  rate: DOUBLE
  baseline_rate: DOUBLE
  share_of_excess: DOUBLE
  share_before: DOUBLE
  z: DOUBLE
  p: DOUBLE
  total_rate: DOUBLE
  total_baseline_rate: DOUBLE
  total_z: DOUBLE
  example: VARCHAR
columns:
  share_of_excess: "of the lines that came on top, so many have this value"
  share_before: "of the lines of the baseline"
  z: "standard errors by which it differs from the baseline; about 3 is rare by chance, if it is looked at once"
  p: "chance of such a difference without a cause, for all values looked at"
  total_z: "the same for all lines"
interesting: "total_rate >= min_ratio * total_baseline_rate AND total_z >= 3 AND p <= max_p AND share_of_excess >= min_share AND share_of_excess - share_before >= min_lift"
reason: "{total_rate:.0f} lines a minute against {total_baseline_rate:.0f}: {share_of_excess:.0%} of what was added has {field} {value} (before {share_before:.0%})"
quiet: "{total_rate:.0f} lines a minute against {total_baseline_rate:.0f}, and no value carries them beyond its share"
empty: "no line of what was asked is recorded in the window"
covers:
  - service, severity, pod, version, host, region, and the pattern of the message
  - rates of minutes that have lines; bursts widen what counts as chance
not_covered:
  - other attributes, and several fields together; filter by service and ask again
  - fewer lines than before; see logs.pattern_difference
chart: {mark: bar, x: share_of_excess, y: value, color: field, top: 15}
references:
  - "z of two Poisson rates after the square root transform, widened by the index of dispersion of the baseline's minutes; Bonferroni over all values"
  - "patterns as in logs.pattern_difference"
next:
  - {template: logs.pattern_difference, when: "field = 'service'", params: {service: value}}
  - {template: logs.pattern_difference, when: "field IN ('severity', 'pattern')", params: {service: $service}}
  - {template: runtime.restarts, when: "field = 'pod'", params: {service: $service}}
  - {template: changes.deploys, when: "field = 'version'", params: {service: $service}}
  - {template: series.onset, when: "field = 'service'", params: {service: value, measure: "'log_lines'"}}
---*/
WITH lines AS NOT MATERIALIZED (
    SELECT true AS is_now, epoch_us(time) // 60000000 AS minute, service, coalesce(upper(severity), '') AS severity,
           pod, version, host, region, body
    FROM logs WHERE time >= $window_start AND time < $window_end
      AND ($service IS NULL OR service = $service)
    UNION ALL
    SELECT false, epoch_us(time) // 60000000, service, coalesce(upper(severity), ''), pod, version, host, region, body
    FROM logs WHERE time >= $baseline_start AND time < $baseline_end
      AND ($service IS NULL OR service = $service)
),
-- The expressions are those of the step, which goes on from here.
masked AS (
    SELECT *, regexp_replace(regexp_replace(CASE WHEN length(body) <= 400 AND NOT contains(body, chr(10)) THEN body
                    ELSE split_part(left(body, 400), chr(10), 1) END,
               '[a-z][a-z0-9+.]*://[^\s\"''<>,;)\]}]+|\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* +\d+(?:[ ,]+\d+:\d+:\d+)?(?: [A-Z]{3,4})?(?:[ ,]+\d{4})?\b|\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){3,}\b|\.{0,2}\B/[^\s,;:''\")\]}>|]+|\b[A-Za-z]:\\[^\s,;:''\")\]}>|]+|\b[\w.$\-]+(?:/[\w.$\-]+){2,}|\b[\w.+\-]+@[\w\-]+\.[\w.\-]+|[-+]?\b(?:[A-Za-z_]+[-.@/])*[A-Za-z_]*\d\w*(?:[-.@/:#,]\d\w*|[-.@/][A-Za-z_]\w*)*|\b(?:[a-f]{8,}|[A-F]{8,})\b',
               '<*>', 'g'),
               '<\*>(?:[\s,:/.#|+&;-]{1,2}<\*>)+', '<*>', 'g') AS masked
    FROM lines
),
-- Alike lines are put together once, and not for each field.
alike AS (
    SELECT is_now, service, severity, pod, version, host, region, masked, count(*) AS lines, min(body) AS example
    FROM masked GROUP BY is_now, service, severity, pod, version, host, region, masked
),
counted AS (
    SELECT grouping(severity) = 0 AS by_severity, grouping(pod) = 0 AS by_pod, grouping(version) = 0 AS by_version,
           grouping(host) = 0 AS by_host, grouping(region) = 0 AS by_region, grouping(masked) = 0 AS by_pattern,
           service, severity, pod, version, host, region, masked,
           coalesce(sum(lines) FILTER (is_now), 0)::BIGINT AS lines,
           coalesce(sum(lines) FILTER (NOT is_now), 0)::BIGINT AS baseline_lines,
           coalesce(min(example) FILTER (is_now), min(example)) AS example
    FROM alike
    GROUP BY GROUPING SETS ((service), (severity), (pod), (version), (host), (region), (service, masked))
)
SELECT 'minute' AS part, is_now, NULL AS service, NULL AS field, minute::VARCHAR AS value,
       count(*) AS lines, 0 AS baseline_lines, NULL AS example
FROM lines GROUP BY is_now, minute
UNION ALL
SELECT 'value', NULL, CASE WHEN by_pattern THEN service END,
       CASE WHEN by_pattern THEN 'pattern' WHEN by_severity THEN 'severity' WHEN by_pod THEN 'pod'
            WHEN by_version THEN 'version' WHEN by_host THEN 'host' WHEN by_region THEN 'region'
            ELSE 'service' END AS field,
       coalesce(CASE WHEN by_pattern THEN masked WHEN by_severity THEN severity WHEN by_pod THEN pod
                     WHEN by_version THEN version WHEN by_host THEN host WHEN by_region THEN region
                     ELSE service END, '') AS value,
       lines, baseline_lines, left(example, 500)
FROM counted
ORDER BY ALL
