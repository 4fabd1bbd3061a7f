"""What a matplotlib figure tells of the data it draws."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure
from workspace_kernel import figures

from workspace_ext.protocol.messages import FIGURE_MIME


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    shell = InteractiveShell()
    figures.install(shell)
    yield shell
    figures.uninstall(shell)


def display(shell: InteractiveShell) -> Any:
    return shell.display_formatter


def drawn(draw: str, *values: Any, **options: Any) -> list[dict[str, Any]]:
    figure = Figure()
    getattr(figure.subplots(), draw)(*values, **options)
    rows: list[dict[str, Any]] = figures.describe(figure)["rows"]
    json.dumps(rows, allow_nan=False)
    return rows


def test_a_figure_shows_its_data_beside_its_picture(shell: InteractiveShell) -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2], [3.5, float("nan")], label="p99")
    axes.set_title("Latency")
    data, _ = display(shell).format(figure)
    told = data[FIGURE_MIME]
    assert told["axes"] == [{"title": "Latency"}]
    line = {"axes": 0, "kind": "line", "series": "0: p99"}
    assert told["rows"] == [
        {**line, "point": 0, "x": 1.0, "y": 3.5},
        {**line, "point": 1, "x": 2.0, "y": None},
    ]
    other, _ = display(shell).format("text")
    assert FIGURE_MIME not in other


def test_bars_tell_their_height_and_their_names() -> None:
    figure = Figure()
    figure.subplots().bar(["cart", "pay"], [3, 5])
    told = figures.describe(figure)
    assert told["axes"] == [{"x_names": ["cart", "pay"]}]
    assert max(row["y"] for row in told["rows"] if row["series"] == "1") == 5


@pytest.mark.parametrize(
    ("draw", "values", "options"),
    [
        ("scatter", ([1, 2], [3, 4]), {"c": [0.1, 0.2]}),
        ("hist", ([1, 1, 2, 3],), {}),
        ("pie", ([1, 2],), {}),
        ("fill_between", ([1, 2, 3], [1, 2, 1]), {}),
        ("imshow", ([[1, 2], [3, 4]],), {}),
        ("pcolormesh", ([[1, 2], [3, 4]],), {}),
        ("errorbar", ([1, 2], [3, 4]), {"yerr": 1}),
        ("axhline", (2,), {}),
    ],
)
def test_other_data_are_other_rows(draw: str, values: Any, options: dict[str, Any]) -> None:
    once, again = drawn(draw, *values, **options), drawn(draw, *values, **options)
    changed = [*values[:-1], _more(values[-1])]
    assert once
    assert once == again != drawn(draw, *changed, **options)


def _more(value: Any) -> Any:
    if isinstance(value, list):
        return [*value[:-1], _more(value[-1])]
    return value + 0.5


def test_many_points_are_a_digest() -> None:
    (row,) = drawn("plot", range(5000), range(5000))
    assert (row["points"], len(row["sha256"])) == (5000, 64)


def test_what_cannot_be_told_costs_no_picture(shell: InteractiveShell) -> None:
    figure = Figure()
    (line,) = figure.subplots().plot([1])
    line.get_xydata = lambda: 1 / 0
    data, _ = display(shell).format(figure)
    assert FIGURE_MIME not in data
    assert "text/plain" in data
