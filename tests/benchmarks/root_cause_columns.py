"""How the Parquet files of labelled incidents are read: columns, units and levels, by their values.

The columns are those of Nezha's Train Ticket, in upper or lower case, with or without underscores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import log
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_CODE = "[b-df-hj-np-tv-xz24-9]"
"""Of such characters Kubernetes makes the last two parts of a pod's name."""
_POD = (
    r"^(?:[^/]*/)?(.*?)"
    rf"(?:-[^-]*\d[^-]*-[^-]{{3,}}|-{_CODE}{{6,10}}-{_CODE}{{5}}|-\d{{1,2}})?$"
)
_SERVICE = {"column": "PodName", "extract": _POD}
"""The pod's name without its namespace, and without its last two parts or its number, if it has."""
_SPANS: dict[str, Any] = {
    "time": {"column": "StartTimeUnixNano"},
    "duration": {"column": "Duration", "unit": "us"},
    "trace_id": "TraceID",
    "span_id": "SpanID",
    "parent_span_id": {"column": "ParentID", "map": {"root": None, "0" * 16: None}},
    "name": "OperationName",
    "service": _SERVICE,
    "pod": "PodName",
}
_LOGS: dict[str, Any] = {
    "time": {"column": "Log", "json": "time"},
    "body": {"column": "Log", "json": "log"},
    "severity": {"column": "Log", "json": "log"},
    "trace_id": "TraceID",
    "span_id": "SpanID",
    "service": _SERVICE,
    "pod": "PodName",
}
_LEVEL = (
    r'(?:^\s*\{.*?"(?:severity|level|levelname|log\.level)"\s*:\s*"|\blevel="?|^\S+\s+\[?|^\[?)'
    r"((?i:trace|debug|info|notice|warn|err|crit|fatal|panic|severe|alert|emerg)\w*)"
)
"""A field of the line, or its first or second word."""
_IDS = {
    "trace_id": r"(?i:trace[_.]?id)\W{1,6}([0-9a-fA-F]{16,32})\b",
    "span_id": r"(?i:span[_.]?id)\W{1,6}([0-9a-fA-F]{16})\b",
}
"""Where a line itself tells of its trace."""
_METRICS: dict[str, Any] = {
    "time": {"column": "TimeStamp"},
    "service": _SERVICE,
    "pod": "PodName",
}
_FIELDS = {"spans": _SPANS, "logs": _LOGS, "metrics": _METRICS}
_NO_METRICS = {"source_file", "Time", "TimeStamp", "PodName"}
_CLOCK_TEXT = r"^(\d{4}-\d\d-\d\d[ T][\d:]+(?:\.\d{1,6})?)"
"""What Go prints of a time says more after that, in words that no parser knows."""
_ENDS = ("StartTimeUnixNano", "EndTimeUnixNano")
_COLUMNS = {
    "spans": (*_ENDS, "Duration", "TraceID", "SpanID", "ParentID", "OperationName", "PodName"),
    "logs": ("Timestamp", "TimeUnixNano", "TraceID", "SpanID", "Log", "PodName"),
    "metrics": ("TimeStamp", "Time", "PodName"),
}


def pod_service(pod: str) -> str:
    """Whose instance it is, by the rule of the data's README."""
    found = re.match(_POD, pod)
    return found[1] if found else pod


def mapping(path: Path, signal: str) -> dict[str, Any]:
    """The mapping of a file: of the columns that it has, in the units that their values show.

    Args:
        path: A Parquet file.
        signal: spans, logs or metrics.

    Raises:
        ValueError: It cannot be read, or holds no rows.
    """
    file = pq.ParquetFile(path)
    usual = {_plain(name): name for name in _COLUMNS[signal]}
    # of two columns that differ only in how they are written, the one written as usual is meant
    named = {usual.get(_plain(name), name): name for name in file.schema_arrow.names}
    named |= {name: name for name in file.schema_arrow.names}
    first = next(file.iter_batches(1000), None)
    if first is None or not first.num_rows:
        raise ValueError("holds no rows")
    values = first.to_pydict()
    rows = {name: values[actual] for name, actual in named.items()}
    fields = _fields(signal, rows)
    kept = {
        name: _renamed(field, named) for name, field in fields.items() if _column(field) in rows
    }
    out: dict[str, Any] = {"signal": signal, "fields": kept}
    if signal == "metrics":
        # what only later rows have, its type tells
        counted = {each.name for each in file.schema_arrow if _counts(each.type)}
        out["wide"] = {
            name: _wide(name)
            for name in values
            if usual.get(_plain(name), name) not in _NO_METRICS
            and (name in counted or _is_number(values[name]))
        }
    return out


def _fields(signal: str, rows: Mapping[str, list[Any]]) -> dict[str, Any]:
    fields = dict(_FIELDS[signal])
    if signal == "spans":
        if "EndTimeUnixNano" in rows and "Duration" not in rows:
            fields["end_time"] = {"column": "EndTimeUnixNano"}
        elif "EndTimeUnixNano" in rows:
            fields["duration"] = {"column": "Duration", "unit": _unit_of_durations(rows)}
    if signal == "logs":
        # where a line tells its time, that is right more often than what was made of it
        if not _is_json(rows.get("Log", ()), "time"):
            fields["time"] = {"column": "Timestamp" if "Timestamp" in rows else "TimeUnixNano"}
        if not _is_json(rows.get("Log", ()), "log"):
            fields |= {"body": "Log", "severity": {"column": "Log"}}
        fields["severity"] = fields["severity"] | {"extract": _LEVEL}
        for field, column in (("trace_id", "TraceID"), ("span_id", "SpanID")):
            if not any(rows.get(column, ())):
                fields[field] = {"column": "Log", "extract": _IDS[field]}
    if signal == "metrics" and "TimeStamp" not in rows:
        fields["time"] = {"column": "Time"}
    for name in {"time", "end_time"} & fields.keys():
        if "json" not in fields[name] and fields[name]["column"] in rows:
            fields[name] = _clock(fields[name]["column"], rows)
    return fields


def _counts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _column(field: str | Mapping[str, Any]) -> str:
    return field if isinstance(field, str) else str(field["column"])


def _renamed(field: str | Mapping[str, Any], named: Mapping[str, str]) -> str | dict[str, Any]:
    actual = named[_column(field)]
    return actual if isinstance(field, str) else {**field, "column": actual}


def _clock(column: str, rows: Mapping[str, list[Any]]) -> dict[str, str]:
    """A column of times, and the unit in which it counts since 1970, if it does."""
    known = [value for value in rows[column] if value is not None]
    if not known or not _is_number(known):
        words = any(isinstance(value, str) and " m=" in value for value in known)
        return {"column": column} | ({"extract": _CLOCK_TEXT} if words else {})
    units = (("s", 1e11), ("ms", 1e14), ("us", 1e17), ("ns", float("inf")))
    size = median(map(float, known))
    return {"column": column, "unit": next(unit for unit, most in units if size < most)}


def _unit_of_durations(rows: Mapping[str, list[Any]]) -> str:
    """The unit in which begin and end are as far apart as the durations say; else microseconds."""
    start, end = (_clock(column, rows).get("unit") for column in _ENDS)
    columns = (rows[column] for column in (*_ENDS, "Duration"))
    if not start or start != end or not all(map(_is_number, columns)):
        return "us"
    units = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}
    ratios = [
        (float(last) - float(first)) * units[start] / float(took)
        for first, last, took in zip(
            *(rows[column] for column in (*_ENDS, "Duration")), strict=True
        )
        if took and first and last and float(took) > 0
    ]
    found = median(ratios) if ratios else 0.0
    return min(units, key=lambda unit: abs(log(units[unit] / found))) if found > 0 else "us"


def _is_json(lines: Iterable[str | None], key: str) -> bool:
    """Whether most lines are a container's record with that key around what was written."""
    known = [line for line in lines if line]
    record = re.compile(rf'\s*\{{.*"{key}"\s*:', re.DOTALL)
    return bool(known) and 2 * sum(bool(record.match(line)) for line in known) >= len(known)


def _is_number(values: Iterable[Any]) -> bool:
    """Whether all that is there are numbers, be it as text; of nothing, nobody knows."""
    known = [value for value in values if value is not None]
    try:
        return bool(known) and all(isinstance(float(value), float) for value in known)
    except (TypeError, ValueError):
        return False


def _wide(column: str) -> dict[str, str]:
    unit = re.search(r"\(([^)]*)\)$", column)
    return {"name": column.partition("(")[0]} | ({"unit": unit[1]} if unit else {})
