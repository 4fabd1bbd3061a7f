"""Labelled incidents as others hand them over: what is torn or missing is told and left out."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.benchmarks.root_cause import main, predict
from tests.benchmarks.root_cause_columns import mapping, pod_service
from tests.benchmarks.root_cause_data import loads, read_cases, trace_case

CASE = {"case_id": "A", "incident_start_utc": "2024-05-01 12:00:30"}


def test_a_torn_line_takes_no_other_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ['{"case_id": "A"', "", json.dumps({"case_id": "B"}), '{"other": 1}']
    (tmp_path / "cases.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert [case["case_id"] for case in read_cases(tmp_path)] == ["B"]
    told = capsys.readouterr().err
    assert "line 1: no case" in told
    assert "line 4: no case" in told


@pytest.mark.parametrize(
    "start", ["2024-05-01T12:00:30Z", "2024-05-01 12:00:30 UTC", 1714564830, "1714564830000"]
)
def test_a_case_without_minutes_is_asked_around_its_begin(start: object) -> None:
    question = trace_case(CASE | {"incident_start_utc": start})
    assert question.given == {"onset": "2024-05-01T12:00:30Z"}
    assert question.params["window"] == "2024-05-01T11:59:00Z/2024-05-01T12:03:30Z"
    assert question.params["baseline"] == "2024-05-01T11:49:00Z/2024-05-01T11:59:00Z"


def test_a_begin_that_nobody_tells_is_looked_for_in_the_minutes_of_the_case() -> None:
    case = {
        "case_id": "A",
        "day": "2024-05-01",
        "windows": ["odd", None, {"name": "12_00", "n": 1}],
    }
    question = trace_case(case)
    assert question.given == {}
    assert question.params["window"] == "2024-05-01T11:59:00Z/2024-05-01T12:01:00Z"
    with pytest.raises(ValueError, match="nothing tells when"):
        trace_case({"case_id": "B"})


def test_of_several_fault_free_times_the_nearest_is_the_baseline() -> None:
    told = ["log/09_30.csv", "log/11_30.csv", "trace/11_31.csv", {"name": "none"}, "23_59x/99_99"]
    question = trace_case(CASE | {"normal_reference": told})
    assert question.params["baseline"] == "2024-05-01T11:28:00Z/2024-05-01T11:32:00Z"
    alone = trace_case(CASE | {"normal_reference": "construct/2024-05-01/log/08_50_x.csv"})
    assert alone.params["baseline"] == "2024-05-01T08:48:00Z/2024-05-01T08:51:00Z"


def test_every_case_has_a_prediction_whatever_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [CASE | {"normal_reference": ["11_52"]}, {"case_id": 7}, CASE | {"case_id": "C"}]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)), encoding="utf-8")
    (tmp_path / "logs.parquet").write_bytes(b"torn")
    pd.DataFrame({"TraceID": [], "PodName": []}).to_parquet(tmp_path / "spans.parquet")
    pd.DataFrame(
        [
            {"timestamp": 1714564830 + at, "pod_name": f"{who}-7d9f8-abcde", "cpu(%)": 5 + used}
            for at in range(-700, 100, 10)
            for who, used in (("cart", 80 * (at > 0)), ("user", 0), ("mail", 0))
        ]
    ).to_parquet(tmp_path / "metrics.parquet")
    given = predict(tmp_path, ["given"])["given"]
    assert given.ranked == {"A": ["cart"], 7: [], "C": ["cart"]}
    told = capsys.readouterr().err
    for name in ("logs.parquet", "spans.parquet", "7"):
        assert f"{name}: left out" in told


def test_minutes_before_midnight_are_of_the_day_before() -> None:
    windows = [{"name": "23_59"}, {"name": "00_00"}, {"offset_min": 1}, {"name": "nonsense"}]
    question = trace_case(CASE | {"incident_start_utc": "2024-05-02T00:00:10Z", "windows": windows})
    assert question.params["window"] == "2024-05-01T23:58:00Z/2024-05-02T00:02:00Z"


def test_a_case_that_is_not_understood_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = [CASE, {"case_id": "B"}, {"case_id": "C", "incident_start_utc": "yesterday"}]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)), encoding="utf-8")
    start = 1714564830 * 10**9
    spans = {"StartTimeUnixNano": [start], "EndTimeUnixNano": [start + 2]}
    pd.DataFrame({"TraceID": ["t"], "SpanID": ["s"], **spans}).to_parquet(
        tmp_path / "spans.parquet"
    )
    (load,) = loads(tmp_path, tmp_path / "scratch")
    assert [question.case_id for question in load.questions] == ["A"]
    (_, mapping) = load.files[0]
    assert json.loads(mapping)["fields"]["end_time"] == {"column": "EndTimeUnixNano", "unit": "ns"}
    told = capsys.readouterr().err
    assert "B: left out" in told
    assert "C: left out" in told


def test_metrics_without_baseline_and_graph_are_compared_with_what_was_before_the_alert(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = pd.MultiIndex.from_tuples([("web", "latency-90", "avg"), ("db", "cpu", "avg")])
    times = [1714564800 + 60 * at for at in range(10)]
    frame = pd.DataFrame([[1.0, "torn"]] * 10, index=times, columns=columns)
    frame.to_csv(tmp_path / "A.csv")
    alert = {"node": "web", "metric": "latency-90", "agg": "avg", "timestamp": times[5]}
    cases = [
        {"case_id": "A", "metrics": "A.csv", "alert": alert},
        {"case_id": "B", "metrics": "gone.csv", "alert": alert},
        {"case_id": "C", "metrics": "A.csv"},
    ]
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, cases)), encoding="utf-8")
    (load,) = loads(tmp_path, tmp_path / "scratch")
    question, other = load.questions
    assert (other.case_id, other.given, other.params["service"]) == ("C", {}, None)
    assert question.params["baseline"] == "2024-05-01T12:00:00Z/2024-05-01T12:04:01Z"
    assert question.params["symptom"] == "latency-90.avg"
    told = capsys.readouterr().err
    assert "B: left out" in told


START = 1714564830_000000000


@pytest.mark.parametrize(
    ("begin", "unit"),
    [
        (START, "ns"),
        (START // 1000, "us"),
        (str(START // 10**6), "ms"),
        (START / 1e9, "s"),
        ("2024-05-01T12:00:30Z", None),
    ],
)
def test_the_unit_of_a_time_is_known_by_its_size(
    tmp_path: Path, begin: int | float | str, unit: str | None
) -> None:
    fields = fields_of(tmp_path, "spans", StartTimeUnixNano=begin, Duration=5)
    assert fields["time"].get("unit") == unit
    assert fields["duration"]["unit"] == "us"


@pytest.mark.parametrize(("took", "unit"), [(2e9, "ns"), ("2000000", "us"), (2000, "ms"), (2, "s")])
def test_the_unit_of_a_duration_is_known_by_begin_and_end(
    tmp_path: Path, took: float | str, unit: str
) -> None:
    end = START + 2 * 10**9
    times = {"StartTimeUnixNano": START, "EndTimeUnixNano": end, "Duration": took}
    assert fields_of(tmp_path, "spans", **times)["duration"]["unit"] == unit


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("12:00:30.1 WARN  a.B#3 slow", "WARN"),
        ("2024-05-01T12:00:30 [ERROR] it broke", "ERROR"),
        ('{"user": "x", "severity": "error", "message": "it broke"}', "error"),
    ],
)
def test_a_line_tells_its_level_in_text_or_json(tmp_path: Path, line: str, level: str) -> None:
    record = json.dumps({"log": line, "time": "2024-05-01T12:00:30Z"})
    for text in (line, record):
        fields = fields_of(tmp_path, "logs", TimeUnixNano=START, Log=text)
        by_column = {"column": "TimeUnixNano", "unit": "ns"}
        assert fields["time"] == (by_column if text == line else {"column": "Log", "json": "time"})
        found = re.search(fields["severity"]["extract"], line)
        assert found
        assert found[1] == level
        assert (fields["body"] == "Log") is (text == line)


def test_metrics_are_the_columns_of_numbers(tmp_path: Path) -> None:
    told = {"TimeStamp": 1714564830, "cpu(%)": "1.5", "mem": 2, "zone": "a", "none": None}
    pd.DataFrame({name: [value] for name, value in told.items()}).to_parquet(
        tmp_path / "metrics.parquet"
    )
    (tmp_path / "cases.jsonl").write_text(json.dumps(CASE), encoding="utf-8")
    (load,) = loads(tmp_path, tmp_path / "scratch")
    assert json.loads(load.files[0][1])["wide"] == {
        "cpu(%)": {"name": "cpu", "unit": "%"},
        "mem": {"name": "mem"},
    }


def test_a_metric_that_only_later_rows_have_is_read(tmp_path: Path) -> None:
    rows = [{"TimeStamp": 1714564830 + at, "cpu": 1.0} for at in range(1100)]
    pd.DataFrame([*rows, {"TimeStamp": 1714564830, "late": 2.0}]).to_parquet(
        tmp_path / "metrics.parquet"
    )
    assert set(mapping(tmp_path / "metrics.parquet", "metrics")["wide"]) == {"cpu", "late"}


def test_columns_are_known_however_they_are_written(tmp_path: Path) -> None:
    row = {"trace_id": "t", "SPANID": "s", "start_time_unix_nano": START, "duration": 5}
    fields = fields_of(tmp_path, "spans", **row)
    assert fields["trace_id"] == "trace_id"
    assert fields["span_id"] == "SPANID"
    assert fields["time"] == {"column": "start_time_unix_nano", "unit": "ns"}


def test_lines_may_tell_their_trace_themselves(tmp_path: Path) -> None:
    said = f"12:00 INFO TraceID: {'ab' * 16} SpanID: {'cd' * 8} done"
    fields = fields_of(tmp_path, "logs", TimeUnixNano=START, Log=said)
    found = [re.search(fields[name]["extract"], said) for name in ("trace_id", "span_id")]
    assert [each and each[1] for each in found] == ["ab" * 16, "cd" * 8]
    fields = fields_of(tmp_path, "logs", TimeUnixNano=START, Log=said, TraceID="t", SpanID="s")
    assert (fields["trace_id"], fields["span_id"]) == ("TraceID", "SpanID")


def fields_of(folder: Path, signal: str, **row: object) -> dict[str, Any]:
    """How a file with one row would be read."""
    pd.DataFrame([row]).to_parquet(folder / f"{signal}.parquet")
    (folder / "cases.jsonl").write_text(json.dumps(CASE), encoding="utf-8")
    (load,) = loads(folder, folder / "scratch")
    fields: dict[str, Any] = json.loads(load.files[0][1])["fields"]
    return fields


def test_the_owner_of_an_instance_is_its_name_without_what_tells_the_instance() -> None:
    names = {
        "cart-service-7d9f8-abcde": "cart-service",
        "cart-service-bcdfghjklm-xzvbn": "cart-service",
        "prod/cart-6c9f8bb7d-x2x4z": "cart",
        "ts-cart-service": "ts-cart-service",
        "cart-db-0": "cart-db",
        "frontend": "frontend",
        "a-b": "a-b",
    }
    assert {pod: pod_service(pod) for pod in names} == names


def test_a_folder_without_cases_is_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["root_cause.py", str(tmp_path)])
    assert main() == 2
    assert "no cases.jsonl" in capsys.readouterr().err
