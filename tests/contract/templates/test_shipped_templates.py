"""Every template that ships holds, passes its own fixtures, and comes out the same each time."""

from __future__ import annotations

import re
from pathlib import Path

import altair
import pytest

from workspace_ext.cli.authoring import is_current
from workspace_ext.inquiry.templates.chart import vega_lite
from workspace_ext.inquiry.templates.check import check, files_of
from workspace_ext.inquiry.templates.fixtures import fixtures_path, load
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.inquiry.templates.model import Template

EIGHT = {
    "attributes.compare",
    "dependencies.map",
    "errors.origin",
    "latency.shift",
    "logs.pattern_difference",
    "metrics.shift",
    "traces.exemplars",
    "triage.overview",
}
_CALLS = ("changes.fix_verification", "traffic.by_dimension")
_OVERVIEW = (*_CALLS, "triage.overview")
_EDGES = ("dependencies.blast_radius", "dependencies.map", "traffic.retry_storm")
_OWN_TIME = ("latency.self_time", "traces.critical_path")
SHARED = {
    "error_logs": (*_OVERVIEW, *_EDGES, "changes.ranking"),
    "failing": (*_CALLS, "changes.ranking"),
    "shifts": ("triage.overview", "changes.ranking"),
    "recorded": _OVERVIEW,
    "minutes": _OVERVIEW,
    "beside": (*_OWN_TIME, "latency.shift"),
    "seen": _OWN_TIME,
    "names": _OWN_TIME,
    "awaited": _OWN_TIME,
    "figures": _OWN_TIME,
}
"""Steps that several templates begin with, and which these are.

A template is one file that can be read, copied and kept by itself, so each has its own copy.
"""
LIBRARY = TemplateLibrary(default_paths())
FILES = list(files_of(default_paths()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_check(path: Path) -> None:
    results = check([path])

    assert [f"{each.case or 'lint'}: {each.message}" for each in results if not each.ok] == []
    assert len(results) > 1  # lint, and cases


def test_all_are_served() -> None:
    assert {template.id for template in LIBRARY.list()} >= EIGHT
    assert LIBRARY.problems() == []


@pytest.mark.parametrize("template", LIBRARY.list(), ids=lambda template: template.id)
def test_says_what_an_analyst_needs(template: Template) -> None:
    described = template.describe()

    assert described["question"].endswith("?")
    assert described["covers"]
    assert described["not_covered"]
    assert template.reason
    assert template.quiet
    assert all(param["help"] for param in described["params"])


@pytest.mark.parametrize("template", LIBRARY.list(), ids=lambda template: template.id)
def test_says_what_statistics_mean_and_no_rows(template: Template) -> None:
    statistics = [
        name
        for name in template.returns
        if re.fullmatch(r"(.*_)?z|p|q|lift|chance|ratio|shift|low_.*", name)
    ]

    assert [name for name in statistics if name not in template.columns] == []
    assert template.empty


@pytest.mark.parametrize("template", LIBRARY.list(), ids=lambda template: template.id)
def test_has_a_chart_that_vega_lite_accepts(template: Template) -> None:
    chart = vega_lite(template)

    assert chart is not None
    altair.Chart.from_dict({**chart, "data": {"values": []}}, validate=True)


@pytest.mark.parametrize("template", LIBRARY.list(), ids=lambda template: template.id)
def test_its_picture_shows_what_it_answers_now(template: Template) -> None:
    redraw = "jupyter investigation templates docs -o page.html --planted"

    assert is_current(template), f"draw it anew: {redraw}"


@pytest.mark.parametrize("template", LIBRARY.list(), ids=lambda template: template.id)
def test_shows_what_missing_minutes_do(template: Template) -> None:
    cases = load(fixtures_path(template.path)).cases

    assert any("missing" in case.name for case in cases)


@pytest.mark.parametrize("step", SHARED)
def test_a_step_that_templates_share_is_the_same_in_all_of_them(step: str) -> None:
    written = re.compile(rf"^(?:WITH (?:RECURSIVE )?)?{step} AS \((.*?)^\)", re.DOTALL | re.M)
    copies = {name: written.findall(LIBRARY.get(name).sql) for name in SHARED[step]}

    assert len({text for (text,) in copies.values()}) == 1, copies
