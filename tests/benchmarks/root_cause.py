"""Root-cause ranking, measured: ``python tests/benchmarks/root_cause.py DATA_DIR [--json]``.

DATA_DIR has the format of the shared incident data: either spans, logs and metrics as Parquet with
minute files (nezha), or metrics per case with a baseline and a call graph (petshop). The telemetry
goes through the real ingest into a real store, every case of ``cases.jsonl`` is asked of the
template ``rca.ranking`` through a broker, and the predictions are written. Only then are the labels
opened, to score them.

Two settings: ``given`` tells when the fault was injected (or the alert was raised), as published
methods are told; ``found`` leaves the onset to the template. Nothing is fitted to the cases, so the
figures that leave out a service or a fault type are simply those of the other cases.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a script
    sys.path.insert(0, str(ROOT))

from workspace_ext.client.broker import BrokerClient  # noqa: E402
from workspace_ext.client.discovery import connect  # noqa: E402
from workspace_ext.storage.folder import StoreFolder  # noqa: E402

SETTINGS = ("given", "found")
FAULT_MINUTES = 3
"""How long a fault of the nezha data lasts, as its README says."""

_POD = r"^(.*)-[^-]+-[^-]+$"


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


@dataclass
class Predicted:
    """What came out of one setting."""

    ranked: dict[str, list[str]] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def read_cases(folder: Path) -> list[dict[str, Any]]:
    """The incidents of a folder, without their labels."""
    lines = (folder / "cases.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def loads(folder: Path, scratch: Path) -> Iterator[Load]:
    """What to ingest, and to ask, by the format of the folder."""
    cases = read_cases(folder)
    if (folder / "spans.parquet").is_file():
        yield _traces(folder, cases)
        return
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        groups[case["baseline"], case["graph"]].append(case)
    for number, ((baseline, graph), members) in enumerate(sorted(groups.items())):
        yield _graph(folder, scratch / str(number), baseline, graph, members)


def predict(folder: Path, settings: Sequence[str] = SETTINGS) -> dict[str, Predicted]:
    """Ingests and ranks; opens no label."""
    out = {setting: Predicted() for setting in settings}
    with tempfile.TemporaryDirectory() as scratch:
        for number, load in enumerate(loads(folder, Path(scratch) / "files")):
            store = Path(scratch) / f"store{number}"
            StoreFolder.create(store)
            with connect(store) as client:
                for path, mapping in load.files:
                    client.ingest(path, mapping=mapping)
                for question in load.questions:
                    for setting in settings:
                        _ask(client, question, setting, out[setting])
    return out


def _ask(client: BrokerClient, question: Question, setting: str, out: Predicted) -> None:
    params = question.params | (question.given if setting == "given" else {})
    began = time.perf_counter()
    result = client.query({"template": "rca.ranking", "params": params})
    out.seconds[question.case_id] = time.perf_counter() - began
    rows = result.table.to_pylist()
    out.ranked[question.case_id] = [row["service"] for row in rows if row["service"]]
    out.verdicts[question.case_id] = rows[0]["verdict"] if rows else "cannot tell"


# -- the nezha format ------------------------------------------------------------------------


def _traces(folder: Path, cases: list[dict[str, Any]]) -> Load:
    import pyarrow.parquet as pq

    service = {"column": "PodName", "extract": _POD}
    spans = {
        "signal": "spans",
        "fields": {
            "time": {"column": "StartTimeUnixNano", "unit": "ns"},
            "duration": {"column": "Duration", "unit": "us"},
            "trace_id": "TraceID",
            "span_id": "SpanID",
            "parent_span_id": {"column": "ParentID", "map": {"root": None}},
            "name": "OperationName",
            "service": service,
            "pod": "PodName",
        },
    }
    logs = {
        "signal": "logs",
        "fields": {
            "time": {"column": "Log", "json": "time"},
            "body": {"column": "Log", "json": "log"},
            "severity": {"column": "Log", "json": "log", "extract": r"^\S+\s+(\S+)"},
            "trace_id": "TraceID",
            "span_id": "SpanID",
            "service": service,
            "pod": "PodName",
        },
    }
    columns = pq.read_schema(folder / "metrics.parquet").names
    left_out = {"source_file", "Time", "TimeStamp", "PodName"}
    wide = {name: _wide(name) for name in columns if name not in left_out}
    metrics = {
        "signal": "metrics",
        "fields": {
            "time": {"column": "TimeStamp", "unit": "s"},
            "service": service,
            "pod": "PodName",
        },
        "wide": wide,
    }
    mapped = (("spans", spans), ("logs", logs), ("metrics", metrics))
    files = tuple((folder / f"{name}.parquet", json.dumps(mapping)) for name, mapping in mapped)
    return Load(files, tuple(_trace_case(case) for case in cases))


def _wide(column: str) -> dict[str, str]:
    unit = re.search(r"\(([^)]*)\)$", column)
    return {"name": column.partition("(")[0]} | ({"unit": unit[1]} if unit else {})


def _trace_case(case: Mapping[str, Any]) -> Question:
    minutes = sorted(_minute(case["day"], window["name"]) for window in case["windows"])
    # a minute file named 09_13 holds about 09:12:xx to 09:13:xx
    window = (minutes[0] - timedelta(minutes=1), minutes[-1] + timedelta(minutes=1))
    quiet = [_minute(case["day"], name) for name in _names(case["normal_reference"])]
    baseline = (min(quiet) - timedelta(minutes=2), max(quiet) + timedelta(minutes=1))
    start = datetime.fromisoformat(case["incident_start_utc"])
    over = min(window[1], max(start + timedelta(minutes=FAULT_MINUTES), window[0]))
    return Question(
        case["case_id"],
        {"window": _span(*window), "baseline": _span(*baseline)},
        {"window": _span(window[0], over), "onset": _text(start)},
    )


def _names(references: Sequence[str]) -> list[str]:
    return [found[0] for each in references if (found := re.search(r"\d\d_\d\d", Path(each).name))]


def _minute(day: str, name: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{name[:2]}:{name[3:5]}:00+00:00")


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
    quiet = _series(folder / baseline, scratch / "baseline.parquet")
    files = [(scratch / "baseline.parquet", json.dumps(metrics))]
    questions = []
    for case in cases:
        path = scratch / f"{case['case_id']}.parquet"
        times = _series(folder / case["metrics"], path)
        files.append((path, json.dumps(metrics)))
        alert = case["alert"]
        questions.append(
            Question(
                case["case_id"],
                {
                    "window": _span(_moment(min(times)), _moment(max(times) + 1)),
                    "baseline": _span(_moment(min(quiet)), _moment(max(quiet) + 1)),
                    "history": "1s",
                    "service": alert["node"],
                    "symptom": f"{alert['metric']}.{alert['agg']}",
                },
                {"onset": _text(_moment(alert["timestamp"]))},
            )
        )
    files.append((_dependencies(folder / graph, scratch / "graph.jsonl"), json.dumps(SERVICES)))
    return Load(tuple(files), tuple(questions))


SERVICES = {"signal": "services", "fields": {"name": "name", "depends_on": "depends_on"}}


def _series(path: Path, to: Path) -> list[int]:
    import pandas as pd

    frame = pd.read_csv(path, header=[0, 1, 2], index_col=0)
    parts = [
        pd.DataFrame(
            {
                "time": frame.index.astype("int64"),
                "service": service,
                "name": f"{metric}.{statistic}",
                "value": frame[service, metric, statistic].astype(float).to_numpy(),
            }
        )
        for service, metric, statistic in frame.columns
    ]
    pd.concat(parts).dropna(subset="value").to_parquet(to, index=False)
    return [int(at) for at in frame.index]


def _dependencies(path: Path, to: Path) -> Path:
    import pandas as pd

    matrix = pd.read_csv(path, index_col=0)
    lines = [
        json.dumps({"name": caller, "depends_on": ",".join(matrix.columns[row > 0])})
        for caller, row in matrix.iterrows()
    ]
    to.write_text("\n".join(lines), encoding="utf-8")
    return to


# -- scoring: the only part that sees labels ---------------------------------------------------


def score(
    labels: Sequence[Mapping[str, Any]], ranked: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """AC@1, AC@3, AC@5 and Avg@5, as `score.py` beside the data computes them."""
    places = []
    for label in labels:
        truth = label.get("root_cause_service") or label["root_cause_node"]
        named = list(dict.fromkeys(ranked.get(label["case_id"], ())))
        places.append(named.index(truth) + 1 if truth in named else None)
    at = [sum(p is not None and p <= k for p in places) / max(len(places), 1) for k in range(1, 6)]
    return {"n": len(places), "AC@1": at[0], "AC@3": at[2], "AC@5": at[4], "Avg@5": sum(at) / 5}


def report(folder: Path, predicted: Mapping[str, Predicted]) -> dict[str, Any]:
    """Opens the labels and scores what was predicted before."""
    lines = (folder / "labels.jsonl").read_text("utf-8").splitlines()
    labels = [json.loads(line) for line in lines if line.strip()]
    out: dict[str, Any] = {"data": folder.name, "fitted": "nothing", "settings": {}}
    for setting, one in predicted.items():
        told = [case for case, verdict in one.verdicts.items() if verdict == "likely"]
        out["settings"][setting] = {
            **score(labels, one.ranked),
            "seconds_a_case": round(median(one.seconds.values()), 3),
            "told": len(told),
            "AC@1 of those told": score([x for x in labels if x["case_id"] in told], one.ranked)[
                "AC@1"
            ],
            "without": {
                f"{key} {value}": score([x for x in labels if x.get(key) != value], one.ranked)
                for key in ("root_cause_service", "root_cause_node", "fault_type")
                for value in sorted({x[key] for x in labels if x.get(key)})
            },
            "ranked": one.ranked,
        }
    return out


def _span(start: datetime, end: datetime) -> str:
    return f"{_text(start)}/{_text(end)}"


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def main() -> int:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description="Root-cause ranking on labelled incidents.")
    parser.add_argument("data", type=Path, help="a folder as nezha-trainticket or petshop")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    parser.add_argument("--predictions", type=Path, help="a folder to keep the predictions in")
    parser.add_argument("--unscored", action="store_true", help="predict only; open no label")
    given = parser.parse_args()
    if not (given.data / "cases.jsonl").is_file():
        print(f"there is no cases.jsonl in {given.data}", file=sys.stderr)
        return 2
    predicted = predict(given.data)
    folder = given.predictions or Path(tempfile.mkdtemp(prefix="root-cause-"))
    folder.mkdir(parents=True, exist_ok=True)
    for setting, one in predicted.items():
        lines = [json.dumps({"case_id": case, "ranked": who}) for case, who in one.ranked.items()]
        (folder / f"{setting}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if given.unscored or not (given.data / "labels.jsonl").is_file():
        print(folder)
        return 0
    scored = report(given.data, predicted)
    if given.json:
        print(json.dumps(scored, indent=1))
        return 0
    print(f"| {given.data.name} | n | AC@1 | AC@3 | AC@5 | Avg@5 | s a case | told (AC@1) |")
    print("|---|---|---|---|---|---|---|---|")
    for setting, figures in scored["settings"].items():
        told = f"{figures['told']} ({figures['AC@1 of those told']:.3f})"
        print(_line(f"onset {setting}", figures, f"{figures['seconds_a_case']:.2f} | {told}"))
        for left_out, others in figures["without"].items():
            print(_line(f"onset {setting}, without {left_out}", others, "|"))
    print(f"predictions: {folder}", file=sys.stderr)
    return 0


def _line(name: str, figures: Mapping[str, Any], rest: str) -> str:
    values = " | ".join(f"{figures[key]:.3f}" for key in ("AC@1", "AC@3", "AC@5", "Avg@5"))
    return f"| {name} | {figures['n']} | {values} | {rest} |"


if __name__ == "__main__":
    sys.exit(main())
