/*---
id: rca.ranking
version: 4
title: Root-cause ranking
question: Which service does the trouble come from, and what says so?
status: stable
params:
  window:     {type: window, help: when it hurts; may begin before the trouble did}
  baseline:   {type: window, help: when it was fine; a minute with some traces of each kind will do}
  onset:      {type: string, optional: true, help: "when it began, as in 2024-05-01T12:00:00Z; found in the data when not given"}
  slack:      {type: duration, default: 60s, help: how far from the truth a given onset may be}
  service:    {type: service, optional: true, help: where it hurts (of metrics without spans only)}
  symptom:    {type: string, optional: true, help: the metric that shows it (of metrics without spans only)}
  history:    {type: duration, default: 1h, help: metrics so long before the window count as usual too}
  max_spans:  {type: int, default: 20000, min: 100, max: 200000, help: "of window and of baseline; of more, whole traces are drawn"}
  min_score:  {type: float, default: 0.02, min: 0, max: 1, help: a weaker suspicion is no verdict}
  min_margin: {type: float, default: 0.2, min: 0, max: 1, help: how far the first must be ahead of the second}
requires: [spans.parent_span_id, logs.span_id]
step: rca.ranking
returns:
  rank: BIGINT
  service: VARCHAR
  pod: VARCHAR
  operation: VARCHAR
  metric: VARCHAR
  log_pattern: VARCHAR
  score: DOUBLE
  methods: VARCHAR
  agree: BIGINT
  evidence: VARCHAR
  example_trace: VARCHAR
  onset: TIMESTAMPTZ
  verdict: VARCHAR
  because: VARCHAR
columns:
  score: "how strong the suspicion is, from 0 to 1"
  methods: "what speaks against it"
  agree: "how many methods do"
  verdict: "likely, where the first stands out; else cannot tell"
  because: "why it says so"
interesting: CASE WHEN verdict = 'likely' THEN rank = 1 WHEN because LIKE 'nothing changed%' THEN false END
reason: "{because} (by {methods}): {evidence:.200}"
quiet: "{because}"
open: "{because}"
empty: "nothing is recorded that could be compared"
covers:
  - what spans do (log statements and calls, one after another), compared within the same operations
  - time lost in a service itself, or between a caller and it; and services that no longer answer
  - lines on no trace, put on the spans during which they were written where few requests overlap, else by the share of each statement among its service's lines
  - instances that send no metrics any more, while others do
  - processor, memory, disk and the like of an instance
  - where spans and lines tell nothing beyond chance, times, failures and requests as metrics, along the call graph of the catalog or without one
  - metrics by the usual words for what they measure, and without spans by their values where no word tells
  - "counters and histograms: what they counted between two readings, how many failed (by HTTP status or gRPC code) and how long it took"
  - deploys, changes and flags shortly before the onset, which make other suspicions count more
not_covered:
  - causes outside of what sends telemetry
  - faults that begin at several services at once
  - errors in less than about a third of a service's requests, which come out as a weak suspicion
  - operations that the baseline does not have
  - what a service writes instead, where its lines are on no span and its requests are of many kinds
  - who of two is slow, where neither has other calls to compare with and no span is of the call alone
  - drift that the baseline is too short to show
next:
  - {template: metrics.shift, when: "metric IS NOT NULL", params: {service: service}}
  - {template: latency.self_time, when: "contains(methods, 'times')", params: {service: service}}
  - {template: logs.pattern_difference, when: "log_pattern IS NOT NULL", params: {service: service}}
  - {template: errors.origin, when: "contains(methods, 'behaviour')", params: {service: service}}
  - {template: traces.exemplars, when: "example_trace IS NOT NULL", params: {service: service}}
  - {template: changes.ranking, params: {onset: onset}}
chart: {mark: bar, x: score, y: service, color: methods}
references:
  - "Yu et al., Nezha: Interpretable Fine-Grained Root Causes Analysis for Microservices, ESEC/FSE 2023"
  - "Hardt et al., The PetShop Dataset, CLeaR 2024"
  - "Kass and Raftery, Bayes Factors, JASA 90, 1995"
---*/
-- What lies in both, window and baseline, is the window's: nothing is compared with itself.
WITH seen AS NOT MATERIALIZED (
    SELECT true AS is_now, time_ns, duration_ns, trace_id, span_id, parent_span_id, service, pod, name,
           kind, coalesce(status = 'error', false) AS failed
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, time_ns, duration_ns, trace_id, span_id, parent_span_id, service, pod, name,
           kind, coalesce(status = 'error', false)
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end
      AND NOT (time >= $window_start AND time < $window_end)
),
many AS (SELECT is_now, count(*) AS n FROM seen GROUP BY is_now),
drawn AS (
    SELECT s.* FROM seen AS s JOIN many USING (is_now)
    WHERE n <= $max_spans OR hash(s.trace_id) % n::UBIGINT < $max_spans
),
traces AS (SELECT DISTINCT trace_id FROM drawn),
told AS (
    -- lines of a trace may come after its spans; what lies in both, as right after a baseline, is told once
    SELECT true AS is_now, time < $window_end AS inside, time_ns, trace_id, span_id, service, pod,
           severity, severity_number, body
    FROM logs WHERE time >= $window_start AND time < $window_end + INTERVAL 1 MINUTE
      AND (time < $window_end OR NOT (time >= $baseline_start AND time < $baseline_end))
    UNION ALL
    SELECT false, time < $baseline_end, time_ns, trace_id, span_id, service, pod, severity,
           severity_number, body
    FROM logs WHERE time >= $baseline_start AND time < $baseline_end + INTERVAL 1 MINUTE
      AND NOT (time >= $window_start AND time < $window_end)
),
traced AS (SELECT DISTINCT service FROM seen),
loose AS (
    -- what no span can carry: lines of services without spans, or on no trace
    SELECT * FROM told ANTI JOIN traced ON traced.service = told.service AND told.trace_id IS NOT NULL
    WHERE inside AND service IS NOT NULL
),
lines AS (
    SELECT 'log' AS part, * FROM told SEMI JOIN traces USING (trace_id) WHERE span_id IS NOT NULL
    UNION ALL
    SELECT 'line', l.* FROM loose AS l
    JOIN (SELECT is_now, count(*) AS n FROM loose GROUP BY is_now) USING (is_now)
    WHERE n <= $max_spans OR hash(coalesce(trace_id, time_ns || body)) % n::UBIGINT < $max_spans
),
points AS NOT MATERIALIZED (
    SELECT true AS is_now, time_ns, service, pod, name, unit, attributes, kind, temporality,
           monotonic, value, count, sum
    FROM metrics WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, time_ns, service, pod, name, unit, attributes, kind, temporality,
           monotonic, value, count, sum
    FROM metrics WHERE time >= $baseline_start AND time < $baseline_end
      AND NOT (time >= $window_start AND time < $window_end)
    UNION ALL
    SELECT false, time_ns, service, pod, name, unit, attributes, kind, temporality,
           monotonic, value, count, sum
    FROM metrics
    WHERE time >= $window_start - to_seconds($history) AND time < $window_start
      AND NOT (time >= $baseline_start AND time < $baseline_end)
),
-- a finer series as one point for each 120th of the window
placed AS NOT MATERIALIZED (
    SELECT *, temporality IS NOT DISTINCT FROM 'delta' AS is_delta,
           coalesce(kind IN ('histogram', 'exponential_histogram', 'summary'), false) AS is_histogram,
           time_ns // (1 + (epoch_us($window_end::TIMESTAMPTZ)
                            - epoch_us($window_start::TIMESTAMPTZ)) * 1000 // 120) AS piece
    FROM points
),
measured AS (
    SELECT bool_and(is_now) AS is_now, service, pod, name, unit, max(time_ns) AS time_ns,
           NULL AS series, NULL AS failed, NULL AS text, round(avg(value), 9) AS value, NULL AS count,
           NULL AS sum
    FROM placed
    WHERE value IS NOT NULL AND NOT is_histogram AND (is_delta OR monotonic IS DISTINCT FROM true)
    GROUP BY service, pod, name, unit, piece
    UNION ALL
    -- what counts: how far it had come by then, or how much it counted
    SELECT bool_and(is_now), service, pod, name, unit, max(time_ns), hash(attributes)::VARCHAR AS series,
           bool_or(attributes['error.type'] IS NOT NULL
                   OR coalesce(attributes['http.response.status_code'],
                               attributes['http.status_code'], attributes['status_code'],
                               attributes['response_code'], attributes['status'],
                               attributes['code'], '') SIMILAR TO '5..|STATUS_CODE_ERROR'
                   -- of gRPC's codes, those that OpenTelemetry takes for the server's errors
                   OR regexp_full_match(
                          coalesce(attributes['rpc.grpc.status_code'], attributes['grpc_code'],
                                   attributes['grpc_response_status'], ''),
                          '(?i)2|4|1[2-5]|unknown|deadline_?exceeded|unimplemented|internal|unavailable|data_?loss')),
           CASE WHEN is_delta THEN 'delta' ELSE 'counts' END,
           max(value), CASE WHEN is_delta THEN sum(count) ELSE max(count) END,
           CASE WHEN is_delta THEN sum(sum) ELSE max(sum) END
    FROM placed WHERE is_histogram OR (value IS NOT NULL AND monotonic AND NOT is_delta)
    GROUP BY is_delta, service, pod, name, unit, series, piece
),
gathered AS (
    SELECT 'span' AS part, is_now, time_ns, duration_ns, trace_id, span_id, parent_span_id, service,
           pod, name, failed, kind AS text, NULL::VARCHAR AS unit, NULL::DOUBLE AS value,
           NULL::BIGINT AS count, NULL::DOUBLE AS sum
    FROM drawn
    UNION ALL
    -- how much each service was asked, before any was left out
    SELECT 'load', is_now, NULL, NULL, NULL, NULL, NULL, service, NULL, NULL, NULL, NULL, NULL,
           count(*), NULL, NULL
    FROM seen GROUP BY is_now, service
    UNION ALL
    SELECT part, is_now, time_ns, NULL, trace_id, span_id, NULL, service, pod, severity,
           -- where no level was understood, the line's own word counts
           coalesce(severity_number >= 17,
                    regexp_matches(left(body, 200), '(?i)\b(error|fatal|critical|severe|panic)\b'),
                    false),
           left(body, 400), NULL, NULL, NULL, NULL
    FROM lines
    UNION ALL
    SELECT 'change', NULL, time_ns, NULL, NULL, NULL, NULL, service, NULL, kind, NULL,
           coalesce(title, version), NULL, NULL, NULL, NULL
    FROM events
    WHERE time >= $window_start - to_seconds($history) AND time < $window_end
      AND kind IN ('deploy', 'change', 'flag')
    UNION ALL
    SELECT 'metric', is_now, time_ns, NULL, NULL, series, NULL, service, pod, name, failed, text,
           unit, value, count, sum
    FROM measured
    UNION ALL
    SELECT 'edge', NULL, NULL, NULL, NULL, NULL, NULL, name, NULL, unnest(depends_on), NULL, NULL,
           NULL, NULL, NULL, NULL
    FROM services
)
SELECT * FROM gathered
ORDER BY part, time_ns, trace_id, span_id, service, pod, name, text, is_now
