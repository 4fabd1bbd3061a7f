"""Published methods on the same incidents: ``python tests/benchmarks/root_cause_beside.py``.

``DATA_DIR --run METHOD=PYTHON …`` runs each method of `root_cause_others` by the Python of an
environment where its package is installed (``python -m venv DIR; DIR/bin/pip install fse-baro``,
``RCAEval "pyarrow<20"``, ``dowhy``), and prints it in the table of `root_cause`. They are told the
onset and given the metrics of the hour before (or of the fault-free baseline) and of the window.
``dowhy`` needs a call graph; Drain3, which only groups lines, is in the table of `log_patterns`.
Labels are opened after all predictions are made.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:  # run as a script
    sys.path.insert(0, str(ROOT))

from tests.benchmarks.root_cause import labels_of, score  # noqa: E402
from tests.benchmarks.root_cause_data import pod_service, read_cases, trace_case  # noqa: E402

LIMIT_SECONDS = 3600


def prepared(folder: Path, scratch: Path) -> Iterator[dict[str, Any]]:
    """The cases of a folder as `root_cause_others` takes them."""
    wide = pd.read_parquet(folder / "metrics.parquet") if _has_traces(folder) else None
    for case in read_cases(folder):
        if wide is not None:
            before, after, more = _of_pods(wide, case)
        else:
            before, after, more = _of_nodes(folder, case)
        paths = {}
        for name, frame in (("before", before), ("after", after)):
            paths[name] = str(scratch / f"{case['case_id']}.{name}.parquet")
            frame.reset_index(drop=True).to_parquet(paths[name])
        yield {"case_id": case["case_id"], **paths, **more}


def _has_traces(folder: Path) -> bool:
    return (folder / "metrics.parquet").is_file()


def _of_pods(
    wide: pd.DataFrame, case: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    question = trace_case(case)
    onset = datetime.fromisoformat(question.given["onset"])
    end = datetime.fromisoformat(question.params["window"].partition("/")[2])
    begin = (onset - timedelta(hours=1)).timestamp()
    near = wide[(wide["TimeStamp"] >= begin) & (wide["TimeStamp"] < end.timestamp())]
    values = [name for name in near.columns if pd.api.types.is_numeric_dtype(near[name])]
    values.remove("TimeStamp")
    table = near.pivot_table(index="TimeStamp", columns="PodName", values=values)
    owner = {f"{pod}_{metric}": pod_service(pod) for metric, pod in table.columns}
    table.columns = [f"{pod}_{metric}" for metric, pod in table.columns]
    now = table.index >= onset.timestamp()
    return table[~now], table[now], {"owner": owner}


def _of_nodes(
    folder: Path, case: dict[str, Any]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    before, now = (
        pd.read_csv(folder / case[name], header=[0, 1, 2], index_col=0)
        for name in ("baseline", "metrics")
    )
    alert = case["alert"]
    now = now[now.index >= alert["timestamp"] - 300]
    wanted = (alert["metric"], alert["agg"])
    symptom = {
        who: f"{who}_{'.'.join(wanted)}" for who, *what in now.columns if tuple(what) == wanted
    }
    owner = {f"{who}_{metric}.{agg}": who for who, metric, agg in now.columns}
    graph = pd.read_csv(folder / case["graph"], index_col=0)
    edges = [
        (caller, callee) for caller, row in graph.iterrows() for callee in graph.columns[row > 0]
    ]
    for frame in (before, now):
        frame.columns = [f"{who}_{metric}.{agg}" for who, metric, agg in frame.columns]
    shared = [name for name in now.columns if name in before.columns]
    more = {
        "owner": owner,
        "graph": edges,
        "target": alert["node"],
        "symptom": {who: name for who, name in symptom.items() if name in shared},
    }
    return before[shared], now[shared], more


def run(method: str, python: str, cases: list[dict[str, Any]], scratch: Path) -> dict[str, Any]:
    """Ranks by one method in its own environment."""
    asked, out = scratch / "cases.json", scratch / f"{method}.jsonl"
    asked.write_text(json.dumps(cases), encoding="utf-8")
    script = Path(__file__).with_name("root_cause_others.py")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    ended = subprocess.run(
        [python, str(script), method, str(asked), str(out)],
        env=clean,
        timeout=LIMIT_SECONDS,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode or not out.is_file():
        return {"error": (ended.stderr.strip().splitlines() or ["it ended without an answer"])[-1]}
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    return {
        "ranked": {line["case_id"]: line["ranked"] for line in lines},
        "failed": {line["case_id"]: line["error"] for line in lines if line["error"]},
        "cpu_seconds": sorted(line["seconds"] for line in lines)[len(lines) // 2],
    }


def main() -> int:
    """Runs it."""
    parser = argparse.ArgumentParser(description="Published methods on labelled incidents.")
    parser.add_argument("data", type=Path)
    parser.add_argument("--run", action="append", default=[], metavar="METHOD=PYTHON")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        cases = list(prepared(given.data, Path(made)))
        found = {
            method: run(method, python, cases, Path(made))
            for method, _, python in (each.partition("=") for each in given.run)
        }
    labels = labels_of(given.data)
    for one in found.values():
        if "ranked" in one:
            one["figures"] = score(labels, one["ranked"])
    if given.json:
        print(json.dumps(found, indent=1))
        return 0
    print(f"| {given.data.name} | n | AC@1 | AC@3 | AC@5 | Avg@5 | cpu s a case | failed |")
    print("|---|---|---|---|---|---|---|---|")
    for method, one in found.items():
        if "figures" not in one:
            print(f"| {method} | could not run: {one['error']} |")
            continue
        values = [f"{one['figures'][key]:.3f}" for key in ("AC@1", "AC@3", "AC@5", "Avg@5")]
        cells = [method, str(one["figures"]["n"]), *values, f"{one['cpu_seconds']:.2f}"]
        print(f"| {' | '.join(cells)} | {len(one['failed'])} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
