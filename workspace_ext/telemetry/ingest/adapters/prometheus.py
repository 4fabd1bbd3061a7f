"""Prometheus' text format: one scrape, or several one after another with their timestamps.

A histogram's and a summary's samples become one row for each set of labels; the buckets, which
are cumulative in the text, become counts of their own. A sample without a timestamp gets the time
of the ingest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from workspace_ext.telemetry.ingest.adapter import (
    BY_SHAPE,
    NO,
    Adapter,
    Context,
    Head,
    too_many_records,
    whole,
)
from workspace_ext.telemetry.ingest.adapters.labels import labelled
from workspace_ext.telemetry.ingest.limits import MOST_RECORDS, TEXT
from workspace_ext.telemetry.ingest.rows import BadRecord, Row, Rows, check_time

_SAMPLE = re.compile(
    rb"[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^\n]*\})?[ \t]+[-+0-9.eEnNaAiIfF]+([ \t]+-?\d+)?[ \t]*\r?"
)
_COMMENT = re.compile(rb"# (HELP|TYPE|UNIT|EOF)\b")
_PARTS = {"le", "quantile"}
_NOT_PARSED = (ValueError, IndexError)
"""The parser looks for the first character of a name that it has stripped away."""


def _recognise(head: Head) -> int:
    lines = [line for line in head.start.split(b"\n")[:20] if line.strip()]
    whole_lines = lines[:-1] or lines
    found = all(_COMMENT.match(line) or _SAMPLE.fullmatch(line) for line in whole_lines)
    return BY_SHAPE if lines and found else NO


def _decode(rows: Rows, content: bytes, context: Context) -> None:
    if content.count(b"\n") > MOST_RECORDS:
        raise too_many_records()
    untimed = 0
    text = rows.text(content)
    for family in _families(_short_lines(rows, text), rows):
        untimed += _family(rows, family, context.now_ns)
    if untimed:
        rows.warn(f"{untimed} samples have no timestamp: they got the time of this ingest")


def _short_lines(rows: Rows, text: str) -> str:
    """The text without its very long lines: the time to parse one grows with its square."""
    if len(text) <= TEXT:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if len(line) > TEXT:
            rows.reject(number, f"a line of more than {TEXT} characters", line)
            lines[number - 1] = ""
    return "\n".join(lines)


def _families(text: str, rows: Rows) -> Iterable[Metric]:
    """The families of metrics; bad lines are looked for only when there is one."""
    try:
        return list(text_string_to_metric_families(text))
    except _NOT_PARSED:
        pass
    good = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            list(text_string_to_metric_families(line + "\n"))
        except _NOT_PARSED as error:
            rows.reject(number, f"not a sample: {error}", line)
        else:
            good.append(line)
    return list(text_string_to_metric_families("\n".join(good) + "\n"))


def _family(rows: Rows, family: Metric, now_ns: int) -> int:
    """Adds a family's rows; tells how many samples had no time."""
    gathered: dict[tuple[Any, ...], list[Any]] = {}
    for sample in family.samples:
        labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k not in _PARTS))
        parts = family.type in ("histogram", "summary")
        key = (labels, sample.timestamp, None if parts else sample.name)
        gathered.setdefault(key, []).append(sample)
    untimed = 0
    for (labels, timestamp, _), samples in gathered.items():
        untimed += len(samples) if timestamp is None else 0
        try:
            time_ns = now_ns if timestamp is None else round(float(timestamp) * 1000) * 1_000_000
            check_time(time_ns)
            values = _values(family, samples)
        except (ValueError, OverflowError) as error:
            rows.reject(None, f"{family.name}: {error}", str(samples[0]))
            continue
        rows.add("metrics", None, {**labelled(list(labels)), **values, "time_ns": time_ns})
    return untimed


def _values(family: Metric, samples: list[Any]) -> Row:
    row: Row = {
        "name": family.name,
        "unit": family.unit or None,
        "kind": "gauge",
        "bucket_counts": [],
        "explicit_bounds": [],
    }
    if family.type == "histogram":
        return row | {"kind": "histogram", "temporality": "cumulative"} | _histogram(samples)
    if family.type == "summary":
        return row | {"kind": "summary"} | _summary(samples)
    row |= {"name": samples[0].name, "value": float(samples[0].value)}
    if family.type == "counter":
        row |= {"kind": "sum", "temporality": "cumulative", "monotonic": True}
    return row


def _histogram(samples: list[Any]) -> Row:
    buckets = sorted(
        (float(sample.labels["le"]), int(sample.value))
        for sample in samples
        if sample.name.endswith("_bucket") and "le" in sample.labels
    )
    totals = [0, *(count for _, count in buckets)]
    counts = [after - before for before, after in pairwise(totals)]
    if any(count < 0 for count in counts):
        raise BadRecord("the buckets' counts decrease")
    bounds = [bound for bound, _ in buckets if bound != float("inf")]
    return {**_totals(samples), "bucket_counts": counts, "explicit_bounds": bounds}


def _summary(samples: list[Any]) -> Row:
    quantiles = sorted(
        (float(sample.labels["quantile"]), float(sample.value))
        for sample in samples
        if "quantile" in sample.labels
    )
    return {**_totals(samples), "quantiles": quantiles}


def _totals(samples: list[Any]) -> Row:
    totals: Row = {}
    for sample in samples:
        if sample.name.endswith("_sum"):
            totals["sum"] = float(sample.value)
        elif sample.name.endswith("_count"):
            totals["count"] = int(sample.value)
    return totals


ADAPTER = Adapter("Prometheus' text exposition", whole(_decode), _recognise)
