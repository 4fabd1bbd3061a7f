/*---
id: traces.critical_path
version: 3
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
columns:
  ms_per_trace: "time in which a request waits for this operation alone, in the mean"
  share: "of the whole time"
  share_of_added: "of all that was added"
  on_path_share: "of the traces, so many wait for it"
  z: "standard errors by which it differs from the baseline; about 3 is rare by chance, if it is looked at once"
  needed_z: "what the standard errors beside it must reach: min_z, raised for the number of comparisons made"
  ratio: "ms_per_trace over the baseline, a millisecond added to both"
interesting: CASE WHEN traces >= min_traces AND baseline_traces >= min_traces THEN added_ms >= min_ms AND ratio >= min_ratio AND z >= needed_z END
reason: "{label} holds up each request for {ms_per_trace:.1f} ms against {baseline_ms_per_trace:.1f} ms ({ratio:.1f}x): {share_of_added:.0%} of what was added, {share:.0%} of the whole time"
quiet: "no operation holds up a request {min_ms:g} ms and {min_ratio:g}x longer than in the baseline, beyond chance; the longest is {label} with {share:.0%} of the time"
empty: "no whole trace of what was asked is recorded in the window"
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
-- Ids as numbers: two spans of a question share one by chance less than once in a million questions.
WITH RECURSIVE seen AS (
    SELECT true AS is_now, epoch_us(time) AS start_us, epoch_us(time) + coalesce(duration_ns, 0) // 1000 AS end_us,
           hash(is_now, trace_id) AS trace, span_id, hash(trace, span_id) AS span,
           CASE WHEN parent_span_id IS NOT NULL THEN hash(trace, parent_span_id) END AS parent,
           CASE WHEN service IS NOT NULL AND parent IS NOT NULL THEN hash(parent, service) END AS siblings,
           hash(service, name) AS op
    FROM spans WHERE time >= $window_start AND time < $window_end
    UNION ALL
    SELECT false AS is_now, epoch_us(time), epoch_us(time) + coalesce(duration_ns, 0) // 1000,
           hash(is_now, trace_id) AS trace, span_id, hash(trace, span_id),
           CASE WHEN parent_span_id IS NOT NULL THEN hash(trace, parent_span_id) END AS parent,
           CASE WHEN service IS NOT NULL AND parent IS NOT NULL THEN hash(parent, service) END,
           hash(service, name)
    FROM spans WHERE time >= $baseline_start AND time < $baseline_end
),
names AS (
    SELECT hash(service, name) AS op, service, name
    FROM (SELECT service, name FROM spans WHERE time >= $window_start AND time < $window_end
          UNION
          SELECT service, name FROM spans WHERE time >= $baseline_start AND time < $baseline_end)
),
beside AS (
    SELECT * FROM seen SEMI JOIN (
        SELECT siblings FROM seen WHERE siblings IS NOT NULL GROUP BY siblings HAVING count(*) > 1
    ) USING (siblings)
),
-- Reactive servers record the call they wait for beside the handler that waits: it counts as below it.
awaited AS (
    SELECT b.span, min({'id': w.span_id, 'span': w.span}).span AS parent
    FROM (SELECT * FROM beside ANTI JOIN seen AS c ON c.parent = beside.span) AS w
    JOIN (SELECT * FROM beside SEMI JOIN seen AS c ON c.parent = beside.span) AS b
      ON b.siblings = w.siblings AND b.start_us >= w.start_us AND b.end_us <= w.end_us + 1000
    GROUP BY b.span
),
roots AS (
    SELECT is_now, trace, min({'id': span_id, 'span': span}).span AS span FROM seen
    WHERE parent IS NULL AND ($operation IS NULL OR op IN (SELECT n.op FROM names AS n WHERE n.name = $operation))
    GROUP BY is_now, trace
),
below AS NOT MATERIALIZED (
    SELECT coalesce(a.parent, s.parent) AS parent, span_id, span, op, start_us, end_us
    FROM seen AS s LEFT JOIN awaited AS a USING (span) WHERE s.parent IS NOT NULL AND end_us > start_us
),
-- What each span waited for: of its children the one that ended last, then the last that had ended before it began.
children AS (
    SELECT *, min(start_us) OVER later AS first_us, max(start_us) OVER later AS latest_us,
           first_value(start_us) OVER one AS last_us, lag(end_us) OVER one AS next_us
    FROM (SELECT parent, span, op, start_us, end_us FROM below)
    WINDOW one AS (PARTITION BY parent ORDER BY end_us DESC),
           later AS (PARTITION BY parent ORDER BY end_us DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
-- A child that ended before all later ones began is on that chain, one that overlaps all of them is not; where there
-- are others, or several that ended at once, the children are gone through one by one.
doubtful AS (
    SELECT DISTINCT parent FROM children WHERE (end_us > first_us AND end_us <= latest_us) OR end_us = next_us
),
chains AS (
    SELECT parent, list_reduce(list_reverse_sort(list([{'end_us': end_us, 'id': span_id, 'start_us': start_us,
                                                        'span': span, 'op': op}])),
                               lambda found, next: CASE WHEN next[1].end_us <= found[-1].start_us
                                                        THEN list_concat(found, next) ELSE found END) AS chain
    FROM below SEMI JOIN doubtful USING (parent) GROUP BY parent
),
links AS (
    SELECT parent, last_us, span, op, start_us, end_us FROM children ANTI JOIN doubtful USING (parent)
    WHERE first_us IS NULL OR end_us <= first_us
    UNION ALL
    SELECT parent, last_us, child.span, child.op, child.start_us, child.end_us
    FROM (SELECT parent, chain[1].start_us AS last_us, unnest(chain) AS child FROM chains)
),
path AS (
    SELECT is_now, trace, span, op, start_us, end_us, NULL::UBIGINT AS above
    FROM seen SEMI JOIN roots USING (span)
    UNION ALL
    SELECT p.is_now, p.trace, l.span, l.op, l.start_us, least(l.end_us, p.end_us), p.span
    FROM path AS p JOIN links AS l ON l.parent = p.span AND l.last_us < p.end_us
),
walked AS MATERIALIZED (FROM path),
held AS (
    SELECT above AS span, sum(end_us - start_us) AS child_us FROM walked WHERE above IS NOT NULL GROUP BY above
),
per_trace AS (
    SELECT p.is_now, p.trace, p.op, count(*) AS calls,
           sum(greatest(p.end_us - p.start_us - coalesce(h.child_us, 0), 0))::BIGINT AS own_us
    FROM walked AS p LEFT JOIN held AS h USING (span)
    GROUP BY p.is_now, p.trace, p.op
),
totals AS (
    SELECT count(*) FILTER (is_now) AS n1, count(*) FILTER (NOT is_now) AS n0 FROM roots
),
-- Whole microseconds: their sums come out the same each time.
operations AS (
    SELECT op,
           count(*) FILTER (is_now) AS on_path,
           coalesce(sum(own_us) FILTER (is_now), 0) AS s1,
           coalesce(sum(own_us) FILTER (NOT is_now), 0) AS s0,
           coalesce(sum(own_us::HUGEINT * own_us) FILTER (is_now), 0)::DOUBLE AS q1,
           coalesce(sum(own_us::HUGEINT * own_us) FILTER (NOT is_now), 0)::DOUBLE AS q0
    FROM per_trace GROUP BY op
),
figures AS (
    SELECT *, s1 / nullif(n1, 0) AS m1, s0 / nullif(n0, 0) AS m0,
           greatest(q1 / nullif(n1, 0) - m1 * m1, 0) / nullif(n1, 0)
           + greatest(q0 / nullif(n0, 0) - m0 * m0, 0) / nullif(n0, 0) AS variance,
           s1 / nullif(sum(s1) OVER (), 0) AS share, s0 / nullif(sum(s0) OVER (), 0) AS baseline_share,
           greatest(s1 * n0 - s0 * n1, 0) AS added, sum(added) OVER () AS all_added,
           sqrt($min_z * $min_z + 2 * ln(count(*) OVER ())) AS needed_z
    FROM operations JOIN names USING (op), totals
)
SELECT service, name AS operation, m1 / 1e3 AS ms_per_trace, m0 / 1e3 AS baseline_ms_per_trace,
       (m1 - m0) / 1e3 AS added_ms, (m1 + 1e3) / (m0 + 1e3) AS ratio, share, baseline_share,
       added / nullif(all_added, 0) AS share_of_added,
       on_path / nullif(n1, 0) AS on_path_share,
       round((m1 - m0) / sqrt(variance + 1), 6) AS z, needed_z,
       n1 AS traces, n0 AS baseline_traces,
       coalesce(service || ' ', '') || name AS label
FROM figures WHERE n1 > 0 AND ($service IS NULL OR service = $service)
ORDER BY coalesce(added_ms >= $min_ms AND ratio >= $min_ratio AND z >= needed_z, false) DESC,
         CASE WHEN added_ms >= $min_ms AND ratio >= $min_ratio AND z >= needed_z
              THEN round(added_ms, 6) END DESC NULLS LAST,
         round(ms_per_trace, 6) DESC NULLS LAST, service, operation
LIMIT 200
