"""The step behind rca.ranking, on made-up systems with a planted fault."""

from typing import Any

import pyarrow as pa
import pytest

from tests.support.planted import ONSET_SECONDS, SCHEMA, START, System
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.causes.ranking import rank


def ranked(system: System, **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = rank(system.table(), system.params | params).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("fault", "seed", "services", "log_format"),
    [
        ("exception", 3, 6, "java"),
        ("exception", 4, 8, "plain"),
        ("silent", 5, 8, "json"),
        ("slow callee", 6, 6, "go"),
        ("slow caller", 7, 8, "java"),
        ("processor", 8, 6, "plain"),
    ],
)
def test_a_planted_fault_ranks_first(fault: str, seed: int, services: int, log_format: str) -> None:
    system = System(seed, services, fault, log_format)
    first = ranked(system)[0]
    assert (first["service"], first["verdict"]) == (system.guilty, "likely")
    assert first["pod"] == f"{system.guilty}-0"
    assert first["evidence"]
    if fault != "processor":
        assert first["example_trace"].startswith("t")
        found = first["onset"].timestamp() - START / 1e9
        assert abs(found - ONSET_SECONDS) <= 20


def test_methods_that_agree_are_named() -> None:
    first = ranked(System(8, 6, "processor"))[0]
    assert set(first["methods"].split(", ")) == {"resources", "times"}
    assert first["agree"] == 2
    assert "cpu_usage" in first["evidence"]


def test_a_drift_of_what_is_asked_for_is_no_cause() -> None:
    rows = ranked(System(3, 6))
    assert rows[0]["verdict"] == "cannot tell"
    assert rows[0]["because"]


def test_a_given_onset_narrows_the_search() -> None:
    system = System(3, 6, "exception", "java")
    first = ranked(system, onset="2024-05-01T12:01:00Z")[0]
    assert first["service"] == system.guilty


def test_the_same_rows_in_another_order_rank_alike() -> None:
    system = System(4, 6, "silent")
    table = system.table()
    turned = table.take(pa.array(range(table.num_rows - 1, -1, -1)))
    columns = ["rank", "service", "score", "methods"]
    one, other = (rank(each, system.params).select(columns) for each in (table, turned))
    assert one.to_pylist() == other.to_pylist()


def test_no_rows_give_no_rows() -> None:
    assert rank(SCHEMA.empty_table(), System(1, 6).params).num_rows == 0


def test_an_onset_that_is_no_time_is_refused() -> None:
    with pytest.raises(BadInput):
        ranked(System(1, 6), onset="yesterday")


def test_loops_of_parents_and_unknown_parents_do_no_harm() -> None:
    system = System(3, 6, "exception")
    rows = system.table().to_pylist()
    spans = [row for row in rows if row["part"] == "span"]
    spans[0]["parent_span_id"] = spans[0]["span_id"]
    spans[1]["parent_span_id"] = "gone"
    first = rank(pa.Table.from_pylist(rows, schema=SCHEMA), system.params).to_pylist()[0]
    assert first["service"] == system.guilty
