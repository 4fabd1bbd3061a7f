from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pytest

from workspace_ext.inquiry.templates.binding import bind
from workspace_ext.inquiry.templates.judge import Judge, sentence
from workspace_ext.inquiry.templates.model import Next, Template

WINDOW = "2024-05-01T12:00:00Z/2024-05-01T12:10:00Z"


def answer(*rows: tuple[str | None, int, float | None]) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    types = (pa.string(), pa.int64(), pa.float64())
    arrays = [pa.array(list(c), t) for c, t in zip(columns, types, strict=True)]
    return pa.record_batch(arrays, names=["service", "calls", "slowest_ms"])


@pytest.fixture
def judge(template: Template) -> Judge:
    return Judge(template, bind(template, {"window": WINDOW, "limit_ms": 50}).arguments)


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


def test_what_no_rows_mean_is_told_by_the_template(template: Template) -> None:
    said = replace(template, empty="nothing is recorded, so {limit_ms:g} ms were not looked for")
    judge = Judge(said, bind(said, {"window": WINDOW, "limit_ms": 50}).arguments)

    assert judge.verdict()["reason"] == "nothing is recorded, so 50 ms were not looked for"


def test_the_quiet_sentence_is_about_a_row_that_was_judged(judge: Judge) -> None:
    judge.feed(answer(("web", 3, None)))
    judge.feed(answer(("web", 3, None), ("cart", 1, 1.0)))

    assert judge.verdict()["reason"] == "the slowest call of cart took 1 ms"


def test_why_all_is_open_is_told_by_the_template(template: Template) -> None:
    said = replace(template, open="nobody knows how slow {service} is")
    judge = Judge(said, bind(said, {"window": WINDOW, "limit_ms": 50}).arguments)
    judge.feed(answer(("web", 3, None), ("cart", 1, None)))

    assert judge.verdict()["interesting"] is None
    assert judge.verdict()["reason"] == "nobody knows how slow web is"


def test_moments_are_told_in_utc_to_the_second() -> None:
    moment = datetime(2024, 5, 1, 14, 0, 30, 1776, tzinfo=timezone(timedelta(hours=2)))

    assert sentence("since {at}", {"at": moment}) == "since 2024-05-01 12:00:30Z"


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
    arguments = bind(template, {"window": WINDOW, "limit_ms": 50}).arguments

    def ask(number: int) -> tuple[bool | None, str]:
        judge = Judge(template, arguments)
        judge.feed(answer((f"s{number}", 1, float(number))))
        return judge.verdict()["interesting"], judge.verdict()["reason"]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(1, 101)))

    assert [interesting for interesting, _ in found] == [number > 50 for number in range(1, 101)]
    assert found[98] == (True, "s99: 99 ms")


def leading(template: Template, *conditions: str) -> Judge:
    """A judge of a template whose rows lead on under these conditions."""
    onward = tuple(Next("cart.more", when=condition) for condition in conditions)
    arguments = bind(template, {"window": WINDOW, "limit_ms": 50}).arguments
    return Judge(replace(template, next=onward), arguments)


def test_the_rows_that_lead_on_are_told_by_condition(template: Template) -> None:
    once = ("service::INT > 6", "calls > 1", "slowest_ms > limit_ms", "false")
    judge = leading(template, *once, "calls > 1")

    judge.feed(answer(("7", 1, 60.0), ("many", 2, None)))
    judge.feed(answer(("9", 3, 99.0)))

    # One that cannot take a row's values is not met there; one may lead to several templates.
    assert judge.led == [[0, 2], [1, 2], [0, 2], [], [1, 2]]
    assert judge.verdict()["interesting_rows"] == 2


def test_few_rows_are_judged_as_many_are(template: Template) -> None:
    rows = ((None, 3, 99.0), ('it\'s \\ "web"', 2, None), ("web", 1, float("nan")))
    conditions = ("service IS NULL", "service = 'web'", "isnan(slowest_ms)", "calls > 1")
    few, many = leading(template, *conditions), leading(template, *conditions)

    few.feed(answer(*rows))
    many.feed(answer(*rows * 100))

    assert few.led == [[0], [2], [2], [0, 1]]
    assert many.led == [
        [place for place in range(300) if place % 3 in places] for places in few.led
    ]
    assert many.verdict()["interesting_rows"] == 100 * few.verdict()["interesting_rows"] > 0


def test_of_many_rows_the_first_thousand_lead_on(template: Template) -> None:
    judge = leading(template, "calls > 1", "calls = 1")

    for _ in range(3):
        judge.feed(answer(*[("web", 1, 1.0)] * 499, ("web", 2, 99.0)))

    assert judge.led[0] == [499, 999]
    assert len(judge.led[1]) == 998
    assert judge.verdict()["interesting_rows"] == 3


@pytest.mark.parametrize("wrong", ["no_such > 1", "calls > ", "no_such(calls)", "max(calls) > 1"])
def test_a_condition_that_cannot_be_asked_leads_nowhere_and_the_verdict_stands(
    template: Template, wrong: str
) -> None:
    judge = leading(template, wrong, "calls > 1")

    judge.feed(answer(("cart", 2, 99.0), ("web", 3, 10.0)))
    judge.feed(answer(("pay", 2, 70.0)))

    assert judge.led == [[], []]
    assert judge.verdict()["reason"] == "cart: 99 ms"
    assert judge.verdict()["interesting_rows"] == 2
