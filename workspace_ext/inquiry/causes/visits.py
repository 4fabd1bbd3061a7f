"""Log lines without spans, as visits to services: what is needed to look at them like spans.

Lines of one service on one trace are one visit, from its first line to its last; the visit whose
lines enclose another's is what asked it. A line on no trace is a visit of its own.
"""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa

from workspace_ext.inquiry.causes.calls import NO_TRACE


def visits(lines: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Spans, and the lines with the ids of theirs.

    Args:
        lines: is_now, time_ns, trace_id, service, pod, failed, text.
    """
    traces = [
        trace or f"{NO_TRACE}{at}" for at, trace in enumerate(lines.column("trace_id").to_pylist())
    ]
    services = lines.column("service").to_pylist()
    times = lines.column("time_ns").to_pylist()
    members: defaultdict[str, dict[str, list[int]]] = defaultdict(dict)
    for at in sorted(range(len(times)), key=lambda at: (times[at], services[at])):
        members[traces[at]].setdefault(services[at], []).append(at)
    rows = []
    now, pods = lines.column("is_now").to_pylist(), lines.column("pod").to_pylist()
    for trace, by_service in members.items():
        spans = sorted(
            ((times[of[0]], -times[of[-1]], service) for service, of in by_service.items())
        )
        open_visits: list[tuple[int, str]] = []
        for begin, minus_end, service in spans:
            while open_visits and open_visits[-1][0] < -minus_end:
                open_visits.pop()
            first = by_service[service][0]
            rows.append(
                {
                    "trace_id": trace,
                    "span_id": service,
                    "parent_span_id": open_visits[-1][1] if open_visits else None,
                    "service": service,
                    "pod": pods[first],
                    "name": "",
                    "text": "server",
                    "time_ns": begin,
                    "duration_ns": -minus_end - begin,
                    "is_now": now[first],
                    "failed": False,
                }
            )
            open_visits.append((-minus_end, service))
    logs = pa.table(
        {
            "trace_id": pa.array(traces, pa.string()),
            "span_id": lines.column("service"),
            "time_ns": lines.column("time_ns"),
            "failed": lines.column("failed"),
            "text": lines.column("text"),
        }
    )
    return pa.Table.from_pylist(rows, schema=SPANS), logs


SPANS = pa.schema(
    {
        "trace_id": pa.string(),
        "span_id": pa.string(),
        "parent_span_id": pa.string(),
        "service": pa.string(),
        "pod": pa.string(),
        "name": pa.string(),
        "text": pa.string(),
        "time_ns": pa.int64(),
        "duration_ns": pa.int64(),
        "is_now": pa.bool_(),
        "failed": pa.bool_(),
    }
)
