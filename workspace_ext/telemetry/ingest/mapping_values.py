"""One field of a mapping as SQL: where the value comes from, its type, and why it may be bad."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa

from workspace_ext.telemetry.ingest.mapping import UNITS, Field, Mapping, bad_mapping
from workspace_ext.telemetry.ingest.targets import Target

_IDS = ("trace_id", "span_id", "parent_span_id")
_NUMBERS = {
    "int": ("INTEGER", "a whole number"),
    "float": ("DOUBLE", "a number"),
    "bool": ("BOOLEAN", "true or false"),
}


@dataclass(frozen=True)
class Column:
    """A column of the file: its name in SQL, and its type."""

    sql: str
    type: pa.DataType


@dataclass(frozen=True)
class Value:
    """SQL of a value, and SQL of the reasons to reject its row (each null when all is well)."""

    sql: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Raw:
    """A value before it gets its type; ``native`` only when it is a column as it stands."""

    sql: str
    native: pa.DataType | None
    reasons: tuple[str, ...] = ()


def text(value: str | None) -> str:
    """A text as SQL."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


def plain(field: Field, columns: dict[str, Column]) -> str:
    """A field as text, as it goes into the map of attributes."""
    return f"nullif(CAST({_raw(field, columns).sql} AS VARCHAR), '')"


def number(name: str, column: Column, named: str) -> Value:
    """A column of numbers; ``named`` is the name that the outcome has in SQL."""
    return Value(
        f"try_cast({column.sql} AS DOUBLE)", (_wrong(named, column.sql, name, "a number"),)
    )


def typed(mapping: Mapping, target: Target, field: Field, columns: dict[str, Column]) -> Value:
    """A field in its type. Its reasons refer to the outcome as ``v_<name>``.

    Raises:
        BadInput: A number without a unit, or a unit where there is one already.
    """
    raw = _raw(field, columns)
    named = f"v_{target.name}"
    if target.kind in ("time", "duration"):
        value = _moment(mapping, target, field, raw, named)
    elif target.kind in _NUMBERS:
        kind, said = _NUMBERS[target.kind]
        value = Value(
            f"try_cast({raw.sql} AS {kind})", (_wrong(named, raw.sql, target.name, said),)
        )
    elif target.kind == "list":
        parts = f"string_split(CAST({raw.sql} AS VARCHAR), ',')"
        trimmed = f"list_transform({parts}, lambda e: trim(e))"
        value = Value(f"list_filter({trimmed}, lambda e: e <> '')")
    else:
        value = _words(target, raw, named)
    reasons = (*raw.reasons, *value.reasons)
    if target.required:
        missing = text(f"no {target.name}")
        reasons = (*reasons, f"CASE WHEN {named} IS NULL THEN {missing} END")
    return Value(value.sql, reasons)


def _raw(field: Field, columns: dict[str, Column]) -> _Raw:
    if field.column is None:
        return _Raw(text(field.constant), None)
    column = columns[field.column]
    if not (field.json or field.extract or field.replace or field.default is not None):
        return _Raw(column.sql, column.type)
    value = f"CAST({column.sql} AS VARCHAR)"
    reasons: tuple[str, ...] = ()
    if field.json is not None:
        label = text(f"{field.column}: not valid JSON")
        reasons = (f"CASE WHEN NOT json_valid({value}) THEN {label} END",)
        found = f"json_extract_string({value}, {text(_path(field.json))})"
        value = f"CASE WHEN json_valid({value}) THEN {found} END"
    if field.extract is not None:
        group = re.compile(field.extract).groups
        value = f"nullif(regexp_extract({value}, {text(field.extract)}, {group}), '')"
    if field.replace:
        cases = " ".join(f"WHEN {text(old)} THEN {text(new)}" for old, new in field.replace)
        value = f"CASE {value} {cases} ELSE {value} END"
    if field.default is not None:
        value = f"coalesce(nullif({value}, ''), {text(field.default)})"
    return _Raw(value, None, reasons)


def _path(json: str) -> str:
    if json.startswith("$"):
        return json
    return "$" + "".join(f'."{part}"' for part in json.split("."))


def _words(target: Target, raw: _Raw, named: str) -> Value:
    value = f"nullif(CAST({raw.sql} AS VARCHAR), '')"
    if target.name == "body":
        return Value(f"nullif(rtrim({value}, chr(13) || chr(10)), '')")
    if target.name in _IDS:
        return Value(f"lower({value})")
    if not target.choices:
        return Value(value)
    allowed = ", ".join(text(choice) for choice in target.choices)
    said = _said(named, target.name, f"one of {', '.join(target.choices)}")
    return Value(f"lower({value})", (f"CASE WHEN {named} NOT IN ({allowed}) THEN {said} END",))


def _moment(mapping: Mapping, target: Target, field: Field, raw: _Raw, named: str) -> Value:
    """A time or a duration, in nanoseconds."""
    where = f"fields.{target.name}"
    clock = raw.native is not None and pa.types.is_timestamp(raw.native)
    if field.unit is not None:
        if clock:
            raise bad_mapping(
                mapping.name, f"{where}.unit", f"column {field.column!r} has its own unit"
            )
        sql = _scaled(raw, UNITS[field.unit])
    elif clock:
        sql = f"epoch_ns({_zoned(raw, field.time_zone)})"
    elif raw.native is not None and not _is_text(raw.native):
        raise bad_mapping(
            mapping.name,
            where,
            f"column {field.column!r} holds numbers: say their unit",
            "as in {column: …, unit: ms}; one of: ns, us, ms, s",
        )
    else:
        sql = _read_time(f"CAST({raw.sql} AS VARCHAR)", field.time_zone)
    low, said = ("<= 0", "after 1970") if target.kind == "time" else ("< 0", "0 or more")
    early = _said(raw.sql, target.name, said)
    return Value(
        f"TRY({sql})",  # the year 9999 and the like do not fit into nanoseconds
        (
            _wrong(named, raw.sql, target.name, f"a {target.kind}"),
            f"CASE WHEN {named} {low} THEN {early} END",
        ),
    )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _scaled(raw: _Raw, factor: int) -> str:
    if raw.native is not None and pa.types.is_integer(raw.native):
        return f"CAST(CAST({raw.sql} AS HUGEINT) * {factor} AS BIGINT)"
    return f"CAST(CAST({raw.sql} AS DECIMAL(38, 9)) * {factor} AS BIGINT)"


def _zoned(raw: _Raw, time_zone: str | None) -> str:
    assert raw.native is not None
    if raw.native.tz is None and time_zone is not None:
        return f"(CAST({raw.sql} AS TIMESTAMP) AT TIME ZONE {text(time_zone)})"
    return raw.sql


def _read_time(value: str, time_zone: str | None) -> str:
    """Text with a date and a time, to the nanosecond; the cast alone keeps microseconds."""
    value = rf"regexp_replace({value}, '\s*([+-]\d\d):?(\d\d)$', '\1:\2')"
    moment = f"CAST({value} AS TIMESTAMPTZ)"
    if time_zone is not None:
        local = f"CAST({value} AS TIMESTAMP) AT TIME ZONE {text(time_zone)}"
        has_offset = rf"regexp_matches({value}, '(Z|[+-]\d\d:\d\d)$')"
        moment = f"CASE WHEN {has_offset} THEN {moment} ELSE {local} END"
    digits = rf"nullif(regexp_extract({value}, '\.\d{{6}}(\d{{1,3}})', 1), '')"
    return f"epoch_us({moment}) * 1000 + coalesce(CAST(rpad({digits}, 3, '0') AS BIGINT), 0)"


def _wrong(named: str, raw: str, name: str, what: str) -> str:
    """The reason for a value that is there and did not convert."""
    given = f"nullif(CAST({raw} AS VARCHAR), '')"
    return f"CASE WHEN {named} IS NULL AND {given} IS NOT NULL THEN {_said(raw, name, what)} END"


def _said(raw: str, name: str, what: str) -> str:
    before, after = text(f"{name}: '"), text(f"' is not {what}")
    return f"{before} || left(CAST({raw} AS VARCHAR), 60) || {after}"
