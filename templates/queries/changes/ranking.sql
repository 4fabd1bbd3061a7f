/*---
id: changes.ranking
version: 5
title: Change ranking
question: Which deploy, flag or config change just before the trouble began could have caused it?
status: stable
params:
  window:     {type: window, help: "when it hurts"}
  onset:      {type: string, optional: true, help: "when it began, as in 2024-05-01T12:00:00Z (series.onset finds it); the window's start when not given"}
  baseline:   {type: window, help: when it was fine; may be shorter or longer than the window}
  lookback:   {type: duration, default: 2h, help: how long before the onset a change may have been}
  slack:      {type: duration, default: 2m, help: "how long after the onset, as the onset is seldom known to the minute"}
  history:    {type: duration, default: 14d, help: how far back it is counted how often such changes are}
  max_chance: {type: float, default: 0.05, min: 0, max: 1, help: "the chance that some change of what is hurt lies as near to the onset by accident, that still counts"}
  min_calls:  {type: int, default: 20, min: 2, help: "with fewer requests, then or now, a service is not judged"}
  min_ratio:  {type: float, default: 1.3, min: 1, help: how many times slower counts}
  min_z:      {type: float, default: 3, min: 0, help: how many standard errors away from chance a service must be}
requires: [events.kind]
returns:
  rank: BIGINT
  time: TIMESTAMP WITH TIME ZONE
  kind: VARCHAR
  service: VARCHAR
  version: VARCHAR
  title: VARCHAR
  minutes_before: DOUBLE
  hurt: VARCHAR
  hurt_services: VARCHAR
  service_z: DOUBLE
  alike_before: BIGINT
  alike_per_day: DOUBLE
  coincidence: DOUBLE
  chance: DOUBLE
  candidates: BIGINT
  label: VARCHAR
columns:
  hurt: "whether the service of the change is worse than in the baseline, or who calls it"
  service_z: "standard errors by which its service is worse than in the baseline"
  coincidence: "chance that such a change lies so near the onset by accident"
  chance: "the same for any of the candidates"
  alike_before: "such changes of the same service in the history"
interesting: CASE WHEN hurt <> 'unknown' THEN hurt IN ('itself', 'its callers') AND chance <= max_chance END
reason: "{label} ({minutes_before:.0f} min before the onset): hurt is {hurt} ({hurt_services}); such a change comes {alike_per_day:.2g} times a day, so near by accident with {chance:.0%}, {candidates} candidates considered"
quiet: "none of the {candidates} changes is both near the onset beyond accident and of a service that is hurt or called by one that is; the nearest by evidence is {label}"
empty: "no deploy, change or flag is recorded before the onset: there was none, or nobody told of it"
covers:
  - events of kind deploy, change and flag
  - "hurt: whether the service itself, or one that calls it, fails more or got slower than in the baseline"
not_covered:
  - changes that nobody sent as an event
  - whether what came before is the cause; roll back, or see changes.deploys and traffic.by_dimension
  - effects that begin long after the change
next:
  - {template: traffic.by_dimension, when: "kind = 'deploy'", params: {service: service, dimension: "'version'"}}
  - {template: errors.first_seen, params: {service: service}}
chart: {mark: bar, x: minutes_before, y: label, color: hurt}
references:
  - "coincidence: chance of at least one event of a Poisson process in the time up to the onset, at the rate of such changes in history, which begins with the first event of any kind or the baseline (half an event more, so that none is not never)"
  - "chance: the same for any of the candidates whose services are hurt: 1 - (1 - coincidence)^candidates"
  - "service_z: the surest of the share of failures, the share of calls above the baseline's p95, and Mann and Whitney's U of all durations (Annals of Mathematical Statistics, 1947)"
  - "shares: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many; the baseline's p95 is itself a guess, so one slow call more counts in it"
---*/
WITH moment AS (
    SELECT coalesce($onset::TIMESTAMPTZ, $window_start::TIMESTAMPTZ) AS onset
),
changes AS (
    SELECT time, kind, service, version, title, time >= coalesce($onset::TIMESTAMPTZ, $window_start::TIMESTAMPTZ) - to_seconds($lookback) AS is_candidate
    FROM (SELECT time, kind, service, coalesce(version, attributes['data.version']) AS version, min(title) AS title
          FROM events
          WHERE time >= coalesce($onset::TIMESTAMPTZ, $window_start::TIMESTAMPTZ) - to_seconds($history)
            AND time < coalesce($onset::TIMESTAMPTZ, $window_start::TIMESTAMPTZ) + to_seconds($slack) AND kind IN ('deploy', 'change', 'flag')
          GROUP BY ALL)
),
-- Watched since the first event of any kind, or the baseline: the first change may be the only one.
days AS (
    SELECT greatest(epoch_us(onset) - least(epoch_us(min(time)), epoch_us($baseline_start::TIMESTAMPTZ)), 3.6e9) / 8.64e10 AS days
    FROM events, moment
    WHERE time >= coalesce($onset::TIMESTAMPTZ, $window_start::TIMESTAMPTZ) - to_seconds($history)
      AND time < coalesce($onset::TIMESTAMPTZ, $window_start::TIMESTAMPTZ) + to_seconds($slack)
    GROUP BY onset
),
candidates AS (
    SELECT c.time, c.kind, c.service, c.version, c.title,
           greatest(epoch_us(onset) - epoch_us(c.time), 0) / 6e7 AS minutes_before,
           (SELECT count(*) FROM changes AS a
            WHERE a.kind = c.kind AND a.service IS NOT DISTINCT FROM c.service AND a.time < c.time)
               AS alike_before
    FROM changes AS c, moment WHERE c.is_candidate
),
seen AS (
    SELECT true AS is_now, duration_ns / 1e6 AS ms, trace_id, span_id, parent_span_id, service, status,
           coalesce(kind, 'unspecified') AS kind
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, duration_ns / 1e6, trace_id, span_id, parent_span_id, service, status,
           coalesce(kind, 'unspecified')
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end
),
error_logs AS (
    SELECT trace_id, span_id FROM logs
    WHERE time >= $window_start AND time < $window_end + INTERVAL 1 MINUTE
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
    UNION
    SELECT trace_id, span_id FROM logs
    WHERE time >= $baseline_start AND time < $baseline_end + INTERVAL 1 MINUTE
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
),
crossings AS (
    SELECT c.is_now, p.service AS caller, c.service AS callee, c.trace_id, c.span_id
    FROM seen AS c JOIN seen AS p
      ON p.is_now = c.is_now AND p.trace_id = c.trace_id AND p.span_id = c.parent_span_id
    WHERE p.service <> c.service
),
failing AS (
    SELECT DISTINCT is_now, trace_id, service
    FROM seen LEFT JOIN error_logs AS e USING (trace_id, span_id)
    WHERE status = 'error' OR e.span_id IS NOT NULL
),
requests AS (
    SELECT s.is_now, s.service, s.ms, f.service IS NOT NULL AS failed
    FROM (SELECT * FROM seen WHERE parent_span_id IS NULL OR kind IN ('server', 'consumer')
          UNION ALL
          SELECT u.* FROM (SELECT * FROM seen WHERE kind = 'unspecified' AND parent_span_id IS NOT NULL) AS u
          SEMI JOIN crossings USING (is_now, trace_id, span_id)) AS s
    LEFT JOIN failing AS f
           ON f.is_now = s.is_now AND f.trace_id = s.trace_id AND f.service = s.service
),
per_service AS (
    SELECT service, count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0,
           count(*) FILTER (is_now AND failed) AS bad1, count(*) FILTER (NOT is_now AND failed) AS bad0,
           quantile_cont(ms, 0.95) FILTER (is_now) AS p95_ms,
           quantile_cont(ms, 0.95) FILTER (NOT is_now) AS baseline_p95_ms
    FROM requests GROUP BY service
),
slow AS (
    SELECT service, count(*) AS slower FROM requests JOIN per_service USING (service)
    WHERE is_now AND ms > baseline_p95_ms GROUP BY service
),
-- Mann and Whitney's U of durations in steps of 2 %: whether calls take longer as a whole.
shifts AS (
    SELECT service, sum(k1) * sum(k0) AS pairs, sum(k1) + sum(k0) AS n,
           (sum(k1 * (2 * below + k0)) - pairs) / 2
           / sqrt(pairs * (n + 1 - sum((k1 + k0)::HUGEINT * ((k1 + k0) * (k1 + k0) - 1)) / greatest(n * (n - 1), 1)) / 12 + 1e-9) AS shift_z
    FROM (SELECT service, k1, k0, sum(k0) OVER (PARTITION BY service ORDER BY step) - k0 AS below
          FROM (SELECT service, round(50 * ln(greatest(ms, 1e-6))) AS step,
                       count(*) FILTER (is_now) AS k1, count(*) FILTER (NOT is_now) AS k0
                FROM requests WHERE ms IS NOT NULL GROUP BY service, step))
    GROUP BY service
),
-- SELECTs of their own: each use of an alias within the same one is planned anew, with all that it stands for.
shares AS (
    SELECT *, (bad1 + bad0 + 1) / (n1 + n0 + 2) AS pooled,
           coalesce(slower, 0) AS slow1, 0.05 * n0 + 0.95 AS slow0,
           (slow1 + slow0) / (n1 + n0 + 1) AS slow_pooled
    FROM per_service LEFT JOIN slow USING (service) LEFT JOIN shifts USING (service)
    WHERE n1 >= $min_calls AND n0 >= $min_calls
),
compared AS (
    SELECT service, shift_z,
           sign(bad1 / n1 - bad0 / n0)
               * least(abs(bad1 / n1 - bad0 / n0) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0)),
                       sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                           [[bad1, n1 * pooled], [n1 - bad1, n1 * (1 - pooled)],
                            [bad0, n0 * pooled], [n0 - bad0, n0 * (1 - pooled)]]]), 0))) AS error_z,
           CASE WHEN (p95_ms + 1) / (baseline_p95_ms + 1) >= $min_ratio
                THEN sign(slow1 / n1 - slow0 / (n0 + 1))
                     * least(abs(slow1 / n1 - slow0 / (n0 + 1)) / sqrt(slow_pooled * (1 - slow_pooled) * (1 / n1 + 1 / (n0 + 1))),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[slow1, n1 * slow_pooled], [n1 - slow1, n1 * (1 - slow_pooled)],
                                  [slow0, (n0 + 1) * slow_pooled], [(n0 + 1) - slow0, (n0 + 1) * (1 - slow_pooled)]]]), 0))) END AS tail_z
    FROM shares
),
scored AS (
    SELECT service, greatest(error_z, tail_z, CASE WHEN tail_z IS NOT NULL THEN shift_z END) AS service_z,
           service_z >= sqrt($min_z * $min_z + 2 * ln(3 * count(*) OVER ())) AS is_hurt
    FROM compared
),
callers AS (
    SELECT callee AS service, string_agg(DISTINCT caller, ', ' ORDER BY caller) AS hurt_callers
    FROM crossings JOIN scored ON scored.service = caller WHERE is_hurt GROUP BY callee
),
judged AS (
    SELECT c.*, s.service_z,
           CASE WHEN (SELECT count(*) FROM scored) = 0 THEN 'unknown'
                WHEN s.is_hurt THEN 'itself' WHEN k.service IS NOT NULL THEN 'its callers'
                WHEN c.service IS NULL THEN 'no service named' ELSE 'nobody near' END AS hurt,
           CASE WHEN s.is_hurt THEN c.service ELSE k.hurt_callers END AS hurt_services,
           (alike_before + 0.5) / days AS alike_per_day,
           1 - exp(-alike_per_day * (minutes_before + 1) / 1440) AS coincidence
    FROM candidates AS c
    LEFT JOIN scored AS s ON s.service = c.service
    LEFT JOIN callers AS k ON k.service = c.service, days
),
counted AS (
    SELECT *, count(*) OVER () AS candidates,
           1 - power(1 - coincidence, greatest(count(*) FILTER (hurt IN ('itself', 'its callers')) OVER (), 1))
               AS chance
    FROM judged
)
SELECT row_number() OVER (ORDER BY CASE hurt WHEN 'itself' THEN 1 WHEN 'its callers' THEN 2
                                             WHEN 'no service named' THEN 3 ELSE 4 END,
                          round(coincidence, 9), time DESC, service, kind, title, version) AS rank,
       time, kind, service, version, title, minutes_before, hurt, hurt_services, service_z,
       alike_before, alike_per_day, coincidence, chance, candidates,
       kind || ' ' || coalesce(service || ' ', '') || coalesce(version, title, '') AS label
FROM counted
ORDER BY rank
LIMIT 100
