/*---
id: logs.pattern_difference
version: 5
title: Log pattern difference
question: Which log messages are new, gone, or come at another rate than in the baseline?
status: stable
params:
  window:    {type: window, help: when it hurts}
  baseline:  {type: window, help: when it was fine; may be shorter or longer than the window}
  service:   {type: service, optional: true, help: one service only}
  severity:  {type: choice, of: [all, warning, error], default: all, help: the least severity looked at}
  min_lines: {type: int, default: 5, min: 1, help: "a pattern with fewer lines, then and now, is not judged"}
  min_ratio: {type: float, default: 2, min: 1, help: how many times more or fewer counts}
  min_z:     {type: float, default: 3, min: 0, help: how many standard errors away from chance a single pattern must be}
requires: [logs.body, logs.service]
step: logs.pattern_difference
returns:
  service: VARCHAR
  change: VARCHAR
  severity: VARCHAR
  gist: VARCHAR
  pattern: VARCHAR
  pattern_id: VARCHAR
  operation: VARCHAR
  lines: BIGINT
  baseline_lines: BIGINT
  rate: DOUBLE
  baseline_rate: DOUBLE
  per: VARCHAR
  ratio: DOUBLE
  z: DOUBLE
  needed_z: DOUBLE
  traces: BIGINT
  example: VARCHAR
  example_trace: VARCHAR
columns:
  per: "what lines are counted by: calls of the operation, or minutes"
  ratio: "rate over the baseline, a little added to both"
  z: "standard errors by which it differs from the baseline, lines of one trace coming together; about 3 is rare by chance, if it is looked at once"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  gist: "the part of the pattern that says most"
interesting: change <> 'as before'
reason: "{service}: {change} {severity} message, {rate:.1f} per {per} against {baseline_rate:.1f}: {gist}"
quiet: "no message is new, gone, or {min_ratio:g}x as frequent or rare as in the baseline, beyond chance"
empty: "no line of what was asked is recorded in the window or the baseline"
covers:
  - "the first line of each message without what varies: numbers, times, addresses and paths in any line; names, values and words that many lines of the service differ in"
  - "other traffic: a line written in a span is counted per 100 calls of that span's operation, any other per minute"
not_covered:
  - messages that differ in a few plain words only; they are patterns of their own
  - the exact number of traces of a pattern that many texts make; it is then an upper bound
  - information written in operations that were not called in the baseline
  - bursts of lines that are on no trace; they count one by one and look more certain than they are
chart: {mark: bar, x: z, y: gist, color: change}
references:
  - "z of two Poisson rates after the square root transform, over the root of the design effect: sum of n² over sum of n, for n lines of a pattern in each trace (J. N. K. Rao and A. J. Scott, Statistics in Medicine, 1999, on clustered counts); so 200 lines of one trace are as certain as one; needed_z: min_z, raised for the number of patterns judged (Bonferroni by the Gaussian tail)"
  - "patterns: masks, then the variety at a place among lines alike, as in Drain (He et al., ICWS 2017) and Brain (Yu et al., IEEE TSC 2023)"
next:
  - {template: logs.rate_spike, when: "change IN ('new', 'more frequent')", params: {service: service}}
  - {template: traces.exemplars, when: "example_trace IS NOT NULL", params: {service: service}}
---*/
-- Ids as numbers: two spans of a question share one by chance less than once in a million questions.
WITH lines AS NOT MATERIALIZED (
    SELECT true AS is_now, time, service, severity, severity_number, body, trace_id,
           hash(true, trace_id, span_id) AS span
    FROM logs WHERE time >= $window_start AND time < $window_end
      AND ($service IS NULL OR service = $service)
    UNION ALL
    SELECT false, time, service, severity, severity_number, body, trace_id,
           hash(false, trace_id, span_id)
    FROM logs WHERE time >= $baseline_start AND time < $baseline_end
      AND ($service IS NULL OR service = $service)
),
calls AS (
    SELECT true AS is_now, hash(true, trace_id, span_id) AS span, name
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, hash(false, trace_id, span_id), name
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end
),
operations AS (
    SELECT name AS operation, count(*) FILTER (is_now) AS calls1, count(*) FILTER (NOT is_now) AS calls0
    FROM calls GROUP BY name
),
-- Rates are per minute that has data: a window may reach beyond what was recorded.
minutes AS (
    SELECT CASE WHEN count(*) FILTER (is_now) >= 10
                THEN greatest(epoch_us(max(time) FILTER (is_now)) - epoch_us(min(time) FILTER (is_now)), 1e6)
                ELSE epoch_us($window_end::TIMESTAMPTZ) - epoch_us($window_start::TIMESTAMPTZ)
           END / 6e7 AS minutes1,
           CASE WHEN count(*) FILTER (NOT is_now) >= 10
                THEN greatest(epoch_us(max(time) FILTER (NOT is_now)) - epoch_us(min(time) FILTER (NOT is_now)), 1e6)
                ELSE epoch_us($baseline_end::TIMESTAMPTZ) - epoch_us($baseline_start::TIMESTAMPTZ)
           END / 6e7 AS minutes0,
           count(*) FILTER (NOT is_now) AS n0
    FROM lines
),
-- The expressions are those of the step, which goes on from here.
masked AS (
    SELECT l.is_now, service, c.name AS operation, coalesce(upper(severity), '') AS severity, body, l.trace_id,
           regexp_replace(regexp_replace(CASE WHEN length(body) <= 400 AND NOT contains(body, chr(10)) THEN body
                    ELSE split_part(left(body, 400), chr(10), 1) END,
               '[a-z][a-z0-9+.]*://[^\s\"''<>,;)\]}]+|\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* +\d+(?:[ ,]+\d+:\d+:\d+)?(?: [A-Z]{3,4})?(?:[ ,]+\d{4})?\b|\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){3,}\b|\.{0,2}\B/[^\s,;:''\")\]}>|]+|\b[A-Za-z]:\\[^\s,;:''\")\]}>|]+|\b[\w.$\-]+(?:/[\w.$\-]+){2,}|\b[\w.+\-]+@[\w\-]+\.[\w.\-]+|[-+]?\b(?:[A-Za-z_]+[-.@/])*[A-Za-z_]*\d\w*(?:[-.@/:#,]\d\w*|[-.@/][A-Za-z_]\w*)*|\b(?:[a-f]{8,}|[A-F]{8,})\b',
               '<*>', 'g'),
               '<\*>(?:[\s,:/.#|+&;-]{1,2}<\*>)+', '<*>', 'g') AS masked
    FROM lines AS l
    LEFT JOIN calls AS c USING (span)
    WHERE body IS NOT NULL
      AND CASE $severity
              WHEN 'error' THEN severity_number >= 17
                                OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL')
              WHEN 'warning' THEN severity_number >= 13
                                OR upper(severity) IN ('WARN', 'WARNING', 'ERROR', 'FATAL', 'CRITICAL')
              ELSE true END
),
texts AS (
    SELECT service, operation, severity, masked,
           count(*) FILTER (is_now) AS lines, count(*) FILTER (NOT is_now) AS baseline_lines,
           coalesce(min(body) FILTER (is_now), min(body)) AS example,
           coalesce(min(trace_id) FILTER (is_now), min(trace_id)) AS example_trace
    FROM masked GROUP BY service, operation, severity, masked
),
spread AS (
    SELECT text, count(*) FILTER (is_now) AS traces, sum(n * (n - 1))::BIGINT AS together
    FROM (SELECT hash(service, operation, severity, masked) AS text, hash(trace_id) AS trace, is_now, count(*) AS n
          FROM masked WHERE trace_id IS NOT NULL GROUP BY ALL)
    GROUP BY text
)
SELECT service, operation, severity, masked, lines, baseline_lines, coalesce(traces, 0) AS traces,
       coalesce(together, 0) AS together, left(example, 500) AS example,
       example_trace, calls1, calls0, minutes1, minutes0, n0
FROM texts LEFT JOIN operations USING (operation)
LEFT JOIN spread ON spread.text = hash(service, operation, severity, masked), minutes
-- Messages are gone only where some are still written.
WHERE (SELECT count(*) FROM logs WHERE time >= $window_start AND time < $window_end) > 0
ORDER BY service, operation, severity, masked
