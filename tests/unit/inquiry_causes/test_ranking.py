"""The step behind rca.ranking, on made-up incidents."""

from typing import Any

import pyarrow as pa
import pytest

from tests.support.incidents import Incident
from tests.support.planted import SCHEMA, SECOND, START
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.causes.ranking import rank


def ranked(incident: Incident, **params: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = rank(incident.table(), incident.params | params).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        ("exception", 6),
        ("exception", 8),
        ("wrong value", 8),
        ("network delay", 4),
        ("pool", 4),
        ("processor", 3),
    ],
)
def test_a_planted_fault_ranks_first(kind: str, seed: int) -> None:
    incident = Incident(seed, kind, size=5)
    first = ranked(incident)[0]
    assert (first["service"], first["verdict"]) == (incident.truth, "likely")
    assert first["evidence"]
    assert abs(first["onset"].timestamp() - START / SECOND - incident.onset) <= 20


def test_methods_that_agree_are_named() -> None:
    incident = Incident(3, "processor", size=5)
    first = ranked(incident)[0]
    assert set(first["methods"].split(", ")) == {"resources", "times"}
    assert first["agree"] == 2
    assert first["pod"].startswith(incident.truth)
    assert incident.metrics[0] in first["evidence"]


def test_a_drift_of_what_is_asked_for_is_no_cause() -> None:
    rows = ranked(Incident(3, "nothing", size=5))
    assert rows[0]["verdict"] == "cannot tell"
    assert rows[0]["because"]


def test_a_given_onset_narrows_the_search() -> None:
    incident = Incident(6, "exception", size=5)
    first = ranked(incident, onset=incident.began)[0]
    assert first["service"] == incident.truth


def test_the_same_rows_in_another_order_rank_alike() -> None:
    incident = Incident(8, "wrong value", size=5)
    table = incident.table()
    turned = table.take(pa.array(range(table.num_rows - 1, -1, -1)))
    columns = ["rank", "service", "score", "methods"]
    one, other = (rank(each, incident.params).select(columns) for each in (table, turned))
    assert one.to_pylist() == other.to_pylist()


def test_no_rows_give_no_rows() -> None:
    assert rank(SCHEMA.empty_table(), Incident(1, "nothing", size=5).params).num_rows == 0


def test_an_onset_that_is_no_time_is_refused() -> None:
    with pytest.raises(BadInput):
        ranked(Incident(1, "nothing", size=5), onset="yesterday")


def test_loops_of_parents_and_unknown_parents_do_no_harm() -> None:
    incident = Incident(6, "exception", size=5)
    rows = incident.table().to_pylist()
    spans = [row for row in rows if row["part"] == "span"]
    spans[0]["parent_span_id"] = spans[0]["span_id"]
    spans[1]["parent_span_id"] = "gone"
    first = rank(pa.Table.from_pylist(rows, schema=SCHEMA), incident.params).to_pylist()[0]
    assert first["service"] == incident.truth
