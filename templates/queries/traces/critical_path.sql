/*---
id: traces.critical_path
version: 1
title: Critical path
question: Which operations hold up the answer, and which of them hold it up longer than before?
status: stable
params:
  window:     {type: window, help: when it hurts}
  baseline:   {type: window, help: when it was fine; may be shorter or longer than the window}
  service:    {type: service, optional: true, help: only operations of this service}
  operation:  {type: string, optional: true, help: only traces whose root has this name}
  min_traces: {type: int, default: 20, min: 2, help: "with fewer traces, then or now, nothing is judged"}
  min_ms:     {type: float, default: 5, min: 0, help: "milliseconds a trace more that count at least, in the mean over all traces"}
  min_ratio:  {type: float, default: 1.3, min: 1, help: how many times more counts}
  min_z:      {type: float, default: 3, min: 0, help: how many standard errors away from chance a single operation must be}
requires: [spans.parent_span_id]
returns:
  service: VARCHAR
  operation: VARCHAR
  ms_per_trace: DOUBLE
  baseline_ms_per_trace: DOUBLE
  added_ms: DOUBLE
  ratio: DOUBLE
  share: DOUBLE
  baseline_share: DOUBLE
  share_of_added: DOUBLE
  on_path_share: DOUBLE
  z: DOUBLE
  needed_z: DOUBLE
  traces: BIGINT
  baseline_traces: BIGINT
  label: VARCHAR
interesting: CASE WHEN traces >= min_traces AND baseline_traces >= min_traces THEN added_ms >= min_ms AND ratio >= min_ratio AND z >= needed_z END
reason: "{label} holds up each request for {ms_per_trace:.1f} ms against {baseline_ms_per_trace:.1f} ms ({ratio:.1f}x): {share_of_added:.0%} of what was added, {share:.0%} of the whole time"
quiet: "no operation holds up a request {min_ms:g} ms and {min_ratio:g}x longer than in the baseline, beyond chance; the longest is {label} with {share:.0%} of the time"
covers:
  - "the chain of spans that the answer waited for: from the end of the root back, always the child that ended last, then the last that had ended before that one began"
  - time outside of children on that chain; a faster span off the chain would not have helped
not_covered:
  - children that go on after their parent ended count up to its end
  - waiting for something without a span; it counts as the waiting span's own
  - clocks that differ between hosts; see data.quality
  - traces that lie across the window's edge
next:
  - {template: attributes.compare, params: {service: service, operation: operation, bad: "'slow_itself'"}}
  - {template: saturation.pool_exhaustion, params: {service: service}}
  - {template: metrics.shift, params: {service: service}}
chart: {mark: bar, x: ms_per_trace, y: label, color: service, top: 15}
references:
  - "CRISP: Critical Path Analysis of Large-Scale Microservice Architectures (Z. Zhang et al., USENIX ATC 2022)"
  - "z of Welch for the mean over traces; needed_z: min_z, raised for the number of operations (Bonferroni by the Gaussian tail)"
---*/
WITH RECURSIVE seen AS (
    SELECT true AS is_now, epoch_us(time) AS start_us, epoch_us(time) + coalesce(duration_ns, 0) // 1000 AS end_us,
           trace_id, span_id, parent_span_id, service, name
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false, epoch_us(time), epoch_us(time) + coalesce(duration_ns, 0) // 1000,
           trace_id, span_id, parent_span_id, service, name
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end
),
parents AS (
    SELECT DISTINCT is_now, trace_id, parent_span_id AS span_id FROM seen WHERE parent_span_id IS NOT NULL
),
-- Reactive servers record the call they wait for beside the handler that waits: it counts as below it.
awaited AS (
    SELECT b.is_now, b.trace_id, b.span_id, min(w.span_id) AS parent_span_id
    FROM (SELECT * FROM seen ANTI JOIN parents USING (is_now, trace_id, span_id)) AS w
    JOIN (SELECT * FROM seen SEMI JOIN parents USING (is_now, trace_id, span_id)) AS b
      ON b.is_now = w.is_now AND b.trace_id = w.trace_id AND b.parent_span_id = w.parent_span_id
     AND b.service = w.service AND b.start_us >= w.start_us AND b.end_us <= w.end_us + 1000
    GROUP BY b.is_now, b.trace_id, b.span_id
),
linked AS (
    SELECT s.is_now, s.trace_id, s.span_id, coalesce(a.parent_span_id, s.parent_span_id) AS parent_span_id,
           s.service, s.name, s.start_us, s.end_us
    FROM seen AS s LEFT JOIN awaited AS a USING (is_now, trace_id, span_id)
),
roots AS (
    SELECT is_now, trace_id, min(span_id) AS span_id FROM seen
    WHERE parent_span_id IS NULL AND ($operation IS NULL OR name = $operation)
    GROUP BY is_now, trace_id
),
-- Ends and starts of the children of one span in one row of time: what ended last before each start.
marks AS (
    SELECT is_now, trace_id, parent_span_id, end_us AS at_us, 0 AS side, span_id,
           {'at': end_us, 'span': span_id} AS ended
    FROM linked WHERE parent_span_id IS NOT NULL AND end_us > start_us
    UNION ALL
    SELECT is_now, trace_id, parent_span_id, start_us, 1, span_id, NULL
    FROM linked WHERE parent_span_id IS NOT NULL AND end_us > start_us
),
before AS (
    SELECT is_now, trace_id, span_id, side,
           max(ended) OVER (PARTITION BY is_now, trace_id, parent_span_id ORDER BY at_us, side, span_id
                            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS ended
    FROM marks
),
steps AS (
    SELECT is_now, trace_id, parent_span_id AS span_id, max(ended).span AS to_span, true AS down
    FROM marks WHERE side = 0 GROUP BY is_now, trace_id, parent_span_id
    UNION ALL
    SELECT is_now, trace_id, span_id, ended.span, false FROM before WHERE side = 1 AND ended IS NOT NULL
),
onward AS (
    SELECT st.is_now, st.trace_id, st.span_id, st.down, l.span_id AS to_span, l.start_us, l.end_us
    FROM steps AS st JOIN linked AS l
      ON l.is_now = st.is_now AND l.trace_id = st.trace_id AND l.span_id = st.to_span
),
path AS (
    SELECT is_now, trace_id, span_id, start_us, end_us, end_us AS until_us, NULL::VARCHAR AS above
    FROM linked SEMI JOIN roots USING (is_now, trace_id, span_id)
    UNION ALL
    SELECT p.is_now, p.trace_id, o.to_span, o.start_us, least(o.end_us, CASE WHEN o.down THEN p.end_us ELSE p.until_us END),
           CASE WHEN o.down THEN p.end_us ELSE p.until_us END, CASE WHEN o.down THEN p.span_id ELSE p.above END
    FROM path AS p JOIN onward AS o USING (is_now, trace_id, span_id)
    WHERE o.start_us < CASE WHEN o.down THEN p.end_us ELSE p.until_us END
),
held AS (
    SELECT is_now, trace_id, above AS span_id, sum(end_us - start_us) AS child_us
    FROM path WHERE above IS NOT NULL GROUP BY is_now, trace_id, above
),
per_trace AS (
    SELECT p.is_now, p.trace_id, l.service, l.name, count(*) AS calls,
           sum(greatest(p.end_us - p.start_us - coalesce(h.child_us, 0), 0))::BIGINT AS own_us
    FROM path AS p JOIN linked AS l USING (is_now, trace_id, span_id)
    LEFT JOIN held AS h ON h.is_now = p.is_now AND h.trace_id = p.trace_id AND h.span_id = p.span_id
    GROUP BY p.is_now, p.trace_id, l.service, l.name
),
totals AS (
    SELECT count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0 FROM roots
),
-- Whole microseconds: their sums come out the same each time.
operations AS (
    SELECT service, name,
           count(*) FILTER (is_now) AS on_path,
           coalesce(sum(own_us) FILTER (is_now), 0) AS s1,
           coalesce(sum(own_us) FILTER (NOT is_now), 0) AS s0,
           coalesce(sum(own_us::HUGEINT * own_us) FILTER (is_now), 0)::DOUBLE AS q1,
           coalesce(sum(own_us::HUGEINT * own_us) FILTER (NOT is_now), 0)::DOUBLE AS q0
    FROM per_trace GROUP BY service, name
),
figures AS (
    SELECT *, s1 / nullif(n1, 0) AS m1, s0 / nullif(n0, 0) AS m0,
           greatest(q1 / nullif(n1, 0) - m1 * m1, 0) / nullif(n1, 0)
           + greatest(q0 / nullif(n0, 0) - m0 * m0, 0) / nullif(n0, 0) AS variance,
           s1 / nullif(sum(s1) OVER (), 0) AS share, s0 / nullif(sum(s0) OVER (), 0) AS baseline_share,
           greatest(s1 * n0 - s0 * n1, 0) AS added, sum(added) OVER () AS all_added,
           sqrt($min_z * $min_z + 2 * ln(count(*) OVER ())) AS needed_z
    FROM operations, totals
)
SELECT service, name AS operation, m1 / 1e3 AS ms_per_trace, m0 / 1e3 AS baseline_ms_per_trace,
       (m1 - m0) / 1e3 AS added_ms, (m1 + 1e3) / (m0 + 1e3) AS ratio, share, baseline_share,
       added / nullif(all_added, 0) AS share_of_added,
       on_path / nullif(n1, 0) AS on_path_share,
       round((m1 - m0) / sqrt(variance + 1), 6) AS z, needed_z,
       n1 AS traces, n0 AS baseline_traces,
       coalesce(service || ' ', '') || name AS label
FROM figures WHERE $service IS NULL OR service = $service
ORDER BY coalesce(added_ms >= $min_ms AND ratio >= $min_ratio AND z >= needed_z, false) DESC,
         CASE WHEN added_ms >= $min_ms AND ratio >= $min_ratio AND z >= needed_z
              THEN round(added_ms, 6) END DESC NULLS LAST,
         round(ms_per_trace, 6) DESC NULLS LAST, service, operation
LIMIT 200
