/*---
id: incidents.similar
version: 2
title: Similar past incidents
question: Which past incidents showed the same symptoms, and what was found then?
status: stable
params:
  window:         {type: window, help: when it hurts}
  history:        {type: duration, default: 90d, help: how far back incidents are looked for}
  length:         {type: duration, default: 1h, help: how long an incident lasted that does not say}
  min_similarity: {type: float, default: 0.3, min: 0, max: 1, help: from which similarity on an incident is worth a look}
  min_shared:     {type: int, default: 2, min: 1, help: fewer shared symptoms are no likeness}
requires: [events.kind]
returns:
  rank: BIGINT
  incident: VARCHAR
  time: TIMESTAMP WITH TIME ZONE
  end_time: TIMESTAMP WITH TIME ZONE
  service: VARCHAR
  similarity: DOUBLE
  shared: BIGINT
  symptoms: BIGINT
  their_symptoms: BIGINT
  shared_symptoms: VARCHAR
  root_cause: VARCHAR
  investigation: VARCHAR
  incidents: BIGINT
  label: VARCHAR
columns:
  similarity: "of the symptoms of both, the part that both have; what is always there counts little"
  shared: "symptoms that both have"
interesting: CASE WHEN symptoms > 0 AND their_symptoms > 0 THEN similarity >= min_similarity AND shared >= min_shared END
reason: "{label} showed {shared} of the {symptoms} symptoms (similarity {similarity:.0%}): {shared_symptoms:.200}; its root cause: {root_cause}"
quiet: "none of {incidents} past incidents is like this one; the nearest is {label} with {shared} shared symptoms (similarity {similarity:.0%})"
empty: "no past incident is recorded to compare with"
covers:
  - "past incidents: events of kind incident; their end, root_cause, symptoms and investigation as the event or its CloudEvents data tells, and what a later event of the same incident (data.incident_id or data.id) added"
  - "symptoms: alerts that fired and masked messages of severity ERROR, by service, in the time of each incident"
  - "what a past incident's event says itself, in the attribute symptoms (separated by ;), where its telemetry is gone"
  - "concluded investigations that were archived: each archive tells the store its incident"
not_covered:
  - incidents that nobody sent as an event or archived with a conclusion
  - slowness without an alert
  - incidents whose telemetry was removed and whose event names no symptoms
next:
  - {template: changes.ranking}
  - {template: errors.origin}
chart: {mark: bar, x: similarity, y: label}
references:
  - "similarity: weighted Jaccard; a symptom weighs ln((incidents + 1) / incidents that show it), so that what is always there weighs nothing"
---*/
WITH past AS (
    -- Each state that an investigation was archived in is an event of its own: the newest counts.
    SELECT CASE WHEN source = 'investigation-workspace' THEN attributes['investigation']
                ELSE coalesce(attributes['data.incident_id'], attributes['data.incident.id'],
                              attributes['data.subject.id'], attributes['data.id'],
                              fingerprint, title, '') END AS incident,
           min(time) AS begun,
           -- where a sender tells of each state by an event of its own, the last one ends it
           coalesce(max(end_time), nullif(max(time), min(time)), min(time) + to_seconds($length)) AS ended,
           max(title) AS title, max(service) AS service,
           nullif(max({'entry': entry, 'says': cause <> '', 'time': time, 'said': cause}).said, '') AS root_cause,
           max(coalesce(attributes['investigation'], attributes['data.investigation'])) AS investigation,
           max({'entry': entry, 'says': symptoms <> '', 'time': time, 'said': symptoms}).said AS told
    FROM (SELECT *, coalesce(attributes['entry'], '') AS entry,
                 coalesce(attributes['root_cause'], attributes['data.root_cause'],
                          attributes['data.rootCause'], attributes['data.cause'], '') AS cause,
                 coalesce(attributes['symptoms'], attributes['data.symptoms'], '') AS symptoms
          FROM events
          WHERE time >= $window_start - to_seconds($history) AND time < $window_start AND kind = 'incident')
    GROUP BY ALL
),
periods AS (
    SELECT incident, begun, ended FROM past
    UNION ALL SELECT NULL, $window_start::TIMESTAMPTZ, $window_end::TIMESTAMPTZ
),
-- symptoms: begin (what lies between is also asked when an investigation is archived)
errors AS (
    SELECT time, coalesce(service, '') || ': '
           || left(trim(regexp_replace(regexp_replace(
               coalesce(nullif(regexp_extract(split_part(left(body, 400), chr(10), 1),
                                              '.*\b([A-Za-z_][\w.$]*(?:Exception|Error): .*)', 1), ''),
                        split_part(left(body, 400), chr(10), 1)),
               '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b[0-9a-fA-F]{8,}\b|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|"[^"]*"',
               '<*>', 'g'),
               '(^|[^#\w])(?:''[^'']*''|[-+]?[A-Z]{0,2}\d+(?:[.,:]\d+)*)', '\1<*>', 'g')), 120) AS symptom
    FROM logs
    WHERE time >= $window_start - to_seconds($history) AND time < $window_end
      AND (severity_number >= 17 OR upper(severity) IN ('ERROR', 'FATAL', 'CRITICAL')) AND body IS NOT NULL
),
signs AS (
    SELECT time, trim(replace(symptom, ';', ',')) AS symptom FROM errors
    UNION ALL
    SELECT time, trim(replace('alert ' || coalesce(attributes['alertname'], title)
                              || coalesce(' ' || service, ''), ';', ','))
    FROM events
    WHERE time >= $window_start - to_seconds($history) AND time < $window_end AND kind = 'alert'
      AND coalesce(attributes['alertname'], title) IS NOT NULL
),
-- symptoms: end
shown AS (
    SELECT DISTINCT p.incident, s.symptom FROM periods AS p JOIN signs AS s
      ON s.time >= p.begun AND s.time < p.ended
    UNION
    SELECT incident, trim(symptom)
    FROM (SELECT incident, unnest(string_split(told, ';')) AS symptom FROM past)
    WHERE trim(symptom) <> ''
),
-- Of the incidents alone: what this one shows is what is looked for.
weights AS (
    SELECT symptom, round(ln((max(total) + 1) / greatest(count(incident), 1)), 9) AS weight
    FROM shown, (SELECT count(*) AS total FROM past) GROUP BY symptom
),
now_shown AS (SELECT symptom, weight FROM shown JOIN weights USING (symptom) WHERE incident IS NULL),
now_total AS (SELECT count(*) AS symptoms, coalesce(sum(weight::DECIMAL(18, 9)), 0)::DOUBLE AS weight FROM now_shown),
theirs AS (
    SELECT s.incident, count(*) AS their_symptoms, sum(w.weight::DECIMAL(18, 9))::DOUBLE AS weight,
           count(n.symptom) AS shared, coalesce(sum(n.weight::DECIMAL(18, 9)), 0)::DOUBLE AS shared_weight,
           string_agg(n.symptom, '; ' ORDER BY n.weight DESC, n.symptom) AS shared_symptoms
    FROM shown AS s JOIN weights AS w USING (symptom) LEFT JOIN now_shown AS n USING (symptom)
    WHERE s.incident IS NOT NULL GROUP BY s.incident
),
figures AS (
    SELECT p.*, symptoms, coalesce(their_symptoms, 0) AS their_symptoms, coalesce(shared, 0) AS shared,
           coalesce(shared_symptoms, 'none') AS shared_symptoms,
           coalesce(shared_weight / nullif(t.weight + n.weight - shared_weight, 0), 0) AS similarity,
           count(*) OVER () AS incidents
    FROM past AS p LEFT JOIN theirs AS t USING (incident), now_total AS n
)
SELECT row_number() OVER (ORDER BY similarity DESC, shared DESC, begun DESC, incident) AS rank,
       incident, begun AS time, ended AS end_time, service, similarity, shared, symptoms, their_symptoms,
       shared_symptoms, coalesce(root_cause, 'not told') AS root_cause, investigation, incidents,
       coalesce(title, incident) || ' (' || strftime(begun, '%Y-%m-%d') || ')' AS label
FROM figures
ORDER BY rank
LIMIT 50
