/*---
id: data.quality
version: 3
title: Data quality
question: Can the data be trusted, or are there gaps, late rows, skewed clocks, lost parents or samples?
status: stable
params:
  window:   {type: window, help: what is looked at}
  service:  {type: service, optional: true, help: one service only}
  max_gap:  {type: duration, default: 2m, help: a longer pause of a service is a gap}
  late:     {type: duration, default: 60s, help: a log line seen so long after its time is late}
  skew_ms:  {type: float, default: 5, min: 0, help: "a span that begins so much before its caller did, or after it ended, shows a wrong clock"}
  max_share: {type: float, default: 0.05, min: 0, max: 1, help: the share of rows that may be affected}
  min_rows: {type: int, default: 30, min: 1, help: with fewer rows nothing is judged}
requires: [spans.service, logs.service]
returns:
  issue: VARCHAR
  signal: VARCHAR
  service: VARCHAR
  finding: VARCHAR
  affected: BIGINT
  n: BIGINT
  share: DOUBLE
  amount: DOUBLE
  unit: VARCHAR
  from_time: TIMESTAMP WITH TIME ZONE
  meaning: VARCHAR
  label: VARCHAR
interesting: finding <> 'good'
reason: "{label}: {affected} of {n} ({share:.1%}), {amount:.4g} {unit}; {meaning}"
quiet: "no gaps, late rows, skewed clocks, lost parents or sampling worth mention in the window"
empty: "nothing is recorded in the window of what was asked"
covers:
  - "gap: minutes without rows of a service that would have had some (chance below 0.1 % over all services and minutes, at its own rate and among its other pauses)"
  - "late: observed_time long after time; ahead: a line from the future"
  - "clock skew: spans that begin before their caller or, messages apart, after its end; lost parents: the calling span is not there"
  - "sampling: trace states or attributes that tell of it; no duration, no service"
not_covered:
  - what never had a service or never came at all
  - rows that ingest put aside; see jupyter investigation catalog quality
  - gaps of single metrics or pods
next:
  - {template: triage.overview, when: "finding = 'good'"}
chart: {mark: bar, x: share, y: label, color: issue}
references:
  - "W3C Trace Context tracestate, OpenTelemetry probability sampling (ot=th:…)"
---*/
WITH seen AS (
    SELECT time, duration_ns, trace_id, span_id, parent_span_id, service, kind, trace_state, attributes
    FROM spans WHERE time >= $window_start AND time < $window_end
),
lines AS (
    SELECT time, observed_time, service FROM logs WHERE time >= $window_start AND time < $window_end
),
minutes AS (
    SELECT 'spans' AS signal, service, epoch_us(time) // 60000000 AS minute, count(*) AS n
    FROM seen GROUP BY ALL
    UNION ALL
    SELECT 'logs', service, epoch_us(time) // 60000000, count(*) FROM lines GROUP BY ALL
    UNION ALL
    SELECT 'metrics', service, epoch_us(time) // 60000000, count(*) FROM metrics
    WHERE time >= $window_start AND time < $window_end GROUP BY ALL
),
-- The window's ends count as rows, so that a gap at an end is one too.
edged AS (
    SELECT signal, service, minute, n FROM minutes
    UNION ALL
    SELECT DISTINCT signal, service,
           unnest([epoch_us($window_start::TIMESTAMPTZ) // 60000000 - 1,
                   (epoch_us($window_end::TIMESTAMPTZ) - 1) // 60000000 + 1]), 0
    FROM minutes
),
pauses AS (
    SELECT signal, service, n, minute - lag(minute) OVER one - 1 AS pause,
           lag(minute) OVER one + 1 AS begun
    FROM edged WINDOW one AS (PARTITION BY signal, service ORDER BY minute)
),
gaps AS (
    SELECT signal, service, sum(n) AS rows_seen, count(*) FILTER (n > 0) AS present,
           coalesce(sum(pause), 0) AS missing, max({'pause': pause, 'begun': -begun}) FILTER (pause IS NOT NULL) AS longest
    FROM pauses GROUP BY signal, service
),
pairs AS (
    SELECT c.service, (epoch_us(c.time) - epoch_us(p.time)) / 1e3 AS begins_ms,
           -- who takes a message begins after its sender is done
           CASE WHEN c.kind = 'consumer' OR p.kind = 'producer' THEN NULL
                ELSE (epoch_us(p.time) + coalesce(p.duration_ns, 0) // 1000 - epoch_us(c.time)) / 1e3 END AS left_ms
    FROM seen AS c JOIN seen AS p ON p.trace_id = c.trace_id AND p.span_id = c.parent_span_id
    WHERE p.service <> c.service
),
issues AS (
    SELECT 'gap' AS issue, signal, service, missing::BIGINT AS affected, (missing + present)::BIGINT AS n,
           longest.pause::DOUBLE AS amount, 'min at most' AS unit,
           make_timestamptz((-longest.begun * 60000000)::BIGINT) AS from_time,
           'rates and counts of these minutes are too low' AS meaning,
           -- whether it would be a surprise at the rate of the minutes that are there
           -- and, of what comes in bursts, among its other pauses
           longest.pause * 60 >= $max_gap
               AND greatest(exp(-least(rows_seen / present * longest.pause, 700)),
                            power((missing - longest.pause) / greatest(missing + present - longest.pause, 1), longest.pause))
                   * (missing + present) * count(*) OVER () <= 0.001 AS bad,
           rows_seen >= $min_rows AS judged
    FROM gaps
    UNION ALL
    SELECT 'late', 'logs', service, count(*) FILTER (observed_time > time + to_seconds($late)), count(observed_time),
           quantile_cont(epoch_us(observed_time) - epoch_us(time), 0.99) / 1e6, 's at p99', min(time),
           'the newest minutes are not complete yet', NULL, NULL
    FROM lines WHERE observed_time IS NOT NULL GROUP BY service
    UNION ALL
    SELECT 'ahead', 'logs', service, count(*) FILTER (observed_time < time - INTERVAL 1 SECOND), count(observed_time),
           quantile_cont(epoch_us(time) - epoch_us(observed_time), 0.99) / 1e6, 's at p99', min(time),
           'its clock is ahead', NULL, NULL
    FROM lines WHERE observed_time IS NOT NULL GROUP BY service
    UNION ALL
    SELECT 'clock skew', 'spans', service,
           count(*) FILTER (begins_ms < -$skew_ms OR left_ms < -$skew_ms), count(*),
           median(least(begins_ms, left_ms)) FILTER (least(begins_ms, left_ms) < 0), 'ms in the median', NULL,
           'times between services are wrong by so much', NULL, NULL
    FROM pairs GROUP BY service
    UNION ALL
    SELECT 'lost parents', 'spans', c.service, count(*) FILTER (p.span_id IS NULL), count(*),
           count(DISTINCT c.trace_id) FILTER (p.span_id IS NULL), 'traces', min(c.time) FILTER (p.span_id IS NULL),
           'callers were not recorded or not sampled: calls look like roots', NULL, NULL
    FROM (SELECT * FROM seen WHERE parent_span_id IS NOT NULL
          AND time >= $window_start::TIMESTAMPTZ + INTERVAL 1 MINUTE) AS c
    LEFT JOIN seen AS p ON p.trace_id = c.trace_id AND p.span_id = c.parent_span_id
    GROUP BY c.service
    UNION ALL
    SELECT 'sampling', 'spans', service,
           count(*) FILTER (regexp_matches(trace_state, '(^|[,;])\s*ot=[^,]*\bth:[0-9a-f]*[1-9a-f]')
                            OR coalesce(try_cast(coalesce(attributes['SampleRate'], attributes['sampling.rate']) AS DOUBLE), 1) > 1),
           count(*), 0, '', NULL, 'counts are those of the sample', NULL, NULL
    FROM seen GROUP BY service
    UNION ALL
    SELECT 'no duration', 'spans', service, count(*) FILTER (duration_ns IS NULL), count(*), 0, '', NULL,
           'these spans did not end, or their end was not sent', NULL, NULL
    FROM seen GROUP BY service
)
SELECT issue, signal, service,
       CASE WHEN NOT coalesce(judged, n >= $min_rows) THEN NULL
            WHEN coalesce(bad, affected > $max_share * n) THEN issue ELSE 'good' END AS finding,
       affected, n, affected / nullif(n, 0) AS share, amount::DOUBLE AS amount, unit, from_time, meaning,
       issue || ', ' || signal || coalesce(' of ' || service, '') AS label
FROM issues
WHERE $service IS NULL OR service = $service
ORDER BY CASE WHEN finding = 'sampling' THEN 2 WHEN finding <> 'good' THEN 1 WHEN finding = 'good' THEN 3 ELSE 4 END,
         share DESC NULLS LAST, affected DESC, issue, signal, service
LIMIT 500
