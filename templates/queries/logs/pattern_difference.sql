/*---
id: logs.pattern_difference
version: 1
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
  min_z:     {type: float, default: 4, min: 0, help: how many standard errors away from chance}
requires: [logs.body, logs.service]
returns:
  service: VARCHAR
  change: VARCHAR
  severity: VARCHAR
  gist: VARCHAR
  pattern: VARCHAR
  operation: VARCHAR
  lines: BIGINT
  baseline_lines: BIGINT
  rate: DOUBLE
  baseline_rate: DOUBLE
  per: VARCHAR
  ratio: DOUBLE
  z: DOUBLE
  traces: BIGINT
  example: VARCHAR
  example_trace: VARCHAR
interesting: change <> 'as before'
reason: "{service}: {change} {severity} message, {rate:.1f} per {per} against {baseline_rate:.1f}: {gist}"
quiet: "no message is new, gone, or {min_ratio:g}x as frequent or rare as in the baseline, beyond chance"
covers:
  - the first line of each message, with ids, numbers, addresses and quoted text masked
  - "other traffic: a line written in a span is counted per 100 calls of that span's operation, any other per minute"
not_covered:
  - messages that differ in plain words only; they are patterns of their own
  - information written in operations that were not called in the baseline
  - bursts; their lines count one by one and look more certain than they are
chart: {mark: bar, x: z, y: gist, color: change}
references:
  - "z of two Poisson rates after the square root transform"
---*/
WITH lines AS (
    SELECT true AS is_now, time, service, severity, severity_number, body, trace_id, span_id
    FROM logs WHERE time >= $window_start AND time < $window_end
      AND ($service IS NULL OR service = $service)
    UNION ALL
    SELECT false, time, service, severity, severity_number, body, trace_id, span_id
    FROM logs WHERE time >= $baseline_start AND time < $baseline_end
      AND ($service IS NULL OR service = $service)
),
calls AS (
    SELECT true AS is_now, trace_id, span_id, name
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, trace_id, span_id, name
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
masked AS (
    SELECT l.is_now, service, c.name AS operation, coalesce(upper(severity), '') AS severity, body, l.trace_id,
           left(trim(regexp_replace(regexp_replace(
               split_part(left(body, 400), chr(10), 1),
               '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b[0-9a-fA-F]{8,}\b|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|"[^"]*"',
               '<*>', 'g'),
               '(^|[^#\w])(?:''[^'']*''|[-+]?[A-Z]{0,2}\d+(?:[.,:]\d+)*)', '\1<*>', 'g')), 300) AS pattern
    FROM lines AS l
    LEFT JOIN calls AS c ON c.is_now = l.is_now AND c.trace_id = l.trace_id AND c.span_id = l.span_id
    WHERE body IS NOT NULL
      AND CASE $severity
              WHEN 'error' THEN severity_number >= 17
                                OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL')
              WHEN 'warning' THEN severity_number >= 13
                                OR upper(severity) IN ('WARN', 'WARNING', 'ERROR', 'FATAL', 'CRITICAL')
              ELSE true END
),
patterns AS (
    SELECT service, operation, severity, pattern,
           count(*) FILTER (is_now) AS lines, count(*) FILTER (NOT is_now) AS baseline_lines,
           count(DISTINCT trace_id) FILTER (is_now) AS traces,
           coalesce(min(body) FILTER (is_now), min(body)) AS example,
           coalesce(min(trace_id) FILTER (is_now), min(trace_id)) AS example_trace
    FROM masked GROUP BY service, operation, severity, pattern
),
-- How much there was to write about: calls of the operation (in hundreds), else minutes.
exposed AS (
    SELECT *, coalesce(calls1 >= 5 AND calls0 >= 5, false) AS by_call,
           CASE WHEN by_call THEN calls1 / 100 ELSE minutes1 END AS e1,
           CASE WHEN by_call THEN calls0 / 100 ELSE minutes0 END AS e0,
           n0 > 0 AND greatest(lines, baseline_lines) >= $min_lines
           AND (by_call OR operation IS NULL
                OR severity IN ('WARN', 'WARNING', 'ERROR', 'FATAL', 'CRITICAL')) AS judged
    FROM patterns LEFT JOIN operations USING (operation), minutes
),
figures AS (
    SELECT *, lines / e1 AS rate, baseline_lines / e0 AS baseline_rate,
           CASE WHEN n0 > 0 THEN ((lines + 0.5) / e1) / ((baseline_lines + 0.5) / e0) END AS ratio,
           CASE WHEN n0 > 0 THEN 2 * (sqrt(rate) - sqrt(baseline_rate)) / sqrt(1 / e1 + 1 / e0)
           END AS z
    FROM exposed
)
SELECT service,
       CASE WHEN NOT judged THEN NULL
            WHEN abs(z) < $min_z OR greatest(ratio, 1 / ratio) < $min_ratio THEN 'as before'
            WHEN baseline_lines = 0 THEN 'new'
            WHEN lines = 0 THEN 'gone'
            WHEN z > 0 THEN 'more frequent' ELSE 'rarer' END AS change,
       severity,
       -- the innermost exception says more than what the framework wraps around it
       left(coalesce(nullif(regexp_extract(pattern,
                                           '.*\b([A-Za-z_][\w.$]*(?:Exception|Error): .*)', 1), ''),
                     pattern), 140) AS gist,
       pattern, operation, lines, baseline_lines, rate, baseline_rate,
       CASE WHEN by_call THEN '100 calls' ELSE 'minute' END AS per,
       ratio, z, traces, left(example, 500) AS example, example_trace
FROM figures
ORDER BY coalesce(change <> 'as before', false) DESC,
         CASE WHEN z > 0 AND severity IN ('ERROR', 'FATAL', 'CRITICAL') THEN 1
              WHEN z > 0 AND severity IN ('WARN', 'WARNING') THEN 2
              WHEN change = 'gone' AND severity IN ('ERROR', 'FATAL', 'CRITICAL') THEN 4
              ELSE 3 END,
         abs(z) DESC NULLS LAST, service, severity, pattern, operation
LIMIT 200
