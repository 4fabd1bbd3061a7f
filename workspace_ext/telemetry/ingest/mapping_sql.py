"""A mapping as SQL: all rows of a chunk are converted, and judged, in one pass.

Two statements come out. The first makes table ``typed``: the row's number, the first reason to
reject it (or none), and every value in its type. The second gives the records of the good rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from workspace_ext.telemetry.ingest.mapping import UNITS, Field, Mapping, bad_mapping, close
from workspace_ext.telemetry.ingest.targets import TARGETS, Target
from workspace_ext.telemetry.schema import SIGNALS

ROW = "__row"
"""The column that numbers the rows of a chunk."""

SEVERITIES = (("trace", 1), ("debug", 5), ("info", 9), ("warn", 13), ("error", 17), ("fatal", 21))
"""OpenTelemetry's severity names with the first number of each range."""

_NUMBER = "DECIMAL(38, 9)"


@dataclass(frozen=True)
class Statements:
    """What to run on a chunk that is registered as ``chunk``."""

    typed: str
    records: str


def compile_mapping(mapping: Mapping, schema: pa.Schema) -> Statements:
    """The statements for chunks of this schema.

    Raises:
        BadInput: The mapping names a column that is not there, or a number without its unit.
    """
    for column, where in mapping.columns().items():
        if column not in schema.names:
            raise bad_mapping(
                mapping.name,
                where,
                f"column {column!r} is not in the file",
                close(column, list(schema.names), "its columns"),
            )
    values: list[tuple[str, str]] = []
    reasons: list[str] = []
    targets = TARGETS[mapping.signal]
    for name, field in mapping.fields:
        raw, checks = _raw(field, schema)
        value, wrong = _convert(mapping, name, targets[name], field, raw, schema)
        values.append((f"v_{name}", value))
        reasons.extend(checks)
        reasons.extend(wrong)
        if targets[name].required:
            reasons.append(f"CASE WHEN v_{name} IS NULL THEN {_text(f'no {name}')} END")
    for index, metric in enumerate(mapping.wide):
        raw = _quote(metric.column)
        values.append((f"w_{index}", f"try_cast({raw} AS DOUBLE)"))
        reasons.append(_wrong(f"w_{index}", raw, f"{metric.column}: ", "a number"))
    values.append(("v_attributes", _map(mapping, schema)))
    columns = ", ".join(f"{value} AS {name}" for name, value in values)
    reason = f"coalesce({', '.join([*reasons, 'NULL'])})"
    names = ", ".join(name for name, _ in values)
    typed = (
        f"CREATE OR REPLACE TABLE typed AS SELECT {ROW}, {reason} AS reason, {names}"  # noqa: S608
        f" FROM (SELECT *, {columns} FROM chunk)"
    )
    return Statements(typed, _records(mapping))


def _raw(field: Field, schema: pa.Schema) -> tuple[str, list[str]]:
    """The field's value before its type, and the reasons that getting it may give."""
    if field.constant is not None:
        return _text(field.constant), []
    column = field.column or ""
    value = _quote(column)
    checks: list[str] = []
    plain = not (field.json or field.extract or field.replace or field.default is not None)
    if plain:
        return value, checks
    value = f"CAST({value} AS VARCHAR)"
    if field.json is not None:
        label = _text(f"{column}: not valid JSON")
        checks.append(f"CASE WHEN NOT json_valid({value}) THEN {label} END")
        value = (
            f"CASE WHEN json_valid({value})"
            f" THEN json_extract_string({value}, {_text(_path(field.json))}) END"
        )
    if field.extract is not None:
        group = 1 if "(" in field.extract.replace(r"\(", "").replace("(?:", "") else 0
        value = f"nullif(regexp_extract({value}, {_text(field.extract)}, {group}), '')"
    if field.replace:
        cases = " ".join(
            f"WHEN {_text(old)} THEN {'NULL' if new is None else _text(new)}"
            for old, new in field.replace
        )
        value = f"CASE {value} {cases} ELSE {value} END"
    if field.default is not None:
        value = f"coalesce(nullif({value}, ''), {_text(field.default)})"
    return value, checks


def _path(json: str) -> str:
    if json.startswith("$"):
        return json
    return "$" + "".join(f'."{part}"' for part in json.split("."))


def _convert(
    mapping: Mapping, name: str, target: Target, field: Field, raw: str, schema: pa.Schema
) -> tuple[str, list[str]]:
    """The value in its type, and the reasons that converting it may give."""
    column = f"v_{name}"
    label = f"{name}: "
    if target.kind == "text":
        text = f"nullif(CAST({raw} AS VARCHAR), '')"
        if name == "body":
            return f"nullif(rtrim({text}, chr(13) || chr(10)), '')", []
        if name in ("trace_id", "span_id", "parent_span_id"):
            return f"lower({text})", []
        if target.choices:
            value = f"lower({text})"
            allowed = ", ".join(_text(choice) for choice in target.choices)
            said = f"one of {', '.join(target.choices)}"
            return value, [
                f"CASE WHEN {column} NOT IN ({allowed}) THEN {_said(column, label, said)} END"
            ]
        return text, []
    if target.kind == "list":
        listed = f"string_split(CAST({raw} AS VARCHAR), ',')"
        return f"list_filter(list_transform({listed}, lambda e: trim(e)), lambda e: e <> '')", []
    if target.kind in ("time", "duration"):
        value = _nanoseconds(mapping, name, target, field, raw, schema)
        wrong = [_wrong(column, raw, label, f"a {target.kind}")]
        if target.kind == "time":
            wrong.append(f"CASE WHEN {column} <= 0 THEN {_said(raw, label, 'after 1970')} END")
        else:
            wrong.append(f"CASE WHEN {column} < 0 THEN {_said(raw, label, 'positive')} END")
        return value, wrong
    kind = {"int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN"}[target.kind]
    said = {"int": "a whole number", "float": "a number", "bool": "true or false"}[target.kind]
    return f"try_cast({raw} AS {kind})", [_wrong(column, raw, label, said)]


def _nanoseconds(
    mapping: Mapping, name: str, target: Target, field: Field, raw: str, schema: pa.Schema
) -> str:
    kind = None if field.column is None else schema.field(field.column).type
    native = raw == _quote(field.column or "")
    if field.unit is not None:
        if native and kind is not None and pa.types.is_temporal(kind):
            raise bad_mapping(
                mapping.name, f"fields.{name}.unit", f"column {field.column!r} has its own unit"
            )
        factor = UNITS[field.unit]
        if native and kind is not None and pa.types.is_integer(kind):
            return raw if factor == 1 else f"try_cast(CAST({raw} AS HUGEINT) * {factor} AS BIGINT)"
        return f"try_cast(try_cast({raw} AS {_NUMBER}) * {factor} AS BIGINT)"
    if native and kind is not None and pa.types.is_timestamp(kind):
        if kind.tz is None and field.time_zone is not None:
            return f"epoch_ns(CAST({raw} AS TIMESTAMP) AT TIME ZONE {_text(field.time_zone)})"
        return f"epoch_ns({raw})"
    if (
        native
        and kind is not None
        and not pa.types.is_string(kind) | pa.types.is_large_string(kind)
    ):
        raise bad_mapping(
            mapping.name,
            f"fields.{name}",
            f"column {field.column!r} holds numbers: say their unit",
            "as in {column: …, unit: ms}; one of: ns, us, ms, s",
        )
    text = rf"regexp_replace(CAST({raw} AS VARCHAR), '\s*([+-]\d\d):?(\d\d)$', '\1:\2')"
    zoned = f"try_cast({text} AS TIMESTAMPTZ)"
    if field.time_zone is not None:
        local = f"try_cast({text} AS TIMESTAMP) AT TIME ZONE {_text(field.time_zone)}"
        zoned = (
            rf"CASE WHEN regexp_matches({text}, '(Z|[+-]\d\d:\d\d)$') THEN {zoned} ELSE {local} END"
        )
    digits = rf"nullif(regexp_extract({text}, '\.\d{{6}}(\d{{1,3}})', 1), '')"
    return f"epoch_us({zoned}) * 1000 + coalesce(CAST(rpad({digits}, 3, '0') AS BIGINT), 0)"


def _map(mapping: Mapping, schema: pa.Schema) -> str:
    entries = [
        f"{{k: {_text(name)}, v: nullif(CAST({_raw(field, schema)[0]} AS VARCHAR), '')}}"
        for name, field in mapping.attributes
    ]
    if not entries:
        return _EMPTY_MAP
    return f"map_from_entries(list_filter([{', '.join(entries)}], lambda e: e.v IS NOT NULL))"


_EMPTY_MAP = "CAST(MAP {} AS MAP(VARCHAR, VARCHAR))"


def _records(mapping: Mapping) -> str:
    """The statement that gives the records of the good rows, in the signal's columns."""
    given = {name for name, _ in mapping.fields}

    def value(name: str, kind: str) -> str:
        if name == "time":
            return "make_timestamptz(v_time // 1000)"
        if name == "time_ns":
            return "v_time"
        if name == "attributes":
            return "v_attributes"
        if kind == "TIMESTAMPTZ" and name in given:
            return f"make_timestamptz(v_{name} // 1000)"
        derived = _derived(name, mapping.signal, given)
        if derived is not None:
            return derived
        if mapping.wide and name in ("name", "unit", "kind", "value"):
            return f"w.{name}"
        if name in given:
            return f"v_{name}"
        if kind.startswith("MAP(VARCHAR"):
            return _EMPTY_MAP
        return "[]" if kind.endswith("[]") else "NULL"

    columns = ", ".join(
        f"CAST({value(name, kind)} AS {kind}) AS {name}"
        for name, kind in SIGNALS[mapping.signal].columns
    )
    source, extra = "typed", ""
    if mapping.wide:
        metrics = ", ".join(
            f"{{name: {_text(m.name)}, unit: {'NULL' if m.unit is None else _text(m.unit)},"
            f" kind: {_text(m.kind)}, value: w_{i}}}"
            for i, m in enumerate(mapping.wide)
        )
        source, extra = f"typed, unnest([{metrics}]) AS u(w)", " AND w.value IS NOT NULL"
    return f"SELECT {columns} FROM {source} WHERE reason IS NULL{extra}"  # noqa: S608


def _derived(name: str, signal: str, given: set[str]) -> str | None:
    def held(field: str) -> str:
        return f"v_{field}" if field in given else "NULL"

    if signal == "spans" and name == "duration_ns":
        end = "v_end_time - v_time" if "end_time" in given else "NULL"
        return f"coalesce({held('duration')}, {end})"
    if signal == "spans" and name in ("kind", "status"):
        return f"coalesce({held(name)}, '{'unspecified' if name == 'kind' else 'unset'}')"
    if signal == "metrics" and name == "kind" and "kind" not in given:
        return None
    if signal == "logs" and name == "severity_number" and "severity" in given:
        cases = " ".join(
            f"WHEN starts_with(lower(v_severity), '{word}') THEN {number}"
            for word, number in SEVERITIES
        )
        return f"coalesce({held('severity_number')}, CASE {cases} END)"
    return None


def _wrong(column: str, raw: str, label: str, what: str) -> str:
    """The reason for a value that is there and did not convert."""
    text = f"nullif(CAST({raw} AS VARCHAR), '')"
    return f"CASE WHEN {column} IS NULL AND {text} IS NOT NULL THEN {_said(raw, label, what)} END"


def _said(raw: str, label: str, what: str) -> str:
    shown = f"left(CAST({raw} AS VARCHAR), 60)"
    return f"{_text(label)} || '''' || {shown} || ''' is not {what}'"


def _quote(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
