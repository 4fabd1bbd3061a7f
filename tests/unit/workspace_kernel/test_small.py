"""Where a cell is, how an error looks, which arguments a magic takes."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime

import pytest
from workspace_kernel import errors
from workspace_kernel.asking import Asker, is_sql
from workspace_kernel.connection import Connection
from workspace_kernel.context import Here, read
from workspace_kernel.events import Reporter
from workspace_kernel.help import TemplateHelp, TemplateList
from workspace_kernel.hypothesis import Hypothesis, evidence_ids
from workspace_kernel.investigation import Investigation
from workspace_kernel.magics import _options, _split
from workspace_kernel.result import Result
from workspace_kernel.values import window_of

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


@pytest.mark.parametrize("public", [Investigation, Result, Hypothesis])
def test_help_of_each_function_shows_how_it_is_called(public: type) -> None:
    for name, function in inspect.getmembers(public, inspect.isfunction):
        if not name.startswith("_"):
            assert f".{name}(" in (inspect.getdoc(function) or ""), name


def _hypothesis() -> Hypothesis:
    connection = Connection()
    return Hypothesis("a claim", Reporter(connection), Asker(connection))


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        (lambda it: it.scope(window=5), "window: 5 is not a window"),
        (lambda it: it.scope(window="yesterday"), "window: 'yesterday' is not a window"),
        (
            lambda it: it.scope(baseline=("2026-01-01", "2026-01-02")),
            "baseline: '2026-01-01' is not a time with its offset",
        ),
        (lambda it: it.scope(services=3), "services is a int, not a list of names"),
        (lambda it: it.scope(services=[3]), "services is a int, not text"),
        (lambda it: it.scope(title=3), "title is a int, not text"),
        (lambda it: it.run(None), "template is a NoneType, not text"),
        (lambda it: it.sql(None), "query is a NoneType, not text"),
        (lambda it: it.hypothesis("a claim", predicts=3), "predicts is a int, not text"),
        (lambda it: it.decide("this", because=None), "because is a NoneType, not text"),
        (lambda it: it.action("this", owner=3), "owner is a int, not text"),
        (lambda it: it.conclude("this", confidence="high"), "confidence='high' is not between"),
        (lambda it: it.conclude("this", confidence=None), "confidence=None is not between"),
        (
            lambda it: it.conclude("this", confidence=0.5, hypothesis="a claim"),
            "hypothesis is a str",
        ),
        (lambda _: _hypothesis().test(3), "question is a int, not text"),
        (lambda _: _hypothesis().support(None), "reason is a NoneType, not text"),
        (lambda _: _hypothesis().predict(None), "prediction is a NoneType, not text"),
    ],
)
def test_a_slip_is_told_in_a_line_with_its_name(
    slip: Callable[[Investigation], object], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVESTIGATION_UID", "u")
    with pytest.raises(BadInput) as caught:
        slip(Investigation())
    assert told in caught.value.message
    assert caught.value.hint


def test_a_window_is_an_interval_or_a_pair_of_times_or_texts() -> None:
    texts = ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z")
    times = tuple(datetime.fromisoformat(text) for text in texts)
    said = {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"}
    for given in (texts, list(texts), times, "/".join(texts), said):
        assert window_of(given, "window") == said
