"""A request made definite: which SQL, which values, on which pin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.clock import Window
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.queries.expectation import VERDICTS, check_expectation
from workspace_ext.inquiry.queries.filtering import check_where
from workspace_ext.protocol.messages import InvestigationState, QueryRequest

if TYPE_CHECKING:
    from workspace_ext.inquiry.templates.model import Template

_WINDOWS = ("window", "baseline")
_TITLE_CHARACTERS = 80
_PLAIN = (str, int, float, bool, type(None))


@dataclass(frozen=True)
class Question:
    """What is asked, ready to run.

    Attributes:
        sql: One SELECT.
        values: What its ``$names`` are.
        recorded: The parameters as JSON, absolute: asking with them again asks the same.
        title: What to call it.
        template: None for free SQL.
        arguments: Every parameter of the template, for its judge.
        where: A condition that rows of the answer must meet; empty for all.
    """

    sql: str
    values: Mapping[str, object]
    recorded: dict[str, Any]
    title: str
    template: Template | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    where: str = ""


def check_request(request: QueryRequest) -> None:
    """Refuses what is not a question.

    Raises:
        BadInput: It names neither or both of template and SQL, or a part has the wrong type.
    """
    texts = ("template", "sql", "investigation", "where", "parent")
    for name in texts:
        value = request.get(name)
        if value is not None and not isinstance(value, str):
            raise _bad(f"{name} must be text", 'as in "template": "triage.overview"')
    for name in ("version", "pin"):
        value = request.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise _bad(f"{name} must be a whole number, not {value!r}", "or leave it out")
    for name in ("params", "limits", "run", "test"):
        if not isinstance(request.get(name) or {}, dict):
            raise _bad(f"{name} must be a map", 'as in "params": {"service": "cart"}')
    if bool(request.get("template")) == bool(request.get("sql")):
        raise _bad("a question is either a template or SQL", "give one of the two")
    for name, keys in (("run", {"id", "cell"}), ("test", {"hypothesis", "expect"})):
        given = request.get(name)
        if isinstance(given, dict) and given and set(given) != keys:
            raise _bad(f"{name} must have {' and '.join(sorted(keys))}", "see QueryRequest")
    if request.get("where"):
        check_where(request["where"])
    _check_test(request)


def _check_test(request: QueryRequest) -> None:
    test = request.get("test")
    if test:
        if not isinstance(test["expect"], str):
            raise _bad("expect must be text", 'as in "expect": "interesting"')
        check_expectation(test["expect"])
        if request.get("sql") and test["expect"] in VERDICTS:
            raise _bad(
                f"SQL has no rule that could find it {test['expect']}",
                'say what its rows must show, as in expect="max(ratio) > 2"',
            )


def free_question(
    request: QueryRequest, named: frozenset[str], state: InvestigationState | None
) -> Question:
    """Free SQL with its values.

    ``$window_start``, ``$window_end``, ``$baseline_start`` and ``$baseline_end`` that are not
    given come from the investigation.

    Raises:
        BadInput: A value is neither text, number, truth nor None.
    """
    sql = request["sql"]
    given = dict(request.get("params") or {})
    for name, value in given.items():
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, _PLAIN) for part in parts):
            raise _bad(f"${name} is {value!r}", "give text, a number, true, false or a list")
    recorded = {**_windows(named - given.keys(), state), **given}
    where = request.get("where") or ""
    return Question(sql, recorded, recorded, titled(_first_words(sql), request), where=where)


def titled(title: str, request: QueryRequest) -> str:
    """What a question is called, with the condition on its answer."""
    return f"{title} where {request['where']}" if request.get("where") else title


def _windows(missing: frozenset[str], state: InvestigationState | None) -> dict[str, str]:
    found: dict[str, str] = {}
    if state is None:
        return found
    given = state["window"]
    windows = {"window": given, "baseline": state["baseline"]}
    if given and not state["baseline"]:
        before = Window.parse(given).before().to_dict()
        windows["baseline"] = {"start": before["start"], "end": before["end"]}
    for name in _WINDOWS:
        window = windows[name]
        if window is not None:
            for part, text in (("start", window["start"]), ("end", window["end"])):
                if f"{name}_{part}" in missing:
                    found[f"{name}_{part}"] = text
    return found


def _first_words(sql: str) -> str:
    words = " ".join(sql.split())
    return words if len(words) <= _TITLE_CHARACTERS else f"{words[: _TITLE_CHARACTERS - 1]}…"


def _bad(message: str, hint: str) -> BadInput:
    return BadInput(message, hint=hint, code="bad_request")
