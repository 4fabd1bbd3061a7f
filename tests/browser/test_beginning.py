"""A person begins an investigation: from the launcher, and in a notebook that is there."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.lab import Lab
from tests.support.notebook_page import NotebookPage
from tests.support.waiting import as_written, until

pytestmark = pytest.mark.browser


def test_new_investigation_from_the_launcher(lab: Lab, page: Page) -> None:
    page.goto(lab.page())
    page.locator(".jp-LauncherCard", has_text="New investigation").dblclick()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Create")).to_be_disabled()
    dialog.get_by_label("Title").fill("Checkout fails since 03:10")
    page.mouse.click(5, 5)  # beside the form: it stays
    expect(dialog.get_by_label("Title")).to_have_value("Checkout fails since 03:10")
    dialog.get_by_label("Severity").select_option("SEV2")
    lost = "**/investigation/investigations*"
    page.route(lost, lambda route: (route.fetch(), route.abort()))
    dialog.get_by_role("button", name="Create").click()
    expect(dialog.get_by_role("alert")).to_contain_text("does not answer")
    page.unroute(lost)
    dialog.get_by_role("button", name="Create").click()  # the same wish: no second notebook

    notebook = NotebookPage(page)
    expect(notebook.panel.get_by_role("heading")).to_have_text("Checkout fails since 03:10")
    expect(notebook.panel).to_contain_text("SEV2")
    expect(notebook.panel).to_contain_text("Nothing was run yet")
    expect(notebook.panel.get_by_role("status")).to_have_text("live")

    notebook.wait_for_kernel()
    notebook.run(0)
    expect(notebook.steps).to_have_count(1)
    expect(notebook.steps.first).to_have_attribute("data-status", "ok")

    (made,) = lab.folder.glob("checkout-fails*.ipynb")
    saved = until(lambda: as_written(made), "a file that nobody is writing")
    assert saved["metadata"]["investigation"]["severity"] == "SEV2"


def test_notebook_that_is_there_becomes_an_investigation(lab: Lab, page: Page) -> None:
    lab.add("plain.ipynb", "1 / 0", kernel="python3")

    notebook = NotebookPage(page)
    notebook.open(lab.page("plain.ipynb"))
    notebook.show_panel()
    expect(notebook.panel).to_contain_text("This notebook is not an investigation")
    notebook.run(0)
    expect(notebook.steps).to_have_count(0)

    notebook.panel.get_by_role("button", name="Start investigation here").click()
    expect(notebook.panel.get_by_role("heading")).to_have_text("plain")
    notebook.run(0)
    expect(notebook.steps).to_have_count(1)
    expect(notebook.steps.first).to_have_attribute("data-status", "error")
    expect(notebook.steps.first).to_contain_text("ZeroDivisionError")
