"""The header's language: the YAML in a template's leading comment → a `Template`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.inquiry.templates.model import (
    PARAM_TYPES,
    STATUSES,
    BadTemplate,
    Next,
    Param,
    ParamType,
    Problem,
    Status,
    Template,
)

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's when it is there: ten times as fast, and the first query waits for all headers."""
_HEADER = re.compile(r"\A\s*/\*---[ \t]*\n(.*?)\n---\*/", re.DOTALL)
_REQUIRED = ("id", "version", "title", "question", "status", "returns", "interesting")
_OPTIONAL = (
    "columns",
    "params",
    "requires",
    "reason",
    "quiet",
    "open",
    "empty",
    "covers",
    "not_covered",
    "chart",
    "references",
    "step",
    "next",
    "replaced_by",
)
_PARAM_KEYS: dict[str, tuple[type, ...]] = {
    "type": (str,),
    "optional": (bool,),
    "default": (str, int, float, bool),
    "min": (int, float),
    "max": (int, float),
    "of": (list,),
    "help": (str,),
}
_KINDS = {str: "text", bool: "true or false", int: "a number", float: "a fraction", list: "a list"}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SQL_TYPE = re.compile(r"[A-Z][A-Za-z0-9_ (),]*(?:\[\])*")
_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
_NO_CODE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r"'([^']*)'")
_PLACEHOLDER = re.compile(r"\$([A-Za-z_]\w*)")


def parse(content: bytes, path: Path) -> Template:
    """The template in a file's bytes.

    Raises:
        BadTemplate: There is no header, it is no YAML, a key is missing or unknown, or a value
            is not what its key wants. All problems are in it, not the first alone.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadTemplate([Problem(path, None, f"is not UTF-8: {error}")]) from error
    match = _HEADER.match(text)
    if match is None:
        raise BadTemplate([Problem(path, 1, "does not start with a /*--- … ---*/ header")])
    return _Parser(path, match[1], text[: match.start(1)].count("\n")).template(
        sql=text[match.end() :].strip(), digest=digest_bytes(content)
    )


def is_id(text: str) -> bool:
    """Whether a text may be a template's id."""
    return bool(_ID.fullmatch(text))


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _kinds(kinds: tuple[type, ...]) -> str:
    return " or ".join(_KINDS[kind] for kind in kinds)


class _Parser:
    """Reads one header and gathers what is wrong with it."""

    def __init__(self, path: Path, header: str, offset: int) -> None:
        self.path = path
        self.header = header
        self.offset = offset
        self.problems: list[Problem] = []

    def problem(self, message: str, key: str | None = None) -> None:
        line = None
        if key is not None:
            found = re.search(rf"^\s*{re.escape(key)}\s*:", self.header, re.MULTILINE)
            before = self.header[: found.end()] if found else ""
            line = self.offset + before.count("\n") + 1 if found else 1
        self.problems.append(Problem(self.path, line, message))

    def template(self, sql: str, digest: str) -> Template:
        values = self.load()
        for key in _REQUIRED:
            if key not in values:
                self.problem(f"header has no {key!r}", "")
        for key in values:
            if key not in _REQUIRED + _OPTIONAL:
                self.problem(f"header has an unknown key {key!r}", str(key))
        template = Template(
            id=self.text(values, "id"),
            version=self.version(values),
            title=self.text(values, "title"),
            question=self.text(values, "question"),
            status=cast("Status", self.one_of(values, "status", STATUSES)),
            params=self.params(values),
            requires=self.texts(values, "requires"),
            returns=self.returns(values),
            interesting=self.text(values, "interesting"),
            reason=self.text(values, "reason"),
            quiet=self.text(values, "quiet"),
            open=self.text(values, "open"),
            empty=self.text(values, "empty"),
            columns=self.columns(values),
            covers=self.texts(values, "covers"),
            not_covered=self.texts(values, "not_covered"),
            chart=self.mapping(values, "chart") or None,
            references=self.texts(values, "references"),
            sql=sql,
            placeholders=frozenset(_PLACEHOLDER.findall(_NO_CODE.sub(" ", sql))),
            digest=digest,
            path=self.path,
            step=self.text(values, "step"),
            next=self.next(values),
            replaced_by=self.text(values, "replaced_by"),
        )
        if template.id and not _ID.fullmatch(template.id):
            self.problem(f"id {template.id!r} is not of the form area.name", "id")
        if template.replaced_by and template.status != "deprecated":
            self.problem("replaced_by is for what is deprecated", "replaced_by")
        if self.problems:
            raise BadTemplate(self.problems)
        return template

    def load(self) -> dict[str, Any]:
        try:
            values = yaml.load(self.header, _LOADER)  # noqa: S506 - either is a safe one
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            line = self.offset + mark.line + 1 if mark else None
            problem = Problem(self.path, line, f"header is no YAML: {error.problem}")
            raise BadTemplate([problem]) from error
        except yaml.YAMLError as error:
            raise BadTemplate([Problem(self.path, 1, f"header is no YAML: {error}")]) from error
        if not isinstance(values, dict):
            raise BadTemplate([Problem(self.path, 1, "header is no map of keys")])
        return values

    def text(self, values: Mapping[str, Any], key: str) -> str:
        value = values.get(key, "")
        if not isinstance(value, str) or (key in _REQUIRED and key in values and not value):
            self.problem(f"{key} must be text", key)
            return ""
        return " ".join(value.split())

    def texts(self, values: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = values.get(key) or []
        if not _texts(value):
            self.problem(f"{key} must be a list of texts", key)
            return ()
        return tuple(value)

    def mapping(self, values: Mapping[str, Any], key: str) -> dict[str, Any]:
        value = values.get(key) or {}
        if not isinstance(value, dict):
            self.problem(f"{key} must be a map", key)
            return {}
        return value

    def one_of(self, values: Mapping[str, Any], key: str, known: tuple[str, ...]) -> str:
        value = values.get(key)
        if key in values and value not in known:
            self.problem(f"{key} must be one of {', '.join(known)}", key)
        return str(value)

    def version(self, values: Mapping[str, Any]) -> int:
        value = values.get("version", 1)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            self.problem("version must be a whole number from 1", "version")
            return 1
        return value

    def returns(self, values: Mapping[str, Any]) -> dict[str, str]:
        returns = self.mapping(values, "returns")
        for name, kind in returns.items():
            if not _NAME.fullmatch(str(name)) or not _SQL_TYPE.fullmatch(str(kind)):
                self.problem(f"returns: {name}: {kind} is no column with its SQL type", "returns")
        return returns

    def columns(self, values: Mapping[str, Any]) -> dict[str, str]:
        columns = self.mapping(values, "columns")
        for name, meaning in columns.items():
            if not isinstance(meaning, str):
                self.problem(f"columns: {name}: the meaning must be text", "columns")
        return {str(name): " ".join(str(meaning).split()) for name, meaning in columns.items()}

    def params(self, values: Mapping[str, Any]) -> dict[str, Param]:
        found: dict[str, Param] = {}
        for name, spec in self.mapping(values, "params").items():
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                self.problem(f"parameter {name!r} must be lower_case", str(name))
            elif not isinstance(spec, dict) or spec.get("type") not in PARAM_TYPES:
                self.problem(f"parameter {name}: type must be {' | '.join(PARAM_TYPES)}", name)
            else:
                found[name] = self.param(name, spec)
        return found

    def next(self, values: Mapping[str, Any]) -> tuple[Next, ...]:
        entries = values.get("next") or []
        found = []
        if not isinstance(entries, list):
            self.problem("next must be a list of {template, when, params}", "next")
            return ()
        for entry in entries:
            if not isinstance(entry, dict) or not _ID.fullmatch(str(entry.get("template"))):
                self.problem("next: each entry names a template", "next")
            elif set(entry) - {"template", "when", "params"}:
                unknown = min(set(entry) - {"template", "when", "params"})
                self.problem(f"next: {entry['template']} has an unknown key {unknown!r}", "next")
            elif not isinstance(entry.get("when", ""), str):
                self.problem(f"next: {entry['template']}: when must be a condition", "next")
            else:
                params = entry.get("params") or {}
                found.append(self.onward(entry["template"], entry.get("when", ""), params))
        return tuple(found)

    def onward(self, template: str, when: str, params: Any) -> Next:
        columns, given, values = {}, {}, {}
        for name, value in params.items() if isinstance(params, dict) else [("params", None)]:
            text = _QUOTED.fullmatch(value) if isinstance(value, str) else None
            if text is not None:
                values[str(name)] = text[1]
            elif isinstance(value, (bool, int, float)):
                values[str(name)] = value
            elif isinstance(value, str) and value.startswith("$"):
                given[str(name)] = value[1:]
            elif isinstance(value, str):
                columns[str(name)] = value
            else:
                wanted = "a column, a $parameter, a number or a 'text'"
                self.problem(f"next: {template}: {name} must be {wanted}", "next")
        return Next(template, " ".join(when.split()), columns, given, values)

    def param(self, name: str, spec: dict[str, Any]) -> Param:
        for key in spec:
            if key not in _PARAM_KEYS:
                self.problem(f"parameter {name} has an unknown key {key!r}", name)
        for key, kinds in _PARAM_KEYS.items():
            value = spec.get(key)
            if value is not None and type(value) not in kinds:
                self.problem(f"parameter {name}: {key} must be {_kinds(kinds)}", name)
        of = spec.get("of") or []
        if (spec["type"] == "choice") != bool(of) or not _texts(of):
            self.problem(f"parameter {name}: a choice, and only a choice, has `of: […]`", name)
            of = []
        return Param(
            name=name,
            type=cast("ParamType", spec["type"]),
            optional=bool(spec.get("optional", False)),
            default=spec.get("default"),
            minimum=spec.get("min"),
            maximum=spec.get("max"),
            of=tuple(of),
            help=" ".join(str(spec.get("help", "")).split()),
        )
