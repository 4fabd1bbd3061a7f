"""The benchmark's path on a part of the real data: ingest, ask through a broker, without labels."""

import json
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

from tests.benchmarks.root_cause import labels_of, predict, score
from tests.benchmarks.root_cause_data import read_cases
from tests.benchmarks.root_cause_stress import gather
from tests.support.boutique import FAULTS, Boutique, write_folder
from tests.support.places import shared_data

CASES = ("TT-23", "TT-36")
"""A defect that no line of the log tells, and a slow network before a service that few call."""


def part_of(folder: Path, to: Path) -> Path:
    """Copies some cases, with the telemetry of their day and without labels."""
    cases = [case for case in read_cases(folder) if case["case_id"] in CASES]
    (to / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)), encoding="utf-8")
    minutes = {(case["day"], window["name"]) for case in cases for window in case["windows"]}
    quiet = [each for case in cases for each in case["normal_reference"]]
    minutes |= {(each.split("/")[1], Path(each).name[:5]) for each in quiet}
    for name in ("spans", "logs"):
        table = pq.read_table(folder / f"{name}.parquet")
        files = table.column("source_file").to_pylist()
        kept = [
            any(f"/{day}/" in file and f"/{minute}_" in file for day, minute in minutes)
            for file in files
        ]
        pq.write_table(table.filter(kept), to / f"{name}.parquet")
    metrics = pq.read_table(folder / "metrics.parquet")
    starts = [datetime.fromisoformat(case["incident_start_utc"]).timestamp() for case in cases]
    near = [any(abs(t - s) < 1800 for s in starts) for t in metrics["TimeStamp"].to_pylist()]
    pq.write_table(metrics.filter(near), to / "metrics.parquet")
    return to


def test_real_faults_rank_first_and_no_label_is_opened(tmp_path: Path) -> None:
    folder = shared_data("nezha-trainticket")
    predicted = predict(part_of(folder, tmp_path), ("given",))["given"]
    assert set(predicted.ranked) == set(CASES)
    lines = (folder / "labels.jsonl").read_text("utf-8").splitlines()
    labels = [label for label in map(json.loads, lines) if label["case_id"] in CASES]
    assert score(labels, predicted.ranked)["AC@1"] == 1
    # of the few requests that met the other, its baseline alone varies as much
    assert predicted.verdicts["TT-23"] == "likely"


def test_faults_in_a_shop_of_many_languages_rank_first(tmp_path: Path) -> None:
    made = [Boutique(100, kind) for kind in FAULTS]
    write_folder(tmp_path, made)
    predicted = predict(tmp_path, ("found",))["found"]
    assert set(predicted.ranked) == {f"{kind} 100" for kind in FAULTS}
    assert score(labels_of(tmp_path), predicted.ranked)["AC@1"] >= 0.85


def test_lines_right_after_the_baseline_are_told_once(tmp_path: Path) -> None:
    write_folder(tmp_path, [Boutique(104, "nothing")])
    ((case,), _) = gather(tmp_path)
    assert case.params["baseline_end"] == case.params["window_start"]
    columns = (case.table.column(name).to_pylist() for name in ("part", "time_ns", "text"))
    lines = [row for row in zip(*columns, strict=True) if row[0] == "log"]
    assert len(lines) > 1000
    assert len(set(lines)) == len(lines)


def test_the_scorer_counts_as_the_one_beside_the_data() -> None:
    labels = [{"case_id": each, "root_cause_service": "a"} for each in ("1", "2", "3", "4")]
    figures = score(labels, {"1": ["a"], "2": ["b", "b", "a"], "3": ["b", "c", "d", "a"]})
    assert figures == {"n": 4, "AC@1": 0.25, "AC@3": 0.5, "AC@5": 0.75, "Avg@5": 0.55}
