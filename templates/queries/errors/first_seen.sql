/*---
id: errors.first_seen
version: 3
title: First-seen errors
question: Which errors are there that were never there before?
status: stable
params:
  window:     {type: window, help: when it hurts}
  history:    {type: duration, default: 24h, help: "how long before the window an error must not have been"}
  service:    {type: service, optional: true, help: one service only}
  min_errors: {type: int, default: 3, min: 1, help: fewer of them are not judged}
  max_chance: {type: float, default: 0.01, min: 0, max: 1, help: "the chance, over all errors looked at, that one which is not new shows itself in the window alone"}
requires: [logs.body]
returns:
  service: VARCHAR
  source: VARCHAR
  message: VARCHAR
  errors: BIGINT
  traces: BIGINT
  first_time: TIMESTAMP WITH TIME ZONE
  last_time: TIMESTAMP WITH TIME ZONE
  minutes_in: DOUBLE
  service_errors_before: BIGINT
  hours_before: DOUBLE
  chance: DOUBLE
  example: VARCHAR
  example_trace: VARCHAR
columns:
  hours_before: "hours with data in the history"
  chance: "of all of it falling into the window although it always came so often, for all messages looked at"
  service_errors_before: "other errors of the service in the history"
interesting: CASE WHEN hours_before > 0 THEN errors >= min_errors AND chance <= max_chance END
reason: "{service}: never seen in the {hours_before:.2g} h recorded before, now {errors} times since {first_time}: {message:.160}"
quiet: "no error that was not there in the {hours_before:.2g} h recorded before came {min_errors} times, or so often that it is surely new"
empty: "no error of the window is new: each was there before, or there is none"
covers:
  - log lines of severity ERROR and above, by their first line with ids, numbers, addresses and quoted text masked
  - exceptions recorded on spans, and status messages of failing spans
  - "chance: if it always came at this rate, that all of it falls into the window"
not_covered:
  - errors that were there and became frequent; see errors.origin and logs.pattern_difference
  - errors older than the history
  - one error worded in two ways
next:
  - {template: errors.origin, params: {service: service}}
  - {template: changes.ranking}
  - {template: incidents.similar}
chart: {mark: bar, x: errors, y: message, color: service}
references:
  - "chance: (minutes with data in the window / in window and history) ^ times it came, for the number of messages (Bonferroni); what one trace says several times came once"
---*/
WITH told AS (
    SELECT time, service, 'log' AS source, body AS message, trace_id
    FROM logs
    WHERE time >= $window_start - to_seconds($history) AND time < $window_end
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
      AND body IS NOT NULL AND ($service IS NULL OR service = $service)
    UNION ALL
    SELECT time, service, 'span',
           coalesce(
               list_filter(span_events, lambda e: e.name = 'exception')[1].attributes['exception.type']
               || ': ' || coalesce(list_filter(span_events, lambda e: e.name = 'exception')[1]
                                       .attributes['exception.message'], ''),
               nullif(status_message, '')),
           trace_id
    FROM spans
    WHERE time >= $window_start - to_seconds($history) AND time < $window_end
      AND status = 'error' AND ($service IS NULL OR service = $service)
),
masked AS (
    SELECT time, time >= $window_start AS is_now, service, source, trace_id, message AS example,
           left(trim(regexp_replace(regexp_replace(
               -- the innermost exception says more than what the framework wraps around it
               coalesce(nullif(regexp_extract(split_part(left(message, 400), chr(10), 1),
                                              '.*\b([A-Za-z_][\w.$]*(?:Exception|Error): .*)', 1), ''),
                        split_part(left(message, 400), chr(10), 1)),
               '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b[0-9a-fA-F]{8,}\b|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|"[^"]*"',
               '<*>', 'g'),
               '(^|[^#\w])(?:''[^'']*''|[-+]?[A-Z]{0,2}\d+(?:[.,:]\d+)*)', '\1<*>', 'g')), 200) AS message
    FROM told WHERE message IS NOT NULL
),
-- What was recorded before: a store that begins with the window knows no history.
recorded AS (
    SELECT count(DISTINCT time_bucket(INTERVAL 1 MINUTE, time)) FILTER (time >= $window_start) AS minutes1,
           count(DISTINCT time_bucket(INTERVAL 1 MINUTE, time)) FILTER (time < $window_start) AS minutes0
    FROM (SELECT time FROM logs
          WHERE time >= $window_start - to_seconds($history) AND time < $window_end
          UNION ALL
          SELECT time FROM spans
          WHERE time >= $window_start - to_seconds($history) AND time < $window_end)
),
before AS (
    SELECT service, count(*) FILTER (NOT is_now) AS service_errors_before FROM masked GROUP BY service
),
groups AS (
    SELECT service, source, message, count(*) AS errors, count(DISTINCT trace_id) AS traces,
           traces + count(*) FILTER (trace_id IS NULL) AS times,
           min(time) AS first_time, max(time) AS last_time,
           min(example) AS example, min(trace_id) AS example_trace
    FROM masked GROUP BY service, source, message HAVING bool_and(is_now)
)
SELECT g.service, source, message, errors, traces, first_time, last_time,
       (epoch_us(first_time) - epoch_us($window_start::TIMESTAMPTZ)) / 6e7 AS minutes_in,
       coalesce(b.service_errors_before, 0) AS service_errors_before, minutes0 / 60 AS hours_before,
       CASE WHEN minutes0 > 0
            THEN least(power(minutes1 / (minutes1 + minutes0), times)
                       * count(*) FILTER (errors >= $min_errors) OVER (), 1) END AS chance,
       left(example, 500) AS example, example_trace
FROM groups AS g LEFT JOIN before AS b ON b.service IS NOT DISTINCT FROM g.service, recorded
ORDER BY coalesce(errors >= $min_errors AND chance <= $max_chance, false) DESC,
         errors DESC, first_time, service, source, message
LIMIT 200
