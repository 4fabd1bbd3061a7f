"""What all tests share."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED_DATA = Path(os.environ.get("INVESTIGATION_TEST_DATA", ROOT.parent / "shared" / "data"))
NO_DATA = "the shared incident data is not on this machine (INVESTIGATION_TEST_DATA)"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real incident telemetry that does not ship with the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip(NO_DATA)
    return SHARED_DATA


@pytest.fixture(autouse=True)
def _no_store_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees no workspace, broker or investigation of whoever runs it."""
    for name in ("STORE", "BROKER", "TOKEN", "UID", "OTLP", "INGEST_TOKEN"):
        monkeypatch.delenv(f"INVESTIGATION_{name}", raising=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one; only data that cannot ship is an excuse."""
    report = yield
    excused = NO_DATA in str(report.longrepr)
    if os.environ.get("INVESTIGATION_NO_SKIP") and report.skipped and not excused:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
