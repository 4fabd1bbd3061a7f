"""A person finds a template by its question, fills it in, asks it, and asks it again otherwise."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Response, expect

from tests.browser.conftest import ARTEFACTS
from tests.browser.test_accessibility import choose_theme
from tests.support.lab import Lab
from tests.support.notebook_page import NotebookPage
from tests.support.templates import HEADER, write_template

pytestmark = pytest.mark.browser

SCOPE = """\
investigation.scope(
    window="2023-01-30T11:59:00Z/2023-01-30T12:02:00Z",
    baseline="2023-01-30T11:38:50Z/2023-01-30T11:39:55Z",
)"""
NARROW = {"width": 1280, "height": 800}


class GalleryPage:
    """The templates gallery of a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.panel = page.get_by_role("region", name="Templates")
        self.search = self.panel.get_by_label("Search templates")
        self.options = self.panel.get_by_role("option").filter(has_text="·")
        self.run_here = self.panel.get_by_role("button", name="Run here")

    def open(self) -> None:
        """By its shortcut, with the cursor in the search."""
        self.page.keyboard.press("Alt+Shift+T")
        expect(self.search).to_be_focused()

    def field(self, name: str) -> Locator:
        """An input by its parameter's name."""
        return self.panel.locator(f"#jp-investigation-field-{name}")

    def picture(self, name: str) -> None:
        """For whoever looks at it."""
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"gallery-{name}.png")


def _keeps(text: str) -> Callable[[Response], bool]:
    """Tells the response to a save of the layout that holds a text."""

    def keeps(response: Response) -> bool:
        asked = response.request
        saves = "/api/workspaces" in response.url and asked.method == "PUT"
        return saves and text in (asked.post_data or "")

    return keeps


def test_from_a_question_to_an_answer_and_another(lab: Lab, page: Page) -> None:
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    lab.add("gallery.ipynb", SCOPE, kernel="investigation")
    notebook, gallery = NotebookPage(page), GalleryPage(page)
    notebook.open(lab.page("gallery.ipynb"))
    notebook.run(0)
    expect(notebook.steps).to_have_count(1)

    gallery.open()
    page.keyboard.type("which operations slower")
    expect(gallery.options).to_have_count(1)
    expect(gallery.options.first).to_have_attribute("aria-selected", "true")
    gallery.picture("search")
    page.keyboard.press("Enter")
    expect(gallery.field("window")).to_have_value(re.compile("2023-01-30T11:59"))
    expect(gallery.panel).to_contain_text("Does not cover")
    expect(gallery.panel).to_contain_text("UTC")

    service = gallery.field("service")
    service.fill("ts-basic")
    expect(gallery.panel.get_by_role("alert")).to_contain_text("Did you mean ts-basic-service?")
    expect(gallery.run_here).to_be_disabled()
    with page.expect_response(_keeps("ts-basic-service")):  # JupyterLab does so a moment later
        service.fill("ts-basic-service")
    gallery.picture("form")
    page.keyboard.press("Enter")
    asked = notebook.code_cells.nth(1)
    expect(asked).to_contain_text('investigation.run("latency.shift", service="ts-basic-service")')
    expect(asked.locator(".jp-OutputArea table").first).to_be_visible()
    expect(notebook.steps.first).to_contain_text("Latency shift · ts-basic-service")

    page.reload()
    notebook.wait_for_kernel()
    expect(service).to_have_value("ts-basic-service")  # nothing that was typed is lost
    service.press("Escape")
    expect(service).to_be_hidden()  # so what is seen next is what was asked

    asked.locator(".jp-InputArea").click(button="right")
    page.get_by_role("menuitem", name="Run Again with…").click()
    expect(service).to_have_value("ts-basic-service")
    expect(gallery.field("min_ratio")).to_be_hidden()
    gallery.panel.get_by_text("Thresholds and more").click()
    gallery.field("min_ratio").fill("0.5")
    expect(gallery.panel.get_by_role("alert")).to_have_text("0.5 is below 1.")
    gallery.field("min_ratio").fill("3")
    gallery.picture("again")
    gallery.run_here.click()
    expect(notebook.code_cells.nth(2)).to_contain_text("min_ratio=3,")
    expect(notebook.steps).to_have_count(3)

    gallery.panel.get_by_role("button", name="Insert").click()
    expect(notebook.code_cells).to_have_count(4)
    expect(notebook.code_cells.nth(3).locator(".jp-InputPrompt")).to_have_text("[ ]:")
    _ask_what_is_next(notebook)
    _check_dark(gallery)


def _ask_what_is_next(notebook: NotebookPage) -> None:
    """By keys alone, from an answer to what it leads to; the record knows the path."""
    page, asked = notebook.page, notebook.code_cells.nth(1)
    before = notebook.code_cells.count()
    offered = asked.get_by_role("group", name="What to ask next").get_by_role("button")
    expect(offered.filter(has_text="ts-basic-service").first).to_be_visible()
    expect(asked.locator(".investigation-next")).to_be_hidden()  # the same, for paper
    question = offered.first.inner_text().partition(" · ")[0]

    asked.locator(".jp-InputPrompt").click()
    page.keyboard.press("Alt+Shift+N")
    expect(offered.first).to_be_focused()
    page.keyboard.press("Enter")
    expect(notebook.code_cells).to_have_count(before + 1)
    onward = notebook.code_cells.nth(2)
    expect(onward).to_contain_text(re.compile(r'service="ts-basic-service",[^#]*follows="latency'))
    expect(onward.locator(".jp-OutputArea")).to_contain_text("pin ")
    expect(notebook.steps.first).to_contain_text(question)
    expect(notebook.steps.first).to_contain_text("from Latency shift · ts-basic-service")


def _check_dark(gallery: GalleryPage) -> None:
    choose_theme(gallery.page, "Dark")
    gallery.picture("form-dark")
    gallery.open()
    gallery.picture("list-dark")
    choose_theme(gallery.page, "Light")  # it is kept for everybody who comes after


def test_what_stands_in_the_way_is_said(lab: Lab, page: Page) -> None:
    broken = write_template(
        lab.folder / ".investigation" / "templates",
        header=HEADER.replace("stable", "stabel"),
        name="cart/broken",
    )
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    gallery = GalleryPage(page)
    away = re.compile("/investigation/gallery")
    page.route(away, lambda route: route.abort())
    page.goto(lab.page())
    page.get_by_role("tab", name="Templates").click()
    expect(gallery.panel.get_by_role("heading")).to_have_text("The Jupyter server does not answer.")
    page.unroute(away)
    gallery.panel.get_by_role("button", name="Try again").click()
    expect(gallery.search).to_be_visible()

    gallery.panel.get_by_text("Broken templates").click()
    expect(gallery.panel).to_contain_text("cart/broken.sql:6")
    gallery.search.fill("where do retries come from?")
    expect(gallery.panel).to_contain_text("No template has all these words")
    expect(gallery.options.first).to_contain_text("Retry storm")
    gallery.search.fill("colour of luck")
    expect(gallery.options).to_have_count(0)
    gallery.picture("nothing")
    gallery.panel.get_by_role("button", name="Show all").click()
    gallery.options.first.click()
    expect(gallery.run_here).to_be_disabled()
    expect(gallery.panel).to_contain_text("Open a notebook to ask this in.")
    broken.unlink()
