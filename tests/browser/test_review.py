"""A person comments beside the notebook, and cannot approve their own work."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.lab import Lab
from tests.support.notebook_page import NotebookPage

pytestmark = pytest.mark.browser


def test_comments_and_review_in_the_panel(lab: Lab, page: Page) -> None:
    lab.add("reviewed.ipynb", "6 * 7", kernel="investigation")
    notebook = NotebookPage(page)
    notebook.open(lab.page("reviewed.ipynb"))
    notebook.show_panel()
    notebook.run(0)
    expect(notebook.steps).to_have_count(1)
    panel = notebook.panel

    expect(panel.get_by_label("Comment on")).to_contain_text("cell 1")
    box = panel.get_by_label("Comment", exact=True)
    comment = panel.get_by_role("button", name="Comment", exact=True)
    expect(comment).to_be_disabled()
    box.fill("why not 43?")
    comment.click()
    threads = panel.locator("li[data-thread]")
    expect(threads).to_have_count(1)
    expect(threads.first).to_contain_text("why not 43?")
    expect(box).to_have_value("")
    threads.first.get_by_role("button", name="Answer").click()
    threads.first.get_by_label("Answer").fill("it is even")
    threads.first.get_by_role("button", name="Send").click()
    expect(threads.first).to_contain_text("it is even")
    threads.first.get_by_role("button", name="Resolve").click()
    expect(threads.first).to_have_attribute("data-thread", "resolved")

    panel.get_by_role("button", name="Ask for review").click()
    expect(panel).to_contain_text("In review")
    panel.get_by_role("button", name="Approve").click()
    expect(panel.get_by_role("alert")).to_contain_text("cannot review it")
