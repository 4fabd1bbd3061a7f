"""Bad times in the browser: each is told in its place, has a way on, and loses nothing typed.

All walks share one server with two people, whose kernels stay dead when they die.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import ARTEFACTS
from tests.browser.test_accessibility import choose_theme
from tests.support.lab import Lab, jupyter_lab
from tests.support.line import Line, slow
from tests.support.notebook_page import NotebookPage
from tests.support.ports import free_port
from tests.support.templates import HEADER, SQL, write_template
from tests.support.waiting import until
from workspace_ext.access.people import FILE_NAME, People
from workspace_ext.client.broker import BrokerClient
from workspace_ext.client.discovery import BROKER_FILE, find
from workspace_ext.storage.folder import StoreFolder

pytestmark = pytest.mark.browser

NIGHT = {"width": 1280, "height": 800}
STAYS_DEAD = "--KernelRestarter.restart_limit=0"
SLOW_MS = 4000
"""More than the front end waits before it says that something takes long."""


FAILING = """\
SELECT 'cart' AS service, count(*) AS calls,
    CAST(coalesce($service, 'no number') AS DOUBLE) AS slowest_ms
FROM spans
WHERE time >= $window_start AND time < $window_end
ORDER BY calls
"""


@dataclass(frozen=True)
class Server:
    """The server, its people's tokens, and its store."""

    lab: Lab
    tokens: dict[str, str]
    door: str

    @property
    def store(self) -> Path:
        return self.lab.folder / ".investigation"

    @property
    def client(self) -> BrokerClient:
        return until(lambda: find(self.store), "a broker runs")  # type: ignore[no-any-return]

    def page(self, path: str = "", *, of: str = "alice") -> str:
        """The address at which somebody opens a file."""
        return replace(self.lab, token=self.tokens[of]).page(path)

    def open(
        self, page: Page, name: str, source: str = "6 * 7", *, of: str = "alice"
    ) -> NotebookPage:
        """A notebook that somebody has open, with its panel; an investigation by its first run."""
        page.set_viewport_size(NIGHT)  # type: ignore[arg-type]
        fresh = not (self.lab.folder / name).exists()
        if fresh:
            self.lab.add(name, source, kernel="investigation")
        notebook = NotebookPage(page)
        notebook.open(self.page(name, of=of))
        notebook.show_panel()
        if fresh:
            notebook.run(0)
        expect(notebook.panel.locator("[data-live]")).to_have_attribute("data-live", "true")
        return notebook


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """JupyterLab on an empty folder."""
    where = tmp_path_factory.mktemp("trouble")
    folder = where / "work"
    folder.mkdir()
    people = People(where / "config" / FILE_NAME)
    tokens = {name: people.add(name, role="lead") for name in ("alice", "bob")}
    door = f"127.0.0.1:{free_port()}"
    with jupyter_lab(where, folder, STAYS_DEAD, env={"INVESTIGATION_OTLP": door}) as lab:
        yield Server(lab, tokens, f"http://{door}")


def picture(page: Page, name: str) -> None:
    """In light and dark, for whoever looks at it."""
    ARTEFACTS.mkdir(exist_ok=True)
    for theme in ("Dark", "Light"):
        choose_theme(page, theme)
        page.screenshot(path=ARTEFACTS / f"trouble-{name}-{theme.lower()}.png")


def test_an_empty_store_says_how_to_send(server: Server, page: Page) -> None:
    page.set_viewport_size(NIGHT)  # type: ignore[arg-type]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(server.page())
    page.get_by_role("tab", name="Telemetry data").click()
    data = page.get_by_role("region", name="Telemetry data")
    expect(data.get_by_role("heading")).to_have_text("No data yet")
    expect(data.get_by_role("button", name="Load sample incident")).to_be_visible()
    picture(page, "no-store")

    page.locator(".jp-LauncherCard", has_text="New investigation").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("There is no store yet")
    page.screenshot(path=ARTEFACTS / "trouble-dialog-no-store.png")
    dialog.get_by_label("Title").fill("The first one")
    dialog.get_by_role("button", name="Create").click()
    notebook = NotebookPage(page)
    notebook.wait_for_kernel()

    notebook.panel.get_by_role("button", name="How to get data…").click()
    expect(data).to_be_focused()
    expect(data).to_contain_text(server.door)
    picture(page, "empty")
    collector = yaml.safe_load(_copied(page, data, "receivers:"))
    assert collector["exporters"]["otlphttp/investigation"]["endpoint"] == server.door
    sent = subprocess.run(
        ["bash", "-c", _copied(page, data, "curl ")], capture_output=True, text=True, check=True
    )
    assert "rejected" not in sent.stdout, sent.stdout
    expect(data).to_contain_text("Ingest is well")
    expect(data.locator("[data-section=data-sources]")).to_contain_text("1 record · otlp-json")
    expect(data.locator("[data-section=data-signals]")).to_contain_text("logs")

    expect(notebook.panel).to_contain_text("There are data now")
    notebook.panel.get_by_role("button", name="Move pin…").click()
    notebook.panel.get_by_label("Reason", exact=True).first.fill("the first data came")
    page.keyboard.press("Control+Enter")
    expect(notebook.panel).to_contain_text("batch 1")
    expect(notebook.panel).not_to_contain_text("There are data now")


def _copied(page: Page, data: Locator, text: str) -> str:
    """Copies a text as a person does; what the clipboard then holds."""
    place = data.locator(".jp-Investigation-copied").filter(has_text=text)
    place.get_by_role("button", name="Copy").click()
    expect(place.get_by_role("button")).to_have_text("Copied")
    held: str = page.evaluate("navigator.clipboard.readText()")
    assert held == place.locator("pre").text_content()
    return held


def test_a_store_that_cannot_be_opened(server: Server, page: Page) -> None:
    notebook = server.open(page, "damaged.ipynb")
    panel = notebook.panel
    panel.get_by_role("button", name="State a hypothesis").click()
    panel.get_by_label("Hypothesis", exact=True).fill("The disk is full")
    panel.get_by_label("Comment", exact=True).fill("why so few?")

    with _damaged(server):
        banner = panel.get_by_role("alert").first
        expect(banner).to_contain_text("is damaged")
        expect(banner).to_contain_text("restore the folder", ignore_case=True)
        notebook.run(0)  # people can work on all the same …
        panel.get_by_role("button", name="State it").click()
        refused = panel.locator(".jp-Investigation-error")
        expect(refused).to_contain_text("What you typed stays here.")
        panel.get_by_role("button", name="Comment", exact=True).click()
        expect(refused).to_have_count(2)
        picture(page, "damaged")

        page.reload()
        notebook.wait_for_kernel()
        expect(banner).to_contain_text("is damaged")
        server.lab.add("damaged-too.ipynb", "6 * 7", kernel="investigation")
        notebook.open(server.page("damaged-too.ipynb"))
        notebook.show_panel()
        expect(panel.get_by_role("heading")).to_contain_text("is damaged")
        picture(page, "damaged-from-the-start")
        page.keyboard.press("Control+Shift+C")
        page.keyboard.insert_text("New Investigation")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Title").fill("In the dark")
        dialog.get_by_role("button", name="Create").click()
        expect(dialog.get_by_role("alert")).to_contain_text("is damaged")
        page.screenshot(path=ARTEFACTS / "trouble-dialog-damaged.png")

    expect(dialog.get_by_label("Title")).to_have_value("In the dark")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)
    notebook.open(server.page("damaged.ipynb"))
    expect(notebook.steps).to_have_count(2)  # … and what they did is on record later
    expect(panel.get_by_label("Hypothesis", exact=True)).to_have_value("The disk is full")
    panel.get_by_role("button", name="State it").click()
    expect(notebook.hypotheses).to_contain_text("The disk is full")
    expect(panel.get_by_label("Comment", exact=True)).to_have_value("why so few?")
    panel.get_by_role("button", name="Comment", exact=True).click()
    expect(panel.locator("li[data-thread]")).to_contain_text("why so few?")


@contextmanager
def _damaged(server: Server) -> Iterator[None]:
    """While it lasts, the broker is gone and its store cannot be opened."""
    file = StoreFolder(server.store).telemetry
    aside = file.rename(file.with_name("aside"))
    file.write_bytes(b"no database" * 1000)
    os.kill(json.loads((server.store / BROKER_FILE).read_text())["pid"], signal.SIGKILL)
    yield
    aside.replace(file)


IMPATIENT = """(wait => { window.setTimeout = (act, ms, ...more) =>
    wait(act, ms > 10_000 && ms <= 30_000 && ms % 1000 === 0 ? 500 : ms, ...more);
})(window.setTimeout)"""
"""JupyterLab looks for a kernel that it lost again after 10 to 30 whole seconds."""


def test_an_expired_login(server: Server, page: Page) -> None:
    page.add_init_script(IMPATIENT)
    line = Line(page)
    notebook = server.open(page, "expired.ipynb")
    panel = notebook.panel
    panel.get_by_label("Comment", exact=True).fill("typed before it expired")
    cookies = page.context.cookies()
    page.context.clear_cookies()
    page.context.add_cookies([each for each in cookies if each["name"] == "_xsrf"])
    panel.get_by_role("button", name="Comment", exact=True).click()
    refused = panel.locator(".jp-Investigation-error")
    expect(refused).to_contain_text("You are not logged in any more.")
    line.cut()
    line.mend()
    banner = panel.locator(".jp-Investigation-banner")
    expect(banner).to_contain_text("You are not logged in any more.")
    page.screenshot(path=ARTEFACTS / "trouble-expired.png")

    with page.context.expect_page() as opened:
        banner.get_by_role("link", name="Log in").click()
    login = opened.value
    login.get_by_label(re.compile("Password|token", re.IGNORECASE)).first.fill(
        server.tokens["alice"]
    )
    login.get_by_role("button", name="Log in").click()
    expect(login.get_by_role("heading")).to_contain_text("You are logged in as alice")
    login.screenshot(path=ARTEFACTS / "trouble-logged-in.png")
    login.close()
    expect(panel.locator("[data-live]")).to_have_attribute("data-live", "true")  # by itself
    expect(banner).to_have_count(0)
    panel.get_by_role("button", name="Comment", exact=True).click()
    expect(panel.locator("li[data-thread]")).to_contain_text("typed before it expired")
    notebook.wait_for_kernel()  # it is the one that it was, and no dialog said it were dead
    notebook.run(0)
    expect(notebook.code_cells.first.locator(".jp-InputPrompt")).to_have_text("[2]:")


def test_a_slow_network(server: Server, page: Page) -> None:
    notebook = server.open(page, "slow.ipynb")
    panel = notebook.panel
    with slow(page, latency_ms=SLOW_MS):
        panel.get_by_label("Action", exact=True).fill("Roll back")
        panel.get_by_role("button", name="Add").click()
        expect(panel.get_by_role("status").filter(has_text="the network is slow")).to_be_visible()
        expect(panel.get_by_label("Action", exact=True)).to_have_value("Roll back")
        page.screenshot(path=ARTEFACTS / "trouble-slow.png")
        expect(panel.locator("li[data-action]")).to_contain_text("Roll back")
        page.get_by_role("tab", name="Templates").click()
        waiting = page.get_by_role("region", name="Templates").get_by_role("status")
        expect(waiting.first).to_contain_text("takes longer than usual")
        page.screenshot(path=ARTEFACTS / "trouble-slow-templates.png")
    templates = page.get_by_role("region", name="Templates")
    expect(templates.get_by_label("Search templates")).to_be_visible()

    # The request arrives, its answer does not: said again, it is on record once.
    record = re.compile("/investigation/(record|comments)")
    page.route(record, lambda route: (route.fetch(), route.abort()))
    panel.get_by_label("Action", exact=True).fill("Page the owner")
    panel.get_by_role("button", name="Add").click()
    expect(panel.get_by_role("alert")).to_contain_text("The Jupyter server does not answer.")
    panel.get_by_label("Comment", exact=True).fill("lost on its way back")
    panel.get_by_role("button", name="Comment", exact=True).click()
    expect(panel.get_by_role("alert")).to_have_count(2)
    picture(page, "no-answer")
    page.unroute(record)
    panel.get_by_role("button", name="Add").click()
    panel.get_by_role("button", name="Comment", exact=True).click()
    expect(panel.get_by_role("alert")).to_have_count(0)
    expect(panel.locator("li[data-action]")).to_have_count(2)
    expect(panel.locator("li[data-thread]")).to_have_count(1)
    expect(panel.locator("li[data-thread] .jp-Investigation-comment")).to_have_count(1)


def test_two_move_the_pin(server: Server, page: Page, another_page: Page) -> None:
    alice = server.open(page, "pins.ipynb")
    bob = server.open(another_page, "pins.ipynb", of="bob")
    _send_one(server)
    for person in (alice, bob):
        person.panel.get_by_role("button", name="Move pin…").click()
        expect(person.panel.get_by_role("button", name="Move the pin")).to_be_visible()
    alice.panel.get_by_label("Reason", exact=True).first.fill("we need what came since")
    bob.panel.get_by_label("Reason", exact=True).first.fill("a record came late")
    bob.panel.get_by_role("button", name="Move the pin").click()
    told = alice.panel.get_by_role("alert")
    expect(told).to_contain_text("bob moved the pin")
    expect(told).to_contain_text("a record came late")
    expect(alice.panel.get_by_role("button", name="Move the pin")).to_be_disabled()
    picture(page, "pins")
    alice.panel.get_by_role("button", name="Move it all the same").click()
    expect(alice.panel.get_by_label("Reason", exact=True).first).to_have_value(
        "we need what came since"
    )
    alice.panel.get_by_role("button", name="Move the pin").click()
    expect(bob.panel).to_contain_text("alice")


def _send_one(server: Server) -> None:
    """One more batch for the store."""
    before = server.client.catalog()["pin"]
    record = {"timeUnixNano": "1700000000000000000", "body": {"stringValue": "late"}}
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
    command = ["curl", "-sS", "-X", "POST", f"{server.door}/v1/logs", "-d", json.dumps(body)]
    subprocess.run([*command, "-H", "Content-Type: application/json"], check=True)
    until(lambda: server.client.catalog()["pin"] > before, "it is in the store")


def test_a_template_that_fails(server: Server, page: Page) -> None:
    folder = server.store / "templates"
    hour = "2026-01-01T00:00:00Z/2026-01-01T01:00:00Z"
    ask = f'investigation.run("cart.slow", window="{hour}")'
    notebook = server.open(page, "template.ipynb", ask)
    output = notebook.code_cells.first.locator(".jp-OutputArea")
    expect(output).to_contain_text("no template")
    write_template(folder, header=HEADER, sql=FAILING, fixtures=None)
    notebook.run(0)
    expect(output).to_contain_text("Hint")
    expect(output).not_to_contain_text("Traceback")
    expect(notebook.steps.first).to_have_attribute("data-status", "error")
    picture(page, "template")
    write_template(folder, header=HEADER, sql=SQL, fixtures=None)
    notebook.run(0)
    expect(notebook.steps.first).to_have_attribute("data-status", "ok")


def test_a_dead_kernel(server: Server, page: Page) -> None:
    notebook = server.open(page, "dead.ipynb")
    page.keyboard.press("Alt+Shift+T")
    templates = page.get_by_role("region", name="Templates")
    templates.get_by_role("option").filter(has_text="·").first.click()
    cell = notebook.code_cells.first
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    page.keyboard.press("Control+Enter")
    expect(notebook.steps.first).to_contain_text("the kernel died")
    expect(templates).to_contain_text("This notebook has no kernel to ask with.")
    picture(page, "dead")
    templates.get_by_role("button", name="Choose a kernel").click()
    page.get_by_role("dialog").get_by_role("button", name="Select").click()
    notebook.wait_for_kernel()
    expect(templates).not_to_contain_text("no kernel")
    expect(cell).to_contain_text("os.kill")
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("6 * 7")
    notebook.run(0)
    expect(cell.locator(".jp-OutputArea-output")).to_have_text("42")
