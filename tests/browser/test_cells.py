"""From a cell's badge to where its result comes from, and through its history and back."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.lab import Lab
from tests.support.notebook_page import NotebookPage

pytestmark = pytest.mark.browser

QUESTION = "%%telemetry\nSELECT service, count(*) AS spans FROM spans GROUP BY service ORDER BY 1"


def test_badge_inspector_history_and_back(lab: Lab, page: Page) -> None:
    lab.add("walked.ipynb", QUESTION, kernel="investigation")
    notebook = NotebookPage(page)
    notebook.open(lab.page("walked.ipynb"))
    cell = notebook.run(0)
    badge = cell.locator(".jp-InvestigationCell-run")
    expect(badge).to_contain_text("just now")
    expect(badge).to_contain_text("pin ")
    expect(badge).not_to_contain_text("edited since")

    badge.press("Enter")
    inspector = page.get_by_role("region", name="Provenance", exact=True)
    expect(inspector.get_by_role("heading", name="Cell 1")).to_be_visible()
    expect(inspector).to_contain_text("adapter ")
    expect(inspector.get_by_role("columnheader", name="service")).to_be_visible()
    expect(inspector.locator("pre")).to_contain_text("GROUP BY service")

    cell.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("\n-- looked at again")
    expect(badge).to_contain_text("edited since")
    expect(inspector).to_contain_text("The code was changed after this run")
    page.keyboard.press("Control+s")

    page.keyboard.press("Alt+Shift+H")
    history = page.get_by_role("region", name="History of walked.ipynb")
    versions = history.get_by_role("navigation").get_by_role("listitem")
    edited = versions.filter(has_text="1 edited")
    expect(edited).to_have_count(1)
    edited.get_by_role("button").click()
    expect(history.locator("ins")).to_contain_text("looked at again")

    before = edited.locator("xpath=following-sibling::li[1]").get_by_role("button")
    before.click()
    expect(before).to_have_attribute("aria-current", "true")
    history.get_by_role("button", name="Restore this version…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("it was right before")
    dialog.get_by_role("button", name="Restore").click()
    expect(versions.first).to_contain_text("it was right before")
    expect(history.locator("del")).to_contain_text("looked at again")

    page.get_by_role("tab", name="walked.ipynb", exact=True).click()
    expect(cell).not_to_contain_text("looked at again")
    expect(badge).not_to_contain_text("edited since")

    cell.locator(".jp-InputPrompt").click()
    page.keyboard.press("Alt+Shift+C")
    box = notebook.panel.get_by_label("Comment", exact=True)
    expect(box).to_be_focused()
    box.fill("why so few?")
    notebook.panel.get_by_role("button", name="Comment", exact=True).click()
    expect(cell.get_by_role("button", name="1 comment")).to_be_visible()


def test_history_follows_the_newest_version(lab: Lab, page: Page) -> None:
    lab.add("followed.ipynb", QUESTION, kernel="investigation")
    notebook = NotebookPage(page)
    notebook.open(lab.page("followed.ipynb"))
    cell = notebook.run(0)
    page.keyboard.press("Control+s")
    page.keyboard.press("Alt+Shift+H")
    history = page.get_by_role("region", name="History of followed.ipynb")
    listed = history.get_by_role("navigation").get_by_role("button")
    expect(listed.first).to_have_attribute("aria-current", "true")

    page.get_by_role("tab", name="followed.ipynb", exact=True).click()
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text("\n-- seen later")
    page.keyboard.press("Control+s")
    page.get_by_role("tab", name="History of followed.ipynb").click()
    expect(history.locator("ins")).to_contain_text("seen later")
    expect(listed.first).to_have_attribute("aria-current", "true")


def test_a_removed_cell_comes_back(lab: Lab, page: Page) -> None:
    lab.add("removed.ipynb", "6 * 7  # soon missed", kernel="investigation")
    notebook = NotebookPage(page)
    notebook.open(lab.page("removed.ipynb"))
    cell = notebook.run(0)
    page.keyboard.press("d")
    page.keyboard.press("d")
    expect(cell).not_to_contain_text("soon missed")
    page.keyboard.press("Control+s")

    page.keyboard.press("Alt+Shift+H")
    history = page.get_by_role("region", name="History of removed.ipynb")
    newest = history.get_by_role("navigation").get_by_role("listitem").first
    expect(newest).to_contain_text("1 removed")
    newest.get_by_role("button").click()
    expect(history.locator("del")).to_contain_text("soon missed")
    whole = history.get_by_role("button", name="Restore this version…")
    expect(whole).to_be_disabled()
    expect(whole).to_have_attribute("title", "This is the newest version: choose an older one.")
    removed = history.get_by_label("Cell 1: removed")
    removed.get_by_role("button", name="Restore cell 1…").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore").click()
    expect(newest).to_contain_text("restored cell")
    page.get_by_role("tab", name="removed.ipynb", exact=True).click()
    expect(notebook.code_cells.filter(has_text="soon missed")).to_have_count(1)
