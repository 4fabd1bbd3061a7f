"""The guard: what free SQL may be. Everything that is not allowed here is refused.

It allows by name: kinds of syntax, tables, functions (``functions.txt``). A new DuckDB may
bring new functions; they are refused until somebody has read what they do and added them.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.query.syntax import (
    Node,
    Parser,
    Select,
    common_tables,
    function_name,
    path,
    words,
)

_CLASSES = words(
    "BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA"
    " LAMBDA_REF OPERATOR PARAMETER POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW"
)
_KINDS = words(
    "BASE_TABLE EMPTY EXPRESSION_LIST JOIN SUBQUERY TABLE_FUNCTION PIVOT SELECT_NODE"
    " SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER"
    " ORDER_MODIFIER DISTINCT_MODIFIER ORDER_DEFAULT DEFAULT ASCENDING DESCENDING"
)
_TABLE_FUNCTIONS = frozenset(("unnest", "range", "generate_series", "json_each", "json_tree"))
_BUILT_IN = frozenset(("main", "pg_catalog"))
"""Schemas that the parser itself puts before some functions."""
_NAMED = re.compile(r"[A-Za-z_]\w*")


@cache
def allowed_functions() -> frozenset[str]:
    """The names of all functions and operators that free SQL may call."""
    text = resources.files(__package__).joinpath("functions.txt").read_text("utf-8")
    return frozenset(text.split())


class Guard:
    """Lets a free query pass, or says what in it is not allowed and what to do instead.

    Args:
        tables: The views that may be read.
        parser: Parses; shared with others.
    """

    def __init__(self, tables: Collection[str], parser: Parser) -> None:
        self._tables = frozenset(tables)
        self._parser = parser

    def check(self, sql: str, given: Collection[str]) -> Select:
        """Checks a query and the names of the values given for it.

        Raises:
            BadInput: Something in it is not allowed, or a value is missing or too many.
        """
        select = self._parser.parse(sql)
        _check_values(select.parameters, given)
        self._walk(select.root, frozenset())
        return select

    def _walk(self, value: Any, scope: frozenset[str]) -> None:
        if isinstance(value, list):
            for item in value:
                self._walk(item, scope)
        elif isinstance(value, dict):
            for name, definition in common_tables(value):
                self._walk(definition, scope | {name.lower()} if _recursive(definition) else scope)
                scope |= {name.lower()}
            self._node(value, scope)
            for key, item in value.items():
                if key != "cte_map":
                    self._walk(item, scope)

    def _node(self, node: Node, scope: frozenset[str]) -> None:
        kind = node.get("class", node.get("type"))
        if "class" in node:
            if kind not in _CLASSES:
                raise _refuse(f"{_readable(kind)} is not allowed", "use a plain expression")
        elif isinstance(kind, str) and not kind.endswith("_TYPE_INFO") and kind not in _KINDS:
            raise _refuse(f"{_readable(kind)} is not allowed", "write one plain SELECT")
        if kind == "BASE_TABLE":
            self._table(node, scope)
        elif kind == "TABLE_FUNCTION":
            _check_function(node["function"], _TABLE_FUNCTIONS, "in FROM")
        elif kind in ("FUNCTION", "WINDOW"):
            _check_function(node, allowed_functions() | _TABLE_FUNCTIONS, "")
        elif kind == "STAR" and node.get("columns"):
            _check_no_parameter(node.get("expr"), "COLUMNS")
        for key, place in (("orders", "ORDER BY"), ("group_expressions", "GROUP BY")):
            for entry in node.get(key) or ():
                if isinstance(entry, dict):
                    _check_no_parameter(entry.get("expression", entry), place)

    def _table(self, node: Node, scope: frozenset[str]) -> None:
        parts = path(node, "table_name")
        name = ".".join(parts)
        if node.get("at_clause"):
            raise _refuse(f"AT on {name} is not allowed", "move the investigation's pin instead")
        if len(parts) == 1 and (name.lower() in self._tables or name.lower() in scope):
            return
        near = get_close_matches(name.lower(), self._tables | scope, n=1, cutoff=0.6)
        known = ", ".join(sorted(self._tables))
        hint = f"did you mean {near[0]}?" if near else f"the tables are {known}"
        raise _refuse(f"there is no table {name} to read", hint)


def _recursive(definition: Node) -> bool:
    inner = definition.get("query_node") or (definition.get("query") or {}).get("node") or {}
    return bool(inner.get("type") == "RECURSIVE_CTE_NODE")


def _check_values(named: Collection[str], given: Collection[str]) -> None:
    for name in sorted(named):
        if not _NAMED.fullmatch(name):
            raise _refuse(f"the value ${name} has no name", "write $name and give name=value")
        if name not in given:
            raise BadInput(
                f"the query needs a value for ${name}",
                hint=f"give {name}=… (in the shell -p {name}=…, in %%telemetry --params {name}=…)",
                code="missing_parameter",
            )
    for name in given:
        if name not in named:
            raise BadInput(
                f"the query has no ${name}",
                hint="it has " + (", ".join(f"${n}" for n in sorted(named)) or "no values"),
                code="unknown_parameter",
            )


def _check_function(node: Node, allowed: Collection[str], where: str) -> None:
    name = function_name(node)
    if not _BUILT_IN.issuperset(path(node, "function_name")[:-1]):
        raise _refuse(f"the function {name} must be called by its plain name", f"write {name}(…)")
    if name in allowed:
        return
    near = get_close_matches(name, allowed, n=1, cutoff=0.7)
    hint = f"did you mean {near[0]}?" if near else "use another function; files cannot be read"
    raise _refuse(f"the function {name} is not allowed {where}".rstrip(), hint)


def _check_no_parameter(expression: Any, place: str) -> None:
    if isinstance(expression, dict) and expression.get("class") == "PARAMETER":
        raise _refuse(
            f"a value cannot name a column in {place}",
            "write the column itself, or CASE over the value",
        )


def _readable(kind: object) -> str:
    return str(kind).replace("_REF", "").replace("_", " ")


def _refuse(message: str, hint: str) -> BadInput:
    return BadInput(message, hint=hint, code="sql_not_allowed")
