"""A template's chart: a small vocabulary, and the Vega-Lite it stands for.

``mark``   bar (compares things), line (over time), point (one mark a row), rule (from ``x``
           to ``x2``, as from the baseline's value to the window's), rect (a cell from ``x`` to
           ``x2``, as of a heat map)
``x, y``   result columns; a text column makes a category in the order of the rows
``x2``     the other end of a rule or a cell
``color``  a result column
``sort``   a result column to order the category by, largest first, instead of the rows' order
``title``  text, when the template's own title does not fit
``top``    how many rows are drawn (20 when not given); the table has them all
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspace_ext.inquiry.templates.model import Template

MARKS = ("bar", "line", "point", "rule", "rect")
_RANGES = ("rule", "rect")
_FIELDS = ("x", "x2", "y", "color", "sort")
_KEYS = ("mark", *_FIELDS, "title", "top")
_TOP = 20


def chart_problems(chart: Mapping[str, Any], returns: Mapping[str, str]) -> list[str]:
    """What is wrong with a chart, given the columns of its result."""
    found = [f"chart has an unknown key {key!r}" for key in chart if key not in _KEYS]
    if chart.get("mark") not in MARKS:
        found.append(f"chart.mark must be one of {', '.join(MARKS)}")
    found.extend(f"chart has no {key!r}" for key in ("x", "y") if key not in chart)
    if (chart.get("mark") in _RANGES) != ("x2" in chart):
        found.append("a rule or a rect, and nothing else, goes from x to x2")
    found.extend(
        f"chart.{key}: the result has no column {chart[key]!r}"
        for key in _FIELDS
        if key in chart and str(chart[key]) not in returns
    )
    top = chart.get("top", _TOP)
    if not isinstance(top, int) or isinstance(top, bool) or top < 1:
        found.append("chart.top must be a whole number from 1")
    return found


def vega_lite(template: Template) -> dict[str, Any] | None:
    """The Vega-Lite specification of a template's chart, without data; None without chart."""
    chart = template.chart
    if chart is None:
        return None
    encoding: dict[str, Any] = {}
    for channel in ("x", "y", "color"):
        if channel in chart:
            column = chart[channel]
            kind = _kind(template.returns[column])
            encoding[channel] = {"field": column, "type": kind, "title": column.replace("_", " ")}
            if kind == "nominal" and channel != "color":
                by = chart.get("sort")
                encoding[channel]["sort"] = {"field": by, "order": "descending"} if by else None
                encoding[channel]["axis"] = {"labelLimit": 320}
                encoding[channel]["title"] = None
    if "x2" in chart:
        encoding["x2"] = {"field": chart["x2"]}
    mark: dict[str, Any] = {"type": chart["mark"], "tooltip": True}
    if chart["mark"] == "rule":
        encoding["x"]["title"] = f"{encoding['x']['title']} → {chart['x2'].replace('_', ' ')}"
        mark["strokeWidth"] = 4
    return {
        "title": chart.get("title", template.title),
        "mark": mark,
        "transform": [
            {"window": [{"op": "row_number", "as": "row_number"}]},
            {"filter": f"datum.row_number <= {chart.get('top', _TOP)}"},
        ],
        "encoding": encoding,
    }


def _kind(sql_type: str) -> str:
    if sql_type in ("VARCHAR", "BOOLEAN"):
        return "nominal"
    return "temporal" if sql_type.startswith(("TIMESTAMP", "DATE")) else "quantitative"
