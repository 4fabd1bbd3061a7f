"""A pytest plugin that collects archives: each is replayed, and each claim and cell is a test.

``pytest --investigation-archives DIR`` collects what ends in ``.investigation.zip``. Without the
option it does nothing, and imports nothing: pytest loads it wherever we are installed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from workspace_ext.foundation.errors import InvestigationError
    from workspace_ext.inquiry.archive.model import ReplayReport

OPTION = "--investigation-archives"
SUFFIX = ".investigation.zip"


class Differs(AssertionError):
    """What an archive, a claim or a cell says now is not what it said."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that turns it on."""
    group = parser.getgroup("investigation", "archives of investigations")
    group.addoption(OPTION, action="store_true", help=f"replay each *{SUFFIX} that is collected")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collects an archive, when that was asked for."""
    if file_path.name.endswith(SUFFIX) and parent.config.getoption(OPTION):
        return ArchiveFile.from_parent(parent, path=file_path)
    return None


class ArchiveFile(pytest.File):
    """One archive; it is replayed once, when its first test runs."""

    _report: ReplayReport | InvestigationError | None = None

    def collect(self) -> Iterator[pytest.Item]:
        """Its tests: that it is whole, each hypothesis that was judged, each cell that ran."""
        from workspace_ext.foundation.errors import InvestigationError
        from workspace_ext.inquiry.archive.replay import contents

        try:
            claims, cells = contents(self.path)
        except InvestigationError as error:
            raise self.CollectError(f"{error} ({error.hint})") from error
        yield ArchiveItem.from_parent(self, name="archive", kind="archive", key="")
        for kind, found in (("hypothesis", claims), ("cell", cells)):
            for key, text in found.items():
                yield ArchiveItem.from_parent(self, name=f"{kind} {text}", kind=kind, key=key)

    def report(self) -> ReplayReport:
        """What the replay says; one that cannot be done is not tried again for each test."""
        from workspace_ext.foundation.errors import InvestigationError

        if self._report is None:
            from workspace_ext.foundation.actor import system_user
            from workspace_ext.inquiry.archive.replay import replay

            try:
                self._report = replay(self.path, actor=system_user(), despite_damage=True)
            except InvestigationError as error:
                self._report = error
        if isinstance(self._report, InvestigationError):
            raise Differs(f"it cannot be replayed: {self._report} ({self._report.hint})")
        return self._report


class ArchiveItem(pytest.Item):
    """That an archive is whole, that a hypothesis stands, or that a cell comes out the same."""

    def __init__(self, *, kind: str, key: str, **more: Any) -> None:
        super().__init__(**more)
        self._kind = kind
        self._key = key

    def runtest(self) -> None:
        """Looks it up in the replay."""
        from workspace_ext.inquiry.archive.wording import reasons, still

        assert isinstance(self.parent, ArchiveFile)
        report = self.parent.report()
        if self._kind == "archive":
            good: bool | None = not report.problems
            said = "\n".join(report.problems)
        elif self._kind == "hypothesis":
            claim = next(each for each in report.hypotheses if each.id == self._key)
            good, said = claim.holds, f"{still(claim)}: {claim.why}"
        else:
            cell = next(each for each in report.cells if each.uid == self._key)
            good = {"same": True, "skipped": None}.get(cell.verdict, False)
            said = "\n".join([cell.verdict, *reasons(cell)])
        if good is None:
            pytest.skip(said)
        if not good:
            raise Differs(said)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What differs, without a traceback through our code."""
        if isinstance(excinfo.value, Differs):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it is."""
        return self.path, None, self.name
