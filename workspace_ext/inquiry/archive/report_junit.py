"""Replays as JUnit XML: a suite for each archive, a case for each cell and each hypothesis."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.inquiry.archive.model import CellReplay, ReplayReport
from workspace_ext.inquiry.archive.wording import reasons, still
from workspace_ext.inquiry.headless.junit import clean

_ERRORS = ("error", "data missing")


def to_junit(found: Iterable[tuple[Path, ReplayReport | InvestigationError]]) -> str:
    """The XML.

    Args:
        found: The archives, each with its report, or with why it could not be replayed.
    """
    suites = ET.Element("testsuites")
    for path, report in found:
        suite = ET.SubElement(suites, "testsuite", name=clean(path.name))
        if isinstance(report, InvestigationError):
            _case(suite, "archive", report.code, "error", str(report))
        else:
            suite.set("time", f"{report.seconds:.3f}")
            _fill(suite, report)
        for word, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(word, str(len(suite.findall(f"testcase/{kind}"))))
        suite.set("tests", str(len(suite)))
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, "unicode") + "\n"


def _fill(suite: ET.Element, report: ReplayReport) -> None:
    told = "\n".join(report.problems)
    _case(suite, "archive", "as it was frozen", "failure" if told else "", told)
    for found in report.hypotheses:
        kind = {True: "", False: "failure", None: "skipped"}[found.holds]
        _case(suite, "hypothesis", found.text, kind, f"{still(found)}: {found.why}")
    for cell in report.cells:
        name = f"cell {cell.position}: {cell.summary}"
        _case(suite, "cell", name, _kind(cell), "\n".join([cell.verdict, *reasons(cell)]))


def _kind(cell: CellReplay) -> str:
    if cell.verdict in _ERRORS:
        return "error"
    return {"same": "", "skipped": "skipped"}.get(cell.verdict, "failure")


def _case(suite: ET.Element, group: str, name: str, kind: str, said: str) -> None:
    case = ET.SubElement(suite, "testcase", classname=group, name=clean(name))
    if kind:
        ET.SubElement(case, kind, message=clean(said))
