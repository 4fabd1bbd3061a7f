"""What a query reads of each table: its columns and its time window, from the plan.

The plan is made on an empty schema, with the optimizers off that look at the data, so it costs
a millisecond and touches nothing. The answer is sound: what cannot be read from the plan for
certain counts as everything.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import duckdb

from workspace_ext.foundation.clock import Window, parse_rfc3339
from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.migrations import MIGRATIONS
from workspace_ext.telemetry.query.model import Scan
from workspace_ext.telemetry.query.syntax import Node, Parser
from workspace_ext.telemetry.schema import SIGNALS, plain_views

_OFF = (
    "statistics_propagation,late_materialization,empty_result_pullup,top_n,join_filter_pushdown,"
    "join_order,build_side_probe_side,compressed_materialization,reorder_filter,regex_range,"
    "common_subexpressions"
)
"""Those that look at the data or add filters of their own, and those that only cost time here."""

_OPEN_START, _OPEN_END = -(1 << 63), 1 << 63
_MICROSECOND_NS = 1000
_REMEMBERED = 1000

_OPTIONAL = "optional: "
"""Marks a filter that makes no difference to the result: what it drops is not needed."""

Bounds = tuple[int, int]
"""Half-open, in nanoseconds; the widest is (_OPEN_START, _OPEN_END)."""


class PlanReader:
    """Says what queries scan. Safe to use from several threads."""

    def __init__(self, parser: Parser) -> None:
        self._parser = parser
        self._lock = threading.Lock()
        self._bounds = lru_cache(_REMEMBERED)(self._parse_bounds)
        self._explaining = lru_cache(_REMEMBERED)(self._parse)
        self._connection = duckdb.connect(config={"threads": 1, "enable_external_access": False})
        for migration in MIGRATIONS:
            for statement in migration.statements():
                self._connection.execute(statement)
        self._connection.execute(plain_views())
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(f"SET disabled_optimizers = '{_known(self._connection)}'")
        self._connection.execute("SET VARIABLE pin = 9223372036854775806::BIGINT")

    def scan(self, sql: str, values: Mapping[str, object]) -> tuple[Scan, ...]:
        """What the query reads, one entry for each place in the plan that reads a table.

        Raises:
            duckdb.Error: The query does not fit the tables.
        """
        with self._lock:
            row = self._connection.execute(self._explaining(sql), dict(values)).fetchone()
        assert row is not None
        found: dict[Scan, None] = {}
        for plan in json.loads(row[1]):
            for scan in self._scans(plan, []):
                found[scan] = None
        return tuple(found)

    def _parse(self, sql: str) -> duckdb.Statement:
        (statement,) = self._connection.extract_statements(f"EXPLAIN (FORMAT JSON) {sql}")
        return statement

    def _scans(self, node: Node, above: list[str]) -> Iterator[Scan]:
        """The scans below a node; ``above`` holds the filters just over it."""
        info = node["extra_info"]
        signal = SIGNALS.get(str(info.get("Table", "")).rpartition(".")[2])
        if signal is not None:
            filters = above + _texts(info.get("Filters"))
            window = self._window(filters) if signal.timed else None
            yield Scan(signal.name, _columns(signal.names, info, filters), window)
        is_filter = node["name"].strip() == "FILTER"
        over = above + _texts(info.get("Expression")) if is_filter else []
        for child in node["children"]:
            yield from self._scans(child, over)

    def _window(self, filters: list[str]) -> Window | None:
        start, end = _OPEN_START, _OPEN_END
        for text in filters:
            parts = [text]
            if _OPTIONAL in text:
                # One line of DuckDB leaves the parentheses out: then only the parts are certain.
                parts = [text.replace(_OPTIONAL, ""), *text.split(f" AND {_OPTIONAL}")]
            for part in parts:
                low, high = self._bounds(part)
                start, end = max(start, low), min(end, high)
        if start == _OPEN_START or end == _OPEN_END:
            return None
        return Window(start, end) if start < end else Window(start, start + _MICROSECOND_NS)

    def _parse_bounds(self, text: str) -> Bounds:
        if "time" not in text:
            return _OPEN_START, _OPEN_END
        try:
            tree = self._parser.parse(f"SELECT 1 WHERE {text}").root
        except BadInput:
            return _OPEN_START, _OPEN_END
        return _bounds_of(tree.get("where_clause") or {})


def _known(connection: duckdb.DuckDBPyConnection) -> str:
    names = {row[0] for row in connection.execute("FROM duckdb_optimizers()").fetchall()}
    return ",".join(name for name in _OFF.split(",") if name in names)


def _texts(value: Any) -> list[str]:
    if not value:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _columns(
    names: tuple[str, ...], info: Mapping[str, Any], filters: list[str]
) -> tuple[str, ...]:
    """The columns whose names occur in the scan's own words, and those that bound every read."""
    said = set(re.findall(r"\w+", " ".join(_texts(info.get("Projections")) + filters)))
    return tuple(name for name in names if name in said or name == "time")


def _bounds_of(node: Node) -> Bounds:
    kind = node.get("type")
    children = [_bounds_of(child) for child in node.get("children") or ()]
    if kind == "CONJUNCTION_AND":
        return max(low for low, _ in children), min(high for _, high in children)
    if kind == "CONJUNCTION_OR":
        return min(low for low, _ in children), max(high for _, high in children)
    if kind == "COMPARE_BETWEEN" and _is_time(node["input"]):
        low, high = _moment(node["lower"]), _moment(node["upper"])
        start = _OPEN_START if low is None else low
        return start, _OPEN_END if high is None else high + _MICROSECOND_NS
    if node.get("class") == "COMPARISON" and _is_time(node["left"]):
        return _compared(str(kind), _moment(node["right"]))
    return _OPEN_START, _OPEN_END


def _compared(kind: str, moment: int | None) -> Bounds:
    if moment is None:
        return _OPEN_START, _OPEN_END
    return {
        "COMPARE_EQUAL": (moment, moment + _MICROSECOND_NS),
        "COMPARE_GREATERTHAN": (moment, _OPEN_END),
        "COMPARE_GREATERTHANOREQUALTO": (moment, _OPEN_END),
        "COMPARE_LESSTHAN": (_OPEN_START, moment),
        "COMPARE_LESSTHANOREQUALTO": (_OPEN_START, moment + _MICROSECOND_NS),
    }.get(kind, (_OPEN_START, _OPEN_END))


def _is_time(node: Node) -> bool:
    return [str(part) for part in node.get("column_names") or ()] == ["time"]


def _moment(node: Node) -> int | None:
    """The time in ``'2023-01-29 00:20:00+00'::TIMESTAMP WITH TIME ZONE``."""
    literal = (node.get("child") or {}).get("literal") or (node.get("child") or {}).get("value")
    text = (literal or {}).get("text", (literal or {}).get("value"))
    if not isinstance(text, str):
        return None
    try:
        return parse_rfc3339(re.sub(r"([+-]\d\d)$", r"\1:00", text))
    except BadInput:
        return None
