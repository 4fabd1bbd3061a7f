from dataclasses import replace
from typing import Any

import altair
import pytest

from workspace_ext.inquiry.templates.chart import chart_problems, vega_lite
from workspace_ext.inquiry.templates.model import Template

RETURNS = {
    "time": "TIMESTAMP WITH TIME ZONE",
    "service": "VARCHAR",
    "now": "DOUBLE",
    "then": "BIGINT",
}


def test_types_follow_the_columns(template: Template) -> None:
    chart = {"mark": "line", "x": "time", "y": "now", "color": "service", "title": "Now"}

    spec = vega_lite(replace(template, chart=chart, returns=RETURNS))

    assert spec is not None
    assert spec["title"] == "Now"
    kinds = {channel: encoding["type"] for channel, encoding in spec["encoding"].items()}
    assert kinds == {"x": "temporal", "y": "quantitative", "color": "nominal"}
    assert "data" not in spec


def test_categories_keep_the_order_of_the_rows(template: Template) -> None:
    spec = vega_lite(template)

    assert spec is not None
    assert spec["encoding"]["y"]["sort"] is None
    assert spec["transform"][1] == {"filter": "datum.row_number <= 20"}


def test_a_rule_goes_from_x_to_x2_and_can_be_sorted(template: Template) -> None:
    chart = {"mark": "rule", "x": "then", "x2": "now", "y": "service", "sort": "now", "top": 5}

    spec = vega_lite(replace(template, chart=chart, returns=RETURNS))

    assert spec is not None
    assert spec["encoding"]["x2"] == {"field": "now"}
    assert spec["encoding"]["y"]["sort"] == {"field": "now", "order": "descending"}


def test_vega_lite_accepts_it(template: Template) -> None:
    altair.Chart.from_dict({**(vega_lite(template) or {}), "data": {"values": []}}, validate=True)


def test_no_chart(template: Template) -> None:
    assert vega_lite(replace(template, chart=None)) is None


@pytest.mark.parametrize(
    ("chart", "message"),
    [
        ({"mark": "pie", "x": "now", "y": "service"}, "chart.mark must be one of"),
        ({"mark": "bar", "x": "now"}, "chart has no 'y'"),
        ({"mark": "bar", "x": "now", "y": "servce"}, "no column 'servce'"),
        ({"mark": "bar", "x": "now", "y": "service", "size": "now"}, "unknown key 'size'"),
        ({"mark": "rule", "x": "now", "y": "service"}, "a rule or a rect"),
        ({"mark": "bar", "x": "now", "y": "service", "top": 0}, "chart.top"),
    ],
)
def test_refuses(chart: dict[str, Any], message: str) -> None:
    assert any(message in problem for problem in chart_problems(chart, RETURNS))
