"""Every view, in light and dark: read by axe-core, reached by keys, still for who wants it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ARTEFACTS
from tests.support.lab import Lab
from tests.support.notebook_page import NotebookPage

pytestmark = pytest.mark.browser

WORK = """\
h = investigation.hypothesis("the disk is full", predicts="writes fail")
investigation.note("nobody slept")
investigation.sql("SELECT service, count(*) AS n FROM spans GROUP BY service ORDER BY 1")
"""
GRAVE = ("serious", "critical")
MOVES = """root => [root, ...root.querySelectorAll('*')]
    .filter(node => { const style = getComputedStyle(node);
        return style.animationName !== 'none' || style.transitionDuration !== '0s'; })
    .map(node => node.className)"""


def by_key(key: str, name: str) -> Callable[[Page], Locator]:
    """A view that a key brings."""

    def show(page: Page) -> Locator:
        page.keyboard.press(key)
        return page.get_by_role("region", name=re.compile(name))

    return show


def history(page: Page) -> Locator:
    found = by_key("Alt+Shift+H", "^History of")(page)
    expect(found.locator(".jp-InvestigationHistory-cell").first).to_be_visible()
    return found


def provenance(page: Page) -> Locator:
    found = by_key("Alt+Shift+P", "^Provenance$")(page)
    expect(found.get_by_role("columnheader", name="service")).to_be_visible()
    return found


def template(page: Page) -> Locator:
    """One template in the gallery, with its form."""
    found = by_key("Alt+Shift+T", "^Templates$")(page)
    found.get_by_role("option").filter(has_text="Latency shift").first.click()
    expect(found.get_by_role("button", name="Run here")).to_be_visible()
    return found


def data(page: Page) -> Locator:
    page.get_by_role("tab", name="Telemetry data").click()
    found = page.get_by_role("region", name="Telemetry data")
    expect(found).to_contain_text("spans")
    return found


def beginning(page: Page) -> Locator:
    page.keyboard.press("Control+Shift+C")
    page.keyboard.insert_text("New Investigation")
    page.keyboard.press("Enter")
    dialog = page.locator(".jp-Dialog")
    expect(dialog.get_by_label("Title")).to_be_focused()
    return dialog


VIEWS: dict[str, Callable[[Page], Locator]] = {
    "panel": by_key("Alt+Shift+I", "^Investigation$"),
    "badge": lambda page: page.locator(".jp-InvestigationCell").first,
    "provenance": provenance,
    "gallery": by_key("Alt+Shift+T", "^Templates$"),
    "template": template,
    "data": data,
    "beginning": beginning,
    "history": history,
}
"""A new view is one line here."""


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_every_view(lab: Lab, page: Page, theme: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    path = f"accessible-{theme.lower()}.ipynb"
    lab.add(path, WORK, kernel="investigation")
    notebook = NotebookPage(page)
    notebook.open(lab.page(path))
    cell = notebook.run(0)
    expect(cell.locator(".jp-InvestigationCell")).to_be_visible()
    notebook.show_panel()
    expect(notebook.hypotheses).to_have_count(1)
    choose_theme(page, theme)

    found: dict[str, Any] = {}
    for name, show in VIEWS.items():
        cell.locator(".jp-InputPrompt").click()
        view = show(page)
        expect(view).to_be_visible()
        page.screenshot(path=ARTEFACTS / f"view-{name}-{theme.lower()}.png")
        found[name] = [*grave(page, view), *(f"moves: {who}" for who in view.evaluate(MOVES))]
        page.keyboard.press("Escape")
        expect(page.locator(".jp-Dialog")).to_have_count(0)
    assert found == {name: [] for name in VIEWS}


def grave(page: Page, view: Locator) -> list[str]:
    """What axe-core finds in a view, with the places."""
    view.evaluate("(node) => node.setAttribute('data-looked-at', '')")
    response = Axe().run(page, context="[data-looked-at]").response
    view.evaluate("(node) => node.removeAttribute('data-looked-at')")
    return [
        f"{one['id']}: {one['help']} {[node['html'][:150] for node in one['nodes'][:3]]}"
        for one in response["violations"]
        if one["impact"] in GRAVE
    ]


def choose_theme(page: Page, theme: str) -> None:
    """Chooses it as a person does, and waits until it is drawn."""
    page.get_by_text("Settings", exact=True).first.click()
    page.get_by_text("Theme", exact=True).first.hover()
    page.get_by_text(f"JupyterLab {theme}", exact=True).first.click()
    light = "true" if theme == "Light" else "false"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", light)
    expect(page.locator("#jupyterlab-splash")).to_have_count(0)


def test_keys_lead_from_the_cell_to_its_provenance_and_on(lab: Lab, page: Page) -> None:
    lab.add("by-key.ipynb", WORK, kernel="investigation")
    notebook = NotebookPage(page)
    notebook.open(lab.page("by-key.ipynb"))
    notebook.run(0)
    inspector = provenance(page)
    expect(inspector).to_be_focused()
    page.keyboard.press("Tab")
    expect(inspector.locator(":focus")).to_have_count(1)
