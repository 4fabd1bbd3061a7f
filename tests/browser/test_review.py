"""A script nobody looked through is marked, a replay told; nobody approves their own work."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ARTEFACTS
from tests.support.command_line import run_command
from tests.support.lab import Lab
from tests.support.notebook_page import NotebookPage
from tests.support.waiting import as_written, until

pytestmark = pytest.mark.browser


def test_marks_comments_and_review(lab: Lab, page: Page) -> None:
    (lab.folder / "answers.py").write_text("def six_times(n):\n    return 6 * n\n", "utf-8")
    lab.add("reviewed.ipynb", "import answers\nanswers.six_times(7)", kernel="investigation")
    notebook = NotebookPage(page)
    notebook.open(lab.page("reviewed.ipynb"))
    notebook.show_panel()
    notebook.run(0)
    expect(notebook.steps).to_have_count(1)
    panel = notebook.panel
    expect(notebook.steps.first).to_contain_text("answers.py script not reviewed")
    _replay(lab, "reviewed.ipynb")
    expect(notebook.code_cells.first.locator(".jp-InvestigationCell")).to_contain_text(
        "replay: same"
    )
    page.screenshot(path=ARTEFACTS / "review-badges.png")

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


def _replay(lab: Lab, name: str) -> None:
    """Archives a notebook as it lies on disk, and tells its workspace what a replay found."""
    until(lambda: "42" in _outputs(lab.folder / name), "the run is saved")
    archive = str(lab.folder / "reviewed.zip")
    for command in (["archive", name, "-o", archive], ["replay", archive]):
        done = run_command(*command, "--store", ".investigation", cwd=lab.folder)
        assert done.code == 0, done.err


def _outputs(file: Path) -> str:
    return str([cell.get("outputs") for cell in as_written(file).get("cells", ())])
