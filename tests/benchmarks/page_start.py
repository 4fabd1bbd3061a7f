"""How much later JupyterLab's page is there with the extension, and what a long notebook costs.

Two servers on the same notebooks, one without the extension; pages of them are opened by turns in
one browser, each with an empty cache. A page's processor time is what Chromium counts of its main
thread, so that a busy machine moves it less than the clock.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.benchmarks.table import Row
from tests.browser.conftest import CHROMIUM, QUIET, SLOW_MACHINE_MS
from tests.support.lab import Lab, jupyter_lab
from tests.support.notebook_page import NotebookPage
from tests.support.waiting import until

TIMES = 5
CELLS = 200
NOTEBOOK = "long.ipynb"
SETTLED_MS = 2000
"""For what a page does in the background; of waiting, its processor time is none."""

NOTE_RESTORED = """Object.defineProperty(window, 'jupyterapp', {
    set(app) { app.restored.then(() => { window.restoredAt = performance.now(); }); }
});"""
"""JupyterLab tells its page when it is there; see `PAGE`."""
PAGE = "--LabApp.expose_app_in_browser=True"
PAINTED = "performance.getEntriesByName('first-contentful-paint')"
SCROLL = """async () => {
    const outer = document.querySelector('.jp-WindowedPanel-outer');
    for (let top = 0; top < outer.scrollHeight - outer.clientHeight; top += 400) {
        outer.scrollTop = top;
        await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    }
}"""


Figures = tuple[float, ...]
"""Seconds of one page."""


def run() -> list[Row]:
    """First paint, JupyterLab restored, and a notebook of 200 cells that were run."""
    expect.set_options(timeout=SLOW_MACHINE_MS)
    with ExitStack() as stack:
        where = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours, bare = (stack.enter_context(_lab(where, extension)) for extension in (True, False))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        stack.callback(browser.close)
        _run_all_cells(browser, ours)
        shutil.copy(ours.folder / NOTEBOOK, bare.folder / NOTEBOOK)
        painted, restored, worked = _by_turns(browser, ours, bare, _start)
        opened, scrolled = _by_turns(browser, ours, bare, _read)
    without = "without the extension"
    return [
        Row("first paint of JupyterLab's page", without, *painted, "difference", 0.1),
        Row("JupyterLab is there, with its layout", without, *restored, "difference", 0.1),
        Row("processor of the page until then", without, *worked, "difference", 0.1),
        Row(f"opening {CELLS} cells that were run, processor", without, *opened, "ratio", 1.25),
        Row("scrolling through them, processor", without, *scrolled, "ratio", 1.5),
    ]


@contextmanager
def _lab(where: Path, extension: bool) -> Iterator[Lab]:
    place = where / ("ours" if extension else "bare")
    folder = place / "work"
    folder.mkdir(parents=True)
    with jupyter_lab(place, folder, PAGE, extension=extension) as lab:
        yield lab


def _by_turns(
    browser: Browser, ours: Lab, bare: Lab, measure: Callable[[Page, Lab], Figures]
) -> list[tuple[float, float]]:
    """Medians of each figure, with the extension and without; the first turn is not counted."""
    found: tuple[list[Figures], list[Figures]] = ([], [])
    for turn in range(TIMES + 1):
        for kept, lab in zip(found, (ours, bare), strict=True):
            with _page(browser) as page:
                figures = measure(page, lab)
            if turn:
                kept.append(figures)
    with_it, without = (map(median, zip(*kept, strict=True)) for kept in found)
    return list(zip(with_it, without, strict=True))


@contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(SLOW_MACHINE_MS)
    context.add_init_script(NOTE_RESTORED)
    yield context.new_page()
    context.close()


def _start(page: Page, lab: Lab) -> Figures:
    """First paint, restored, and the page's processor time until then."""
    worked = _processor(page)
    page.goto(lab.page())
    page.wait_for_function("window.restoredAt")
    seconds = worked()
    page.wait_for_function(f"{PAINTED}.length")  # told a moment after it was
    painted, restored = page.evaluate(f"[{PAINTED}[0].startTime, window.restoredAt]")
    return painted / 1000, restored / 1000, seconds


def _read(page: Page, lab: Lab) -> Figures:
    """The page's processor time for opening a long notebook, and for scrolling to its end."""
    worked = _processor(page)
    page.goto(lab.page(NOTEBOOK))
    NotebookPage(page).wait_for_kernel()
    page.wait_for_timeout(SETTLED_MS)
    opened = worked()
    page.evaluate(SCROLL)
    page.wait_for_timeout(SETTLED_MS)
    return opened, worked() - opened


def _processor(page: Page) -> Callable[[], float]:
    """Tells the seconds that the page's main thread has worked since now."""
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable")

    def seconds() -> float:
        metrics = tools.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))

    began = seconds()
    return lambda: seconds() - began


def _run_all_cells(browser: Browser, lab: Lab) -> None:
    """A notebook as it is after all its cells were run: each has its record and its badge."""
    lab.add(NOTEBOOK, "1", kernel="investigation")
    file = lab.folder / NOTEBOOK
    notebook = json.loads(file.read_text("utf-8"))
    (cell,) = notebook["cells"]
    notebook["cells"] = [
        {**cell, "id": f"c{number}", "source": f"print({number})"} for number in range(CELLS)
    ]
    file.write_text(json.dumps(notebook), "utf-8")
    with _page(browser) as page:
        NotebookPage(page).open(lab.page(NOTEBOOK))
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.locator(".lm-Menu-itemLabel", has_text="Run All Cells").first.click()
        until(lambda: file.read_text("utf-8").count('"last"') == CELLS, "all cells are stamped")
