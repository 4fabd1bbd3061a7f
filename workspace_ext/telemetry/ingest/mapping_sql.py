"""A mapping as SQL: all rows of a chunk are converted, and judged, in one pass.

Two statements come out. The first makes the temporary table ``typed``: the row's number, the first
reason to reject it (or none), and every value in its type. The second gives the records of the good
rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.telemetry.ingest.mapping import Mapping, Wide, bad_mapping
from workspace_ext.telemetry.ingest.mapping_values import (
    Column,
    number,
    plain,
    text,
    typed,
)
from workspace_ext.telemetry.ingest.severity import SEVERITIES
from workspace_ext.telemetry.ingest.targets import TARGETS
from workspace_ext.telemetry.schema import SIGNALS

ROW = "__row"
"""The column that numbers the rows of a chunk."""

_EMPTY_MAP = "CAST(MAP {} AS MAP(VARCHAR, VARCHAR))"


@dataclass(frozen=True)
class Statements:
    """What to run on a chunk that is registered as ``chunk``.

    Attributes:
        columns: The columns of the file that the chunk must have, and their names there; SQL
            takes ``Time`` and ``time`` for one, files do not.
        typed: Makes table ``typed``.
        records: Gives the records.
    """

    columns: dict[str, str]
    typed: str
    records: str


def compile_mapping(mapping: Mapping, schema: pa.Schema) -> Statements:
    """The statements for chunks of this schema.

    Raises:
        BadInput: The mapping names a column that is not there, or a number without its unit.
    """
    columns = _columns(mapping, schema)
    targets = TARGETS[mapping.signal]
    values = {
        f"v_{name}": typed(mapping, targets[name], field, columns) for name, field in mapping.fields
    }
    values |= {
        f"w_{index}": number(metric.column, columns[metric.column], f"w_{index}")
        for index, metric in enumerate(mapping.wide)
    }
    reasons = [reason for value in values.values() for reason in value.reasons]
    made = [f"{value.sql} AS {name}" for name, value in values.items()]
    made.append(f"{_attributes(mapping, columns)} AS v_attributes")
    statement = (
        f"CREATE OR REPLACE TEMP TABLE typed AS SELECT {ROW},"  # noqa: S608 - quoted before
        f" coalesce({', '.join([*reasons, 'NULL'])}) AS reason,"
        f" {', '.join([*values, 'v_attributes'])}"
        f" FROM (SELECT *, {', '.join(made)} FROM chunk)"
    )
    names = {name: column.sql for name, column in columns.items()}
    return Statements(names, statement, _records(mapping))


def _columns(mapping: Mapping, schema: pa.Schema) -> dict[str, Column]:
    columns = {}
    for index, (name, where) in enumerate(mapping.columns().items()):
        found = schema.get_all_field_indices(name)
        if len(found) != 1:
            what = "is there more than once" if found else "is not in the file"
            raise bad_mapping(
                mapping.name,
                where,
                f"column {name!r} {what}",
                did_you_mean(name, schema.names),
            )
        columns[name] = Column(f"c{index}", schema.field(found[0]).type)
    return columns


def _attributes(mapping: Mapping, columns: dict[str, Column]) -> str:
    if not mapping.attributes:
        return _EMPTY_MAP
    entries = ", ".join(
        f"{{k: {text(name)}, v: {plain(field, columns)}}}" for name, field in mapping.attributes
    )
    return f"map_from_entries(list_filter([{entries}], lambda e: e.v IS NOT NULL))"


def _records(mapping: Mapping) -> str:
    """The statement that gives the records of the good rows, in the signal's columns."""
    given = {name for name, _ in mapping.fields}
    special = {
        "time": "make_timestamptz(v_time // 1000)",
        "time_ns": "v_time",
        "attributes": "v_attributes",
        **_derived(mapping.signal, given),
        **(
            {name: f"w.{name}" for name in ("name", "unit", "kind", "value")}
            if mapping.wide
            else {}
        ),
    }

    def value(name: str, kind: str) -> str:
        if name in special:
            return special[name]
        if name in given:
            return f"make_timestamptz(v_{name} // 1000)" if kind == "TIMESTAMPTZ" else f"v_{name}"
        if kind.startswith("MAP(VARCHAR"):
            return _EMPTY_MAP
        return "[]" if kind.endswith("[]") else "NULL"

    columns = ", ".join(
        f"CAST({value(name, kind)} AS {kind}) AS {name}"
        for name, kind in SIGNALS[mapping.signal].columns
    )
    source, extra = "typed", ""
    if mapping.wide:
        metrics = ", ".join(_metric(index, metric) for index, metric in enumerate(mapping.wide))
        source, extra = f"typed, unnest([{metrics}]) AS u(w)", " AND w.value IS NOT NULL"
    return f"SELECT {columns} FROM {source} WHERE reason IS NULL{extra}"  # noqa: S608


def _metric(index: int, metric: Wide) -> str:
    return (
        f"{{name: {text(metric.name)}, unit: {text(metric.unit)},"
        f" kind: {text(metric.kind)}, value: w_{index}}}"
    )


def _derived(signal: str, given: set[str]) -> dict[str, str]:
    """Columns that follow from other fields, or have a value even when nothing is given."""

    def held(name: str) -> str:
        return f"v_{name}" if name in given else "NULL"

    if signal == "spans":
        end = "v_end_time - v_time" if "end_time" in given else "NULL"
        return {
            "duration_ns": f"coalesce({held('duration')}, {end})",
            "kind": f"coalesce({held('kind')}, 'unspecified')",
            "status": f"coalesce({held('status')}, 'unset')",
        }
    if signal == "logs" and "severity" in given:
        cases = " ".join(
            f"WHEN starts_with(upper(v_severity), '{word}') THEN {low}" for word, low in SEVERITIES
        )
        return {"severity_number": f"coalesce({held('severity_number')}, CASE {cases} END)"}
    if signal == "metrics":
        return {"kind": f"coalesce({held('kind')}, 'gauge')"}
    return {}
