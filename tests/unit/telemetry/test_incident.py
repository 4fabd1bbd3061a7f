from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.places import REPOSITORY
from tests.support.store import INCIDENT, Store
from workspace_ext.foundation.clock import parse_rfc3339
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.telemetry.ingest.incident import incident_folder, load_incident


def truth() -> dict[str, str]:
    loaded: dict[str, str] = yaml.safe_load((INCIDENT / "ground_truth.yaml").read_text())
    return loaded


def test_the_sample_incident_is_complete_and_small() -> None:
    incident = load_incident(INCIDENT)
    assert [file.path.name for file in incident.files] == [
        "spans.parquet", "logs.parquet", "metrics.parquet", "frontend.parquet",
    ]  # fmt: skip
    assert all(file.path.is_file() and file.mapping for file in incident.files)
    assert incident.baseline.end_ns < incident.window.start_ns
    assert sum(path.stat().st_size for path in INCIDENT.iterdir()) < 3_000_000
    assert "MIT License" in (INCIDENT / "LICENSE").read_text()


def test_the_alert_does_not_give_the_cause_away() -> None:
    assert truth()["service"] not in (INCIDENT / "incident.yaml").read_text()


def test_nothing_but_tests_reads_the_label() -> None:
    for root in ("workspace_ext", "kernels", "templates"):
        for path in (REPOSITORY / root).rglob("*"):
            if path.suffix in {".py", ".sql", ".ipynb"} and "node_modules" not in path.parts:
                assert "ground_truth" not in path.read_text("utf-8"), path


def test_the_label_shows_in_spans_and_metrics(store: Store) -> None:
    for name in ("spans", "metrics"):
        store.demo(name)
    incident, label = load_incident(INCIDENT), truth()
    start = parse_rfc3339(str(label["injected_at"].isoformat()))
    assert incident.window.start_ns <= start < incident.window.end_ns
    window, baseline = incident.window, incident.baseline
    inside = f"time_ns >= {window.start_ns} AND time_ns < {window.end_ns}"
    before = f"time_ns >= {baseline.start_ns} AND time_ns < {baseline.end_ns}"
    ratios = dict(
        store.rows(
            f"SELECT service, median(duration_ns) FILTER ({inside})"
            f" / median(duration_ns) FILTER ({before}) FROM spans GROUP BY 1"
        )
    )
    assert max(ratios, key=lambda service: ratios[service]) == label["service"]
    metric = label["inner"].removesuffix("(%)")
    assert store.rows(
        f"SELECT arg_max(pod, value), max(value) > 90 FROM metrics"
        f" WHERE name = '{metric}' AND {inside}"
    ) == [(label["pod"], True)]


def test_no_such_incident() -> None:
    with pytest.raises(NotFound, match="no sample incident 'x'"):
        incident_folder("x")


@pytest.mark.parametrize("text", [None, "", "title: x", "[1", "{files: [{file: a, mapping: b}]}"])
def test_a_folder_that_is_none(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "incident.yaml").write_text(text)
    with pytest.raises(BadInput) as caught:
        load_incident(tmp_path)
    assert caught.value.hint
