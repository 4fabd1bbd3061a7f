"""The panel and the data panel, walked through in a small window as an on-call has it at night."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.conftest import ARTEFACTS
from tests.support.lab import Lab
from tests.support.notebook_page import NotebookPage
from tests.support.waiting import as_written, until
from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import find
from workspace_ext.foundation.clock import now_ns, to_rfc3339

pytestmark = pytest.mark.browser

NIGHT = {"width": 1280, "height": 800}
STEPS = 2000
SUPPORTED = """\
h = investigation.hypothesis("The pool is small", predicts="waits rise")
seen = investigation.sql("SELECT count(*) AS n FROM spans")
h.support("they rise", evidence=[seen])"""
STORED = re.compile(r"2023-01-30 \d\d:\d\d:00 UTC \S 2023-01-30 12:02:00 UTC")
DRAWN_AT_MOST = 300
"""Lines of the timeline in the page, of however many there are."""


def test_from_the_launcher_to_the_data(lab: Lab, page: Page) -> None:
    page.set_viewport_size(NIGHT)
    page.goto(lab.page())
    _begin(page)
    notebook = NotebookPage(page)
    panel = notebook.panel
    expect(panel.get_by_role("heading", level=2)).to_have_text("Search is slow at night")
    expect(panel).to_contain_text("SEV2")
    expect(panel).to_contain_text("ts-basic-service")
    expect(panel.get_by_role("status")).to_have_text("live")
    notebook.wait_for_kernel()
    expect(panel.locator(".jp-Investigation-people")).to_contain_text("you")
    expect(notebook.code_cells.first).to_contain_text("ts-basic-service")

    _judge(notebook)
    panel.get_by_label("Action", exact=True).fill("Roll back v2.3")
    panel.get_by_label("Owner").fill("carol")
    panel.get_by_role("button", name="Add").click()
    expect(panel).to_contain_text("1 to do")
    panel.get_by_role("checkbox").check()
    expect(panel.locator("li[data-action=done]")).to_contain_text("carol")
    panel.get_by_role("button", name="Begin").click()
    expect(panel.locator("[data-current]")).to_contain_text("5 min")

    notebook.run(0)
    expect(notebook.steps).to_have_count(1)
    lines = panel.locator("li[data-entry]")
    everything = lines.count()
    panel.get_by_label("Show only this kind").select_option("run")
    expect(lines).to_have_count(1)
    panel.get_by_label("Show only this kind").select_option("action")
    expect(lines).to_contain_text(["Roll back v2.3"])
    panel.get_by_label("Show only this kind").select_option("")
    expect(lines).to_have_count(everything)
    page.screenshot(path=ARTEFACTS / "panel-light.png")
    _drag(notebook)
    panel.locator("summary", has_text="Agenda").click()
    panel.get_by_role("button", name="Change the agenda").click()
    agenda = panel.get_by_label("A line an item")
    agenda.fill("Impact 5\nWhat nobody saved yet 7")

    with page.expect_response(_saves_the_fold):  # JupyterLab does so a moment later
        panel.locator("summary", has_text="Hypotheses").click()
        expect(notebook.hypotheses.first).to_be_hidden()
    page.reload()
    notebook.wait_for_kernel()
    notebook.show_panel()
    expect(agenda).to_have_value("Impact 5\nWhat nobody saved yet 7")
    expect(notebook.hypotheses).to_have_count(2)
    expect(notebook.hypotheses.first).to_be_hidden()
    expect(panel.locator("li[data-action=done]")).to_have_count(1)
    _data(page)


def _saves_the_fold(response: Response) -> bool:
    request = response.request
    saves = "/api/workspaces" in request.url and request.method == "PUT"
    return saves and '"hypotheses":false' in (request.post_data or "")


def _begin(page: Page) -> None:
    page.locator(".jp-LauncherCard", has_text="New investigation").click()
    dialog = page.get_by_role("dialog")
    create = dialog.get_by_role("button", name="Create")
    expect(create).to_be_disabled()
    dialog.get_by_label("Title").fill("Search is slow at night")
    dialog.get_by_label("Severity").select_option("SEV2")
    page.reload()
    page.locator(".jp-LauncherCard", has_text="New investigation").click()
    expect(dialog.get_by_label("Title")).to_be_focused()
    expect(dialog.get_by_label("Title")).to_have_value("Search is slow at night")  # it was kept
    expect(dialog.get_by_label("Severity")).to_have_value("SEV2")
    dialog.get_by_label("Affected services").fill("ts-basic-service,")
    expect(dialog).to_contain_text("No data in this window")
    dialog.get_by_role("button", name="End the window at the newest record").click()
    expect(dialog).not_to_contain_text("No data in this window")
    expect(dialog.locator("[data-stored]")).to_have_text(STORED)
    dialog.get_by_text("Times…").click()
    start = dialog.get_by_label("From", exact=True)
    kept = start.input_value()
    start.fill("2023-01-30T23:00:00")
    expect(dialog.get_by_role("alert")).to_contain_text("ends before it begins")
    expect(create).to_be_disabled()
    start.fill(kept)
    page.screenshot(path=ARTEFACTS / "panel-dialog.png")
    create.click()
    expect(dialog).to_have_count(0)


def _judge(notebook: NotebookPage) -> None:
    """A hypothesis, moved by its menu: refused in place first, and nothing typed is lost."""
    panel = notebook.panel
    panel.get_by_role("button", name="State a hypothesis").click()
    panel.get_by_label("Hypothesis", exact=True).fill("The pool is exhausted")
    notebook.page.keyboard.press("Control+Enter")
    expect(notebook.hypotheses).to_have_attribute("data-hypothesis", "proposed")
    expect(panel.get_by_role("button", name="State a hypothesis")).to_be_focused()
    menu = panel.get_by_label("Change the state of: The pool is exhausted")
    menu.select_option("supported")
    panel.get_by_label("Reason").first.fill("it waits")
    panel.get_by_role("button", name="Move to").click()
    expect(panel.get_by_role("alert")).to_contain_text("no test and no evidence")
    expect(panel.get_by_label("Reason").first).to_have_value("it waits")
    menu.select_option("refuted")
    panel.get_by_role("button", name="Move to").click()
    refuted = panel.locator("[data-lane=refuted] li[data-hypothesis=refuted]")
    expect(refuted).to_contain_text("it waits")


def _drag(notebook: NotebookPage) -> None:
    """A card leads to its evidence; it is dragged to another state, and moved on by keys."""
    page, panel, cell = notebook.page, notebook.panel, notebook.code_cells.nth(1)
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(SUPPORTED)
    notebook.run(1)
    card = panel.locator("li[data-hypothesis]").filter(has_text="The pool is small")
    expect(card).to_have_attribute("data-hypothesis", "supported")
    expect(notebook.steps.first).to_have_attribute("data-status", "ok")  # nothing more comes
    notebook.code_cells.first.locator(".jp-InputPrompt").click()
    card.locator("p", has_text="Evidence:").get_by_role("button").click()
    expect(cell).to_contain_class("jp-mod-active")

    lane = panel.locator("[data-lane=refuted]")
    card.locator(".jp-Investigation-claim").hover()
    places = [card.bounding_box(), lane.bounding_box()]
    page.mouse.down()
    lane.hover()
    expect(lane).to_have_attribute("data-open", "true")
    expect(panel.locator("[data-lane=ruled_out]")).to_be_visible()  # where no card is yet
    assert [card.bounding_box(), lane.bounding_box()] == places  # nothing moved from under it
    page.screenshot(path=ARTEFACTS / "panel-drag.png")
    page.mouse.up()
    expect(card.get_by_label("Reason")).to_be_focused()
    page.keyboard.insert_text("dragged")
    card.get_by_role("button", name="Move to “Refuted”").click()
    expect(card).to_have_attribute("data-hypothesis", "refuted")
    expect(card).to_contain_text("Because dragged")

    menu = card.get_by_role("combobox")
    menu.focus()
    page.keyboard.press("ArrowDown")  # opens it, and chooses nothing yet
    expect(menu).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(card.get_by_label("Reason")).to_be_focused()
    page.keyboard.insert_text("by key")
    page.keyboard.press("Control+Enter")
    expect(card).not_to_have_attribute("data-hypothesis", "refuted")
    expect(card.get_by_label("Reason")).to_have_count(0)
    expect(menu).to_be_focused()  # also in another lane


def _data(page: Page) -> None:
    page.get_by_role("tab", name="Telemetry data").click()
    data = page.get_by_role("region", name="Telemetry data")
    expect(data).to_contain_text("Ingest is well")
    expect(data.locator("[data-section=data-sources]")).to_contain_text("spans.parquet")
    data.locator("summary", has_text="Services").click()
    data.get_by_label("Search services").fill("basic")
    expect(data.locator("[data-section=data-services] li").first).to_contain_text("basic")
    expect(data).not_to_contain_text("ts-travel-service")
    data.locator("summary", has_text="Sample incident").click()
    data.get_by_role("button", name="Load sample incident").click()
    expect(data.get_by_role("button", name="Investigate it")).to_be_visible()
    data.locator("summary", has_text="Send data").click()
    expect(data).to_contain_text("otlphttp/investigation")
    page.get_by_role("menuitem", name="Settings").click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Theme$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^JupyterLab Dark$")).click()
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    page.screenshot(path=ARTEFACTS / "panel-dark.png")


def test_a_long_timeline_draws_what_is_in_sight(lab: Lab, page: Page) -> None:
    page.set_viewport_size(NIGHT)
    lab.add("long.ipynb", "6 * 7", kernel="investigation")
    notebook = NotebookPage(page)
    notebook.open(lab.page("long.ipynb"))
    notebook.show_panel()
    notebook.run(0)
    expect(notebook.steps).to_have_count(1)
    file = lab.folder / "long.ipynb"
    about = until(
        lambda: as_written(file).get("metadata", {}).get("investigation"),
        "the notebook says what it belongs to",
    )
    client = find(lab.folder / ".investigation")
    assert client is not None
    _many_steps(client, about["uid"])
    section = notebook.panel.locator("[data-section=timeline]")
    expect(section.locator(".jp-Investigation-count").first).to_have_text(str(STEPS + 1))
    assert section.locator("li").count() < DRAWN_AT_MOST
    notebook.panel.evaluate("panel => panel.scrollTo(0, panel.scrollHeight)")
    expect(section.locator("li", has_text="cell 1").last).to_be_visible()
    assert section.locator("li").count() < DRAWN_AT_MOST


def _many_steps(client: BrokerClient, uid: str) -> None:
    """As many runs as a week of work makes, of several people."""
    digest = "sha256:" + "0" * 64
    began = now_ns()
    for first in range(0, STEPS, 200):
        events = []
        for number in range(first, first + 200):
            run, at = f"many{number}", to_rfc3339(began + number * 1_000_000)
            about = {"subject": run, "time": at, "actor": f"user:p{number % 5}"}
            started = {"run": run, "cell": "many", "source_digest": digest, "kernel": None}
            ended = {"run": run, "status": "ok"}
            events += [
                {"id": f"{run}.s", "type": "run.started", "data": started, **about},
                {"id": f"{run}.e", "type": "run.finished", "data": ended, **about},
            ]
        client.report(uid, events)  # type: ignore[arg-type]


CLAIMS = 200
MANY_CLAIMS = f"""\
for n in range({CLAIMS}):
    investigation.hypothesis(f"تأخير 🔥 {{'very-long-name-' * 12}}{{n:03}}", predicts="it waits")
h = investigation.hypothesis("judged at once", predicts="it does")
h.refute("it does not")
"""


def test_one_cell_with_many_claims_leaves_the_panel_readable(lab: Lab, page: Page) -> None:
    page.set_viewport_size(NIGHT)
    lab.add("claims.ipynb", MANY_CLAIMS, kernel="investigation")
    notebook = NotebookPage(page)
    notebook.open(lab.page("claims.ipynb"))
    notebook.show_panel()
    notebook.run(0)
    expect(notebook.steps.first).to_have_attribute("data-status", "ok")
    judged = notebook.panel.locator("li[data-hypothesis=refuted]")
    expect(judged).to_contain_text("Because it does not")
    expect(judged).not_to_contain_text("moved here")  # one run stated and moved it

    lane = notebook.panel.locator("[data-lane=proposed]")
    cards = lane.locator("li")
    more = lane.get_by_role("button", name="Show 190 more")
    expect(cards).to_have_count(CLAIMS - 190)
    assert notebook.steps.first.locator("p").count() < 10
    notebook.panel.evaluate("panel => { if (panel.scrollWidth > panel.clientWidth) throw 'wide'; }")
    page.screenshot(path=ARTEFACTS / "panel-many-claims.png")
    more.focus()
    page.keyboard.press("Enter")
    expect(cards).to_have_count(CLAIMS)
    fewer = lane.get_by_role("button", name="Show fewer")
    expect(fewer).to_be_focused()
    page.keyboard.press("Enter")
    expect(cards).to_have_count(CLAIMS - 190)
