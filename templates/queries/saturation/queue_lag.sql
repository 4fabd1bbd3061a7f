/*---
id: saturation.queue_lag
version: 3
title: Queue lag
question: Which queues grow or make messages wait, and how long would it take to empty them?
status: stable
params:
  window:       {type: window, help: when it hurts}
  baseline:     {type: window, help: when it was fine; may be shorter or longer than the window}
  queue:        {type: string, optional: true, help: one queue or topic only}
  min_messages: {type: int, default: 20, min: 1, help: "with fewer messages, then or now, waiting and flow are not judged"}
  min_depth:    {type: float, default: 10, min: 0, help: fewer waiting messages do not count}
  min_ratio:    {type: float, default: 2, min: 1, help: how many times longer counts}
  min_z:        {type: float, default: 3, min: 0, help: how many standard errors away from chance a single queue must be}
  step:         {type: duration, default: 60s, help: the step in which partitions are added up}
requires: [metrics.value, spans.kind]
returns:
  queue: VARCHAR
  finding: VARCHAR
  depth: DOUBLE
  baseline_depth: DOUBLE
  last_depth: DOUBLE
  growth_per_minute: DOUBLE
  in_per_minute: DOUBLE
  out_per_minute: DOUBLE
  p95_wait_ms: DOUBLE
  baseline_p95_wait_ms: DOUBLE
  wait_z: DOUBLE
  flow_z: DOUBLE
  needed_z: DOUBLE
  waiting_by_littles_law: DOUBLE
  minutes_to_empty: DOUBLE
  messages: BIGINT
  baseline_messages: BIGINT
  points: BIGINT
  baseline_points: BIGINT
columns:
  wait_z: "standard errors by which messages wait longer than in the baseline"
  flow_z: "standard errors by which more comes in, for what goes out, than in the baseline"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  waiting_by_littles_law: "arrivals times wait: so many should be waiting"
  minutes_to_empty: "if nothing more came"
interesting: finding IN ('grows', 'is longer', 'waits longer', 'is not emptied')
reason: "{queue} {finding}: {depth:.0f} waiting against {baseline_depth:.0f}, {growth_per_minute:+.1f} a minute; p95 of the wait {p95_wait_ms:.0f} ms against {baseline_p95_wait_ms:.0f} ms; {minutes_to_empty:.1f} min to empty it if nothing more came"
quiet: "no queue grows, is {min_ratio:g}x longer, or makes messages wait {min_ratio:g}x longer than in the baseline; the longest is {queue} with {depth:.0f}"
empty: "no depth of a queue, and no span of a message, is recorded in the window: whether one grows is not known"
covers:
  - "depth: kafka_consumergroup_lag, kafka.consumer_group.lag, rabbitmq_queue_messages(_ready), rabbitmq.message.current, SQS ApproximateNumberOfMessagesVisible, and metrics that end in queue_depth, queue_length or queue_size; partitions added up, and what several pods or hosts say"
  - "waiting and flow: producer and consumer spans of a messaging.destination.name, joined by parent or link"
not_covered:
  - queues inside a process; see saturation.pool_exhaustion
  - waits of messages that are handled in batches without links
  - growth between the values of the metric
next:
  - {template: saturation.use}
  - {template: traffic.retry_storm}
chart: {mark: rule, x: baseline_depth, x2: depth, y: queue, color: finding, top: 15}
references:
  - "J. D. C. Little, A Proof for the Queuing Formula L = λW (1961): waiting = arrivals times wait; minutes_to_empty = depth over departures"
  - "OpenTelemetry semantic conventions for messaging"
  - "grows: Mann and Kendall's trend of the depth over the steps"
  - "wait_z: two shares, the smaller of the pooled z and the signed root of the likelihood ratio (G test), as the former is too sure where few calls are compared with many; the baseline's p95 is itself a guess, so one long wait more counts in it"
---*/
WITH points AS (
    SELECT floor(epoch_us(time) / 1e6 / $step) AS step, time >= $window_start AND time < $window_end AS is_now,
           coalesce(attributes['topic'], attributes['queue'], attributes['messaging.destination.name'],
                    attributes['messaging_destination_name'], attributes['destination'],
                    attributes['queue_name'], attributes['QueueName'], attributes['queue.name'],
                    attributes['name'], service, name) AS queue,
           hash(attributes, coalesce(pod, host), name) AS series, value
    FROM metrics
    WHERE ((time >= $window_start AND time < $window_end)
           OR (time >= $baseline_start AND time < $baseline_end))
      AND value IS NOT NULL AND isfinite(value)
      AND regexp_matches(replace(lower(name), '.', '_'), '^kafka_consumer_?group_lag(_sum)?$|^rabbitmq_queue_messages(_ready)?$|^rabbitmq_message_current$|approximate_?number_?of_?messages_?visible|queue_(depth|length|size)$')
),
depths AS (
    SELECT queue, is_now, step, sum(level) AS depth
    FROM (SELECT queue, is_now, step, series, max(value) AS level FROM points GROUP BY ALL)
    WHERE $queue IS NULL OR queue = $queue
    GROUP BY queue, is_now, step
),
trends AS (
    SELECT a.queue, count(*) FILTER (b.depth > a.depth) - count(*) FILTER (b.depth < a.depth) AS s
    FROM depths AS a JOIN depths AS b ON b.queue = a.queue AND b.step > a.step
    WHERE a.is_now AND b.is_now GROUP BY a.queue
),
by_depth AS (
    SELECT queue, count(*) FILTER (is_now) AS k1, count(*) FILTER (NOT is_now) AS k0,
           median(depth) FILTER (is_now) AS depth, median(depth) FILTER (NOT is_now) AS baseline_depth,
           quantile_cont(depth, 0.9) FILTER (NOT is_now) AS baseline_depth_90,
           max({'step': step, 'depth': depth}) FILTER (is_now).depth AS last_depth,
           min({'step': step, 'depth': depth}) FILTER (is_now).depth AS first_depth,
           (max(step) FILTER (is_now) - min(step) FILTER (is_now)) * $step / 60 AS minutes
    FROM depths GROUP BY queue
),
seen AS (
    SELECT true AS is_now, epoch_us(time) AS start_us, coalesce(duration_ns, 0) // 1000 AS us, trace_id,
           span_id, parent_span_id, kind, links,
           coalesce(attributes['messaging.destination.name'], attributes['messaging.destination']) AS queue
    FROM spans WHERE time >= $window_start AND time < $window_end AND kind IN ('producer', 'consumer')
    UNION ALL
    SELECT false, epoch_us(time), coalesce(duration_ns, 0) // 1000, trace_id, span_id, parent_span_id,
           kind, links,
           coalesce(attributes['messaging.destination.name'], attributes['messaging.destination'])
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end AND kind IN ('producer', 'consumer')
),
messages AS (
    SELECT * FROM seen WHERE queue IS NOT NULL AND ($queue IS NULL OR queue = $queue)
),
received AS (
    SELECT is_now, queue, start_us, trace_id, parent_span_id AS sent_by FROM messages
    WHERE kind = 'consumer' AND parent_span_id IS NOT NULL
    UNION ALL
    SELECT is_now, queue, start_us, link.trace_id, link.span_id
    FROM (SELECT is_now, queue, start_us, unnest(links) AS link FROM messages WHERE kind = 'consumer')
),
waits AS (
    SELECT r.is_now, r.queue, greatest(min(r.start_us) - min(s.start_us + s.us), 0) / 1e3 AS ms
    FROM received AS r JOIN messages AS s
      ON s.trace_id = r.trace_id AND s.span_id = r.sent_by AND s.queue = r.queue AND s.kind = 'producer'
    GROUP BY r.is_now, r.queue, s.trace_id, s.span_id
),
by_wait AS (
    SELECT queue, count(*) FILTER (is_now) AS w1, count(*) FILTER (NOT is_now) AS w0,
           quantile_cont(ms, 0.95) FILTER (is_now) AS p95_wait_ms,
           quantile_cont(ms, 0.5) FILTER (is_now) AS p50_wait_ms,
           quantile_cont(ms, 0.95) FILTER (NOT is_now) AS baseline_p95_wait_ms
    FROM waits GROUP BY queue
),
longer AS (
    SELECT queue, count(*) AS longer FROM waits JOIN by_wait USING (queue)
    WHERE is_now AND ms > baseline_p95_wait_ms GROUP BY queue
),
flows AS (
    SELECT queue, count(*) FILTER (is_now AND kind = 'producer') AS in1,
           count(*) FILTER (is_now AND kind = 'consumer') AS out1,
           count(*) FILTER (NOT is_now AND kind = 'producer') AS in0,
           count(*) FILTER (NOT is_now AND kind = 'consumer') AS out0
    FROM messages GROUP BY queue
),
minutes AS (
    SELECT greatest(count(DISTINCT start_us // 60000000) FILTER (is_now), 1) AS m1 FROM seen
),
figures AS (
    SELECT coalesce(d.queue, f.queue) AS queue, d.* EXCLUDE (queue), f.* EXCLUDE (queue), w.* EXCLUDE (queue), m1,
           CASE WHEN k1 >= 4 AND k1 * (k1 - 1) * (2 * k1 + 5) > 0
                THEN (s - sign(s)) / sqrt(k1 * (k1 - 1) * (2 * k1 + 5) / 18) END AS trend_z,
           coalesce(longer, 0) AS long1, 0.05 * w0 + 0.95 AS long0, (long1 + long0) / (w1 + w0 + 1) AS long_pooled,
           CASE WHEN w1 >= $min_messages AND w0 >= $min_messages
                THEN sign(long1 / w1 - long0 / (w0 + 1))
                     * least(abs(long1 / w1 - long0 / (w0 + 1)) / sqrt(long_pooled * (1 - long_pooled) * (1 / w1 + 1 / (w0 + 1))),
                             sqrt(2 * greatest(list_sum([o[1] * ln(greatest(o[1], 1e-9) / o[2]) for o in
                                 [[long1, w1 * long_pooled], [w1 - long1, w1 * (1 - long_pooled)],
                                  [long0, (w0 + 1) * long_pooled], [(w0 + 1) - long0, (w0 + 1) * (1 - long_pooled)]]]), 0))) END AS wait_z,
           CASE WHEN in1 >= $min_messages AND in0 >= $min_messages AND out0 > 0
                THEN (in1 / (in1 + out1) - in0 / (in0 + out0))
                     / sqrt((in1 + in0) / (in1 + out1 + in0 + out0) * (1 - (in1 + in0) / (in1 + out1 + in0 + out0))
                            * (1 / (in1 + out1) + 1 / (in0 + out0))) END AS flow_z,
           sqrt($min_z * $min_z + 2 * ln(greatest(3 * count(*) OVER (), 1))) AS needed_z
    FROM by_depth AS d FULL JOIN flows AS f ON f.queue = d.queue
    LEFT JOIN by_wait AS w ON w.queue = coalesce(d.queue, f.queue)
    LEFT JOIN longer AS l ON l.queue = coalesce(d.queue, f.queue)
    LEFT JOIN trends AS t ON t.queue = d.queue, minutes
)
SELECT queue,
       CASE
           WHEN depth >= $min_depth AND k0 > 0 AND k1 >= 3
                AND depth >= $min_ratio * greatest(baseline_depth, baseline_depth_90)
               THEN CASE WHEN trend_z >= 2 THEN 'grows' ELSE 'is longer' END
           WHEN last_depth >= $min_depth AND trend_z >= needed_z
                AND last_depth >= $min_ratio * greatest(first_depth, coalesce(baseline_depth_90, 0), 1)
               THEN 'grows'
           WHEN wait_z >= needed_z AND (p95_wait_ms + 1) / (baseline_p95_wait_ms + 1) >= $min_ratio
               THEN 'waits longer'
           WHEN flow_z >= needed_z AND in1 * out0 >= 1.1 * out1 * in0 THEN 'is not emptied'
           WHEN (k1 >= 3 AND k0 > 0) OR wait_z IS NOT NULL OR flow_z IS NOT NULL THEN 'as before'
       END AS finding,
       depth, baseline_depth, last_depth, (last_depth - first_depth) / nullif(minutes, 0) AS growth_per_minute,
       in1 / m1 AS in_per_minute, out1 / m1 AS out_per_minute,
       p95_wait_ms, baseline_p95_wait_ms, wait_z, flow_z, needed_z,
       in1 / m1 / 60 * p50_wait_ms / 1e3 AS waiting_by_littles_law,
       last_depth / nullif(out1 / m1, 0) AS minutes_to_empty,
       coalesce(in1 + out1, 0) AS messages, coalesce(in0 + out0, 0) AS baseline_messages,
       coalesce(k1, 0) AS points, coalesce(k0, 0) AS baseline_points
FROM figures
WHERE k1 > 0 OR in1 > 0 OR out1 > 0
ORDER BY CASE finding WHEN 'grows' THEN 1 WHEN 'is longer' THEN 2 WHEN 'waits longer' THEN 3
                      WHEN 'is not emptied' THEN 4 WHEN 'as before' THEN 5 ELSE 6 END,
         depth / greatest(baseline_depth, 1) DESC NULLS LAST, wait_z DESC NULLS LAST, queue
LIMIT 200
