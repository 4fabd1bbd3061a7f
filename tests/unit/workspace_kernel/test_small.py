"""Where a cell is, how an error looks, which arguments a magic takes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from workspace_kernel import errors
from workspace_kernel.asking import is_sql
from workspace_kernel.connection import Connection
from workspace_kernel.context import Here, read
from workspace_kernel.help import TemplateHelp, TemplateList
from workspace_kernel.hypothesis import evidence_ids
from workspace_kernel.magics import _options, _split

from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.foundation.ids import stable_id


def test_the_server_s_stamp_counts() -> None:
    request = {
        "header": {"msg_id": "run"},
        "metadata": {"cellId": "id", "investigation": {"uid": "u", "cell": "c", "user": "a"}},
    }
    assert read(request) == Here("run", "c", "u", "a")
    assert read(request).ref == {"id": "run", "cell": "c"}


def test_an_open_quote_is_told_in_a_line() -> None:
    assert _split('--params "said=it\'s"') == ["--params", "said=it's"]
    with pytest.raises(BadInput, match="no closing quotation"):
        _split("--params said=it's")


def test_without_stamp_the_cell_is_still_known() -> None:
    found = read({"header": {"msg_id": "run"}, "metadata": {"cellId": "id"}})
    assert found.cell == "id"
    assert found.ref is None  # nobody captures the run, so that nothing could be joined to it


@pytest.mark.parametrize("metadata", [{}, {"investigation": None}, {"investigation": "x"}])
def test_a_request_that_says_nothing(metadata: dict[str, object]) -> None:
    assert read({"header": {"msg_id": "run"}, "metadata": metadata}).ref is None
    assert read({}) == Here()


def test_an_error_is_a_line_and_a_hint() -> None:
    lines = errors.render(NotFound("no template 'x'", hint="did you mean 'y'?"))
    assert [line.split(": ", 1)[1] for line in lines] == ["no template 'x'", "did you mean 'y'?"]


def test_no_broker_is_said_with_what_to_do() -> None:
    with pytest.raises(Exception, match="told of no broker") as caught:
        _ = Connection(Here).client
    assert "INVESTIGATION_STORE" in getattr(caught.value, "hint", "")


def test_ids_follow_from_content() -> None:
    assert stable_id("a", "b") == stable_id("a", "b")
    assert stable_id("a", "b") != stable_id("ab", "")


@pytest.mark.parametrize(
    ("question", "sql"),
    [("latency.shift", False), ("SELECT 1", True), ("  latency.shift ", False), ("f()", True)],
)
def test_sql_is_told_from_a_template(question: str, sql: bool) -> None:
    assert is_sql(question) is sql


def test_values_of_a_magic() -> None:
    given = _options().parse_args(["--params", "a=1", "b=x=y", "-p", 'c="1"', "--name", "rows"])
    assert given.params == ["a=1", "b=x=y", 'c="1"']
    assert given.name == "rows"


def test_wrong_options_of_a_magic() -> None:
    with pytest.raises(BadInput, match="unrecognized arguments"):
        _options().parse_args(["--nmae", "x"])


def test_evidence_is_results_or_their_ids() -> None:
    assert evidence_ids(["a", "b", "a"]) == ["a", "b"]
    assert evidence_ids("a") == ["a"]
    with pytest.raises(BadInput, match="a int is no evidence"):
        evidence_ids([1])


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys, workspace_kernel.extension;"
        "print([m for m in ('pandas','pyarrow','altair','duckdb','urllib3') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


TEMPLATE = {
    "id": "latency.shift",
    "version": 2,
    "title": "Latency shift",
    "question": "Which operations got slower?",
    "params": [
        {"name": "window", "type": "window", "required": False, "default": None},
        {"name": "service", "type": "service", "required": True, "help": "whose"},
        {"name": "ratio", "type": "float", "required": False, "default": 1.5, "min": 1.0},
        {"name": "by", "type": "choice", "required": False, "default": "a", "of": ["a", "b"]},
    ],
    "returns": {"service": "VARCHAR"},
    "interesting": "p95 > 1",
    "covers": ["server spans"],
    "not_covered": ["sampled traces"],
    "references": [],
    "example": 'investigation.run("latency.shift", service="cart")',
}


def test_help_says_what_it_covers_and_what_not() -> None:
    said = repr(TemplateHelp(TEMPLATE))
    for line in (
        "window     window   the investigation's",
        "service    service  must be given        whose",
        "ratio      float    1.5 (≥ 1)",
        "by         choice   'a' (a | b)",
        "Covers: server spans",
        "Does not cover: sampled traces",
        'Example: investigation.run("latency.shift", service="cart")',
    ):
        assert line in said
    assert "<b>Does not cover</b> sampled traces" in TemplateHelp(TEMPLATE)._repr_html_()


def test_the_list_of_templates() -> None:
    listed = TemplateList(({**TEMPLATE, "status": "stable"},))
    assert repr(listed).endswith("latency.shift  Which operations got slower?  stable")
    assert "<td" in listed._repr_html_()
    assert repr(TemplateList(())) == "no templates"
