"""Mapping files: how the columns of a CSV or Parquet file become fields of a signal.

::

    signal: logs
    fields:
      time: {column: Log, json: time}                 # a key of the JSON in the column
      service: {column: PodName, extract: '^(.*)-[^-]+-[^-]+$'}   # first group of the pattern
      trace_id: TraceID                               # short for {column: TraceID}
      severity: {column: level, map: {E: ERROR}, default: INFO}
      environment: {constant: production}
    attributes: [Container]                           # or {name: field, …}

``time`` and the like take ``unit`` (ns, us, ms, s) for numbers and ``time_zone`` for text without
an offset. Metrics that stand side by side take ``wide: {column: {name, unit, kind}}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from workspace_ext.foundation.canonical import digest_json
from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.telemetry.ingest.targets import TARGETS, Target

UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_TOP = {"signal", "fields", "attributes", "wide", "delimiter"}
_FIELD = {
    "column", "constant", "json", "extract", "map", "default", "unit", "time_zone",
}  # fmt: skip
_WIDE = {"name", "unit", "kind"}
_EXAMPLES = "compare with templates/incidents/trainticket/*.mapping.yaml"


@dataclass(frozen=True)
class Field:
    """Where one value comes from, and what is done to it, in this order."""

    column: str | None = None
    constant: str | None = None
    json: str | None = None
    extract: str | None = None
    replace: tuple[tuple[str, str | None], ...] = ()
    default: str | None = None
    unit: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True)
class Wide:
    """A column that is a metric of its own."""

    column: str
    name: str
    unit: str | None
    kind: str


@dataclass(frozen=True)
class Mapping:
    """A checked mapping file."""

    signal: str
    fields: tuple[tuple[str, Field], ...]
    attributes: tuple[tuple[str, Field], ...]
    wide: tuple[Wide, ...]
    delimiter: str
    name: str
    digest: str

    def columns(self) -> dict[str, str]:
        """The columns it reads, each with the place in the mapping that names it."""
        found: dict[str, str] = {}
        for part, group in (("fields", self.fields), ("attributes", self.attributes)):
            for target, source in group:
                if source.column is not None:
                    found.setdefault(source.column, f"{part}.{target}")
        for metric in self.wide:
            found.setdefault(metric.column, "wide")
        return found


def bad_mapping(name: str, where: str, what: str, hint: str = "") -> BadInput:
    """The error for a mapping that is wrong in one place."""
    place = f"{name}: {where}" if where else name
    return BadInput(f"{place}: {what}", hint=hint or _EXAMPLES, code="bad_mapping")


def parse_mapping(text: str, name: str = "mapping") -> Mapping:
    """Reads a mapping file.

    Args:
        text: YAML.
        name: What to call it in errors.

    Raises:
        BadInput: It is wrong; the message names the key.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else ""
        raise bad_mapping(name, where, "not valid YAML", "check indentation and quotes") from None
    top = _keys(name, "", content, _TOP)
    signal = top.get("signal")
    if signal not in TARGETS:
        raise bad_mapping(
            name, "signal", f"{signal!r} is not a signal", f"one of: {', '.join(TARGETS)}"
        )
    targets = TARGETS[signal]
    fields = _fields(name, top.get("fields"), targets)
    wide = _wide(name, top.get("wide"), signal)
    given = {target for target, _ in fields}
    if wide and given & {"name", "value", "unit", "kind"}:
        raise bad_mapping(name, "wide", "gives name, value, unit and kind itself; remove them")
    for target in targets.values():
        if target.required and target.name not in given and not (wide and target.by_wide):
            raise bad_mapping(name, "fields", f"{target.name} is missing: {signal} need it")
    delimiter = top.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise bad_mapping(name, "delimiter", "must be one character")
    return Mapping(
        signal=signal,
        fields=fields,
        attributes=_attributes(name, top.get("attributes")),
        wide=wide,
        delimiter=delimiter,
        name=name,
        digest=digest_json(_plain(content)),
    )


def _keys(name: str, where: str, value: object, allowed: set[str]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad_mapping(name, where, "must be a map of keys to values")
    for key in value:
        if key not in allowed:
            raise bad_mapping(name, where, f"unknown key {key!r}", did_you_mean(str(key), allowed))
    return value


def _fields(name: str, value: object, targets: dict[str, Target]) -> tuple[tuple[str, Field], ...]:
    found = []
    for key, given in _keys(name, "fields", value, set(targets)).items():
        where = f"fields.{key}"
        field = _field(name, where, given)
        kind = targets[key].kind
        if kind == "duration" and field.unit is None:
            raise bad_mapping(name, where, "say its unit", "one of: ns, us, ms, s")
        if kind not in ("time", "duration") and (field.unit or field.time_zone):
            raise bad_mapping(name, where, "takes no unit and no time_zone")
        found.append((key, field))
    return tuple(found)


def _attributes(name: str, value: object) -> tuple[tuple[str, Field], ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        value = {str(column): str(column) for column in value}
    if not isinstance(value, dict):
        raise bad_mapping(name, "attributes", "must be a list of columns, or a map")
    items = {str(k): _field(name, f"attributes.{k}", v) for k, v in value.items()}
    return tuple(sorted(items.items()))


def _field(name: str, where: str, value: object) -> Field:
    if isinstance(value, str):
        return Field(column=value)
    given = _keys(name, where, value, _FIELD)
    if ("column" in given) == ("constant" in given):
        raise bad_mapping(name, where, "needs either column or constant")
    text = {k: str(v) for k, v in given.items() if k != "map" and v is not None}
    if "unit" in text and text["unit"] not in UNITS:
        raise bad_mapping(name, where, f"unknown unit {text['unit']!r}", "one of: ns, us, ms, s")
    if "time_zone" in text:
        try:
            ZoneInfo(text["time_zone"])
        except (ValueError, OSError, KeyError):
            raise bad_mapping(
                name, where, f"unknown time zone {text['time_zone']!r}", "as in Asia/Shanghai"
            ) from None
    if "extract" in text:
        _check_pattern(name, where, text["extract"])
    replace = given.get("map") or {}
    if not isinstance(replace, dict):
        raise bad_mapping(name, f"{where}.map", "must be a map of values to values")
    pairs = tuple((str(k), None if v is None else str(v)) for k, v in replace.items())
    return Field(replace=pairs, **text)


def _check_pattern(name: str, where: str, pattern: str) -> None:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise bad_mapping(name, f"{where}.extract", f"not a pattern: {error}") from None
    if groups > 1:
        raise bad_mapping(name, f"{where}.extract", "may have one group at most")


def _wide(name: str, value: object, signal: str) -> tuple[Wide, ...]:
    if value is None:
        return ()
    if signal != "metrics":
        raise bad_mapping(name, "wide", "is for metrics only")
    if not isinstance(value, dict) or not value:
        raise bad_mapping(name, "wide", "must be a map of columns to metrics")
    found = []
    for column, given in value.items():
        where = f"wide.{column}"
        spec = {"name": given} if isinstance(given, str) else _keys(name, where, given, _WIDE)
        if "name" not in spec:
            raise bad_mapping(name, where, "needs a name")
        kind = str(spec.get("kind", "gauge"))
        if kind not in ("gauge", "sum"):
            raise bad_mapping(name, where, f"unknown kind {kind!r}", "gauge or sum")
        unit = spec.get("unit")
        found.append(
            Wide(str(column), str(spec["name"]), None if unit is None else str(unit), kind)
        )
    return tuple(found)


def _plain(value: Any) -> Any:
    """YAML knows keys and values that JSON does not: dates, numbers as keys."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
