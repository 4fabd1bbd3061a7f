"""What a cell shows, then and now: texts, tables, figures, widgets; and what is declared of it."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from workspace_ext.inquiry.archive.masks import declared
from workspace_ext.inquiry.archive.model import OutputReplay
from workspace_ext.inquiry.archive.outputs import Terms, compare_outputs

WIDGET = "application/vnd.jupyter.widget-view+json"
PLOTLY = "application/vnd.plotly.v1+json"
VEGA = "application/vnd.vegalite.v5+json"
FIGURE = "application/vnd.investigation.figure+json"
UUIDS = ("123e4567-e89b-12d3-a456-426614174000", "00000000-e89b-12d3-a456-426614174000")


def printed(text: str) -> list[dict[str, Any]]:
    return [{"output_type": "stream", "name": "stdout", "text": text}]


def display(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"output_type": "display_data", "data": data, "metadata": {}}]


def terms(*masks: str, traits: tuple[str, ...] = (), **how: Any) -> Terms:
    told = {"compare": {"masks": list(masks), "traits": list(traits)}}
    return Terms(declared({"metadata": {"investigation": told}}), **how)


def compared(then: Any, now: Any, how: Terms | None = None) -> OutputReplay:
    (found,) = compare_outputs(then, now, how or terms())
    return found


def test_a_text_is_the_same_or_its_lines_are_told() -> None:
    assert compared(printed("a\nb\n"), printed("a\nb\n")).verdict == "same"
    found = compared(printed("a\nb\n"), printed("a\nc\n"))
    assert found.verdict == "changed"
    assert found.comparison.difference == ("- b", "+ c")


@pytest.mark.parametrize(
    ("mask", "then", "now"),
    [
        ("times", "at 2026-11-21 10:00:00.5 ok", "at 2027-01-02 11:30:00.25 ok"),
        ("durations", "took 12.5 ms", "took 9 ms"),
        ("ids", f"run {UUIDS[0]}", f"run {UUIDS[1]}"),
        ("ids", "<T at 0x7f12ab>", "<T at 0x7f99cd>"),
        ("re:build [0-9]+", "build 7", "build 12"),
    ],
)
def test_only_a_declared_mask_hides_and_it_is_named(mask: str, then: str, now: str) -> None:
    assert compared(printed(then), printed(now)).verdict == "changed"
    found = compared(printed(then), printed(now), terms(mask))
    assert found.verdict == "same"
    assert mask in found.comparison.reason
    assert compared(printed(then), printed(f"{now}!"), terms(mask)).verdict == "changed"


@pytest.mark.parametrize(("mask", "said"), [("tims", "no mask 'tims'"), ("re:(", "no pattern")])
def test_a_mask_that_cannot_be_used_is_told_and_hides_nothing(mask: str, said: str) -> None:
    found = compared(printed("10:00"), printed("11:00"), terms(mask))
    assert found.verdict == "changed"
    assert said in found.comparison.reason


def test_numbers_drift_only_where_a_query_may() -> None:
    then, now = printed("mean 0.3"), printed("mean 0.30000000000000004")
    assert compared(then, now).verdict == "changed"
    found = compared(then, now, terms(drift=True))
    assert (found.verdict, found.comparison.rung) == ("same", "tolerance")
    assert found.comparison.drift is not None
    assert compared(then, printed("mean 0.31"), terms(drift=True)).verdict == "changed"


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ("2024", "2024-05-06"),
        ("1-2", "1"),
        ("rows 2000000000", "rows 2000000001"),
        ("at 1700000000000000000", "at 1699999999000000000"),
    ],
)
def test_other_numbers_are_no_drift(then: str, now: str) -> None:
    assert compared(printed(then), printed(now), terms(drift=True)).verdict == "changed"
    assert compared(printed(then), printed(then), terms(drift=True)).verdict == "same"


def shown(kind: str, content: Any, stands_in: str) -> list[dict[str, Any]]:
    return display({kind: content, "text/plain": stands_in})


@pytest.mark.parametrize(
    ("kind", "then", "now"),
    [
        ("text/markdown", "**5** errors", ["**7** ", "errors"]),
        ("text/latex", "$x = 5$", "$x = 7$"),
        ("text/html", "<b>5</b> errors", "<b>7</b> errors"),
        ("application/json", {"errors": 5}, {"errors": 7}),
    ],
)
def test_what_shows_itself_is_not_taken_for_its_name(kind: str, then: Any, now: Any) -> None:
    name = "<IPython.core.display.Markdown object>"
    assert compared(shown(kind, then, name), shown(kind, now, name)).verdict == "changed"
    moved = shown(kind, then, "<pandas.io.formats.style.Styler at 0x7f12ab>")
    assert compared(moved, shown(kind, then, "<T object at 0x7f99cd>")).verdict == "same"
    assert compared(shown(kind, then, "5 of 9"), shown(kind, now, "5 of 9")).verdict == "same"


def test_of_a_page_its_words_are_compared_and_never_what_it_draws() -> None:
    styled = '<style>#{0} {{}}</style><table id="{0}"><td id="{0}_0">cart</td></table>'
    then, now = (shown("text/html", styled.format(each), "<T at 0x1>") for each in ("T_1", "T_2"))
    assert compared(then, now).verdict == "same"
    page = shown("text/html", "map <script>draw(1)</script>", "<T at 0x1>")
    assert compared(page, page).verdict == "skipped"


def frame(*rows: tuple[str, int]) -> list[dict[str, Any]]:
    body = "".join(f"<tr><th>{name}</th><td>{n}</td></tr>" for name, n in rows)
    html = (
        '<table border="1" class="dataframe"><thead><tr><th></th><th>n</th></tr>'
        f"<tr><th>service</th><th></th></tr></thead><tbody>{body}</tbody></table>"
    )
    return display({"text/html": html, "text/plain": "a frame"})


def test_a_table_is_told_by_key() -> None:
    then, now = frame(("cart", 1), ("pay", 2)), frame(("cart", 5), ("shop", 2))
    found = compared(then, now)
    assert found.comparison.difference == (
        "rows by service: 1 removed, 1 added, 1 changed",
        "- service='pay', n='2'",
        "+ service='shop', n='2'",
        "≠ service='cart': n '1' → '5'",
    )
    moved = frame(("pay", 2), ("cart", 1))
    then = frame(("cart", 1), ("pay", 2))
    assert compared(then, moved).verdict == "changed"
    assert compared(then, moved, terms(order=True)).comparison.rung == "unordered"


def vega(values: list[dict[str, Any]], mark: str = "bar") -> list[dict[str, Any]]:
    spec = {"mark": mark, "data": {"name": "d"}, "datasets": {"d": values}}
    return display({VEGA: spec, "image/png": mark})


def test_a_figure_is_its_data_and_never_its_pixels() -> None:
    then = vega([{"s": "cart", "n": 1}])
    assert compared(then, vega([{"s": "cart", "n": 1}], mark="line")).verdict == "same"
    found = compared(then, vega([{"s": "cart", "n": 2}]))
    assert found.verdict == "changed"
    assert "≠ s='cart': n 1 → 2" in found.comparison.difference
    picture = display({"image/png": "x", "text/plain": "<Figure>"})
    assert compared(picture, display({"image/png": "y"})).verdict == "skipped"
    nothing = display({VEGA: {"data": {"url": "elsewhere"}}})
    assert "not in the notebook" in compared(nothing, nothing).comparison.reason


def test_plotly_arrays_are_compared_as_numbers() -> None:
    packed = {"dtype": "f8", "bdata": base64.b64encode(struct.pack("<2d", 1.0, 2.0)).decode()}
    gap = {"dtype": "f8", "bdata": base64.b64encode(struct.pack("<2d", 1.0, float("nan"))).decode()}
    gaps = display({PLOTLY: {"data": [{"y": gap}]}})
    assert compared(gaps, gaps).comparison.rung == "exact"
    then = display({PLOTLY: {"data": [{"y": packed, "line": {"color": "red"}}], "layout": {}}})
    now = display({PLOTLY: {"data": [{"y": [1.0, 2.0]}], "layout": {"title": "new"}}})
    assert compared(then, now).verdict == "same"
    assert compared(then, display({PLOTLY: {"data": [{"y": [1.0, 3.0]}]}})).verdict == "changed"


def slider(value: int) -> dict[str, Any]:
    inner = {"model_name": "IntSliderModel", "state": {"value": value, "layout": "IPY_MODEL_l"}}
    return {"box": {"model_name": "BoxModel", "state": {"children": ["IPY_MODEL_s"]}}, "s": inner}


def test_a_widget_is_compared_by_the_traits_that_were_declared() -> None:
    view = display({WIDGET: {"model_id": "box"}})
    assert "no traits" in compared(view, view).comparison.reason
    same = terms(traits=("value",), states=(slider(3), slider(3)))
    assert compared(view, view, same).verdict == "same"
    found = compared(view, view, terms(traits=("value",), states=(slider(3), slider(4))))
    assert found.verdict == "changed"
    assert found.comparison.difference == ("IntSliderModel.value: 3 then, 4 now",)


def test_more_or_less_than_was_shown_is_told() -> None:
    assert compared(printed("a"), []).verdict == "changed"
    assert compared([], printed("a")).verdict == "skipped"
    both = compare_outputs(printed("a"), printed("a") + display({"text/plain": "b"}), terms())
    assert [each.verdict for each in both] == ["same", "changed"]


def test_answers_of_queries_errors_and_warnings_are_compared_elsewhere() -> None:
    ours = {
        "output_type": "display_data",
        "data": {"text/plain": "12 ms"},
        "metadata": {"investigation": {"query": "q"}},
    }
    error = {"output_type": "error", "ename": "E", "evalue": "", "traceback": []}
    warning = {"output_type": "stream", "name": "stderr", "text": "/tmp/a: deprecated"}
    assert compare_outputs([ours, error, warning], [], terms()) == ()


def test_what_was_redacted_is_not_compared() -> None:
    found = compared(printed("[redacted:email:0123456789abcdef]"), printed("a@b.c"))
    assert (found.verdict, found.comparison.reason) == ("skipped", "redacted")


def test_a_figure_of_matplotlib_is_compared_by_its_points() -> None:
    def drawn(*ys: float) -> list[dict[str, Any]]:
        rows = [{"axes": 0, "kind": "line", "series": "0: p99", "point": n, "x": n, "y": y}
                for n, y in enumerate(ys)]  # fmt: skip
        return display({FIGURE: {"axes": [{"title": "p99"}], "rows": rows}, "image/png": str(ys)})

    assert compared(drawn(1.0, 2.0), drawn(1.0, 2.0)).verdict == "same"
    drifted = compared(drawn(1.0, 2.0), drawn(1.0, 2.0 + 1e-13), terms(drift=True)).comparison
    assert (drifted.rung, drifted.same) == ("tolerance", True)
    other = compared(drawn(1.0, 2.0), drawn(1.0, 3.0))
    assert (other.verdict, other.comparison.reason) == ("changed", "drawn from other data")
    assert "3.0" in " ".join(other.comparison.difference)
    before = compared(display({"image/png": "x"}), drawn(1.0))
    assert (before.verdict, "pixels" in before.comparison.reason) == ("skipped", True)
