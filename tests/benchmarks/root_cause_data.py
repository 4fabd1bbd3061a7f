"""Labelled incidents as questions to ``rca.ranking``.

A folder has ``cases.jsonl`` and ``labels.jsonl``, and beside them either ``spans.parquet``,
``logs.parquet`` and ``metrics.parquet`` with the columns of Nezha's Train Ticket and each row's
minute file (``source_file``), or the tables that its cases name: metrics, fault-free baseline and
call graph of PetShop as ``.csv.gz``. What is missing or dirty in a case is said and left out. Knows
nothing of labels.
"""

from __future__ import annotations

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import log
from pathlib import Path
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Question:
    """One case, as it is asked. ``given`` holds what only that setting tells."""

    case_id: str
    params: dict[str, Any]
    given: dict[str, Any]


@dataclass(frozen=True)
class Load:
    """One store's worth: files with their mappings, and what is asked of them."""

    files: tuple[tuple[Path, str], ...]
    questions: tuple[Question, ...]


def read_cases(folder: Path) -> list[dict[str, Any]]:
    """The incidents of a folder, without their labels; a torn line is told and left out."""
    cases = []
    for number, line in enumerate((folder / "cases.jsonl").read_text("utf-8").splitlines(), 1):
        try:
            case = json.loads(line) if line.strip() else {}
        except ValueError:
            case = None
        if case and "case_id" in case:
            cases.append(case)
        elif case is None or case:
            print(f"cases.jsonl, line {number}: no case", file=sys.stderr)
    return cases


def loads(folder: Path, scratch: Path) -> Iterator[Load]:
    """What to ingest, and to ask, by the format of the folder."""
    cases = read_cases(folder)
    if any((folder / f"{name}.parquet").is_file() for name in ("spans", "logs", "metrics")):
        yield _traces(folder, cases)
        return
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        groups[case.get("baseline") or "", case.get("graph") or ""].append(case)
    for number, ((baseline, graph), members) in enumerate(sorted(groups.items())):
        yield _graph(folder, scratch / str(number), baseline, graph, members)


# -- the nezha format ------------------------------------------------------------------------


def _traces(folder: Path, cases: list[dict[str, Any]]) -> Load:
    mappings = {"spans": _SPANS, "logs": _LOGS, "metrics": _METRICS}
    files = []
    for name, fields in mappings.items():
        path = folder / f"{name}.parquet"
        if path.is_file():
            files.append((path, json.dumps(_mapping(path, name, fields))))
    questions = []
    for case in cases:
        try:
            questions.append(trace_case(case))
        except (KeyError, TypeError, ValueError) as error:
            print(f"{case['case_id']}: not understood: {error!r}", file=sys.stderr)
    return Load(tuple(files), tuple(questions))


_CODE = "[b-df-hj-np-tv-xz24-9]"
"""Of such characters Kubernetes makes the last two parts of a pod's name."""
_POD = (
    r"^(?:[^/]*/)?(.*?)"
    rf"(?:-[^-]*\d[^-]*-[^-]{{3,}}|-{_CODE}{{6,10}}-{_CODE}{{5}}|-\d{{1,2}})?$"
)
_SERVICE = {"column": "PodName", "extract": _POD}
"""The pod's name without its namespace, and without its last two parts or its number, if it has."""
_SPANS: dict[str, Any] = {
    "time": {"column": "StartTimeUnixNano", "unit": "ns"},
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
_LEVEL = r'(?:^\{.*?"(?:severity|level|levelname)"\s*:\s*"|^\S+\s+\[?)(\w+)'
_METRICS: dict[str, Any] = {
    "time": {"column": "TimeStamp", "unit": "s"},
    "service": _SERVICE,
    "pod": "PodName",
}
_NO_METRICS = {"source_file", "Time", "TimeStamp", "PodName"}


def pod_service(pod: str) -> str:
    """Whose instance it is, by the rule of the data's README."""
    found = re.match(_POD, pod)
    return found[1] if found else pod


def _mapping(path: Path, signal: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping of a file: of the columns that it has, in the units that their values show."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    schema = file.schema_arrow
    first = next(file.iter_batches(1000), None)
    rows = first.to_pydict() if first is not None else {name: [] for name in schema.names}
    fields = dict(fields)
    if signal == "spans":
        if "EndTimeUnixNano" in rows and "Duration" not in rows:
            fields["end_time"] = {"column": "EndTimeUnixNano", "unit": "ns"}
        elif "EndTimeUnixNano" in rows:
            fields["duration"] = {"column": "Duration", "unit": _unit_of_durations(rows)}
    if signal == "logs":
        # where a line tells its time, that is right more often than what was made of it
        if not _is_json(rows.get("Log", ()), "time"):
            fields["time"] = {"column": "Timestamp" if "Timestamp" in rows else "TimeUnixNano"}
        if not _is_json(rows.get("Log", ()), "log"):
            fields |= {"body": "Log", "severity": {"column": "Log"}}
        fields["severity"] = fields["severity"] | {"extract": _LEVEL}
    kept = {
        name: field
        for name, field in fields.items()
        if (field if isinstance(field, str) else field["column"]) in rows
    }
    for name in {"time", "end_time"} & kept.keys():
        if "json" not in kept[name]:
            kept[name] = _clock(kept[name]["column"], rows)
    out: dict[str, Any] = {"signal": signal, "fields": kept}
    if signal == "metrics":
        out["wide"] = {
            name: _wide(name)
            for name in schema.names
            if name not in _NO_METRICS and _is_number(rows[name])
        }
    return out


def _clock(column: str, rows: Mapping[str, list[Any]]) -> dict[str, str]:
    """A column of times, and the unit in which it counts since 1970, if it does."""
    known = [value for value in rows[column] if value is not None]
    if not known or not _is_number(known):
        return {"column": column}
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


_ENDS = ("StartTimeUnixNano", "EndTimeUnixNano")


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


def trace_case(case: Mapping[str, Any]) -> Question:
    start = _time(case["incident_start_utc"])
    minutes = sorted(_minutes(case, start)) or [start.replace(second=0), start + MINUTE * 2]
    # a minute file named 09_13 holds about 09:12:xx to 09:13:xx
    window = (minutes[0] - MINUTE, minutes[-1] + MINUTE)
    quiet = sorted(_quiet_minutes(case, start))
    baseline = (window[0] - 10 * MINUTE, window[0])
    if quiet:
        baseline = (quiet[0] - 2 * MINUTE, quiet[-1] + MINUTE)
    params = {"window": _span(*window), "baseline": _span(*baseline)}
    return Question(case["case_id"], params, {"onset": _text(start)})


MINUTE = timedelta(minutes=1)


def _minutes(case: Mapping[str, Any], start: datetime) -> Iterator[datetime]:
    """The minutes of the incident, by name, or else by their distance from its begin."""
    for window in case.get("windows") or ():
        name = re.fullmatch(r"(\d\d)_(\d\d)", str(window.get("name")))
        if name:
            same_day = start.replace(hour=int(name[1]), minute=int(name[2]), second=0)
            days = (timedelta(days=days) for days in (-1, 0, 1))
            yield min((same_day + day for day in days), key=lambda each: abs(each - start))
        elif "offset_min" in window:
            yield start.replace(second=0) + MINUTE * float(window["offset_min"])


def _quiet_minutes(case: Mapping[str, Any], start: datetime) -> Iterator[datetime]:
    """The fault-free minutes, of the day in their path or else that of the case."""
    for reference in case.get("normal_reference") or ():
        name = re.search(r"(?<!\d)(\d\d)_(\d\d)(?!\d)", Path(reference).name)
        day = re.search(r"\d{4}-\d\d-\d\d", reference)
        if name:
            date = day[0] if day else case.get("day") or start.strftime("%Y-%m-%d")
            yield datetime.fromisoformat(f"{date}T{name[1]}:{name[2]}:00+00:00")


def _time(value: Any) -> datetime:
    """A time as text (UTC unless it says otherwise) or as a number of s, ms, us or ns."""
    if isinstance(value, str) and not re.fullmatch(r"\d+(\.\d+)?", value):
        found = datetime.fromisoformat(value.strip().replace(" UTC", "Z"))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    number = float(value)
    while number > 1e11:
        number /= 1000
    return datetime.fromtimestamp(number, UTC)


# -- the petshop format ----------------------------------------------------------------------


def _graph(
    folder: Path, scratch: Path, baseline: str, graph: str, cases: list[dict[str, Any]]
) -> Load:
    scratch.mkdir(parents=True)
    metrics = {
        "signal": "metrics",
        "fields": {
            "time": {"column": "time", "unit": "s"},
            "service": "service",
            "name": "name",
            "value": "value",
        },
    }
    quiet: list[int] = []
    files = []
    if (folder / baseline).is_file():
        quiet = _series(folder / baseline, scratch / "baseline.parquet")
        files.append((scratch / "baseline.parquet", json.dumps(metrics)))
    questions = []
    for case in cases:
        try:
            path = scratch / f"{case['case_id']}.parquet"
            times = _series(folder / case["metrics"], path)
            questions.append(_graph_case(case, times, quiet))
            files.append((path, json.dumps(metrics)))
        except (KeyError, OSError, TypeError, ValueError) as error:
            print(f"{case['case_id']}: not understood: {error!r}", file=sys.stderr)
    if (folder / graph).is_file():
        files.append((_dependencies(folder / graph, scratch / "graph.jsonl"), json.dumps(SERVICES)))
    return Load(tuple(files), tuple(questions))


def _graph_case(case: Mapping[str, Any], times: list[int], quiet: list[int]) -> Question:
    alert = case["alert"]
    began = _time(alert["timestamp"])
    # without a fault-free time, what was before the alert has to do
    before = quiet or [at for at in times if at < began.timestamp()] or times
    symptom = ".".join(str(alert[key]) for key in ("metric", "agg") if alert.get(key))
    return Question(
        case["case_id"],
        {
            "window": _span(_moment(min(times)), _moment(max(times) + 1)),
            "baseline": _span(_moment(min(before)), _moment(max(before) + 1)),
            "history": "1s",
            "service": alert.get("node"),
            "symptom": symptom or None,
        },
        {"onset": _text(began)},
    )


SERVICES = {"signal": "services", "fields": {"name": "name", "depends_on": "depends_on"}}


def _series(path: Path, to: Path) -> list[int]:
    import pandas as pd

    frame = pd.read_csv(path, header=[0, 1, 2], index_col=0)
    times = [int(_time(str(at)).timestamp()) for at in frame.index]
    parts = [
        pd.DataFrame(
            {
                "time": times,
                "service": service,
                "name": f"{metric}.{statistic}",
                "value": pd.to_numeric(frame[service, metric, statistic], errors="coerce"),
            }
        )
        for service, metric, statistic in frame.columns
    ]
    pd.concat(parts).dropna(subset="value").to_parquet(to, index=False)
    return times


def _dependencies(path: Path, to: Path) -> Path:
    import pandas as pd

    matrix = pd.read_csv(path, index_col=0)
    lines = [
        json.dumps({"name": caller, "depends_on": ",".join(matrix.columns[row > 0])})
        for caller, row in matrix.iterrows()
    ]
    to.write_text("\n".join(lines), encoding="utf-8")
    return to


def _span(start: datetime, end: datetime) -> str:
    return f"{_text(start)}/{_text(end)}"


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
