"""A template's step on the way to the answer, and where the answer leads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.desk import Desk
from tests.support.steps import installed_steps
from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.validation import validate

COUNTED = """/*---
id: tests.counted
version: 1
title: Counted
question: How many?
status: stable
params:
  window: {type: window}
  more: {type: int, default: 1}
requires: [spans]
step: tests.doubled
returns: {service: VARCHAR, n: INTEGER}
interesting: "n > 0"
next:
  - {template: tests.slow, when: "n > 401 AND more = 1", params: {service: service, least_ms: 3}}
  - {template: tests.every, params: {n: $more}}
  - {template: tests.gone}
---*/
SELECT service, count(*) AS n FROM spans
WHERE time >= $window_start AND time < $window_end AND service <> 'service-9'
GROUP BY service ORDER BY service
"""
WINDOW = "2024-05-01T10:00:00Z/2024-05-01T10:10:00Z"


@pytest.fixture(autouse=True)
def templates(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = desk.store.folder.templates / "tests"
    (folder / "counted.sql").write_text(COUNTED)
    (folder / "failing.sql").write_text(
        COUNTED.replace("tests.counted", "tests.failing").replace("tests.doubled", "tests.fails")
    )
    with installed_steps(tmp_path / "site", monkeypatch):
        yield


def test_the_answer_is_that_of_the_step_and_the_record_tells_which(desk: Desk) -> None:
    uid = desk.open(window=WINDOW)

    table, answer = desk.answer(template="tests.counted", investigation=uid)

    assert table.column("n").to_pylist() == [401, 401, 401]
    assert str(table.schema.field("n").type) == "int32"
    assert answer["error"] is None
    assert answer["compare"]["mode"] == "ordered"
    (record,) = desk.investigations.queries(uid)
    assert record.step == {"name": "tests.doubled", "version": "made-steps 1.2"}


def test_the_answer_tells_where_its_rows_lead(desk: Desk) -> None:
    _, answer = desk.answer(template="tests.counted", params={"window": WINDOW})

    validate("messages", answer, definition="Answer")
    slow, every = answer["next"]
    assert (slow["template"], slow["title"]) == ("tests.slow", "Slow services")
    assert slow["columns"] == {"service": "service"}
    assert slow["params"] == {"window": answer["params"]["window"], "least_ms": 3}
    assert slow["rows"] == []
    assert (every["params"], every["rows"]) == ({"n": 1}, None)

    _, more = desk.answer(
        template="tests.counted", params={"window": WINDOW.replace("10:10:00", "10:15:00")}
    )
    assert more["next"][0]["rows"] == [0, 1, 2]


def test_a_step_that_fails_is_recorded_as_a_failed_query(desk: Desk) -> None:
    uid = desk.open(window=WINDOW)

    with pytest.raises(BadInput, match=r"tests\.failing: its step tests\.fails failed"):
        desk.answer(template="tests.failing", investigation=uid)

    (record,) = desk.investigations.queries(uid)
    assert not record.ok
    assert "no two rows alike" in (record.error or "")
