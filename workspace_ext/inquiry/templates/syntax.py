"""What a SELECT is made of, read from DuckDB's own syntax tree; never from its text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from workspace_ext.inquiry.templates.sandbox import bare_cursor


class BadSql(ValueError):  # noqa: N818 - read as a word: bad SQL
    """The text is not exactly one SELECT."""


@dataclass(frozen=True)
class Syntax:
    """The parts of one SELECT that lint looks at."""

    parameters: frozenset[str]
    tables: frozenset[str]
    common_tables: frozenset[str]
    columns: frozenset[str]
    functions: frozenset[str]
    table_functions: frozenset[str]
    misbound: frozenset[str]
    subqueries: bool
    has_source: bool
    ordered: bool


def read(sql: str) -> Syntax:
    """The parts of a SELECT.

    Raises:
        BadSql: It does not parse, is no SELECT, or is more than one statement (a bare PIVOT is
            several).
    """
    cursor = bare_cursor()
    try:
        statements = cursor.extract_statements(sql)
        if len(statements) != 1:
            raise BadSql(f"is {len(statements)} statements, not exactly one SELECT")
        if statements[0].type != duckdb.StatementType.SELECT:
            raise BadSql("is not a SELECT")
        row = cursor.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchone()
        parameters = frozenset(statements[0].named_parameters)
    except duckdb.Error as error:
        raise BadSql(str(error).split("\n\n")[0]) from error
    finally:
        cursor.close()
    assert row is not None
    tree = json.loads(row[0])
    if tree.get("error"):
        raise BadSql(str(tree.get("error_message", "is not a plain SELECT")))
    return _syntax(tree["statements"][0]["node"], parameters)


def _syntax(tree: dict[str, Any], parameters: frozenset[str]) -> Syntax:
    nodes = list(_nodes(tree))
    calls = [node for node in nodes if node.get("type") == "TABLE_FUNCTION"]
    from_calls = {id(node["function"]) for node in calls}
    return Syntax(
        parameters=parameters,
        tables=frozenset(_table(node) for node in nodes if node.get("type") == "BASE_TABLE"),
        common_tables=frozenset(
            entry["key"] for node in nodes if "cte_map" in node for entry in node["cte_map"]["map"]
        ),
        columns=frozenset(
            node["column_names"][-1] for node in nodes if node.get("class") == "COLUMN_REF"
        ),
        functions=frozenset(
            node["function_name"].lower()
            for node in nodes
            if "function_name" in node and id(node) not in from_calls
        ),
        table_functions=frozenset(node["function"]["function_name"].lower() for node in calls),
        misbound=frozenset(_misbound(nodes)),
        subqueries=any(node.get("class") == "SUBQUERY" for node in nodes),
        has_source=(tree.get("from_table") or {}).get("type") != "EMPTY",
        ordered=any(m.get("type") == "ORDER_MODIFIER" for m in tree.get("modifiers", ())),
    )


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from _nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _nodes(item)


def _table(node: dict[str, Any]) -> str:
    parts = [node.get("catalog_name"), node.get("schema_name"), node.get("table_name")]
    return ".".join(part for part in parts if part)


def _misbound(nodes: list[dict[str, Any]]) -> Iterator[str]:
    """Parameters where only an identifier would mean something: they would be constants."""
    for node in nodes:
        places = [order["expression"] for order in node.get("orders", ())]
        places += node.get("group_expressions") or []
        if node.get("type") == "STAR" and node.get("columns"):
            places += list(_nodes(node.get("expr")))
        for place in places:
            if place.get("class") == "PARAMETER":
                yield place["identifier"]
