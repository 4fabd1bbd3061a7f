/*---
id: errors.origin
version: 4
title: Error origin
question: Where do failures begin, before callers pass them on?
status: stable
params:
  window:     {type: window, help: when it hurts}
  baseline:   {type: window, help: when it was fine; may be shorter or longer than the window}
  service:    {type: service, optional: true, help: only failures that begin in this service}
  min_errors: {type: int, default: 5, min: 1, help: fewer failures are not judged}
  min_ratio:  {type: float, default: 2, min: 1, help: how many times more often than in the baseline counts}
  min_z:      {type: float, default: 2, min: 0, help: how many standard errors away from chance a single origin must be}
requires: [spans.parent_span_id, logs.span_id]
returns:
  service: VARCHAR
  operation: VARCHAR
  message: VARCHAR
  errors: BIGINT
  traces: BIGINT
  share_of_failing_traces: DOUBLE
  trace_share: DOUBLE
  baseline_errors: BIGINT
  baseline_trace_share: DOUBLE
  ratio: DOUBLE
  z: DOUBLE
  needed_z: DOUBLE
  passed_on_to: VARCHAR
  example_trace: VARCHAR
columns:
  ratio: "trace_share over that of the baseline, half a trace added to both"
  z: "standard errors by which it differs from the baseline; about 3 is rare by chance, if it is looked at once"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  passed_on_to: "services that fail in the same traces"
interesting: CASE WHEN z IS NOT NULL THEN errors >= min_errors AND ratio >= min_ratio AND z >= needed_z END
reason: "failures begin in {service} {operation}: {errors} errors in {traces} traces ({trace_share:.1%} of all, {baseline_trace_share:.1%} in the baseline): {message:.140}"
quiet: "no origin of failures is {min_ratio:g}x as frequent as in the baseline beyond chance; the nearest is {service} {operation} with {errors} errors"
empty: "nothing that failed is recorded in the window"
covers:
  - spans with status error
  - spans on which an ERROR log was written
  - "the message of status, exception event or log, in that order, with ids and numbers masked"
not_covered:
  - wrong answers that nobody marks as failures
  - traces of which the failing part was not sampled
next:
  - {template: attributes.compare, params: {service: service, operation: operation, bad: "'failing'"}}
  - {template: dependencies.blast_radius, params: {service: service}}
  - {template: errors.first_seen, params: {service: service}}
  - {template: runtime.restarts, params: {service: service}}
  - {template: changes.ranking}
chart: {mark: bar, x: errors, y: operation, color: service}
references:
  - "the deepest failing span: none of its descendants fails"
  - "needed_z: min_z, raised for the number of origins looked at (Bonferroni by the Gaussian tail: z² = min_z² + 2 ln m; those too rare to count are none, as in R. E. Tarone, 1990)"
  - "min_z 2: it is asked where something fails already; at most 2 of 100 quiet windows speak up, however many origins. min_errors 5: with fewer the Gaussian tail does not hold"
---*/
-- Ids as numbers: two spans of a question share one by chance less than once in a million questions.
WITH RECURSIVE error_logs AS (
    SELECT trace_id, span_id, min(body) AS body FROM (
        SELECT trace_id, span_id, body FROM logs
        WHERE time >= $window_start AND time < $window_end + INTERVAL 1 MINUTE
          AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
        UNION ALL
        SELECT trace_id, span_id, body FROM logs
        WHERE time >= $baseline_start AND time < $baseline_end + INTERVAL 1 MINUTE
          AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
    ) WHERE trace_id IS NOT NULL AND span_id IS NOT NULL GROUP BY trace_id, span_id
),
failing AS (
    SELECT is_now, trace_id, span_id, hash(is_now, trace_id) AS trace, hash(is_now, trace_id, span_id) AS span,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(is_now, trace_id, parent_span_id) END AS parent,
           service, name,
           coalesce(
               nullif(status_message, ''),
               list_filter(span_events, lambda e: e.name = 'exception')[1]
                   .attributes['exception.message'],
               body, '') AS message
    FROM (SELECT true AS is_now, trace_id, span_id, parent_span_id, service, name, status, status_message, span_events
          FROM spans WHERE time >= $window_start AND time < $window_end
          UNION ALL
          SELECT false, trace_id, span_id, parent_span_id, service, name, status, status_message, span_events
          FROM spans WHERE time >= $baseline_start AND time < $baseline_end)
    LEFT JOIN error_logs AS e USING (trace_id, span_id)
    WHERE status = 'error' OR e.span_id IS NOT NULL
),
seen AS (
    SELECT true AS is_now, hash(true, trace_id) AS trace, hash(true, trace_id, span_id) AS span,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(true, trace_id, parent_span_id) END AS parent
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, hash(false, trace_id), hash(false, trace_id, span_id),
           CASE WHEN parent_span_id IS NOT NULL THEN hash(false, trace_id, parent_span_id) END
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end
),
lineage AS (
    SELECT span, parent FROM seen SEMI JOIN failing USING (trace) WHERE parent IS NOT NULL
),
above AS (
    SELECT parent AS span FROM failing WHERE parent IS NOT NULL
    UNION
    SELECT l.parent FROM above JOIN lineage AS l USING (span)
),
origins AS (
    SELECT is_now, trace_id, span_id, trace, service, name AS operation,
           left(trim(regexp_replace(regexp_replace(
               -- the innermost exception says more than what the framework wraps around it
               coalesce(nullif(regexp_extract(split_part(message, chr(10), 1),
                                              '.*\b([A-Za-z_][\w.$]*(?:Exception|Error): .*)', 1), ''),
                        split_part(message, chr(10), 1)),
               '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b[0-9a-fA-F]{8,}\b|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|"[^"]*"',
               '<*>', 'g'),
               '(^|[^#\w])(?:''[^'']*''|[-+]?[A-Z]{0,2}\d+(?:[.,:]\d+)*)', '\1<*>', 'g')), 200) AS message
    FROM failing ANTI JOIN above USING (span)
),
passed AS (
    SELECT o.service, o.operation, o.message, string_agg(DISTINCT f.service, ', ' ORDER BY f.service)
               AS passed_on_to
    FROM origins AS o JOIN failing AS f ON f.trace = o.trace AND f.service <> o.service
    WHERE o.is_now GROUP BY o.service, o.operation, o.message
),
totals AS (
    SELECT count(DISTINCT trace) FILTER (is_now) AS n1,
           count(DISTINCT trace) FILTER (NOT is_now) AS n0,
           (SELECT count(DISTINCT trace) FROM failing WHERE is_now) AS failing1
    FROM seen
),
groups AS (
    SELECT service, operation, message,
           count(*) FILTER (is_now) AS errors,
           count(DISTINCT trace_id) FILTER (is_now) AS traces,
           count(*) FILTER (NOT is_now) AS baseline_errors,
           count(DISTINCT trace_id) FILTER (NOT is_now) AS baseline_traces,
           min(trace_id) FILTER (is_now) AS example_trace
    FROM origins GROUP BY service, operation, message
)
SELECT service, operation, message, errors, traces,
       traces / nullif(failing1, 0) AS share_of_failing_traces,
       traces / nullif(n1, 0) AS trace_share,
       baseline_errors,
       baseline_traces / nullif(n0, 0) AS baseline_trace_share,
       CASE WHEN n0 > 0 THEN ((traces + 0.5) / (n1 + 1)) / ((baseline_traces + 0.5) / (n0 + 1))
       END AS ratio,
       CASE WHEN n0 > 0 AND n1 > 0 THEN
           -- half a trace less: counts are whole, and few of them
           ((traces - 0.5) / n1 - baseline_trace_share)
           / sqrt((traces + baseline_traces + 1) / (n1 + n0 + 2)
                  * (1 - (traces + baseline_traces + 1) / (n1 + n0 + 2)) * (1 / n1 + 1 / n0))
       END AS z,
       sqrt($min_z * $min_z + 2 * ln(greatest(count(*) FILTER (errors + baseline_errors >= $min_errors) OVER (), 1))) AS needed_z,
       passed_on_to, example_trace
FROM groups LEFT JOIN passed USING (service, operation, message), totals
WHERE errors > 0 AND ($service IS NULL OR service = $service)
ORDER BY z DESC NULLS LAST, errors DESC, service, operation, message
LIMIT 200
