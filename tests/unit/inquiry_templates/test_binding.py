from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.templates import write_template
from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.templates.binding import BindContext, bind
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.model import Template

WINDOW = "2024-05-01T12:00:00Z/2024-05-01T12:10:00Z"
CONTEXT = BindContext(Window.parse(WINDOW), services=("cart", "checkout"))

PARAMS = """\
params:
  window:   {type: window}
  baseline: {type: window}
  service:  {type: service, optional: true}
  text:     {type: string, default: a}
  number:   {type: int, default: 5, min: 1, max: 9}
  share:    {type: float, default: 0.5, min: 0, max: 1}
  flag:     {type: bool, default: false}
  sort:     {type: choice, of: [up, down], default: up}
  step:     {type: duration, default: 30s}
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Template:
    head = "id: a.b\nversion: 1\ntitle: t\nquestion: q\nstatus: draft\nreturns: {x: BIGINT}\n"
    header = f"{head}interesting: x > 1\n{PARAMS}"
    names = "window_start window_end baseline_start baseline_end service text number share flag"
    sql = "SELECT " + ", ".join(f"${name}" for name in names.split())
    path = write_template(tmp_path_factory.mktemp("t"), header=header, sql=sql, name="a/b")
    return parse(path.read_bytes(), path)


def test_windows_come_from_the_investigation(many: Template) -> None:
    bound = bind(many, {}, CONTEXT)

    assert bound.values["window_start"] == datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
    assert bound.values["baseline_start"] == datetime(2024, 5, 1, 11, 50, tzinfo=UTC)
    assert bound.values["baseline_end"] == bound.values["window_start"]
    assert bound.recorded["baseline"] == {
        "start": "2024-05-01T11:50:00Z",
        "end": "2024-05-01T12:00:00Z",
    }


def test_the_baseline_of_the_investigation_wins_over_the_window_before(many: Template) -> None:
    baseline = Window.parse("2024-05-01T08:00:00Z/2024-05-01T09:00:00Z")

    bound = bind(many, {"window": WINDOW}, BindContext(baseline=baseline))

    assert bound.recorded["baseline"] == baseline.to_dict()


def test_values_hold_what_the_sql_uses_and_arguments_hold_all(many: Template) -> None:
    bound = bind(many, {"step": "5m"}, CONTEXT)

    assert "step" not in bound.values
    assert bound.arguments["step"] == 300.0
    assert bound.arguments.keys() == set(many.names)
    assert bound.recorded["step"] == 300.0
    assert bound.values["service"] is None


@pytest.mark.parametrize(
    ("name", "given_value", "value"),
    [
        ("number", "7", 7),
        ("number", 7.0, 7),
        ("share", "0.25", 0.25),
        ("share", 1, 1.0),
        ("flag", "true", True),
        ("step", "500ms", 0.5),
        ("step", 2, 2.0),
        ("sort", "down", "down"),
        ("service", "cart", "cart"),
        ("number", None, 5),
    ],
)
def test_takes_what_people_and_command_lines_write(
    many: Template, name: str, given_value: object, value: object
) -> None:
    assert bind(many, {name: given_value}, CONTEXT).recorded[name] == value


@pytest.mark.parametrize(
    ("params", "message", "hint"),
    [
        ({"servce": "cart"}, "a.b has no parameter 'servce'", "did you mean service?"),
        ({"number": "many"}, "a.b: number: 'many' is not a whole number", ""),
        ({"number": 0}, "a.b: number: 0 is below 1", ""),
        ({"number": 10}, "a.b: number: 10 is above 9", ""),
        ({"number": 10**30}, "not a whole number", ""),
        ({"number": 1e30}, "not a whole number", ""),
        ({"number": True}, "not a whole number", ""),
        ({"share": "nan"}, "'nan' is not a number", ""),
        ({"share": [1]}, "[1] is not a number", ""),
        ({"flag": "yes"}, "'yes' is not true or false", ""),
        ({"sort": "dwn"}, "'dwn' is no choice", "did you mean down?"),
        ({"step": "soon"}, "'soon' is not a duration", ""),
        ({"step": 0}, "not a duration above zero", ""),
        ({"text": ""}, "'' is not text", ""),
        ({"service": "crat"}, "no service 'crat' in the data", "did you mean cart?"),
        ({"window": "yesterday"}, "a.b: window: 'yesterday' is not a window", "write"),
        ({"window": "2024-05-01T12:00:00/2024-05-01T13:00:00"}, "not a time with its offset", ""),
        ({"window": {"start": "2024-05-01T12:00:00Z"}}, "is not a window", ""),
        ({"baseline": "2024-05-01T12:00:00Z/2024-05-01T11:00:00Z"}, "ends", "earlier"),
    ],
)
def test_refuses_by_name(many: Template, params: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(BadInput) as caught:
        bind(many, params, CONTEXT)

    assert message in caught.value.message
    assert hint in caught.value.hint


def test_any_service_is_taken_where_none_are_known(many: Template) -> None:
    assert bind(many, {"service": "x", "window": WINDOW}).values["service"] == "x"


def test_says_how_to_give_a_window(many: Template) -> None:
    with pytest.raises(BadInput, match="needs a window") as caught:
        bind(many, {})

    assert "investigation.scope" in caught.value.hint


def test_a_required_parameter_must_be_given(tmp_path: Path) -> None:
    header = "id: a.b\nversion: 1\ntitle: t\nquestion: q\nstatus: draft\nreturns: {x: BIGINT}\n"
    path = write_template(
        tmp_path, header=f"{header}interesting: x > 1\nparams: {{service: {{type: service}}}}\n"
    )
    template = parse(path.read_bytes(), path)

    with pytest.raises(BadInput, match=r"a\.b needs service") as caught:
        bind(template, {})

    assert caught.value.hint == "investigation.run(\"a.b\", service='cart')"


@given(
    start=st.integers(0, 2**61),
    length=st.integers(1, 10**15),
    number=st.integers(1, 9),
    share=st.floats(0, 1),
    step=st.floats(1e-3, 1e6),
)
def test_binding_what_was_recorded_gives_the_same_again(
    many: Template, start: int, length: int, number: int, share: float, step: float
) -> None:
    window = Window(start, start + length)
    first = bind(many, {"window": window, "number": number, "share": share, "step": step})

    again = bind(many, first.recorded)

    assert again == first
    assert first.arguments["window_start"] < first.arguments["window_end"]  # type: ignore[operator]
