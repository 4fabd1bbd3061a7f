"""Answers that are given again: only to the same question about the same data."""

from __future__ import annotations

import threading
from typing import Any

import pyarrow as pa
import pytest

from tests.support.desk import Desk
from tests.support.spans import ROWS, add_batch
from workspace_ext.foundation.errors import InvestigationError, LimitExceeded

WINDOW = "2024-05-01T10:00:00Z/2024-05-01T10:20:00Z"
WIDE = """/*---
id: tests.wide
version: 1
title: Many texts
question: What are the numbers called?
status: stable
params:
  n: {type: int, default: 10}
returns: {name: VARCHAR}
interesting: "name IS NULL"
---*/
SELECT 'number ' || i AS name FROM range($n) r(i) ORDER BY i
"""


def asked(desk: Desk, **request: Any) -> tuple[str, pa.Table]:
    """Where an answer came from, and its rows."""
    running = desk.ask(**{"template": "tests.slow", "params": {"window": WINDOW}, **request})
    return running.lane, pa.Table.from_batches(list(running), running.schema)


def remove_a_step(desk: Desk) -> None:
    """What one of many steps of one run of retention does: 100 rows of spans go."""
    with desk.store.engine.write() as connection:
        (row,) = connection.execute("SELECT min(time_ns) FROM raw.spans").fetchall()
        upto = row[0] + 100 * 10**9
        connection.execute(f"DELETE FROM raw.spans WHERE time_ns < {upto}")
        connection.execute(
            "INSERT INTO raw.removals SELECT coalesce(max(number), 0) + 1, now(), 'spans',"
            " 'epoch', now(), 1, 1, 100, 'a test', 'run', 'user:test' FROM raw.removals"
        )


def test_the_same_question_is_answered_from_the_cache_and_recorded_anew(desk: Desk) -> None:
    uid = desk.open(window=WINDOW)
    first = desk.answer(template="tests.slow", investigation=uid)
    again = desk.answer(template="tests.slow", params={"window": WINDOW}, investigation=uid)
    assert again[0] == first[0]
    assert again[1]["digest"] == first[1]["digest"]
    assert again[1]["verdict"] == first[1]["verdict"]
    assert again[1]["query"] != first[1]["query"]
    assert [each.digest for each in desk.investigations.queries(uid)] == [first[1]["digest"]] * 2
    assert asked(desk, investigation=uid)[0] == "cache"


@pytest.mark.parametrize(
    "other",
    [
        {"params": {"window": WINDOW, "service": "service-1"}},
        {"params": {"window": "2024-05-01T10:00:00Z/2024-05-01T10:20:00.001Z"}},
        {"pin": 1},
        {"template": "tests.every", "params": {}},
    ],
)
def test_another_question_is_not(desk: Desk, other: dict[str, Any]) -> None:
    asked(desk)
    assert asked(desk)[0] == "cache"
    assert asked(desk, **other)[0] == "short"


def test_more_data_is_seen_and_older_pins_are_still_known(desk: Desk) -> None:
    _, before = asked(desk)
    add_batch(desk.store)
    lane, _ = asked(desk)
    assert lane == "short"
    lane, then = asked(desk, pin=2)
    assert (lane, then) == ("cache", before)


def test_each_step_of_retention_is_seen(desk: Desk) -> None:
    _, whole = asked(desk)
    counted = [sum(whole["n"].to_pylist())]
    for _ in range(2):
        remove_a_step(desk)
        lane, rows = asked(desk)
        assert lane == "short"
        counted.append(sum(rows["n"].to_pylist()))
    assert counted == [2 * ROWS, 2 * ROWS - 100, 2 * ROWS - 200]


def test_an_edited_template_is_run(desk: Desk) -> None:
    asked(desk)
    path = desk.store.folder.templates / "tests" / "slow.sql"
    path.write_text(path.read_text().replace("count(*) AS n", "-count(*) AS n"))
    lane, rows = asked(desk)
    assert lane == "short"
    assert max(rows["n"].to_pylist()) < 0


def test_a_condition_is_put_to_rows_from_the_cache(desk: Desk) -> None:
    _, every = asked(desk)
    lane, some = asked(desk, where="service = 'service-1'")
    assert lane == "cache"
    assert some.to_pylist() == [each for each in every.to_pylist() if each["service"][-1] == "1"]


def test_a_tighter_limit_still_holds(desk: Desk) -> None:
    asked(desk)
    with pytest.raises(LimitExceeded):
        asked(desk, limits={"rows": 2})


def test_an_answer_that_was_not_read_to_its_end_is_not_kept(desk: Desk) -> None:
    desk.ask(template="tests.slow", params={"window": WINDOW}).close()
    assert asked(desk)[0] == "short"


def test_who_has_gone_gets_nothing(desk: Desk) -> None:
    asked(desk)
    gone = threading.Event()
    gone.set()
    with pytest.raises(InvestigationError):
        asked(desk, cancelled=gone)


def test_large_answers_are_not_kept(desk: Desk) -> None:
    (desk.store.folder.templates / "tests" / "wide.sql").write_text(WIDE)
    for n, lane in ((1000, "cache"), (100_000, "short"), (20_000, "cache")):
        asked(desk, template="tests.wide", params={"n": n})
        assert asked(desk, template="tests.wide", params={"n": n})[0] == lane


def test_those_that_nobody_asked_for_in_a_while_make_room(desk: Desk) -> None:
    def lane(n: int) -> str:
        return asked(desk, template="tests.every", params={"n": n})[0]

    sizes = range(60_000, 60_100)
    for n in sizes:
        assert lane(n) == "short"
        assert lane(sizes[0]) == "cache"
    assert lane(sizes[-1]) == "cache"
    assert lane(sizes[1]) == "short"
