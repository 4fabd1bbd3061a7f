"""Controls in a notebook: they do what they say, and leave a picture when they are gone."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTEFACTS
from tests.browser.test_gallery import NARROW, SCOPE
from tests.support.lab import Lab
from tests.support.notebook_page import NotebookPage

pytestmark = pytest.mark.browser


def test_board_and_form_in_a_notebook(lab: Lab, page: Page, another_page: Page) -> None:
    source = f"{SCOPE}\nfrom IPython.display import display\ndisplay(investigation.board())\n"
    source += 'display(investigation.form("latency.shift"))'
    lab.add("controls.ipynb", source, kernel="investigation")
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    notebook, onlooker = NotebookPage(page), NotebookPage(another_page)
    notebook.open(lab.page("controls.ipynb"))
    cell = notebook.run(0)

    board = cell.locator(".jp-OutputArea-child").filter(has_text="Hypotheses")
    picture = board.locator("table, div").get_by_text("None was stated yet.")
    expect(board.get_by_role("button", name="State it")).to_be_visible()
    expect(picture).to_be_hidden()
    board.get_by_placeholder("A new hypothesis").fill("the pool is exhausted")
    board.get_by_role("button", name="State it").click()
    expect(notebook.hypotheses.first).to_contain_text("the pool is exhausted")
    expect(board).to_contain_text("Stated.")
    expect(board.get_by_placeholder("A new hypothesis")).to_have_value("")

    form = cell.locator(".jp-OutputArea-child").filter(has_text="Which operations got slower")
    form.get_by_label("service").fill("ts-basic-service")
    form.get_by_role("button", name="Run").click()
    expect(form.locator("table").filter(has_text="baseline_calls").first).to_be_visible()
    expect(notebook.steps.first).to_contain_text("Latency shift")
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTEFACTS / "controls.png")

    onlooker.open(lab.page("controls.ipynb"))  # on the same kernel: the same controls
    theirs = onlooker.code_cells.first.locator(".jp-OutputArea")
    expect(theirs).to_contain_text("the pool is exhausted")
    expect(theirs).not_to_contain_text("model not found")
    another_page.screenshot(path=ARTEFACTS / "controls-onlooker.png")

    page.get_by_role("menuitem", name="Kernel").click()
    page.locator(".lm-Menu-itemLabel", has_text="Shut Down Kernel").first.click()
    expect(page.locator("#jp-main-statusbar")).to_contain_text("No Kernel")
    page.reload()
    notebook.wait_for_kernel()
    left = notebook.code_cells.first.locator(".jp-OutputArea")
    expect(left.get_by_role("cell", name="the pool is exhausted")).to_be_visible()
    expect(left.get_by_role("cell", name="ts-basic-service", exact=True).first).to_be_visible()
    expect(left.get_by_text("model not found")).to_be_hidden()
    page.screenshot(path=ARTEFACTS / "controls-gone.png")
