/*---
id: dependencies.blast_radius
version: 2
title: Blast radius
question: How far do the failures that begin in a service reach, and whom do they hurt?
status: stable
params:
  window:     {type: window, help: when it hurts}
  baseline:   {type: window, help: when it was fine; may be shorter or longer than the window}
  service:    {type: service, optional: true, help: only failures that begin in this service}
  min_traces: {type: int, default: 20, min: 2, help: "with fewer requests, then or now, an entry is not judged"}
  min_share:  {type: float, default: 0.01, min: 0, max: 1, help: share of an entry's requests that must be reached}
  min_z:      {type: float, default: 3, min: 0, help: how many standard errors away from chance a single entry must be}
requires: [spans.parent_span_id]
returns:
  service: VARCHAR
  entry_service: VARCHAR
  entry: VARCHAR
  traces: BIGINT
  through: BIGINT
  reached: BIGINT
  hurt: BIGINT
  reached_share: DOUBLE
  hurt_share: DOUBLE
  absorbed_share: DOUBLE
  baseline_reached_share: DOUBLE
  at_risk_share: DOUBLE
  services_hurt: VARCHAR
  z: DOUBLE
  needed_z: DOUBLE
  baseline_traces: BIGINT
  example_trace: VARCHAR
  label: VARCHAR
columns:
  through: "requests that passed through the service"
  reached: "requests below which something of the service failed"
  hurt: "of these, the ones that failed themselves"
  absorbed_share: "of the reached requests, so many came out well"
  at_risk_share: "of all requests, so many pass through the service"
  z: "standard errors by which it differs from the baseline; about 3 is rare by chance, if it is looked at once"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
interesting: CASE WHEN traces >= min_traces AND baseline_traces >= min_traces THEN reached_share >= min_share AND z >= needed_z END
reason: "failures that begin in {service} reach {reached_share:.1%} of the {traces} requests to {entry_service} {entry} ({baseline_reached_share:.1%} in the baseline) and make {hurt_share:.1%} fail; {absorbed_share:.0%} of them are absorbed; failing with it: {services_hurt}"
quiet: "no service's failures reach more requests than in the baseline, beyond chance; the most: {service} reaches {reached_share:.1%} of {entry_service} {entry}"
empty: "no request of the window is reached by a failure"
covers:
  - "reached: the request has a failing span in the service, none of whose own calls fails; hurt: its root fails too"
  - "through: the request calls the service at all; at_risk_share: those that would be hurt if it were down"
  - failures marked by span status or by an ERROR log on the span
not_covered:
  - slowness; see latency.shift and traces.critical_path
  - users who gave up, and requests that were never made
  - work that is handed on by queues in a trace of its own
next:
  - {template: errors.origin, params: {service: service}}
  - {template: traffic.retry_storm, params: {service: service}}
  - {template: changes.ranking}
chart: {mark: bar, x: reached_share, y: label, color: service}
references:
  - "needed_z: min_z, raised for the number of pairs of service and entry (Bonferroni by the Gaussian tail)"
  - "z: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many"
---*/
WITH seen AS (
    SELECT true AS is_now, trace_id, span_id, parent_span_id, service, name, status
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, trace_id, span_id, parent_span_id, service, name, status
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
failing AS (
    SELECT is_now, trace_id, span_id, parent_span_id, service
    FROM seen LEFT JOIN error_logs AS e USING (trace_id, span_id)
    WHERE status = 'error' OR e.span_id IS NOT NULL
),
origins AS (
    SELECT DISTINCT f.is_now, f.trace_id, f.service
    FROM failing AS f ANTI JOIN failing AS c
      ON c.is_now = f.is_now AND c.trace_id = f.trace_id AND c.parent_span_id = f.span_id
    WHERE $service IS NULL OR f.service = $service
),
roots AS (
    SELECT is_now, trace_id, min(service) AS entry_service, min(name) AS entry, bool_or(failed) AS failed
    FROM (SELECT r.*, f.span_id IS NOT NULL AS failed
          FROM (SELECT * FROM seen WHERE parent_span_id IS NULL) AS r
          LEFT JOIN failing AS f ON f.is_now = r.is_now AND f.trace_id = r.trace_id AND f.span_id = r.span_id)
    GROUP BY is_now, trace_id
),
entries AS (
    SELECT entry_service, entry, count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0
    FROM roots GROUP BY entry_service, entry
),
reached AS (
    SELECT o.service, r.entry_service, r.entry,
           count(*) FILTER (r.is_now) AS r1, count(*) FILTER (NOT r.is_now) AS r0,
           count(*) FILTER (r.is_now AND r.failed) AS hurt,
           min(r.trace_id) FILTER (r.is_now) AS example_trace
    FROM origins AS o JOIN roots AS r USING (is_now, trace_id)
    GROUP BY o.service, r.entry_service, r.entry HAVING r1 > 0
),
passing AS (
    SELECT s.service, r.entry_service, r.entry, count(DISTINCT r.trace_id) AS through
    FROM (SELECT DISTINCT trace_id, service FROM seen
          WHERE is_now AND service IN (SELECT e.service FROM reached AS e)) AS s
    JOIN roots AS r ON r.is_now AND r.trace_id = s.trace_id
    GROUP BY s.service, r.entry_service, r.entry
),
companions AS (
    SELECT o.service, string_agg(DISTINCT f.service, ', ' ORDER BY f.service) AS services_hurt
    FROM origins AS o JOIN (SELECT DISTINCT is_now, trace_id, service FROM failing) AS f
      ON f.is_now = o.is_now AND f.trace_id = o.trace_id AND f.service <> o.service
    WHERE o.is_now GROUP BY o.service
),
figures AS (
    SELECT *, r1 / n1 AS reached_share, r0 / nullif(n0, 0) AS baseline_reached_share,
           (r1 + r0 + 1) / (n1 + n0 + 2) AS pooled,
           CASE WHEN n0 > 0
                THEN sign(reached_share - baseline_reached_share)
                     * least(abs(reached_share - baseline_reached_share) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0)),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[r1, n1 * pooled], [n1 - r1, n1 * (1 - pooled)],
                                  [r0, n0 * pooled], [n0 - r0, n0 * (1 - pooled)]]]), 0))) END AS z,
           sqrt($min_z * $min_z + 2 * ln(count(*) OVER ())) AS needed_z
    FROM reached JOIN entries USING (entry_service, entry)
    LEFT JOIN passing USING (service, entry_service, entry)
)
SELECT f.service, entry_service, entry, n1 AS traces, through, r1 AS reached, hurt, reached_share,
       hurt / n1 AS hurt_share, 1 - hurt / r1 AS absorbed_share, baseline_reached_share,
       through / n1 AS at_risk_share, coalesce(services_hurt, 'none') AS services_hurt, z, needed_z,
       n0 AS baseline_traces, example_trace,
       f.service || ' → ' || entry_service || ' ' || entry AS label
FROM figures AS f LEFT JOIN companions AS c ON c.service = f.service
ORDER BY coalesce(n1 >= $min_traces AND n0 >= $min_traces AND reached_share >= $min_share AND z >= needed_z,
                  false) DESC,
         reached DESC, hurt DESC, f.service, entry_service, entry
LIMIT 200
