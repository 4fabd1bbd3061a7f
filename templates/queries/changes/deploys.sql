/*---
id: changes.deploys
version: 4
title: Deploy comparison
question: Which deploys made their service fail more or answer slower?
status: stable
params:
  window:    {type: window, help: when the deploys were}
  service:   {type: service, optional: true, help: only deploys of this service}
  kinds:     {type: choice, of: [deploys, all changes], default: deploys, help: "all changes: also config changes and flags"}
  before:    {type: duration, default: 30m, help: how long before each deploy is compared}
  after:     {type: duration, default: 30m, help: how long after it}
  settle:    {type: duration, default: 1m, help: "what is left out right after it, while old and new run together"}
  min_calls: {type: int, default: 30, min: 2, help: "with fewer requests, before or after, a deploy is not judged"}
  min_ratio: {type: float, default: 1.3, min: 1, help: "how many times slower, or likelier to fail (odds), counts"}
  min_z:     {type: float, default: 3, min: 0, help: how many standard errors away from chance a single comparison must be}
requires: [events.kind, spans.service]
returns:
  time: TIMESTAMP WITH TIME ZONE
  service: VARCHAR
  kind: VARCHAR
  title: VARCHAR
  version: VARCHAR
  finding: VARCHAR
  calls: BIGINT
  baseline_calls: BIGINT
  error_share: DOUBLE
  baseline_error_share: DOUBLE
  error_z: DOUBLE
  p95_ms: DOUBLE
  baseline_p95_ms: DOUBLE
  ratio: DOUBLE
  slow_z: DOUBLE
  needed_z: DOUBLE
  new_version_share: DOUBLE
  minutes_until_next: DOUBLE
  label: VARCHAR
columns:
  error_z: "standard errors by which the share that fails differs from the baseline's; negative where it is smaller"
  slow_z: "standard errors by which calls take longer than in the baseline: the surer of how many are among the longest, and of all of them"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  ratio: "p95_ms over that before the deploy, a millisecond added to both"
  new_version_share: "of the calls after the deploy, so many met the new version"
interesting: finding IN ('fails more', 'slower')
reason: "{label}: {finding} after it ({error_share:.1%} failing against {baseline_error_share:.1%}, p95 {p95_ms:.0f} ms against {baseline_p95_ms:.0f} ms, {calls} requests after and {baseline_calls} before)"
quiet: "no deploy made its service fail more or answer {min_ratio:g}x slower, beyond chance"
empty: "no deploy of a service is recorded in the window: there was none, or nobody told of it"
covers:
  - deploys as events (webhooks, CloudEvents), each against the time before it, up to its neighbours
  - requests as the service received them
not_covered:
  - another cause at the same time; see changes.ranking
  - deploys without an event or without a service; compare by version with traffic.by_dimension
  - harm to other services; see dependencies.map
next:
  - {template: traffic.by_dimension, params: {service: service, dimension: "'version'"}}
  - {template: errors.first_seen, params: {service: service}}
  - {template: dependencies.blast_radius, params: {service: service}}
chart: {mark: rule, x: baseline_p95_ms, x2: p95_ms, y: label, color: finding, top: 15}
references:
  - "slow_z: the surer of the share of calls above the baseline's p95, which tells of a longer tail, and Mann and Whitney's U (Annals of Mathematical Statistics, 1947), which needs fewer calls where all take longer"
  - "error_z, share of slow calls: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many; the p95 of before is itself a guess, so one slow request more counts before"
  - "needed_z: min_z, raised for three comparisons a deploy (Bonferroni by the Gaussian tail)"
---*/
WITH deploys AS (
    SELECT time AS deployed, service, kind, title, coalesce(version, attributes['data.version']) AS version,
           coalesce(fingerprint, '') AS fingerprint
    FROM events
    WHERE time >= $window_start AND time < $window_end AND service IS NOT NULL
      AND (kind = 'deploy' OR ($kinds = 'all changes' AND kind IN ('change', 'flag')))
      AND ($service IS NULL OR service = $service)
),
-- Rows of one moment are one deploy: senders tell of its states one by one.
ordered AS (
    SELECT deployed, service, kind, min(title) AS title, max(version) AS version,
           lag(deployed) OVER (PARTITION BY service ORDER BY deployed, kind) AS before_it,
           lead(deployed) OVER (PARTITION BY service ORDER BY deployed, kind) AS after_it
    FROM deploys GROUP BY deployed, service, kind
),
seen AS (
    SELECT time, duration_ns, trace_id, span_id, parent_span_id, service, version, status,
           coalesce(kind, 'unspecified') AS kind
    FROM spans
    WHERE time >= $window_start - to_seconds($before) AND time < $window_end + to_seconds($after)
),
error_logs AS (
    SELECT DISTINCT trace_id, span_id FROM logs
    WHERE time >= $window_start - to_seconds($before) AND time < $window_end + to_seconds($after)
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
),
failing AS (
    SELECT DISTINCT trace_id, service
    FROM seen LEFT JOIN error_logs AS e USING (trace_id, span_id)
    WHERE (status = 'error' OR e.span_id IS NOT NULL) AND service IN (SELECT o.service FROM ordered AS o)
),
inner_spans AS (
    SELECT u.trace_id, u.span_id
    FROM (SELECT * FROM seen WHERE kind = 'unspecified' AND parent_span_id IS NOT NULL
          AND service IN (SELECT o.service FROM ordered AS o)) AS u
    JOIN seen AS p ON p.trace_id = u.trace_id AND p.span_id = u.parent_span_id AND p.service = u.service
),
requests AS (
    SELECT s.time, s.service, s.version, s.duration_ns / 1e6 AS ms, f.service IS NOT NULL AS failed
    FROM seen AS s ANTI JOIN inner_spans AS i ON i.trace_id = s.trace_id AND i.span_id = s.span_id
    LEFT JOIN failing AS f ON f.trace_id = s.trace_id AND f.service = s.service
    WHERE s.service IN (SELECT o.service FROM ordered AS o)
      AND (s.parent_span_id IS NULL OR s.kind IN ('server', 'consumer', 'unspecified'))
),
compared AS (
    SELECT o.*, r.time >= o.deployed AS is_after, r.ms, r.failed, r.version AS span_version
    FROM ordered AS o JOIN requests AS r
      ON r.service = o.service
     AND r.time >= greatest(o.deployed - to_seconds($before), coalesce(o.before_it, '-infinity'))
     AND r.time < least(o.deployed + to_seconds($after), coalesce(o.after_it, 'infinity'))
    WHERE r.time < o.deployed OR r.time >= o.deployed + to_seconds($settle)
),
per_deploy AS (
    SELECT deployed, service, kind, title, version, after_it,
           count(*) FILTER (is_after) AS n1, count(*) FILTER (NOT is_after) AS n0,
           count(*) FILTER (is_after AND failed) AS bad1, count(*) FILTER (NOT is_after AND failed) AS bad0,
           quantile_cont(ms, 0.95) FILTER (is_after) AS p95_ms,
           quantile_cont(ms, 0.95) FILTER (NOT is_after) AS baseline_p95_ms,
           count(*) FILTER (is_after AND span_version = version) AS n_version
    FROM compared GROUP BY ALL
),
slow AS (
    SELECT c.deployed, c.service, c.kind, count(*) AS slower
    FROM compared AS c JOIN per_deploy AS p
      ON p.deployed = c.deployed AND p.service = c.service AND p.kind = c.kind
    WHERE c.is_after AND c.ms > p.baseline_p95_ms GROUP BY c.deployed, c.service, c.kind
),
-- Mann and Whitney's U of durations in steps of 2 %: whether calls take longer as a whole.
shifts AS (
    SELECT deployed, service, kind, sum(k1) * sum(k0) AS pairs, sum(k1) + sum(k0) AS n,
           (sum(k1 * (2 * below + k0)) - pairs) / 2
           / sqrt(pairs * (n + 1 - sum((k1 + k0)::HUGEINT * ((k1 + k0) * (k1 + k0) - 1)) / greatest(n * (n - 1), 1)) / 12 + 1e-9) AS shift_z
    FROM (SELECT deployed, service, kind, k1, k0, sum(k0) OVER (PARTITION BY deployed, service, kind ORDER BY step) - k0 AS below
          FROM (SELECT deployed, service, kind, round(50 * ln(greatest(ms, 1e-6))) AS step,
                       count(*) FILTER (is_after) AS k1, count(*) FILTER (NOT is_after) AS k0
                FROM compared WHERE ms IS NOT NULL GROUP BY deployed, service, kind, step))
    GROUP BY deployed, service, kind
),
figures AS (
    SELECT o.deployed, o.service, o.kind, o.title, o.version, coalesce(n1, 0) AS n1, coalesce(n0, 0) AS n0,
           bad1 / nullif(n1, 0) AS error_share, bad0 / nullif(n0, 0) AS baseline_error_share,
           (bad1 + bad0 + 1) / (n1 + n0 + 2) AS pooled,
           CASE WHEN n1 > 0 AND n0 > 0
                THEN sign(error_share - baseline_error_share)
                     * least(abs(error_share - baseline_error_share) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0)),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[bad1, n1 * pooled], [n1 - bad1, n1 * (1 - pooled)],
                                  [bad0, n0 * pooled], [n0 - bad0, n0 * (1 - pooled)]]]), 0))) END AS error_z,
           (bad1 + 0.5) / (n1 - bad1 + 0.5) / ((bad0 + 0.5) / (n0 - bad0 + 0.5)) AS odds_ratio,
           p95_ms, baseline_p95_ms, (p95_ms + 1) / (baseline_p95_ms + 1) AS ratio,
           coalesce(slower, 0) AS slow1, 0.05 * n0 + 0.95 AS slow0,
           (slow1 + slow0) / (n1 + n0 + 1) AS slow_pooled,
           CASE WHEN n1 > 0 AND n0 > 0
                THEN sign(slow1 / n1 - slow0 / (n0 + 1))
                     * least(abs(slow1 / n1 - slow0 / (n0 + 1)) / sqrt(slow_pooled * (1 - slow_pooled) * (1 / n1 + 1 / (n0 + 1))),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[slow1, n1 * slow_pooled], [n1 - slow1, n1 * (1 - slow_pooled)],
                                  [slow0, (n0 + 1) * slow_pooled], [(n0 + 1) - slow0, (n0 + 1) * (1 - slow_pooled)]]]), 0))) END AS tail_z,
           greatest(tail_z, shift_z) AS slow_z,
           sqrt($min_z * $min_z + 2 * ln(greatest(3 * count(*) FILTER (
               least(n1, n0) >= $min_calls) OVER (), 1))) AS needed_z,
           CASE WHEN o.version IS NOT NULL THEN n_version / nullif(n1, 0) END AS new_version_share,
           (epoch_us(o.after_it) - epoch_us(o.deployed)) / 6e7 AS minutes_until_next
    FROM ordered AS o
    LEFT JOIN per_deploy AS p ON p.deployed = o.deployed AND p.service = o.service AND p.kind = o.kind
    LEFT JOIN slow AS s ON s.deployed = o.deployed AND s.service = o.service AND s.kind = o.kind
    LEFT JOIN shifts AS h ON h.deployed = o.deployed AND h.service = o.service AND h.kind = o.kind
)
SELECT deployed AS time, service, kind, title, version,
       CASE WHEN n1 < $min_calls OR n0 < $min_calls THEN NULL
            WHEN error_z >= needed_z AND odds_ratio >= $min_ratio THEN 'fails more'
            WHEN ratio >= $min_ratio AND slow_z >= needed_z THEN 'slower'
            WHEN -error_z >= needed_z AND odds_ratio * $min_ratio <= 1 THEN 'fails less'
            ELSE 'as before' END AS finding,
       n1 AS calls, n0 AS baseline_calls, error_share, baseline_error_share, error_z,
       p95_ms, baseline_p95_ms, ratio, slow_z, needed_z, new_version_share, minutes_until_next,
       service || coalesce(' ' || version, '') || ' ' || strftime(deployed, '%H:%M') AS label
FROM figures
ORDER BY CASE finding WHEN 'fails more' THEN 1 WHEN 'slower' THEN 2 WHEN 'as before' THEN 3
                      WHEN 'fails less' THEN 4 ELSE 5 END,
         greatest(error_z, slow_z) DESC NULLS LAST, deployed DESC, service, kind
LIMIT 200
