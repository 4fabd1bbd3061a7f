/*---
id: slo.burn_rate
version: 2
title: SLO burn rate
question: How fast is the error budget of each service used up, over several windows at once?
status: stable
params:
  window:       {type: window, help: "its end is the moment looked at; the windows of the method reach back from there"}
  service:      {type: service, optional: true, help: one service only}
  objective:    {type: float, default: 0.999, min: 0.5, max: 0.99999, help: "share of requests that shall be good over 30 days"}
  slow_ms:      {type: float, optional: true, min: 0, help: a request that takes longer is not good either}
  reach:        {type: duration, default: 6h, help: "how far back is read; 3d adds the slow burn that makes a ticket, at its price"}
  min_requests: {type: int, default: 50, min: 1, help: "with fewer requests in the long window, or a tenth in the short one, nothing is judged"}
  min_z:        {type: float, default: 2, min: 0, help: "standard errors by which the long window's burn rate must be sure"}
requires: [spans.service]
returns:
  service: VARCHAR
  alert: VARCHAR
  long_window: VARCHAR
  short_window: VARCHAR
  factor: DOUBLE
  burn_rate: DOUBLE
  low_burn_rate: DOUBLE
  short_burn_rate: DOUBLE
  error_share: DOUBLE
  bad: BIGINT
  requests: BIGINT
  short_requests: BIGINT
  budget_used: DOUBLE
  days_left: DOUBLE
  covered: DOUBLE
  label: VARCHAR
columns:
  burn_rate: "how many times faster than just within the objective"
  low_burn_rate: "what it is at least, with so few requests"
  factor: "from where on it alerts"
  budget_used: "of 30 days' budget, in the minutes recorded"
  days_left: "how long 30 days' budget lasts at this pace"
  covered: "of the long window's minutes, so many have data"
interesting: CASE WHEN requests >= min_requests AND short_requests >= min_requests / 10 THEN low_burn_rate >= factor AND short_burn_rate >= factor END
reason: "{service} burns its budget {burn_rate:.1f}x too fast over {long_window} ({covered:.0%} of it recorded; {alert} from {factor:g}x) and {short_burn_rate:.1f}x over {short_window}: {error_share:.2%} of {requests} requests are bad; at this pace 30 days of budget last {days_left:.1f} days"
quiet: "no service burns its budget fast enough, over a long and a short window, to page or to write a ticket; the fastest is {service} with {burn_rate:.1f}x over {long_window} ({bad} of {requests} requests; {covered:.0%} of it recorded)"
empty: "no request of what was asked is recorded within the reach"
covers:
  - "requests as each service received them; bad: failed, or slower than slow_ms"
  - "the pairs 1 h and 5 min (page from 14.4x), 6 h and 30 min (page from 6x), 3 d and 6 h (ticket from 1x)"
  - "covered: the share of the long window's minutes that have data; budget_used: what these minutes used of 30 days' budget"
not_covered:
  - requests that never reached the service
  - budget spent before the long window
  - head-sampled traces, when sampling prefers failures
next:
  - {template: triage.overview}
  - {template: errors.origin}
  - {template: changes.ranking}
chart: {mark: bar, x: burn_rate, y: label, color: alert}
references:
  - "Google, The Site Reliability Workbook, ch. 5: Alerting on SLOs, multiwindow, multi-burn-rate alerts"
  - "low_burn_rate: Wilson's lower bound of the share of bad requests (E. B. Wilson, 1927) over the budget"
  - "no correction for the number of services: the factors are a policy, the same for each, and far from what is healthy. Of 100 services that spend exactly their budget one pages by chance in at most 4 of 1,000 looks (50 requests an hour, the least that is judged by default; with more, less often)"
---*/
WITH seen AS (
    SELECT time, duration_ns, trace_id, span_id, parent_span_id, service, status,
           coalesce(kind, 'unspecified') AS kind
    FROM spans WHERE time >= $window_end - to_seconds($reach) AND time < $window_end
),
error_logs AS (
    SELECT DISTINCT trace_id, span_id FROM logs
    WHERE time >= $window_end - to_seconds($reach) AND time < $window_end + INTERVAL 1 MINUTE
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL'))
),
-- Where spans say no kind, a request is a span whose parent belongs to another service.
inner_spans AS (
    SELECT u.trace_id, u.span_id
    FROM (SELECT * FROM seen WHERE kind = 'unspecified' AND parent_span_id IS NOT NULL) AS u
    JOIN seen AS p ON p.trace_id = u.trace_id AND p.span_id = u.parent_span_id AND p.service = u.service
),
failing AS (
    SELECT DISTINCT trace_id, service
    FROM seen LEFT JOIN error_logs AS e USING (trace_id, span_id)
    WHERE status = 'error' OR e.span_id IS NOT NULL
),
-- By whole minutes before the end, so that all windows end together.
minutes AS (
    SELECT s.service,
           (epoch_us($window_end::TIMESTAMPTZ) - epoch_us(s.time) - 1) // 60000000 AS minute_back,
           count(*) AS n,
           count(*) FILTER (f.service IS NOT NULL OR s.duration_ns > $slow_ms * 1e6) AS bad
    FROM seen AS s ANTI JOIN inner_spans AS i ON i.trace_id = s.trace_id AND i.span_id = s.span_id
    LEFT JOIN failing AS f ON f.trace_id = s.trace_id AND f.service = s.service
    WHERE ($service IS NULL OR s.service = $service)
      AND (s.parent_span_id IS NULL OR s.kind IN ('server', 'consumer', 'unspecified'))
    GROUP BY ALL
),
recorded AS (
    SELECT DISTINCT (epoch_us($window_end::TIMESTAMPTZ) - epoch_us(time) - 1) // 60000000 AS minute_back
    FROM seen
),
pairs AS (
    SELECT * FROM (VALUES ('page', '1 h', 60, '5 min', 5, 14.4::DOUBLE),
                          ('page', '6 h', 360, '30 min', 30, 6::DOUBLE),
                          ('ticket', '3 d', 4320, '6 h', 360, 1::DOUBLE))
        AS p (alert, long_window, long_minutes, short_window, short_minutes, factor)
    WHERE long_minutes * 60 <= $reach
),
burns AS (
    SELECT m.service, p.*,
           sum(n) AS requests, sum(bad) AS bad_requests,
           coalesce(sum(n) FILTER (minute_back < short_minutes), 0) AS short_requests,
           coalesce(sum(bad) FILTER (minute_back < short_minutes), 0) AS short_bad,
           bad_requests / requests AS error_share
    FROM minutes AS m JOIN pairs AS p ON m.minute_back < p.long_minutes
    GROUP BY ALL
),
bounds AS (
    SELECT *, $min_z * $min_z / requests AS zz,
           (error_share + zz / 2
            - sqrt(error_share * (1 - error_share) * zz + zz * zz / 4)) / (1 + zz) AS low_share,
           (SELECT count(*) FROM recorded WHERE minute_back < long_minutes) / long_minutes AS covered
    FROM burns
)
SELECT service, alert, long_window, short_window, factor,
       error_share / (1 - $objective) AS burn_rate,
       greatest(low_share, 0) / (1 - $objective) AS low_burn_rate,
       short_bad / nullif(short_requests, 0) / (1 - $objective) AS short_burn_rate,
       error_share, bad_requests::BIGINT AS bad, requests::BIGINT AS requests,
       short_requests::BIGINT AS short_requests,
       burn_rate * covered * long_minutes / 43200 AS budget_used, 30 / nullif(burn_rate, 0) AS days_left,
       covered, service || ', ' || long_window AS label
FROM bounds
ORDER BY coalesce(requests >= $min_requests AND short_requests >= $min_requests / 10
                  AND low_burn_rate >= factor AND short_burn_rate >= factor, false) DESC,
         burn_rate / factor DESC, requests DESC, service, long_minutes
LIMIT 300
