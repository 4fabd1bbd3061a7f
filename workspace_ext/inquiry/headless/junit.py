"""A notebook's tests as JUnit XML, for whoever builds and watches.

Only what counts fails: a test that speaks against a hypothesis which is recorded as refuted
says what the record says. One without an answer is skipped, unless something rests on it.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from workspace_ext.inquiry.headless.testing import Claim, Trial, TrialReport


def to_junit(report: TrialReport) -> str:
    """The report, with one case for each test and one for each cell that failed."""
    suite = ET.Element("testsuite", name=report.notebook, time=f"{report.run.seconds:.3f}")
    for claim in report.claims:
        for trial in claim.trials:
            _case(suite, claim, trial)
        if not claim.trials:
            case = ET.SubElement(suite, "testcase", classname=clean(claim.text), name="no test")
            ET.SubElement(case, "skipped", message=clean(claim.why or "it has no test"))
    for failure in report.run.failures:
        name = f"cell {failure.cell}"
        case = ET.SubElement(suite, "testcase", classname=report.notebook, name=name)
        ET.SubElement(case, "error", type=failure.name, message=clean(failure.message))
    for word, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(word, str(len(suite.findall(f"testcase/{kind}"))))
    suite.set("tests", str(len(suite)))
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suites, "unicode") + "\n"


def _case(suite: ET.Element, claim: Claim, trial: Trial) -> None:
    name = f"{trial.name}: {trial.expect}"
    case = ET.SubElement(
        suite,
        "testcase",
        classname=clean(claim.text),
        name=clean(name),
        time=f"{trial.seconds:.3f}",
    )
    facts = {"status": trial.status, "query": trial.query, "judge": trial.judge}
    properties = ET.SubElement(case, "properties")
    for key, value in {**facts, "hypothesis": claim.id, "cell": trial.cell}.items():
        if value:
            ET.SubElement(properties, "property", name=key, value=clean(value))
    if trial.status == "passed":
        return
    if claim.holds is False:
        ET.SubElement(case, "failure", message=clean(f"{trial.status}: {trial.why}"))
    elif trial.status == "failed" and not claim.override:
        ET.SubElement(case, "system-out").text = clean(f"{claim.state}, as recorded: {trial.why}")
    else:
        ET.SubElement(case, "skipped", message=clean(claim.override or trial.why))


_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """Text that XML 1.0 can hold."""
    return _NO_XML.sub("?", text)
