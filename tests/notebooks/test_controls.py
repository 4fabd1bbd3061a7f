"""Forms, boards and timelines in real kernels: what they do, and what is left without widgets."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter

from tests.notebooks.conftest import Run, said
from workspace_ext.client.broker import BrokerClient
from workspace_ext.widgets.view import CONTROLS

FORM = 'form = investigation.form("latency.shift")\nform'
FIELD = (
    "def field(name):\n    return next(f.control for f in form._fields if f.param['name'] == name)"
)


def test_a_form_asks_and_shows_what_was_found(
    run: Run, client: BrokerClient, investigation: str
) -> None:
    made, report = run(
        FORM,
        f"{FIELD}\nfield('service').value = 'ts-basic-service'\nfield('min_ratio').value = '3'\n"
        "form.run()\nprint(form.said.value or 'said nothing', len(form._output.outputs))",
        "print(form)",
    )
    assert report.ok, report.failures
    assert said(made.cells[1]).split() == ["said", "nothing", "3"]
    (query,) = client.state(investigation)["queries"].values()
    assert query["cell"] == "cell-0"  # that which shows the form
    assert query["params"]["service"] == "ts-basic-service"
    assert query["params"]["min_ratio"] == 3
    shown = made.cells[0].outputs[0]["data"]  # as it was redrawn with the answer
    assert "Latency shift" in shown["text/html"]
    assert "ts-basic-service" in shown["text/html"]
    assert "pin 4 · latency.shift v" in shown["text/html"]
    assert "Latency shift" in said(made.cells[2])


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("min_ratio", "much", "is not a number"),
        ("min_ratio", "0", "is below 1"),
        ("service", "ts-basic-servic", "Did you mean"),
        ("window", "yesterday", "is not a window"),
    ],
)
def test_a_mistake_stands_in_the_form(
    run: Run, client: BrokerClient, investigation: str, name: str, value: str, told: str
) -> None:
    made, report = run(
        FORM, f"{FIELD}\nfield({name!r}).value = {value!r}\nform.run()\nprint(form.said.value)"
    )
    assert report.ok, report.failures
    assert told.lower() in said(made.cells[1]).lower()
    assert not client.state(investigation)["queries"] or told != "is not a number"


def test_the_board_states_and_judges(run: Run, client: BrokerClient, investigation: str) -> None:
    made, report = run(
        "board = investigation.board()\nboard",
        "board.propose('the pool is exhausted', 'slow, not failing')\nprint(board.said.value)",
        "board.judge(board._shown[0], 'refuted', '  ')\nprint(board.said.value)",
        "board.judge(board._shown[0], 'refuted', 'the pool was half empty')\nprint(board)",
    )
    assert report.ok, report.failures
    assert said(made.cells[1]) == "Stated.\n"
    assert "not refuted without a reason" in said(made.cells[2])
    assert "Refuted" in said(made.cells[3])
    (claim,) = client.state(investigation)["hypotheses"].values()
    assert (claim["state"], claim["why"]) == ("refuted", "the pool was half empty")
    assert (claim["by"], claim["cell"]) == ("user:alice", "cell-0")
    assert "the pool is exhausted" in made.cells[0].outputs[0]["data"]["text/html"]


def test_the_timeline_tells_who_did_what(run: Run) -> None:
    made, report = run(
        'investigation.note("pager went off <3>")',
        'investigation.run("triage.overview")\n'
        'investigation.run("latency.shift", follows="triage.overview")\nNone',
        "story = investigation.timeline()\nstory",
        "story.choose(kind='note')\nprint(story)",
    )
    assert report.ok, report.failures
    shown = made.cells[2].outputs[0]["data"]
    assert "Triage overview: interesting" in shown["text/plain"]
    assert "Latency shift (from Triage overview)" in shown["text/plain"]
    assert "pager went off &lt;3&gt;" in shown["text/html"]
    assert "Triage overview" not in said(made.cells[3])


def test_without_widgets_one_sees_the_table(run: Run) -> None:
    """As on nbviewer, on GitHub, in an export, also of what was run without a browser."""
    made, report = run(FORM, "investigation.board()", "investigation.timeline()")
    assert report.ok, report.failures
    for cell in made.cells:
        (output,) = cell.outputs
        assert {CONTROLS, "text/html", "text/plain"} == set(output["data"])

    page = _exported(made)

    assert "widgets" not in made.metadata
    assert "widget-view" not in page
    assert "Which operations got slower" in page
    assert "None was stated yet." in page
    assert "Timeline" in page


def test_other_widgets_keep_their_state(run: Run) -> None:
    made, report = run("import ipywidgets\nipywidgets.IntSlider(7)", "investigation.board()")
    assert report.ok, report.failures

    page = _exported(made)

    assert page.count('<script type="application/vnd.jupyter.widget-view+json">') == 1
    assert "IntSliderModel" in page
    assert "None was stated yet." in page


def test_controls_act_for_nobody_else(run: Run, client: BrokerClient, investigation: str) -> None:
    made, report = run(
        "board = investigation.board()\nfrom dataclasses import replace\n"
        "acts = board._acts._cell\nlocate = acts._locate\n"
        "acts._locate = lambda: replace(locate(), user='mallory')",
        "board.propose('it was alice')\nprint(board.said.value)\nboard.refresh()\n"
        "print(board.said.value)",
    )
    assert report.ok, report.failures
    assert "act for alice" in said(made.cells[1])
    assert "run the cell yourself" in said(made.cells[1]).lower()
    assert said(made.cells[1]).splitlines()[-1] == ""  # looking is for everybody
    assert client.state(investigation)["hypotheses"] == {}


def test_an_unknown_template_has_no_form(run: Run) -> None:
    made, report = run('investigation.form("latency.shfit")')
    assert len(report.failures) == 1
    assert "latency.shift" in made.cells[0].outputs[0]["traceback"][1]


def _exported(made: Any) -> str:
    nbformat.validate(made)
    page: str = HTMLExporter().from_notebook_node(made)[0]  # type: ignore[no-untyped-call]
    return page
