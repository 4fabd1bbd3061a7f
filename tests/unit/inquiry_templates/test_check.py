from pathlib import Path

import pytest

from tests.support.steps import installed_steps
from tests.support.templates import FIXTURES, HEADER, write_template
from workspace_ext.foundation.errors import NotFound
from workspace_ext.inquiry.templates.check import check


def failures(tmp_path: Path, fixtures: str | None) -> list[str]:
    write_template(tmp_path, fixtures=fixtures)
    return [result.message for result in check([tmp_path]) if not result.ok]


def test_a_good_template_passes_every_case(tmp_path: Path) -> None:
    path = write_template(tmp_path)

    results = check([path])

    assert [result.case for result in results] == ["", "slow", "fast", "nothing"]
    assert all(result.ok for result in results)
    assert results[1].to_dict() == {
        "template": "cart.slow",
        "path": str(path),
        "line": None,
        "case": "slow",
        "ok": True,
        "message": "",
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("interesting: true", "interesting: false", "interesting is True, not False"),
        ("rows: 1", "rows: 2", "1 rows, not 2"),
        ("rows: 1", "rows_at_least: 2", "1 rows, fewer than 2"),
        ("slowest_ms: 300", "slowest_ms: 301000", "slowest_ms is 300.0, not 301000"),
        ("slowest_ms: 300", "slow: 1", "slow is None, not 1"),
        ("cart: 300 ms", "pay: 300 ms", "the reason lacks 'pay: 300 ms'"),
        ("only 1 spans", "only 2 spans", "no warning has"),
        ("at: 1s, service: cart, duration: 300ms", "servce: cart", "no column 'servce'"),
        ("name: slow", "name: slow\n    params: {limit: 1}", "no parameter 'limit'"),
    ],
)
def test_a_case_that_fails_says_how(tmp_path: Path, old: str, new: str, message: str) -> None:
    found = failures(tmp_path, FIXTURES.replace(old, new, 1))

    assert any(message in text for text in found), found


@pytest.mark.parametrize(
    ("fixtures", "message"),
    [
        (None, "there are no fixtures"),
        ("cases: [", "is no YAML"),
        ("cases: []", "cannot be read"),
        ("just text", "cannot be read"),
        (FIXTURES.replace("spans:", "span:"), "unknown key 'span'"),
        (FIXTURES.replace("rows: 0", "row: 0"), "unknown key 'row'"),
        (FIXTURES.replace("interesting: null", "interesting: true"), "has no empty case"),
        (FIXTURES.replace("[0s, 60s]", "[60s, 0s]"), "cannot be read"),
    ],
)
def test_fixtures_that_cannot_be_used(tmp_path: Path, fixtures: str | None, message: str) -> None:
    found = failures(tmp_path, fixtures)

    assert any(message in text for text in found), found


def test_a_template_that_does_not_hold_is_named_with_its_line(tmp_path: Path) -> None:
    path = write_template(tmp_path, header=HEADER.replace("version: 1", "version: no"))

    (result,) = check([path])

    assert (result.ok, result.line, result.template) == (False, 3, "cart.slow")


def test_rows_repeat_and_their_values_take_turns(tmp_path: Path) -> None:
    fixtures = FIXTURES.replace(
        "{at: 1s, service: cart, duration: 300ms}",
        '{at: 1s, every: 1s, repeat: 4, service: ["a{i}", cart], duration: [10ms, 300ms]}',
    ).replace("rows: 1", "rows: 3")

    assert failures(tmp_path, fixtures) == []


@pytest.mark.parametrize("name", ["nowhere", "nowhere.sql"])
def test_a_path_without_templates(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        check([tmp_path / name])


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no template in"):
        check([tmp_path])


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{template: cart.fast}", "there is no template 'cart.fast'"),
        ("{template: cart.slow, params: {pod: service}}", "cart.slow has no parameter 'pod'"),
        ("{template: cart.slow, params: {service: service}}", ""),
    ],
)
def test_where_a_template_leads_must_be_there(tmp_path: Path, entry: str, message: str) -> None:
    write_template(tmp_path, header=HEADER + f"next: [{entry}]\n")

    (first, *_) = check([tmp_path])

    assert first.ok is not bool(message)
    assert message in first.message


@pytest.mark.parametrize(
    ("step", "message"), [("doubled", ""), ("fails", "failed"), ("wrong", "gave the columns")]
)
def test_a_step_is_run_with_every_case_and_without_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, message: str
) -> None:
    header = HEADER.replace(", slowest_ms: DOUBLE}", "}").replace("calls: BIGINT", "n: INTEGER")
    header = header.replace("slowest_ms > limit_ms", "n > 300").replace("{slowest_ms:.0f}", "{n}")
    header = header.replace("chart:", "# ").replace(
        "{service: service", "{more: {type: int, default: 0}"
    )
    header += f"step: tests.{step}\n"
    header = header.replace("params:\n", "params:\n  more: {type: int, default: 0}\n")
    sql = "SELECT service, (max(duration_ns) / 2e6)::BIGINT AS n FROM spans GROUP BY 1 ORDER BY 1"
    fixtures = FIXTURES.replace("{slowest_ms: 300}", "{n: 300}").replace("300ms", "301ms")
    write_template(
        tmp_path, header=header, sql=sql, fixtures=fixtures.replace('"cart: 300 ms"', "cart")
    )
    with installed_steps(tmp_path / "site", monkeypatch):
        results = check([tmp_path / "cart"])

    assert message in results[0].message
    assert results[0].ok is not bool(message), results
