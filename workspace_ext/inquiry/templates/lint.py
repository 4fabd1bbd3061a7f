"""Lint: what a template must hold before anybody may run it.

The SQL must pass the guard of free SQL, since templates may come from a folder that users
write; beyond that its answer must be one that a replay can compare.
"""

from __future__ import annotations

import re
import string
from collections.abc import Generator, Iterator
from functools import cache

import duckdb

from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.inquiry.steps import registry as steps
from workspace_ext.inquiry.templates.binding import bind
from workspace_ext.inquiry.templates.chart import chart_problems
from workspace_ext.inquiry.templates.judge import Conditions
from workspace_ext.inquiry.templates.model import Param, Problem, Template, bare_name
from workspace_ext.inquiry.templates.sandbox import bare_cursor, schema_cursor
from workspace_ext.telemetry.query import compare
from workspace_ext.telemetry.query.guard import Guard
from workspace_ext.telemetry.query.syntax import Parser, Select, nodes
from workspace_ext.telemetry.schema import SIGNALS

_SAMPLES: dict[str, object] = {
    "window": "2000-01-01T00:00:00Z/2000-01-01T01:00:00Z",
    "service": "s",
    "string": "s",
    "bool": True,
    "duration": "1s",
}
_FORMAT = re.compile(r"[+,]{0,2}(?:\.\d{1,3})?[defgs%]?")
_Finding = tuple[str, str]
"""A message, and the text whose first line in the file it is about."""


def lint(template: Template) -> list[Problem]:
    """What is wrong with a template, each problem with its line where there is one."""
    lines = template.path.read_text("utf-8").splitlines()
    problems = []
    for message, anchor in _findings(template):
        pattern = re.compile(rf"(?<!\w){re.escape(anchor)}(?!\w)", re.IGNORECASE)
        line = next((n for n, text in enumerate(lines, 1) if pattern.search(text)), None)
        problems.append(Problem(template.path, line, message))
    return problems


def _findings(template: Template) -> Iterator[_Finding]:
    area, name = template.path.parent.name, bare_name(template.path)
    numbered = template.path.stem.partition("@")[2]
    if numbered and numbered != str(template.version):
        yield f"version {template.version} does not match {template.path.name}", "version:"
    if template.id != f"{area}.{name}":
        yield f"id {template.id} does not match the path {area}/{name}.sql", "id:"
    yield from _required_columns(template)
    for name in template.columns:
        if name not in template.returns:
            yield f"columns: the result has no column {name!r}", "columns:"
    yield from _sentences(template)
    for message in chart_problems(template.chart or {}, template.returns) if template.chart else ():
        yield message, "chart:"
    clashes = [name for name in template.names if template.names.count(name) > 1]
    if clashes:
        yield f"two parameters bind ${clashes[0]}", "params:"
        return
    rule_names = yield from _condition(template, template.interesting, "interesting")
    yield from _next(template)
    if template.step and template.step not in steps.names():
        hint = did_you_mean(template.step, steps.names())
        yield f"no installed package brings the step {template.step}; {hint}", "step:"
    try:
        select = _guard().check(template.sql, template.placeholders)
    except BadInput as error:
        yield f"the SQL: {error.message}", "SELECT"
        return
    refused = list(_syntax(template, select, rule_names))
    yield from refused
    if not refused:
        yield from _returns(template)


@cache
def _guard() -> Guard:
    return Guard(SIGNALS, Parser())


def _required_columns(template: Template) -> Iterator[_Finding]:
    for entry in template.requires:
        signal, _, column = entry.partition(".")
        if signal not in SIGNALS or not SIGNALS[signal].timed:
            yield f"requires {entry}: there is no such signal", entry
        elif column and column not in SIGNALS[signal].names:
            yield f"requires {entry}: {signal} has no such column", entry


def _sentences(template: Template) -> Iterator[_Finding]:
    both = set(template.returns) | set(template.names)
    for key, text, known in (
        ("reason", template.reason, both),
        ("quiet", template.quiet, both),
        ("open", template.open, both),
        ("empty", template.empty, set(template.names)),
    ):
        try:
            fields = [(field, spec) for _, field, spec, _ in string.Formatter().parse(text)]
        except ValueError as error:
            yield f"{key}: {error}", f"{key}:"
            continue
        for field, spec in fields:
            if field is not None and field not in known:
                neither = "neither a result column nor" if known is both else "not"
                yield f"{key}: {{{field}}} is {neither} a parameter", f"{key}:"
            if spec and not _FORMAT.fullmatch(spec):
                yield f"{key}: {{{field}:{spec}}} is no short number format", f"{key}:"


def _next(template: Template) -> Iterator[_Finding]:
    for each in template.next:
        where = f"next: {each.template}"
        for name in each.columns.values():
            if name not in template.returns:
                yield f"{where}: the result has no column {name!r}", "next:"
        for name in each.given.values():
            if name not in template.params:
                yield f"{where}: there is no parameter ${name}", "next:"
        if each.when:
            yield from _condition(template, each.when, "next")


def _condition(
    template: Template, condition: str, key: str
) -> Generator[_Finding, None, frozenset[str]]:
    """Checks a condition over a row; returns the parameters that it uses."""
    anchor = f"{key}:"
    try:
        rule = _guard().check(f"SELECT ({condition})", ())
    except BadInput as error:
        yield f"{key}: {error.message}", anchor
        return frozenset()
    parts = list(nodes(rule.root))
    if rule.root["from_table"]["type"] != "EMPTY" or any(
        part.get("class") == "SUBQUERY" for part in parts
    ):
        yield f"{key} may only compare result columns and parameters", anchor
        return frozenset()
    nothing = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in template.returns.items())
    values = dict.fromkeys(template.names)
    asked = Conditions.of(condition, (), values, list(template.returns))
    cursor = bare_cursor()
    try:
        cursor.execute(asked.over(nothing, "LIMIT 0"), asked.values)
    except duckdb.Error as error:
        yield f"{key}: {_first_line(error)}", anchor
    finally:
        cursor.close()
    columns = {part["column_names"][-1] for part in parts if part.get("class") == "COLUMN_REF"}
    return frozenset(columns.intersection(template.names))


def _syntax(template: Template, select: Select, rule_names: frozenset[str]) -> Iterator[_Finding]:
    result = compare.lint(select, library=True)
    for reason in (result.never, result.shape):
        if reason:
            yield f"no replay could agree with it: {reason}", "SELECT"
    if not result.ordered:
        yield "has no ORDER BY: its rows would come in another order each time", "SELECT"
    for name in sorted(select.parameters - set(template.names)):
        yield f"uses ${name}, which no parameter declares", name
    for param in () if template.step else template.params.values():  # a step is given them all
        if not (select.parameters | rule_names).intersection(param.names):
            yield f"parameter {param.name} is used neither in the SQL nor in the rule", param.name


def _returns(template: Template) -> Iterator[_Finding]:
    """Binds sample values and compares what DuckDB says of the columns with the header."""
    given = {p.name: sample(p) for p in template.params.values() if p.default is None}
    cursor = schema_cursor()
    try:
        values = dict(bind(template, given).values)
        rows = cursor.execute(f"DESCRIBE {template.sql}", values).fetchall()
    except BadInput as error:
        yield f"params: {error.message}", "params:"
        return
    except duckdb.Error as error:
        yield f"the SQL does not bind: {_first_line(error)}", "SELECT"
        return
    finally:
        cursor.close()
    actual = {name: kind for name, kind, *_ in rows}
    if template.step:
        return  # what comes out is the step's; `check` runs it
    if list(actual) != list(template.returns):
        yield f"returns {', '.join(actual)}, not {', '.join(template.returns)}", "returns:"
        return
    for name, kind in actual.items():
        if kind != template.returns[name]:
            yield f"returns {name} as {kind}, not {template.returns[name]}", "returns:"


def sample(param: Param) -> object:
    """A value that a parameter takes, to try a template with."""
    if param.optional:
        return None
    if param.of:
        return param.of[0]
    return _SAMPLES.get(param.type, param.minimum if param.minimum is not None else 1)


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]
