"""The step behind rca.ranking on made-up incidents of many kinds, and its newer parts."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.support import metered
from tests.support.incidents import Incident
from workspace_ext.inquiry.causes.changed import changed
from workspace_ext.inquiry.causes.ranking import rank
from workspace_ext.inquiry.causes.visits import visits


def ranked(incident: Incident, **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = rank(incident.table(), incident.params | params).to_pylist()
    return rows


@pytest.mark.parametrize("kind", ["down", "network delay", "exception", "config", "memory leak"])
def test_an_incident_on_a_system_of_its_own_ranks_first(kind: str) -> None:
    incident = Incident(1, kind, size=5)
    first = ranked(incident)[0]
    assert first["service"] == incident.truth


@pytest.mark.parametrize("kind", metered.FAULTS)
def test_metrics_alone_tell_a_cause(kind: str) -> None:
    incident = metered.Metered(3 if kind != "processor" else 4, kind)
    first = rank(incident.table(), incident.params).to_pylist()[0]
    assert first["service"] == incident.truth


def lines(*rows: tuple[int, str | None, str]) -> pa.Table:
    times, traces, services = zip(*rows, strict=True)
    count = len(rows)
    return pa.table(
        {
            "is_now": [True] * count,
            "time_ns": times,
            "trace_id": pa.array(traces, pa.string()),
            "service": services,
            "pod": pa.nulls(count, pa.string()),
            "failed": [False] * count,
            "text": ["said"] * count,
        }
    )


def test_the_lines_that_enclose_others_are_their_caller() -> None:
    spans, _ = visits(
        lines((1, "t", "web"), (2, "t", "cart"), (3, "t", "cart"), (4, "t", "web"), (5, None, "db"))
    )
    parents = dict(
        zip(spans["service"].to_pylist(), spans["parent_span_id"].to_pylist(), strict=True)
    )
    assert parents == {"web": None, "cart": "web", "db": None}
    assert len(pc.unique(spans["trace_id"])) == 2


def test_no_lines_are_no_visits() -> None:
    spans, logs = visits(lines((1, "t", "web")).slice(0, 0))
    assert (spans.num_rows, logs.num_rows) == (0, 0)


def events(*rows: tuple[str | None, int]) -> pa.Table:
    services, seconds = zip(*rows, strict=True)
    return pa.table(
        {
            "service": pa.array(services, pa.string()),
            "name": ["deploy"] * len(rows),
            "text": ["v2"] * len(rows),
            "time_ns": [at * 10**9 for at in seconds],
        }
    )


def test_the_change_nearest_before_the_onset_is_the_least_accidental() -> None:
    told = events(("cart", 3590), ("cart", 100), ("web", 2000), (None, 3595), ("late", 3700))
    found = changed(told, 3600 * 10**9, slack=60, history=3600)
    assert [one.service for one in found] == ["cart", "web"]
    assert found[0].before_s == 10
    assert found[0].chance < found[1].chance < 1


def test_a_change_alone_makes_no_verdict() -> None:
    rows = ranked(Incident(2, "nothing", size=5))
    assert rows[0]["verdict"] == "cannot tell"
