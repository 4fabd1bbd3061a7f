from pathlib import Path

import pytest

from tests.support.templates import HEADER, SQL, write_template
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.lint import lint
from workspace_ext.inquiry.templates.model import Problem, Template


def lint_of(
    tmp_path: Path, *, header: str = HEADER, sql: str = SQL, name: str = "cart/slow"
) -> list[Problem]:
    path = write_template(tmp_path, header=header, sql=sql, name=name)
    return lint(parse(path.read_bytes(), path))


def test_a_good_template_has_no_problems(template: Template) -> None:
    assert lint(template) == []


def test_the_id_must_match_the_path(tmp_path: Path) -> None:
    (problem,) = lint_of(tmp_path, name="cart/other")

    assert problem.line == 2
    assert "does not match the path cart/other.sql" in problem.message


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("FROM spans", "FROM raw.spans", "no table raw.spans"),
        ("FROM spans", "FROM 'file.csv' AS spans", "no table file.csv"),
        ("FROM spans", "FROM read_csv('x') AS spans", "read_csv is not allowed"),
        ("FROM spans", "FROM query('SELECT 1') AS spans", "query is not allowed"),
        ("max(duration_ns)", "max(epoch_ns(now()))", "now"),
        ("max(duration_ns)", "max(random())", "random"),
        ("count(*)", "count(DISTINCT getvariable('pin'))", "getvariable is not allowed"),
        ("ORDER BY slowest_ms DESC, service\n", "", "has no ORDER BY"),
        ("ORDER BY slowest_ms DESC", "ORDER BY $service", "cannot name a column"),
        ("SELECT service", "DELETE FROM spans; SELECT service", "2 statements"),
        ("SELECT service", "SELECT servce", "does not bind"),
        ("$service IS NULL OR service = $service", "service = $name", "uses $name, which no"),
        ("$service IS NULL OR service = $service", "true", "service is used neither"),
        ("count(*) AS calls", "count(*)::INTEGER AS calls", "calls as INTEGER, not BIGINT"),
        ("AS calls", "AS n", "returns service, n, slowest_ms, not service, calls"),
        ("FROM spans", "FROM spans FROM", "syntax error"),
    ],
)
def test_refuses_sql(tmp_path: Path, old: str, new: str, message: str) -> None:
    found = lint_of(tmp_path, sql=SQL.replace(old, new))

    assert any(message in problem.message for problem in found), found


def test_a_bare_pivot_is_several_statements(tmp_path: Path) -> None:
    found = lint_of(tmp_path, sql="PIVOT spans ON service USING count(*) ORDER BY 1")

    assert any("PIVOT" in problem.message or "statements" in problem.message for problem in found)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("slowest_ms > limit_ms", "slowest > limit_ms", "interesting: "),
        ("slowest_ms > limit_ms", "slowest_ms >", "interesting: "),
        ("slowest_ms > limit_ms", "calls > (SELECT 1) AND limit_ms > 1", "only compare"),
        ("slowest_ms > limit_ms", "limit_ms > 1) FROM spans, (SELECT 1", "only compare"),
        ("slowest_ms > limit_ms", "calls > $limit_ms", "$limit_ms"),
        ("slowest_ms > limit_ms", "max(slowest_ms) > limit_ms", "interesting: "),
        ("slowest_ms > limit_ms", "slowest_ms > 1", "limit_ms is used neither"),
        ("{service}: {slowest", "{servce}: {slowest", "{servce} is neither"),
        ("{service}: {slowest", "{service.x}: {slowest", "{service.x} is neither"),
        ("{service}: {slowest", "{service: {slowest", "reason: "),
        ('{slowest_ms:.0f} ms"\nquiet', '{slowest_ms:9999d}"\nquiet', "no short number format"),
        ('{slowest_ms:.0f} ms"\nquiet', '{slowest_ms:{calls}}"\nquiet', "no short number format"),
        ("spans.duration_ns", "spans.length", "spans has no such column"),
        ("spans.duration_ns", "traces.length", "no such signal"),
        ("x: slowest_ms", "x: slow", "the result has no column 'slow'"),
        ("default: 100", "default: -1", "limit_ms: -1.0 is below 0"),
        ("limit_ms: {type", "window_start: {type: int}\n  limit_ms: {type", "bind $window_start"),
    ],
)
def test_refuses_a_header(tmp_path: Path, old: str, new: str, message: str) -> None:
    found = lint_of(tmp_path, header=HEADER.replace(old, new))

    assert any(message in problem.message for problem in found), found


def test_problems_have_the_line_they_are_about(tmp_path: Path) -> None:
    (problem,) = lint_of(tmp_path, header=HEADER.replace("spans.duration_ns", "spans.length"))

    assert problem.line == 11
    assert str(problem).startswith(f"{problem.path}:11: requires spans.length")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{template: cart.slow, params: {service: pod}}", "the result has no column 'pod'"),
        ("{template: cart.slow, params: {service: $pod}}", "there is no parameter $pod"),
        ("{template: cart.slow, when: pod > 1}", "next: "),
        ("{template: cart.slow, when: calls > (SELECT 1)}", "next may only compare"),
    ],
)
def test_refuses_where_it_leads(tmp_path: Path, entry: str, message: str) -> None:
    found = lint_of(tmp_path, header=HEADER + f"next: [{entry}]\n")

    assert any(message in problem.message for problem in found), found


def test_a_step_must_be_installed(tmp_path: Path) -> None:
    (problem,) = lint_of(tmp_path, header=HEADER + "step: no.such\n")

    assert "no installed package brings the step no.such" in problem.message
    assert problem.line == HEADER.count("\n") + 2
