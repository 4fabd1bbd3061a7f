"""One SELECT as a tree: DuckDB's own (`json_serialize_sql`), so there is no second parser."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.query.failures import explain_query

Node = dict[str, Any]

_MOST_CHARACTERS = 100_000


@dataclass(frozen=True)
class Select:
    """One SELECT.

    Attributes:
        sql: Its text.
        root: Its tree.
        parameters: The names of its ``$name`` values.
        statement: What DuckDB runs, in any thread and as often as wanted, without parsing it
            again: that takes as long as all else that it does with a small template.
    """

    sql: str
    root: Node
    parameters: frozenset[str]
    statement: duckdb.Statement


class Parser:
    """Parses with a DuckDB of its own, which holds nothing. Safe to use from several threads."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config={"threads": 1, "enable_external_access": False})
        self._lock = threading.Lock()

    def parse(self, sql: str) -> Select:
        """The tree of a text that is exactly one SELECT.

        Raises:
            BadInput: It is not.
        """
        if len(sql) > _MOST_CHARACTERS:
            raise _refuse(f"the query is longer than {_MOST_CHARACTERS:,} characters", "shorten it")
        try:
            with self._lock:
                statements = self._connection.extract_statements(sql)
                if len(statements) == 1 and statements[0].type == duckdb.StatementType.SELECT:
                    row = self._connection.execute(
                        "SELECT json_serialize_sql($sql)", {"sql": sql}
                    ).fetchone()
                else:
                    row = None
            if row is None:
                raise _not_a_select(statements)
            tree = json.loads(row[0])
        except RecursionError as error:
            raise _refuse("the query is nested too deeply", "use WITH to flatten it") from error
        except duckdb.Error as error:
            raise explain_query(error) from error
        if tree["error"]:
            raise _refuse(f"not a plain SELECT: {tree.get('error_message', '')}", _ONE_SELECT)
        (statement,) = statements
        root = tree["statements"][0]["node"]
        return Select(sql, root, frozenset(statement.named_parameters), statement)


_ONE_SELECT = "write exactly one SELECT; PIVOT needs a SELECT around it and its values in IN (…)"


def _not_a_select(statements: list[duckdb.Statement]) -> BadInput:
    if not statements:
        return _refuse("there is no query in the text", _ONE_SELECT)
    if len(statements) > 1:
        return _refuse(f"the text holds {len(statements)} statements", _ONE_SELECT)
    kind = statements[0].type.name.replace("MULTI", "a bare PIVOT").replace("_", " ")
    return _refuse(f"{kind} is not allowed; only SELECT is", _ONE_SELECT)


def _refuse(message: str, hint: str) -> BadInput:
    return BadInput(message, hint=hint, code="sql_not_allowed")


def words(text: str) -> frozenset[str]:
    """A set of names, written as one text."""
    return frozenset(text.split())


def nodes(value: Any) -> Iterator[Node]:
    """All maps in a tree, the outer ones first."""
    if isinstance(value, dict):
        yield value
        for item in value.values():
            yield from nodes(item)
    elif isinstance(value, list):
        for item in value:
            yield from nodes(item)


def common_tables(node: Node) -> list[tuple[str, Node]]:
    """The WITH part of a node: name and definition, in order."""
    entries = (node.get("cte_map") or {}).get("map") or []
    return [(str(entry["key"]), entry["value"]) for entry in entries]


def function_name(node: Node) -> str:
    """The name of a FUNCTION or WINDOW node, in lower case."""
    return str(node.get("function_name", "")).lower()


def path(node: Node, name: str) -> tuple[str, ...]:
    """A table's or function's qualified name; one line of DuckDB writes it in three keys."""
    qualified = node.get("qualified_name")
    if qualified:
        return tuple(str(part) for part in qualified["path"] if part)
    keys = ("catalog_name", "schema_name") if name == "table_name" else ("catalog", "schema")
    return tuple(str(node[key]) for key in (*keys, name) if node.get(key))
