from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest

from workspace_ext.inquiry.templates.judge import Judge, hits
from workspace_ext.inquiry.templates.model import Template

WINDOW = "2024-05-01T12:00:00Z/2024-05-01T12:10:00Z"


def answer(*rows: tuple[str | None, int, float | None]) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    types = (pa.string(), pa.int64(), pa.float64())
    arrays = [pa.array(list(c), t) for c, t in zip(columns, types, strict=True)]
    return pa.record_batch(arrays, names=["service", "calls", "slowest_ms"])


@pytest.fixture
def judge(template: Template) -> Judge:
    return Judge(template, template.bind({"window": WINDOW, "limit_ms": 50}).arguments)


def test_interesting_rows_are_counted_and_the_first_is_the_reason(judge: Judge) -> None:
    judge.feed(answer(("web", 3, 10.0), ("cart", 2, 99.0), ("pay", 1, 70.0)))

    assert judge.verdict() == {
        "interesting": True,
        "reason": "cart: 99 ms",
        "rows": 3,
        "interesting_rows": 2,
        "warnings": [],
    }


def test_how_an_answer_is_cut_into_batches_does_not_matter(judge: Judge) -> None:
    for batch in (
        answer(("web", 3, 10.0)),
        answer(),
        answer(("cart", 2, 99.0)),
        answer(("a", 1, 60.0)),
    ):
        judge.feed(batch)

    assert judge.verdict()["reason"] == "cart: 99 ms"
    assert judge.verdict()["rows"] == 3


def test_the_first_row_tells_what_came_closest(judge: Judge) -> None:
    judge.feed(answer(("web", 3, 10.0), ("cart", 3, 9.0)))

    assert judge.verdict()["interesting"] is False
    assert judge.verdict()["reason"] == "the slowest call of web took 10 ms"


def test_no_rows_are_no_verdict(judge: Judge) -> None:
    assert judge.verdict()["interesting"] is None
    assert judge.verdict()["reason"] == "no rows"


def test_a_rule_that_is_open_for_every_row_leaves_the_verdict_open(judge: Judge) -> None:
    judge.feed(answer(("web", 3, None), ("cart", 1, None)))

    assert judge.verdict()["interesting"] is None
    assert judge.verdict()["reason"] == "too little data to judge any of the 2 rows"


def test_one_judged_row_is_enough(judge: Judge) -> None:
    judge.feed(answer(("web", 3, None), ("cart", 1, 1.0)))

    assert judge.verdict()["interesting"] is False


def test_what_is_missing_is_said_so(judge: Judge) -> None:
    judge.feed(answer((None, 3, 99.0)))

    assert judge.verdict()["reason"] == "n/a: 99 ms"


def test_warnings_are_passed_on(judge: Judge) -> None:
    judge.warn(["the window has no spans"])

    assert judge.verdict()["warnings"] == ["the window has no spans"]


def test_several_can_judge_at_once(template: Template) -> None:
    arguments = template.bind({"window": WINDOW, "limit_ms": 50}).arguments

    def ask(number: int) -> tuple[bool | None, str]:
        judge = Judge(template, arguments)
        judge.feed(answer((f"s{number}", 1, float(number))))
        return judge.verdict()["interesting"], judge.verdict()["reason"]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(1, 101)))

    assert [interesting for interesting, _ in found] == [number > 50 for number in range(1, 101)]
    assert found[98] == (True, "s99: 99 ms")


def test_all_conditions_are_asked_at_once_and_one_that_cannot_take_a_row_is_not_met_there() -> None:
    answer = pa.table({"name": ["7", "many", "9"], "n": [1, 2, None]})
    conditions = ["name::INT > least", "n > 0", "n > 5", "name <> 'many'"]
    assert hits(conditions, {"least": 6, "n": 9}, answer) == [[0, 2], [0, 1], [], [0, 2]]
