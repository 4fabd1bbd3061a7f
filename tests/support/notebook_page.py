"""What a person does on a page with a notebook, and waits for."""

import re

from playwright.sync_api import Locator, Page, expect

ALREADY_RUN = re.compile(r"\[\d+\]")


class NotebookPage:
    """A notebook in JupyterLab with our panel beside it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.code_cells = page.locator(".jp-Notebook .jp-CodeCell")
        self.panel = page.get_by_role("region", name="Investigation")
        self.steps = self.panel.locator("li[data-status]")
        self.hypotheses = self.panel.locator("li[data-hypothesis]")

    def open(self, address: str) -> None:
        """Opens it and waits until its kernel has started."""
        self.page.goto(address)
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        """The status bar knows; the indicator beside the kernel's name says idle too early."""
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text("| Idle")

    def run(self, number: int) -> Locator:
        """Runs a code cell, counted from zero, and waits for its end.

        Returns:
            The cell.
        """
        cell = self.code_cells.nth(number)
        cell.scroll_into_view_if_needed()
        cell.locator(".jp-InputPrompt").click()
        self.page.keyboard.press("Control+Enter")
        expect(cell.locator(".jp-InputPrompt")).to_have_text(ALREADY_RUN)
        return cell

    def write(self, number: int, source: str) -> None:
        """Writes into a code cell."""
        self.code_cells.nth(number).locator(".cm-content").click()
        self.page.keyboard.insert_text(source)

    def show_panel(self) -> None:
        """Brings our panel to the front, as its icon at the right does."""
        if not self.panel.is_visible():
            self.page.get_by_role("tab", name="Investigation").click()
        expect(self.panel).to_be_visible()
