"""What the panel says when the broker cannot start: why, and what to do about it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.lab import jupyter_lab
from tests.support.notebook_page import NotebookPage
from workspace_ext.storage.folder import StoreFolder

pytestmark = pytest.mark.browser


def test_damaged_store(tmp_path: Path, page: Page) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    store = StoreFolder.create(folder / ".investigation")
    store.telemetry.write_bytes(b"no database" * 1000)

    with jupyter_lab(tmp_path, folder) as lab:
        lab.add("first.ipynb", "6 * 7", kernel="investigation")
        notebook = NotebookPage(page)
        notebook.open(lab.page("first.ipynb"))
        notebook.show_panel()
        expect(notebook.panel.get_by_role("heading")).to_contain_text("is damaged")
        expect(notebook.panel).to_contain_text("restore the folder", ignore_case=True)
        notebook.run(0)  # people can work on all the same …

        store.telemetry.unlink()
        notebook.panel.get_by_role("button", name="Try again").click()
        expect(notebook.panel.get_by_role("heading")).to_have_text("first")
        expect(notebook.steps).to_have_count(1)  # … and what they did is on record later
        expect(notebook.steps.first).to_have_attribute("data-status", "ok")
