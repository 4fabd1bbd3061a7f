"""Check: lint every template and run its fixtures on a private database."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.inquiry.templates.binding import bind
from workspace_ext.inquiry.templates.fixtures import Case, Fixtures, fixtures_path, load
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.judge import Judge
from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths
from workspace_ext.inquiry.templates.lint import lint, sample
from workspace_ext.inquiry.templates.model import BadTemplate, Problem, Template
from workspace_ext.inquiry.templates.quality import Probe, parts_of
from workspace_ext.inquiry.templates.sandbox import fresh_store, schema_cursor
from workspace_ext.inquiry.templates.stepping import after
from workspace_ext.telemetry.schema import MAP, SIGNALS, Signal, keeping, noting

if TYPE_CHECKING:
    import duckdb

    from workspace_ext.protocol.messages import Verdict

_KINDS = {True: "positive", False: "negative", None: "empty"}


@dataclass(frozen=True)
class CheckResult:
    """What a check said: about a file as a whole (``case`` is empty) or about one case."""

    template: str
    path: Path
    line: int | None
    case: str
    ok: bool
    message: str

    def to_dict(self) -> dict[str, Any]:
        """The form that travels."""
        return {
            "template": self.template,
            "path": str(self.path),
            "line": self.line,
            "case": self.case,
            "ok": self.ok,
            "message": self.message,
        }


def check(paths: Iterable[Path]) -> list[CheckResult]:
    """Checks templates: lint, and each case of their fixtures.

    Args:
        paths: Template files, or folders that are searched for them.

    Raises:
        NotFound: A path is not there, or no template is under it.
    """
    results: list[CheckResult] = []
    paths = [path.parent.resolve() / path.name for path in paths]  # a folder's name is in an id
    folders = [path if path.is_dir() else path.parent.parent for path in paths if path.exists()]
    library = TemplateLibrary([*default_paths(), *folders])
    for file in files_of(paths):
        results.extend(_check_file(file, library))
    return results


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """The template files that paths stand for: themselves, or all in a folder.

    Raises:
        NotFound: A path is not there, or no template is under it.
    """
    for path in paths:
        files = sorted(path.rglob("*.sql")) if path.is_dir() else [path]
        if not files or not files[0].is_file():
            raise NotFound(
                f"there is no template in {path}", hint="give a .sql file or a folder of them"
            )
        yield from files


def _check_file(path: Path, library: TemplateLibrary) -> Iterator[CheckResult]:
    name = f"{path.parent.name}.{path.stem}"
    try:
        template = parse(path.read_bytes(), path)
        problems = lint(template) or [*_onward(template, library), *_step(template)]
        fixtures = load(fixtures_path(path))
    except BadTemplate as error:
        yield from (_broken(name, problem) for problem in error.problems)
        return
    if problems:
        yield from (_broken(name, problem) for problem in problems)
        return
    yield CheckResult(name, path, None, "", ok=True, message="")
    yield from (_broken(name, problem) for problem in _missing_kinds(fixtures, path))
    store = fresh_store()
    try:
        for case in fixtures.cases:
            message = _run(store, template, fixtures, case)
            yield CheckResult(name, path, None, case.name, ok=not message, message=message)
    finally:
        store.close()


def _onward(template: Template, library: TemplateLibrary) -> Iterator[Problem]:
    """What is wrong with where a template's rows lead."""
    if template.replaced_by and not any(each.id == template.replaced_by for each in library.list()):
        what = f"replaced_by: there is no template {template.replaced_by!r}"
        yield Problem(template.path, None, what)
    for each in template.next:
        about = f"next: {each.template}"
        try:
            target = library.get(each.template)
        except BadInput as error:
            hint = f" ({error.hint})" if error.hint else ""
            yield Problem(template.path, None, f"{about}: {error.message}{hint}")
            continue
        for name in each.names:
            if name not in target.params:
                yield Problem(template.path, None, f"{about} has no parameter {name!r}")
        for name, param in target.params.items():
            if param.required and name not in each.names:
                yield Problem(template.path, None, f"{about} needs {name}")


def _step(template: Template) -> Iterator[Problem]:
    """Whether a template's step takes what its SQL gives when there is nothing."""
    if not template.step:
        return
    given = {name: sample(p) for name, p in template.params.items() if p.default is None}
    bound = bind(template, given)
    cursor = schema_cursor()
    try:
        nothing = cursor.sql(template.sql, params=dict(bound.values)).to_arrow_table()
        after(template, nothing, bound.arguments)
    except BadInput as error:
        yield Problem(template.path, None, f"without any rows: {error.message}")
    finally:
        cursor.close()


def _broken(name: str, problem: Problem) -> CheckResult:
    return CheckResult(name, problem.path, problem.line, "", ok=False, message=problem.message)


def _missing_kinds(fixtures: Fixtures, path: Path) -> list[Problem]:
    there = {case.expect.get("interesting") for case in fixtures.cases}
    return [
        Problem(
            fixtures_path(path), None, f"has no {kind} case (interesting: {str(value).lower()})"
        )
        for value, kind in _KINDS.items()
        if value not in there
    ]


def _run(
    store: duckdb.DuckDBPyConnection, template: Template, fixtures: Fixtures, case: Case
) -> str:
    """Runs one case; returns what is wrong, or nothing."""
    import duckdb

    try:
        for signal in SIGNALS.values():
            _fill(store, signal, case.rows[signal.name])
        bound = bind(template, case.params, fixtures.context)
        answer = store.sql(template.sql, params=dict(bound.values)).to_arrow_table()
        answer = after(template, answer, bound.arguments)
        judge = Judge(template, bound.arguments)
        for batch in answer.to_batches():
            judge.feed(batch)
        probe = Probe(parts_of(template, bound.arguments))
        if probe.sql:
            judge.warn(
                probe.warnings(
                    store.sql(probe.sql, params=probe.values).to_arrow_table().to_pylist()
                )
            )
    except (BadInput, duckdb.Error) as error:
        return str(error)
    first = answer.slice(0, 1).to_pylist()[0] if answer.num_rows else {}
    return "; ".join(_differences(case.expect, judge.verdict(), first))


def _fill(store: duckdb.DuckDBPyConnection, signal: Signal, rows: list[dict[str, Any]]) -> None:
    import pyarrow as pa

    store.execute(f"DELETE FROM raw.{signal.name}")  # noqa: S608 - a name of the schema
    names = sorted({name for row in rows for name in row})
    kinds = dict(signal.columns)
    columns: dict[str, pa.Array] = {}
    for name in names:
        values = [row.get(name) for row in rows]
        if name not in kinds:
            if name in ("time", "time_ns"):
                continue  # services have no time
            raise BadInput(f"{signal.name} has no column {name!r}")
        if kinds[name] == MAP:
            pairs = [[(k, str(v)) for k, v in (value or {}).items()] for value in values]
            columns[name] = pa.array(pairs, pa.map_(pa.string(), pa.string()))
        else:
            columns[name] = pa.array(values)
    if not columns:
        return
    store.register("fixture", pa.table(columns))
    kept = {name: keeping(name, f'"{name}"::{kinds[name]}') for name in columns}
    chosen = ", ".join(f'{value} AS "{name}"' for name, value in kept.items())
    store.execute(
        f"INSERT INTO raw.{signal.name} BY NAME SELECT {chosen}, 1 AS batch_id FROM fixture"  # noqa: S608
    )
    store.execute(noting(signal, f"raw.{signal.name}"))
    store.unregister("fixture")


def _differences(expect: dict[str, Any], verdict: Verdict, first: dict[str, Any]) -> Iterator[str]:
    if verdict["interesting"] is not expect.get("interesting"):
        yield (
            f"interesting is {verdict['interesting']}, not {expect.get('interesting')}"
            f" ({verdict['reason']})"
        )
    if "rows" in expect and verdict["rows"] != expect["rows"]:
        yield f"{verdict['rows']} rows, not {expect['rows']}"
    if verdict["rows"] < expect.get("rows_at_least", 0):
        yield f"{verdict['rows']} rows, fewer than {expect['rows_at_least']}"
    for column, value in (expect.get("first") or {}).items():
        if column not in first or not _same(first[column], value):
            yield f"first row: {column} is {first.get(column)!r}, not {value!r}"
    if expect.get("reason", "") not in verdict["reason"]:
        yield f"the reason lacks {expect['reason']!r}: {verdict['reason']}"
    if not any(expect.get("warning", "") in warning for warning in [*verdict["warnings"], ""]):
        yield f"no warning has {expect['warning']!r}: {verdict['warnings']}"


def _same(actual: object, expected: object) -> bool:
    if isinstance(actual, float) and isinstance(expected, (int, float)):
        return math.isclose(actual, expected, rel_tol=0.01, abs_tol=1e-9)
    return actual == expected
