"""What an analyst sees of an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from workspace_kernel.chart import (
    COLOURS,
    GREY,
    MIME,
    MOST_ROWS,
    NO_VALUE,
    SCHEMA,
    specification,
)
from workspace_kernel.display import FIRST_ROWS, html, text
from workspace_kernel.markup import cell
from workspace_kernel.result import Result

Make = Callable[..., Result]


def test_text_says_verdict_warning_rows_and_pin(make: Make) -> None:
    said = text(make({"service": ["cart", "shop"], "p95": [900.0, None]}))
    assert said.splitlines()[:3] == [
        "Latency shift",
        "Interesting: cart: p95 900.0 ms",
        "Warning: only 3 traces",
    ]
    assert "cart     900" in said
    assert "shop     -" in said
    assert said.endswith("2 rows · pin 4 · latency.shift v2")


def test_the_first_rows_only(make: Make) -> None:
    shown = html(make({"n": list(range(1000))}))
    assert shown.count("<tr>") == FIRST_ROWS + 1
    assert "first 10 of 1,000 rows" in shown


def test_times_that_python_has_not_are_told_in_words(make: Make) -> None:
    times = [2**63 - 1, -(2**62), 0, None]
    said = text(make({"until": pa.array(times, pa.timestamp("us", "UTC"))}))
    for each in ("after 9999", "before the year 1", "1970-01-01 00:00:00Z", "-"):
        assert each in said.splitlines()
    deep = make({"ends": pa.array([[2**63 - 1], []], pa.list_(pa.timestamp("us")))})
    assert "after 9999" in html(deep)


def test_an_open_verdict_says_why(make: Make) -> None:
    why = "too little data to judge any of the 2 rows"
    verdict = {"interesting": None, "reason": why, "rows": 2, "interesting_rows": 0}
    undecided = make({"p95": [0.0, 0.0]}, verdict={**verdict, "warnings": []})
    assert f"Cannot tell: {why}" in text(undecided)
    assert f">Cannot tell</span> {why}" in html(undecided)


def test_no_rows_are_no_data_not_no_verdict(make: Make) -> None:
    verdict = {"interesting": None, "reason": "nothing failed", "rows": 0, "interesting_rows": 0}
    empty = make({"p95": pa.array([], pa.float64())}, verdict={**verdict, "warnings": []})
    assert "No rows: nothing failed" in text(empty)
    assert "<table>" not in html(empty)
    assert specification(empty.answer, empty.arrow) is None


def test_a_column_can_be_pointed_at_for_its_meaning(make: Make) -> None:
    result = make({"p95": [1.0], "needed_z": [3.5]})
    result.answer["columns"] = {"needed_z": 'what "z" must be'}
    shown = html(result)
    assert '<th title="what &quot;z&quot; must be">needed_z</th>' in shown
    assert "<th>p95</th>" in shown


def test_free_sql_has_no_verdict(make: Make) -> None:
    verdict = {"interesting": None, "reason": "free SQL", "rows": 1, "interesting_rows": 0}
    result = make({"n": [1]}, template=None, chart=None, verdict={**verdict, "warnings": []})
    assert text(result) == "Latency shift\nn\n1\n1 row · pin 4 · SQL"


def test_text_from_the_data_is_no_markup(make: Make) -> None:
    shown = html(make({"<b>": ["<script>alert(1)</script>"]}))
    assert "<script>" not in shown
    assert "<b>&lt;" not in shown
    assert "&lt;script&gt;" in shown


def test_a_test_says_what_it_did_to_its_hypothesis(make: Make) -> None:
    outcome = {"hypothesis": "h", "expect": "interesting", "outcome": "refuted", "reason": "calm"}
    assert "Hypothesis refuted: calm" in text(make({"n": [1]}, test=outcome))
    assert ">refuted</span> calm" in html(make({"n": [1]}, test=outcome))
    verdict = {"interesting": False, "reason": "calm", "rows": 1, "warnings": []}
    assert text(make({"n": [1]}, test=outcome, verdict=verdict)).count("calm") == 1


def test_a_result_is_true_even_without_rows(make: Make) -> None:
    assert make({"n": pa.array([], pa.int64())})


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"),
        (0.000123456, "0.0001235"),
        (1234567.8, "1,234,568"),
        (datetime(2023, 1, 30, 12, tzinfo=UTC), "2023-01-30 12:00:00Z"),
        ("a\nb", "a b"),
        ("x" * 200, "x" * 79 + "…"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_values_in_cells(value: Any, shown: str) -> None:
    assert cell(value) == shown


def test_the_chart_gets_only_the_rows_and_columns_it_draws(make: Make) -> None:
    rows = 5000
    columns = {
        "service": [f"s{n}" for n in range(rows)],
        "p95": [n / 3 for n in range(rows)],
        "body": ["x" * 1000] * rows,
    }
    spec = specification(make(columns).answer, make(columns).arrow)
    assert spec is not None
    assert spec["$schema"] == SCHEMA
    assert len(spec["data"]["values"]) == MOST_ROWS
    assert spec["data"]["values"][1] == {"p95": 0.333333, "service": "s1"}
    assert len(json.dumps(spec)) < 20_000


def test_a_legend_is_no_wider_than_its_chart(make: Make) -> None:
    columns = {
        "service": ["a", "b", "c" * 40],
        "p95": [1.0, 2.0, None],
        "kind": ["slower " * 5, "quicker", None],
    }
    result = make(columns)
    drawn = {
        "x": {"field": "p95", "type": "quantitative"},
        "y": {"field": "service", "type": "nominal"},
        "color": {"field": "kind", "type": "nominal"},
    }
    result.answer["chart"] = {"mark": "bar", "encoding": drawn, "title": "t"}
    spec = specification(result.answer, result.arrow)
    assert spec is not None
    assert spec["encoding"]["color"]["legend"]["columns"] == 1
    result.answer["chart"]["encoding"]["y"] = {"field": "p95", "type": "quantitative"}
    spec = specification(result.answer, result.arrow)
    assert spec is not None
    assert spec["encoding"]["color"]["legend"]["columns"] == 2


def test_a_long_line_keeps_its_shape_and_all_its_series(make: Make) -> None:
    begin = datetime(2023, 1, 30, tzinfo=UTC)
    times = [begin + timedelta(seconds=n // 2) for n in range(4000)]
    series = ["a", "b"] * 2000
    encoding = {
        "x": {"field": "time", "type": "temporal"},
        "y": {"field": "n", "type": "quantitative"},
        "color": {"field": "series", "type": "nominal"},
    }
    result = make(
        {"time": times, "n": [float("nan"), *range(1, 4000)], "series": series},
        chart={"mark": {"type": "line"}, "encoding": encoding},
    )
    spec = specification(result.answer, result.arrow)
    assert spec is not None
    values = spec["data"]["values"]
    assert len(values) <= MOST_ROWS
    assert values[0]["n"] is None
    assert values[-1]["time"] > "2023-01-30T00:33"
    assert {value["series"] for value in values} == {"a", "b"}
    assert spec["encoding"]["x"]["scale"] == {"type": "utc"}


def test_colours_follow_the_rows_and_no_finding_is_grey(make: Make) -> None:
    encoding = {
        "x": {"field": "ratio", "type": "quantitative"},
        "y": {"field": "service", "type": "nominal"},
        "color": {"field": "finding", "type": "nominal"},
    }
    findings = ["slower", None, "as before"]
    result = make(
        {"service": ["a", "b", "c"], "ratio": [3.0, 9.0, 1.0], "finding": findings},
        chart={"mark": {"type": "bar"}, "encoding": encoding},
    )
    spec = specification(result.answer, result.arrow)
    assert spec is not None
    assert spec["encoding"]["color"]["scale"] == {
        "domain": ["slower", "as before", NO_VALUE],
        "range": [*COLOURS[:2], GREY],
    }
    values = [row["finding"] for row in spec["data"]["values"]]
    assert values == ["slower", NO_VALUE, "as before"]


def test_a_chart_of_a_column_that_is_not_there_is_left_out(make: Make) -> None:
    result = make({"service": ["cart"]})
    assert specification(result.answer, result.arrow) is None
    assert result.chart is None


def test_a_chart_without_a_value_to_draw_is_left_out(make: Make) -> None:
    result = make({"service": ["cart"], "p95": pa.array([None], pa.float64())})
    assert specification(result.answer, result.arrow) is None


def test_a_line_between_two_values_names_both(make: Make) -> None:
    encoding = {
        "x": {"field": "baseline_ms", "type": "quantitative", "title": "baseline ms"},
        "x2": {"field": "ms"},
        "y": {"field": "service", "type": "nominal"},
    }
    columns = {"service": ["a", "b"], "baseline_ms": [1.0, 2.0], "ms": [3.0, 4.0]}
    result = make(columns, chart={"mark": {"type": "rule"}, "encoding": encoding})
    spec = specification(result.answer, result.arrow)
    assert spec is not None
    assert spec["encoding"]["x"]["title"] == "baseline ms → ms"


def test_the_chart_as_an_altair_object(make: Make) -> None:
    chart = make({"service": ["cart"], "p95": [1.0]}).chart
    assert chart is not None
    assert chart.to_dict()["encoding"]["y"]["field"] == "service"
    shown = chart.properties(width=100)._repr_mimebundle_()
    assert shown[MIME]["$schema"] == SCHEMA
    assert "text/html" not in shown


def test_shown_in_a_notebook_it_is_light(
    make: Make, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "IPython.display.display", lambda forms, raw, metadata: shown.append(forms) if raw else None
    )
    make({"service": ["cart"] * 500, "p95": [1.5] * 500})._ipython_display_()
    assert [set(forms) for forms in shown] == [
        {"text/plain", "text/html"},
        {"text/plain", MIME},
        {"text/plain", "text/html"},
    ]
    assert len(json.dumps(shown)) < 50_000
