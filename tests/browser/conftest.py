"""A real browser on a real JupyterLab."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.support.lab import Lab, demo

CHROMIUM = os.environ.get("INVESTIGATION_CHROMIUM", "/usr/bin/chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ARTEFACTS = Path(__file__).parent / "artefacts"
SLOW_MACHINE_MS = 60_000


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The demo, running."""
    with demo(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="module")  # while Playwright is open, an event loop runs in this thread
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium here: install it, or name it in INVESTIGATION_CHROMIUM")
    expect.set_options(timeout=SLOW_MACHINE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A person's page."""
    with person(browser, ARTEFACTS / f"{request.node.name}.png") as fresh:
        yield fresh


@pytest.fixture
def another_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page of somebody else."""
    with person(browser, ARTEFACTS / f"{request.node.name}-another.png") as fresh:
        yield fresh


@contextmanager
def person(browser: Browser, picture: Path) -> Iterator[Page]:
    """A browser of one's own; what it showed last is kept as a picture."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, timezone_id="UTC", locale="en-GB"
    )
    context.set_default_timeout(SLOW_MACHINE_MS)
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    yield page
    ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=picture)
    context.close()
    assert not [error for error in broken if "investigation" in error.lower()]
