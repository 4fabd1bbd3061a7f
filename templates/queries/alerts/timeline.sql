/*---
id: alerts.timeline
version: 1
title: Alert groups over time
question: Which alerts belong to one trouble, what fired first, and which service lies deepest?
status: stable
params:
  window:       {type: window, help: when it hurts}
  baseline:     {type: window, help: "when it was fine: how often alerts come otherwise, and who calls whom"}
  gap:          {type: duration, default: 5m, help: a pause of this length ends a group}
  min_alerts:   {type: int, default: 3, min: 2, help: fewer alerts are no group to speak of}
  min_services: {type: int, default: 2, min: 1, help: alerts of fewer services are no group to speak of}
  max_chance:   {type: float, default: 0.01, min: 0, max: 1, help: "the chance that so many come together by accident, that still counts"}
requires: [events.kind]
returns:
  grp: BIGINT
  time: TIMESTAMP WITH TIME ZONE
  end_time: TIMESTAMP WITH TIME ZONE
  alert: VARCHAR
  service: VARCHAR
  severity: VARCHAR
  place: BIGINT
  seconds_after_first: DOUBLE
  alerts: BIGINT
  services: BIGINT
  first_alert: VARCHAR
  deepest_service: VARCHAR
  minutes: DOUBLE
  expected: DOUBLE
  chance: DOUBLE
  label: VARCHAR
columns:
  grp: "the group, by its first alert"
  expected: "alerts that come by accident in the group's time, at the baseline's rate"
  chance: "of so many alerts by accident, for the number of groups"
  deepest_service: "the alerted service that calls the fewest of the others"
interesting: alerts >= min_alerts AND services >= min_services AND chance <= max_chance
reason: "group {grp}: {alerts} alerts of {services} services within {minutes:.0f} min ({expected:.1f} expected by accident); {first_alert} was first, and of the services alerted {deepest_service} lies deepest"
quiet: "no {min_alerts} alerts of {min_services} services came together beyond accident; the largest group has {alerts}"
empty: "no alert is recorded in the window: none fired, or nobody sends them here"
covers:
  - "alerts by their begin; a group goes on while the pause is shorter than gap"
  - "deepest: the alerted service that calls the fewest of the other alerted ones (spans of window and baseline), then the one alerted first"
not_covered:
  - two troubles at the same time; they become one group
  - whether the first or the deepest is the cause; see errors.origin and triage.overview
next:
  - {template: triage.overview}
  - {template: errors.origin, params: {service: deepest_service}}
  - {template: changes.ranking}
  - {template: incidents.similar}
chart: {mark: rule, x: time, x2: end_time, y: label, color: service, top: 40}
references:
  - "chance: of at least so many events of a Poisson process in the group's time, by Chernoff's bound exp(-(k ln(k/m) - k + m)), times the number of groups"
---*/
WITH told AS (
    SELECT coalesce(attributes['alertname'], title, '(untitled)') AS alert, service,
           coalesce(fingerprint, '') AS fingerprint, time AS begun, max(severity) AS severity,
           max(end_time) AS ended
    FROM events WHERE time >= $window_start AND time < $window_end AND kind = 'alert'
    GROUP BY ALL
),
usual AS (
    SELECT count(*) AS n0,
           greatest((epoch_us($baseline_end::TIMESTAMPTZ) - epoch_us($baseline_start::TIMESTAMPTZ)) / 6e7, 1)
               AS minutes0
    FROM (SELECT DISTINCT time, title, service, fingerprint FROM events
          WHERE time >= $baseline_start AND time < $baseline_end AND kind = 'alert')
),
begins AS (
    SELECT *, row_number() OVER one AS number,
           CASE WHEN begun < lag(begun) OVER one + to_seconds($gap) THEN 0 ELSE 1 END AS opens
    FROM told WINDOW one AS (ORDER BY begun, alert, service, fingerprint)
),
grouped AS (
    SELECT *, sum(opens) OVER (ORDER BY number)::BIGINT AS grp FROM begins
),
seen AS (
    SELECT trace_id, span_id, parent_span_id, service FROM spans
    WHERE time >= $window_start AND time < $window_end AND service IN (SELECT t.service FROM told AS t)
    UNION ALL
    SELECT trace_id, span_id, parent_span_id, service FROM spans
    WHERE time >= $baseline_start AND time < $baseline_end AND service IN (SELECT t.service FROM told AS t)
),
calls AS (
    SELECT DISTINCT p.service AS caller, c.service AS callee
    FROM seen AS c JOIN seen AS p ON p.trace_id = c.trace_id AND p.span_id = c.parent_span_id
    WHERE p.service <> c.service
),
members AS (
    SELECT grp, service, min(number) AS number FROM grouped WHERE service IS NOT NULL GROUP BY grp, service
),
depth AS (
    SELECT m.grp, m.service, m.number, count(o.service) AS calls_others
    FROM members AS m LEFT JOIN calls AS c ON c.caller = m.service
    LEFT JOIN members AS o ON o.grp = m.grp AND o.service = c.callee
    GROUP BY m.grp, m.service, m.number
),
deepest AS (
    SELECT grp, min({'calls': calls_others, 'number': number, 'service': service}).service AS deepest_service
    FROM depth GROUP BY grp
),
groups AS (
    SELECT grp, count(*) AS alerts, count(DISTINCT service) AS services, min(begun) AS began, max(begun) AS last,
           min({'number': number, 'label': alert || coalesce(' ' || service, '')}).label AS first_alert,
           (epoch_us(max(begun)) - epoch_us(min(begun))) / 6e7 AS minutes,
           -- half an alert more: none in the baseline is not never; at least the pause that would end it
           (n0 + 0.5) / minutes0 * greatest((epoch_us(max(begun)) - epoch_us(min(begun))) / 6e7, $gap / 60) AS expected,
           count(*) OVER () AS group_count
    FROM grouped, usual GROUP BY grp, n0, minutes0
),
judged AS (
    SELECT *, CASE WHEN alerts > expected
                   THEN least(exp(-(alerts * ln(alerts / expected) - alerts + expected)) * group_count, 1)
                   ELSE 1 END AS chance
    FROM groups
)
SELECT g.grp, a.begun AS time, coalesce(a.ended, greatest(a.begun, $window_end::TIMESTAMPTZ)) AS end_time,
       a.alert, a.service, a.severity,
       row_number() OVER (PARTITION BY g.grp ORDER BY a.number) AS place,
       (epoch_us(a.begun) - epoch_us(g.began)) / 1e6 AS seconds_after_first,
       g.alerts, g.services, g.first_alert, d.deepest_service, g.minutes, g.expected, g.chance,
       lpad(place::VARCHAR, 2, '0') || ' ' || a.alert || coalesce(' ' || a.service, '') AS label
FROM grouped AS a JOIN judged AS g ON g.grp = a.grp LEFT JOIN deepest AS d ON d.grp = a.grp
ORDER BY coalesce(alerts >= $min_alerts AND services >= $min_services AND chance <= $max_chance, false) DESC,
         alerts DESC, g.grp, place
LIMIT 500
