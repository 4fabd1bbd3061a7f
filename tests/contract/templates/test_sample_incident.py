"""The eight templates lead from the alert of the sample incident to its labelled cause."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.store import INCIDENT, Store, open_store
from workspace_ext.inquiry.templates.binding import BindContext, bind
from workspace_ext.inquiry.templates.judge import Judge
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.inquiry.templates.quality import Probe, parts_of
from workspace_ext.inquiry.templates.stepping import after
from workspace_ext.protocol.messages import Verdict
from workspace_ext.telemetry.ingest.incident import load_incident

LIBRARY = TemplateLibrary(default_paths())
TRUTH = yaml.safe_load((INCIDENT / "ground_truth.yaml").read_text("utf-8"))
Rows = list[dict[str, Any]]


class Analyst:
    """Asks templates within the window and baseline of the incident."""

    def __init__(self, store: Store) -> None:
        incident = load_incident(INCIDENT)
        for file in incident.files:
            store.ingest(file.path, name=file.path.name, mapping=file.mapping)
        self.context = BindContext(incident.window, incident.baseline)
        self.store = store

    def ask(self, template_id: str, **params: Any) -> tuple[Verdict, Rows]:
        template = LIBRARY.get(template_id)
        bound = bind(template, params, self.context)
        judge = Judge(template, bound.arguments)
        probe = Probe(parts_of(template, bound.arguments))
        with self.store.engine.cursor() as cursor:
            cursor.execute(f"SET VARIABLE pin = {self.store.catalog.pin()}")
            reader = cursor.sql(template.sql, params=dict(bound.values)).to_arrow_reader(10_000)
            rows = after(template, reader.read_all(), bound.arguments)
            batches = rows.to_batches()
            for batch in batches:
                judge.feed(batch)
            assert probe.sql is not None
            known = cursor.sql(probe.sql, params=probe.values).to_arrow_reader(10_000)
            judge.warn(probe.warnings([row for batch in known for row in batch.to_pylist()]))
        return judge.verdict(), [row for batch in batches for row in batch.to_pylist()]


@pytest.fixture(scope="module")
def analyst(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Analyst]:
    path: Path = tmp_path_factory.mktemp("store") / "store"
    with open_store(path) as store:
        yield Analyst(store)


def test_triage_names_the_service_first(analyst: Analyst) -> None:
    verdict, rows = analyst.ask("triage.overview")

    assert verdict["interesting"] is True
    assert verdict["warnings"] == []
    assert (rows[0]["service"], rows[0]["finding"]) == (TRUTH["service"], "slower")


def test_its_calls_lose_their_time_on_the_way(analyst: Analyst) -> None:
    verdict, rows = analyst.ask("dependencies.map")

    assert verdict["interesting"] is True
    assert [row["caller"] for row in rows[:3]] == [TRUTH["service"]] * 3
    assert rows[0]["finding"] == "slower between the two"


def test_what_it_calls_is_as_fast_as_before(analyst: Analyst) -> None:
    for service in (
        "ts-price-service",
        "ts-station-service",
        "ts-train-service",
        "ts-route-service",
    ):
        assert analyst.ask("latency.shift", service=service)[0]["interesting"] is False


def test_its_operations_got_slower_most(analyst: Analyst) -> None:
    verdict, rows = analyst.ask("latency.shift")

    assert verdict["interesting"] is True
    assert rows[0]["service"] == TRUTH["service"]


def test_spans_that_are_slow_themselves_share_its_pod(analyst: Analyst) -> None:
    _, rows = analyst.ask("attributes.compare")

    assert (rows[0]["attribute"], rows[0]["value"]) == ("pod", TRUTH["pod"])


def test_the_processor_of_its_pod_left_its_level_with_the_latency(analyst: Analyst) -> None:
    verdict, rows = analyst.ask("metrics.shift")

    assert verdict["interesting"] is True
    assert (rows[0]["pod"], rows[0]["metric"]) == (TRUTH["pod"], "CpuUsageRate")
    assert rows[0]["correlation"] > 0.8


def test_the_errors_of_these_minutes_are_another_story(analyst: Analyst) -> None:
    origin, rows = analyst.ask("errors.origin")
    logs, _ = analyst.ask("logs.pattern_difference")

    assert origin["interesting"] is True
    assert rows[0]["service"] == "ts-seat-service"
    assert "No instances available for ts-config-service" in logs["reason"]
    for template_id in ("latency.shift", "metrics.shift"):
        verdict, _ = analyst.ask(template_id, service="ts-config-service")
        assert verdict["interesting"] is False


def test_exemplars_show_slow_failing_and_typical_traces(analyst: Analyst) -> None:
    verdict, rows = analyst.ask("traces.exemplars")

    assert verdict["interesting"] is True
    assert {row["sort"] for row in rows} == {"failing", "slow", "typical"}


@pytest.mark.parametrize("template_id", [template.id for template in LIBRARY.list()])
def test_the_same_question_has_the_same_answer(analyst: Analyst, template_id: str) -> None:
    first = analyst.ask(template_id)

    assert all(analyst.ask(template_id) == first for _ in range(3))
