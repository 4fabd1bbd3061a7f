"""The demo in a real browser: its first cells run, and the panel tells the story as it happens."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.lab import Lab
from tests.support.notebook_page import NotebookPage
from tests.support.waiting import as_written, until

pytestmark = pytest.mark.browser

SCOPE, OVERVIEW, HYPOTHESIS = 0, 1, 6  # code cells of the demo's notebook


def test_first_cells_of_the_demo(lab: Lab, page: Page, another_page: Page) -> None:
    notebook, onlooker = NotebookPage(page), NotebookPage(another_page)
    notebook.open(lab.page(lab.notebook.name))

    notebook.run(SCOPE)
    expect(notebook.panel).to_be_visible()  # by itself, with the first investigation one meets
    expect(notebook.panel.get_by_role("heading")).to_contain_text("slow")
    expect(notebook.panel.get_by_role("status")).to_have_text("live")
    expect(notebook.steps).to_have_count(1)

    onlooker.open(lab.page(lab.notebook.name))
    expect(onlooker.steps).to_have_count(1)

    overview = notebook.run(OVERVIEW)
    expect(overview.locator(".jp-OutputArea table").first).to_be_visible()
    expect(overview.locator(".vega-embed").locator("canvas, svg").first).to_be_visible()
    for panel in (notebook, onlooker):
        expect(panel.steps).to_have_count(2)
        expect(panel.steps.first).to_contain_text("interesting")
        expect(panel.steps.first).to_contain_text("rows")

    for number in range(OVERVIEW + 1, HYPOTHESIS + 1):
        notebook.run(number)
    for panel in (notebook, onlooker):
        expect(panel.hypotheses).to_have_count(1)
        expect(panel.hypotheses.first).to_have_attribute("data-hypothesis", "refuted")
        expect(panel.hypotheses.first).to_contain_text("Predicts:")
        expect(panel.steps).to_have_count(HYPOTHESIS + 1)
    expect(page.get_by_role("dialog")).to_have_count(0)

    notebook.steps.last.get_by_role("button", name="Go to cell").click()
    expect(notebook.code_cells.nth(SCOPE)).to_contain_class("jp-mod-active")

    until(lambda: _has_picture(as_written(lab.notebook)), "a PNG")
    page.reload()
    expect(notebook.steps).to_have_count(HYPOTHESIS + 1)
    expect(notebook.hypotheses).to_have_count(1)
    _check_saved(lab)


def _check_saved(lab: Lab) -> None:
    """What was captured lies in the file, beside what people wrote."""

    def told() -> dict[str, Any] | None:
        found = as_written(lab.notebook)
        about = found.get("metadata", {}).get("investigation", {})
        states = [each["state"] for each in about.get("hypotheses", {}).values()]
        return found if states == ["refuted"] else None

    saved = until(told, "the file has the hypothesis")
    # Two browsers drew each chart; one of them added its picture, and none added a chart.
    assert max(map(len, _charts(saved))) == 1

    cells = [cell for cell in saved["cells"] if cell["cell_type"] == "code"]
    overview = cells[OVERVIEW]["metadata"]["investigation"]
    assert overview["template"]["id"] == "triage.overview"
    assert overview["last"]["ok"] is True
    assert cells[OVERVIEW]["outputs"]
    assert "last" not in cells[HYPOTHESIS + 1]["metadata"].get("investigation", {})


def _has_picture(saved: dict[str, Any]) -> bool:
    return any("image/png" in chart for charts in _charts(saved) for chart in charts)


def _charts(saved: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """The charts of each cell."""
    return [
        [output["data"] for output in cell.get("outputs", ()) if _is_chart(output)]
        for cell in saved.get("cells", ())
    ]


def _is_chart(output: dict[str, Any]) -> bool:
    return any("vega" in kind for kind in output.get("data", {}))
