"""Lines on no trace, put on the visit to their service during which they were written.

Many programs log without knowing their trace. Where an instance mostly answers one request at a
time, the time of a line tells which. Where requests overlap it does not, and then none of the
service's lines are placed: lines that only quiet times can place would look like a change.
"""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa

MOSTLY = 0.9
"""So many of a service's lines must leave no doubt, before and in the window."""


def placed(spans: pa.Table, lines: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The lines that are on a span, with its ids, and those that are still on none.

    Args:
        spans: See `read_calls`.
        lines: See `visits`.
    """
    begun: defaultdict[str, list[tuple[int, int, str, str, str | None]]] = defaultdict(list)
    columns = ("service", "time_ns", "duration_ns", "trace_id", "span_id", "pod")
    for service, start, length, *about in zip(
        *(spans.column(name).to_pylist() for name in columns), strict=True
    ):
        # What did not end, or did not say so, is known to have been there when it began.
        begun[service].append((start, start + (length or 0), *about))
    written: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    pods, sides = lines.column("pod").to_pylist(), lines.column("is_now").to_pylist()
    told_by = (lines.column(name).to_pylist() for name in ("service", "time_ns", "trace_id"))
    for at, (service, time, trace) in enumerate(zip(*told_by, strict=True)):
        if trace is None and service in begun:
            written[service].append((time, at))
    traces: list[str | None] = lines.column("trace_id").to_pylist()
    ids: list[str | None] = [None] * lines.num_rows
    lost: set[int] = set()
    for service, told in written.items():
        found = _during(sorted(begun[service]), sorted(told), pods)
        doubt = [at for at, spot in found.items() if spot is None]
        if any(
            sum(sides[at] is side for at in doubt)
            > (1 - MOSTLY) * sum(sides[at] is side for at in found)
            for side in (False, True)
        ):
            continue
        lost |= set(doubt)
        for at, spot in found.items():
            if spot:
                traces[at], ids[at] = spot
    names = lines.column_names
    of = lines.set_column(names.index("trace_id"), "trace_id", pa.array(traces, pa.string()))
    of = of.set_column(names.index("span_id"), "span_id", pa.array(ids, pa.string()))
    kept = [at not in lost and spot is None for at, spot in enumerate(ids)]
    on = [spot is not None for spot in ids]
    return of.filter(pa.array(on, pa.bool_())), lines.filter(pa.array(kept, pa.bool_()))


def _during(
    spans: list[tuple[int, int, str, str, str | None]],
    lines: list[tuple[int, int]],
    pods: list[str | None],
) -> dict[int, tuple[str, str] | None]:
    """Of each line that was written during a span: trace and span, None where that is in doubt.

    Of several spans of a trace it is the outermost: which of those inside it was, clocks that tell
    milliseconds do not say.
    """
    found: dict[int, tuple[str, str] | None] = {}
    open_spans: list[tuple[int, int, str, str, str | None]] = []
    upcoming = 0
    for time, at in lines:
        while upcoming < len(spans) and spans[upcoming][0] <= time:
            open_spans.append(spans[upcoming])
            upcoming += 1
        open_spans = [span for span in open_spans if span[1] >= time]
        here = [span for span in open_spans if pods[at] is None or span[4] in {None, pods[at]}]
        if here:
            alone = len({span[2] for span in here}) == 1
            found[at] = here[0][2:4] if alone else None
    return found
