"""What authors write of plants, and what they are told when it is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.templates import FIXTURES, HEADER, SQL, write_template
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.planting import costs, planted
from workspace_ext.inquiry.planting.language import read
from workspace_ext.inquiry.planting.world import ORIGIN_NS, World
from workspace_ext.inquiry.templates.sandbox import fresh_store

PLANT = """plants:
  - name: one slow call
    strengths: [200]
    spans:
      - {every: 10s, service: cart, name: GET, duration: 20ms}
      - {service: cart, name: GET, duration: strength, planted: {count: 1}}
    first: {service: cart}
"""


def rows(plant: dict[str, Any], strength: float, sql: str) -> list[tuple[Any, ...]]:
    world = World(3)
    read({"name": "p", "strengths": [1], **plant}).plant(world, strength)
    store = fresh_store()
    try:
        world.fill(store)
        return store.execute(sql).fetchall()
    finally:
        store.close()


def test_what_is_planted_takes_the_place_of_what_is_usual() -> None:
    entry = {"every": "60s", "name": "m", "value": 5, "planted": {"at": "60s", "value": "strength"}}
    sql = f"SELECT (time_ns - {ORIGIN_NS}) // 60000000000 AS minute, value FROM metrics ORDER BY 1"

    assert rows({"metrics": [entry]}, 0, sql) == [(minute, 5) for minute in range(-10, 5)]
    assert rows({"metrics": [entry]}, 9, sql) == [
        (minute, 9 if minute >= 1 else 5) for minute in range(-10, 5)
    ]


def test_draws_and_texts_vary_and_shares_hold() -> None:
    entry = {
        "per_minute": 200,
        "service": {"one_of": {"a": 0.9, "b": 0.1}},
        "body": "line {i} took {n} ms",
    }
    sql = "SELECT count(*), count(DISTINCT body), count(*) FILTER (service = 'a') FROM logs"
    [(count, texts, of_a)] = rows({"logs": [entry]}, 0, sql)
    assert 2800 < count < 3200
    assert texts == count
    assert 0.87 < of_a / count < 0.93


def test_a_part_of_the_shop_fails_only_when_planted_and_only_there() -> None:
    shop = {"stock": {"fails": "strength", "where": {"pod": "stock-1"}}}
    sql = """SELECT pod, avg((status = 'error')::INT) FROM spans
             WHERE service = 'stock' AND time >= '2024-05-01 12:00:00+00' GROUP BY pod"""
    usual = dict(rows({"shop": shop}, 0, sql))
    hurt = dict(rows({"shop": shop}, 0.5, sql))
    assert max(usual.values()) < 0.1
    assert hurt["stock-1"] > 0.3
    assert hurt["stock-2"] < 0.1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("text", "a plant needs a name"),
        ({"name": "p", "strength": 1}, "unknown key 'strength'"),
        ({"name": "p"}, "strengths must be numbers above 0"),
        ({"name": "p", "strengths": [0]}, "strengths must be numbers above 0"),
        ({"name": "p", "strengths": [1], "shop": {"bank": {}}}, "the shop has no bank"),
        ({"name": "p", "strengths": [1], "shop": {"pay": {"region": {}}}}, "a draw is one of"),
        ({"name": "p", "strengths": [1], "logs": [{"text": "x"}]}, "no column 'text'"),
        ({"name": "p", "strengths": [1], "logs": [{"at": "soon"}]}, "'soon' is not a duration"),
        (
            {"name": "p", "strengths": [1], "logs": [{"every": "1s", "count": 2, "body": "x"}]},
            "every and count cannot both say when",
        ),
        (
            {"name": "p", "strengths": [1], "metrics": [{"every": "1s", "value": {"gauss": 1}}]},
            "a draw is one of",
        ),
    ],
)
def test_a_wrong_plant_says_what_is_wrong(given: Any, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read(given)


def write(folder: Path, plants: str) -> Path:
    header = HEADER.replace("interesting: slowest_ms > limit_ms", "interesting: slowest_ms > 100")
    return write_template(folder, header=header, sql=SQL, fixtures=FIXTURES + plants)


def test_recall_counts_runs_with_the_fault_and_without(tmp_path: Path) -> None:
    write(tmp_path, PLANT)
    told = {each.case: (each.ok, each.message) for each in planted([tmp_path])}
    assert told == {
        "one slow call, none": (True, "quiet in 20 of 20 runs without a fault"),
        "one slow call, strength 200": (True, "found in 20 of 20 runs"),
    }


def test_recall_names_the_seeds_in_which_a_fault_was_missed(tmp_path: Path) -> None:
    write(tmp_path, PLANT.replace("[200]", "[0.01]"))
    missed = list(planted([tmp_path]))[-1]
    assert not missed.ok
    assert missed.message.startswith("found in 0 of 20 runs, not with the seeds [0, 1,")


@pytest.mark.parametrize(
    ("plants", "said"),
    [
        ("", "no fault is planted for it"),
        (PLANT.replace("first: {service", "first: {sevice"), "no column 'sevice'"),
        (PLANT + "    params: {limit: 3}\n", "limit"),
    ],
)
def test_recall_says_why_it_cannot_run(tmp_path: Path, plants: str, said: str) -> None:
    write(tmp_path, plants)
    [failed] = planted([tmp_path])
    assert not failed.ok
    assert said in failed.message


def test_cost_tells_time_memory_and_rows_of_a_made_store(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    [told] = costs([path], scale=0.002)
    assert told.ok
    assert told.case == "cost on 20,000 rows"
    assert " MB, " in told.message
    assert told.message.endswith(" rows read")
    assert " 0 rows read" not in told.message
