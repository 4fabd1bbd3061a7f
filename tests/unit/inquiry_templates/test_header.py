from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from tests.support.templates import HEADER, SQL, write_template
from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.lint import lint
from workspace_ext.inquiry.templates.model import BadTemplate, Template


def problems(tmp_path: Path, header: str) -> list[tuple[int | None, str]]:
    path = write_template(tmp_path, header=header)
    with pytest.raises(BadTemplate) as caught:
        parse(path.read_bytes(), path)
    return [(problem.line, problem.message) for problem in caught.value.problems]


def test_reads_every_part(template: Template) -> None:
    assert template.id == "cart.slow"
    assert template.sql == SQL.strip()
    assert template.placeholders == {"window_start", "window_end", "service"}
    assert template.names == ("window_start", "window_end", "service", "limit_ms")
    assert list(template.returns.items())[1] == ("calls", "BIGINT")
    assert template.digest == digest_bytes(template.path.read_bytes())
    assert template.ref() == {"id": "cart.slow", "version": 1, "digest": template.digest}


def test_reads_where_its_rows_lead(tmp_path: Path) -> None:
    entry = {"x": "service", "y": "$limit_ms", "z": "'text'", "n": 3}
    told = [{"template": "cart.slow", "when": "calls > 3", "params": entry}]
    header = yaml.safe_dump({**yaml.safe_load(HEADER), "next": told, "step": "log_patterns"})
    path = write_template(tmp_path, header=header)

    template = parse(path.read_bytes(), path)

    (found,) = template.next
    assert (found.template, found.when) == ("cart.slow", "calls > 3")
    assert found.columns == {"x": "service"}
    assert found.given == {"y": "limit_ms"}
    assert found.values == {"z": "text", "n": 3}
    assert template.describe()["next"] == told
    assert template.step == "log_patterns"


def test_describes_itself_for_help(template: Template) -> None:
    described = template.describe()

    assert described["question"] == "Which operations of a service are slow?"
    assert described["params"][1] == {
        "name": "service",
        "type": "service",
        "required": False,
        "default": None,
        "min": None,
        "max": None,
        "of": [],
        "help": "one service only",
    }
    assert described["not_covered"] == ["everything else"]
    assert described["example"] == "investigation.run(\"cart.slow\", service='cart')"


def test_names_each_problem_with_its_line(tmp_path: Path) -> None:
    header = HEADER.replace("version: 1", "version: one").replace("status: stable", "status: new")

    assert problems(tmp_path, header) == [
        (3, "version must be a whole number from 1"),
        (6, "status must be one of draft, stable, deprecated"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: Slow calls\n", "", "header has no 'title'"),
        ("title:", "tittle: x\ntitle:", "header has an unknown key 'tittle'"),
        ("type: float", "type: number", "parameter limit_ms: type must be"),
        ("min: 0", "least: 0", "parameter limit_ms has an unknown key 'least'"),
        ("type: float", "type: choice", "a choice, and only a choice, has"),
        ("  service:", "  Service:", "parameter 'Service' must be lower_case"),
        ("id: cart.slow", "id: slow", "not of the form area.name"),
        ("covers: [spans]", "covers: spans", "covers must be a list of texts"),
        ("returns: {", "returns: 7 #", "returns must be a map"),
        ("id: cart.slow", "id: [cart", "header is no YAML"),
        ("min: 0,", "min: none,", "parameter limit_ms: min must be a number"),
        ("optional: true", "optional: 1", "parameter service: optional must be true or false"),
        ("calls: BIGINT", 'calls: "INT); DROP"', "returns: calls: INT); DROP is no column"),
        ("calls: BIGINT", "Calls: BIGINT", "returns: Calls: BIGINT is no column"),
        ("covers:", "step: [x]\ncovers:", "step must be text"),
        ("covers:", "next: cart.slow\ncovers:", "next must be a list"),
        ("covers:", "next: [{template: slow}]\ncovers:", "next: each entry names a template"),
        ("covers:", "next: [{template: a.b, if: x}]\ncovers:", "a.b has an unknown key 'if'"),
        ("covers:", "next: [{template: a.b, when: 1}]\ncovers:", "a.b: when must be a condition"),
        ("covers:", "next: [{template: a.b, params: [x]}]\ncovers:", "a.b: params must be"),
        ("covers:", "next: [{template: a.b, params: {x: []}}]\ncovers:", "a.b: x must be"),
    ],
)
def test_refuses_a_wrong_header(tmp_path: Path, old: str, new: str, message: str) -> None:
    found = problems(tmp_path, HEADER.replace(old, new))

    assert any(message in text for _, text in found), found


@pytest.mark.parametrize("content", [b"SELECT 1", b"\xff\xfe", b"", b"/*---\nid: x\n*/ SELECT 1"])
def test_refuses_a_file_without_header(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadTemplate):
        parse(content, tmp_path / "cart" / "slow.sql")


def test_a_dollar_in_text_or_comment_is_no_parameter(tmp_path: Path) -> None:
    path = write_template(tmp_path, sql="SELECT '$a' -- $b\n /* $c */, \"$d\", $service")

    assert parse(path.read_bytes(), path).placeholders == {"service"}


@pytest.mark.parametrize("value", [None, 7, 1.5, True, "x", [], [1], ["x"], {}, {"a": 1}])
@pytest.mark.parametrize("key", [*yaml.safe_load(HEADER), "param", "param.default", "param.of"])
def test_any_value_anywhere_is_a_template_or_a_problem(
    tmp_path: Path, key: str, value: object
) -> None:
    header = yaml.safe_load(HEADER)
    if key.startswith("param."):
        header["params"]["limit_ms"][key.partition(".")[2]] = value
    elif key == "param":
        header["params"]["limit_ms"] = value
    else:
        header[key] = value
    path = write_template(tmp_path, header=yaml.safe_dump(header))
    with suppress(BadTemplate):
        lint(parse(path.read_bytes(), path))
