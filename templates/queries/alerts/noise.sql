/*---
id: alerts.noise
version: 3
title: Alert noise
question: Which alerts flap, repeat others, or are never acted on?
status: stable
params:
  window:      {type: window, help: "a long time: a week or a month"}
  service:     {type: service, optional: true, help: only alerts of this service}
  flap:        {type: duration, default: 15m, help: "an alert that fires again so soon after it began or ended flaps"}
  together:    {type: duration, default: 5m, help: "an alert that begins so soon after another one of the same service repeats it"}
  act:         {type: duration, default: 1h, help: how long after its begin something done about it counts}
  min_firings: {type: int, default: 5, min: 1, help: an alert that fired less often is not judged}
  noisy:       {type: float, default: 0.5, min: 0, max: 1, help: "the share of noise that must be sure (lower bound) to call an alert noisy"}
requires: [events.kind]
returns:
  alert: VARCHAR
  service: VARCHAR
  severity: VARCHAR
  finding: VARCHAR
  firings: BIGINT
  noise_share: DOUBLE
  low_noise_share: DOUBLE
  flapping: BIGINT
  duplicates: BIGINT
  unacted: BIGINT
  never_resolved: BIGINT
  median_minutes: DOUBLE
  hours_firing: DOUBLE
  repeats_mostly: VARCHAR
  first_time: TIMESTAMP WITH TIME ZONE
  last_time: TIMESTAMP WITH TIME ZONE
  label: VARCHAR
columns:
  low_noise_share: "what the share of noise is at least, with so few firings (95 %, for all alerts judged)"
  unacted: "firings after which nobody did anything that an event tells of"
  repeats_mostly: "the alert that it follows most often"
interesting: CASE WHEN firings >= min_firings THEN low_noise_share >= noisy END
reason: "{label} fired {firings} times, {noise_share:.0%} of them noise: {finding} ({flapping} flapping, {duplicates} repeating another alert, {unacted} never acted on); it lasted {median_minutes:.1f} min in the median"
quiet: "no alert that fired {min_firings} times is surely noise in {noisy:.0%} of its firings; the most frequent is {label} with {firings}"
empty: "no alert is recorded in the window: none fired, or nobody sends them here"
covers:
  - "firings: distinct begins of an alert (Alertmanager's webhook tells of each state)"
  - "acted on: a deploy, change, flag or incident event of the same service within the time given, or an annotation that names the alert"
  - "noise: a firing that flaps, or repeats another and is not acted on; or ends by itself, never acted on"
not_covered:
  - what people did without an event (a restart by hand, a look); then "never acted on" says too much
  - whether alerts are acted on, where no event of the window tells of anything done; then only flapping and repeating count
  - silenced alerts, which are never sent
  - whether the alert was right
next:
  - {template: alerts.timeline, when: "duplicates > 0"}
chart: {mark: bar, x: firings, y: label, color: finding}
references:
  - "Google, Site Reliability Engineering, ch. 6: every page should be actionable"
  - "low_noise_share: Wilson's lower bound (E. B. Wilson, 1927) at 95 % for one alert, raised for the number of alerts judged (Bonferroni by the Gaussian tail: z² = 1.96² + 2 ln m)"
---*/
WITH told AS (
    SELECT coalesce(attributes['alertname'], title, '(untitled)') AS alert, service, fingerprint,
           max(severity) AS severity, time AS begun, max(end_time) AS ended
    FROM events
    WHERE time >= $window_start AND time < $window_end AND kind = 'alert'
      AND ($service IS NULL OR service = $service)
    GROUP BY ALL
),
firings AS (
    SELECT *, row_number() OVER (ORDER BY begun, alert, service, fingerprint) AS number,
           lag(coalesce(ended, begun)) OVER (PARTITION BY alert, service, fingerprint ORDER BY begun)
               AS ended_before
    FROM told
),
-- The alert that a firing repeats: the first other one of its service within the time before it.
repeats AS (
    SELECT a.number, min({'begun': b.begun, 'alert': b.alert}) AS other
    FROM firings AS a JOIN firings AS b
      ON b.service = a.service AND b.begun <= a.begun AND b.begun > a.begun - to_seconds($together)
     AND b.number < a.number AND b.alert <> a.alert
    GROUP BY a.number
),
deeds AS (
    SELECT time, kind, service, coalesce(title, '') || ' ' || coalesce(body, '') AS text
    FROM events
    WHERE time >= $window_start AND time < $window_end + to_seconds($act)
      AND kind IN ('deploy', 'change', 'flag', 'incident', 'annotation')
),
acted AS (
    SELECT DISTINCT f.number
    FROM firings AS f JOIN deeds AS d
      ON d.time >= f.begun AND d.time < f.begun + to_seconds($act)
    WHERE CASE WHEN d.kind = 'annotation' THEN contains(d.text, f.alert) ELSE d.service = f.service END
),
judged AS (
    SELECT f.*, r.other.alert AS repeated,
           coalesce(f.begun < f.ended_before + to_seconds($flap), false) AS flaps,
           -- where nobody tells what is done, nothing is known of it
           r.number IS NOT NULL AS duplicate, CASE WHEN any_deeds THEN a.number IS NULL END AS unacted,
           flaps OR coalesce(unacted, duplicate) AS noise, any_deeds
    FROM firings AS f LEFT JOIN repeats AS r ON r.number = f.number
    LEFT JOIN acted AS a ON a.number = f.number, (SELECT count(*) > 0 AS any_deeds FROM deeds)
),
alerts AS (
    SELECT alert, service, max(severity) AS severity, count(*) AS firings,
           count(*) FILTER (noise) AS noises, count(*) FILTER (flaps) AS flapping,
           count(*) FILTER (duplicate) AS duplicates,
           CASE WHEN bool_and(any_deeds) THEN count(*) FILTER (unacted) END AS unacted,
           count(*) FILTER (ended IS NULL) AS never_resolved,
           median(epoch_us(ended) - epoch_us(begun)) / 6e7 AS median_minutes,
           sum(epoch_us(ended) - epoch_us(begun)) / 3.6e9 AS hours_firing,
           min(repeated) AS repeats_mostly, min(begun) AS first_time, max(begun) AS last_time
    FROM judged GROUP BY alert, service
),
bounds AS (
    SELECT *, noises / firings AS noise_share,
           (3.84 + 2 * ln(greatest(count(*) FILTER (firings >= $min_firings) OVER (), 1))) / firings AS zz,
           greatest((noise_share + zz / 2 - sqrt(noise_share * (1 - noise_share) * zz + zz * zz / 4)) / (1 + zz), 0)
               AS low_noise_share
    FROM alerts
)
SELECT alert, service, severity,
       CASE WHEN firings < $min_firings THEN NULL
            WHEN low_noise_share < $noisy THEN CASE WHEN unacted IS NOT NULL THEN 'acted on' END
            WHEN flapping >= 0.5 * firings THEN 'flaps'
            WHEN duplicates >= 0.5 * firings THEN 'repeats another'
            ELSE 'never acted on' END AS finding,
       firings, noise_share, low_noise_share, flapping, duplicates, unacted, never_resolved, median_minutes, hours_firing, repeats_mostly,
       first_time, last_time, alert || coalesce(' ' || service, '') AS label
FROM bounds
ORDER BY coalesce(firings >= $min_firings AND low_noise_share >= $noisy, false) DESC,
         noises DESC, firings DESC, alert, service
LIMIT 200
