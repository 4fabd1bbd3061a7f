"""Labelled incidents as questions to ``rca.ranking``.

A folder has ``cases.jsonl`` and ``labels.jsonl``, and beside them either ``spans.parquet``,
``logs.parquet`` and ``metrics.parquet`` with the columns of Nezha's Train Ticket and each row's
minute file (``source_file``), or the tables that its cases name: metrics, fault-free baseline and
call graph of PetShop as ``.csv.gz``. What is missing or dirty is said and left out; only a case of
which nothing tells when it was is not asked. Knows nothing of labels.
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

from tests.benchmarks.root_cause_columns import mapping


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


def read_cases(folder: Path, *, quiet: bool = False) -> list[dict[str, Any]]:
    """The incidents of a folder, without their labels; a torn line is left out, and told."""
    cases = []
    for number, line in enumerate((folder / "cases.jsonl").read_text("utf-8").splitlines(), 1):
        try:
            case = json.loads(line) if line.strip() else {}
        except ValueError:
            case = None
        if isinstance(case, dict) and "case_id" in case:
            cases.append(case)
        elif case != {} and not quiet:
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
        groups[str(case.get("baseline") or ""), str(case.get("graph") or "")].append(case)
    for number, ((baseline, graph), members) in enumerate(sorted(groups.items())):
        yield _graph(folder, scratch / str(number), baseline, graph, members)


# -- the nezha format ------------------------------------------------------------------------


def _traces(folder: Path, cases: list[dict[str, Any]]) -> Load:
    files = []
    for name in ("spans", "logs", "metrics"):
        path = folder / f"{name}.parquet"
        if path.is_file():
            with _told(path.name):
                files.append((path, json.dumps(mapping(path, name))))
    references = [each for case in cases for each in _references(case)]
    questions = []
    for case in cases:
        with _told(str(case["case_id"])):
            # who names no fault-free minute is compared with the nearest that another one names
            told = _references(case) or references
            questions.append(trace_case({**case, "normal_reference": told}))
    return Load(tuple(files), tuple(questions))


_UNUSABLE = (ArithmeticError, AttributeError, EOFError, LookupError, OSError, TypeError, ValueError)


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Says why something cannot be used, and goes on without it."""
    try:
        yield
    except (*_UNUSABLE, NotImplementedError, zlib.error) as error:
        print(f"{what}: left out: {error!r}", file=sys.stderr)


def trace_case(case: Mapping[str, Any]) -> Question:
    """A case as a question: its minutes, the fault-free ones, and when it began if that is told."""
    told = case.get("incident_start_utc")
    start = _time(told) if told else _first_minute(case)
    minutes = sorted(_minutes(case, start)) or [start.replace(second=0), start + MINUTE * 2]
    # a minute file named 09_13 holds about 09:12:xx to 09:13:xx
    window = (minutes[0] - MINUTE, minutes[-1] + MINUTE)
    baseline = (window[0] - 10 * MINUTE, window[0])
    if quiet := _nearest(sorted(_quiet_minutes(case, start)), start):
        baseline = (quiet[0] - 2 * MINUTE, quiet[-1] + MINUTE)
    params = {"window": _span(*window), "baseline": _span(*baseline)}
    return Question(case["case_id"], params, {"onset": _text(start)} if told else {})


def _first_minute(case: Mapping[str, Any]) -> datetime:
    """That of the first of its windows, where nothing tells the begin itself."""
    names = (_minute_in(str(window.get("name"))) for window in _dicts(case, "windows"))
    found = next(filter(None, names), None)
    if found is None or "day" not in case:
        raise ValueError("nothing tells when it was")
    hour, minute = found
    return _time(f"{case['day']}T{hour:02}:{minute:02}:00Z")


def _nearest(minutes: list[datetime], to: datetime) -> list[datetime]:
    """Of minutes in a row, those next to a time: between rows lies what may be other faults."""
    rows: list[list[datetime]] = []
    for minute in minutes:
        if not rows or minute - rows[-1][-1] > ROW:
            rows.append([])
        rows[-1].append(minute)
    return min(rows, key=lambda row: min(abs(each - to) for each in row), default=[])


MINUTE = timedelta(minutes=1)
ROW = 3 * MINUTE
"""A minute file holds up to three; farther apart they leave a gap between them."""


def _minutes(case: Mapping[str, Any], start: datetime) -> Iterator[datetime]:
    """The minutes of the incident, by name, or else by their distance from its begin."""
    for window in _dicts(case, "windows"):
        if name := _minute_in(str(window.get("name"))):
            same_day = start.replace(hour=name[0], minute=name[1], second=0)
            days = (timedelta(days=days) for days in (-1, 0, 1))
            yield min((same_day + day for day in days), key=lambda each: abs(each - start))
        elif "offset_min" in window:
            yield start.replace(second=0) + MINUTE * float(window["offset_min"])


def _quiet_minutes(case: Mapping[str, Any], start: datetime) -> Iterator[datetime]:
    """The fault-free minutes, of the day in their path or else that of the case."""
    for reference in _references(case):
        if name := _minute_in(reference.rpartition("/")[2]):
            day = re.search(r"\d{4}-\d\d-\d\d", reference)
            date = day[0] if day else case.get("day") or start.strftime("%Y-%m-%d")
            yield _time(f"{date}T{name[0]:02}:{name[1]:02}:00Z")


def _references(case: Mapping[str, Any]) -> list[str]:
    told = case.get("normal_reference") or ()
    return [told] if isinstance(told, str) else [str(each) for each in told]


def _dicts(case: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in case.get(name) or () if isinstance(each, dict)]


def _minute_in(text: str) -> tuple[int, int] | None:
    """Hour and minute in a name like 09_13."""
    found = re.search(r"(?<!\d)([01]\d|2[0-3])_([0-5]\d)(?!\d)", text)
    return (int(found[1]), int(found[2])) if found else None


def _time(value: Any) -> datetime:
    """A time as text (UTC unless it says otherwise) or as a number of s, ms, us or ns."""
    if isinstance(value, str) and not re.fullmatch(r"\d+(\.\d+)?", value):
        found = datetime.fromisoformat(value.strip().replace(" UTC", "Z").replace("/", "-"))
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    number = float(value)
    if not isfinite(number):
        raise ValueError(f"{value} is no time")
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
        with _told(baseline):
            quiet = _series(folder / baseline, scratch / "baseline.parquet")
            files.append((scratch / "baseline.parquet", json.dumps(metrics)))
    questions = []
    for number, case in enumerate(cases):
        with _told(str(case["case_id"])):
            path = scratch / f"{number}.parquet"
            times = _series(folder / case["metrics"], path)
            questions.append(_graph_case(case, times, quiet))
            files.append((path, json.dumps(metrics)))
    if (folder / graph).is_file():
        with _told(graph):
            path = _dependencies(folder / graph, scratch / "graph.jsonl")
            files.append((path, json.dumps(SERVICES)))
    return Load(tuple(files), tuple(questions))


def _graph_case(case: Mapping[str, Any], times: list[int], quiet: list[int]) -> Question:
    alert = case.get("alert") or {}
    began = _time(alert["timestamp"]) if alert.get("timestamp") else None
    # without a fault-free time, what was before the alert has to do; without an alert, the half
    change = began.timestamp() if began else sorted(times)[len(times) // 2]
    before = quiet or [at for at in times if at < change] or times
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
        {"onset": _text(began)} if began else {},
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
