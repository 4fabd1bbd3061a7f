"""What all tests share."""

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.command_answers import check_answers
from tests.support.command_line import Command, Done
from tests.support.places import NO_DATA

# Where a script runs pytest in its background, Ctrl-C is ignored by all that pytest starts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Examples are the same each time, and no machine is too slow for them.
settings.register_profile(
    "house",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _no_store_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees no workspace, broker or investigation of whoever runs it."""
    for name in (
        "STORE", "BROKER", "TOKEN", "UID", "PROBLEM", "DEBUG",
        "OTLP", "OTLP_GRPC", "SYSLOG", "INGEST_TOKEN",
    ):  # fmt: skip
        monkeypatch.delenv(f"INVESTIGATION_{name}", raising=False)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs ``jupyter investigation …`` in the test's own process."""
    from workspace_ext.cli.main import main

    def run(*arguments: object) -> Done:
        line = [str(argument) for argument in arguments]
        code = main(line)
        said = capsys.readouterr()
        check_answers(line, said.out)
        return Done(code, said.out, said.err)

    return run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one; only data that cannot ship is an excuse."""
    report = yield
    excused = NO_DATA in str(report.longrepr)
    if os.environ.get("INVESTIGATION_NO_SKIP") and report.skipped and not excused:
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
