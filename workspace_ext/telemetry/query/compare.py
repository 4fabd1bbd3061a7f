"""Lint: how far a replay may go when it compares a query's result with the first one.

The mode is the loosest rung that still counts as the same. It is set when the query runs, from
what its text does, and never loosened afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workspace_ext.protocol.messages import Compare
from workspace_ext.telemetry.query.syntax import Node, Select, function_name, nodes, words

if TYPE_CHECKING:
    import pyarrow as pa

_CLOCK = words(
    "now current_timestamp get_current_timestamp transaction_timestamp today current_date"
    " current_time get_current_time current_localtime current_localtimestamp localtimestamp"
    " localtime ago"
)
_RANDOM = words("random uuid uuidv4 uuidv7 gen_random_uuid reservoir_quantile")
_PICKS = words(
    "any_value arbitrary first last list array_agg string_agg group_concat listagg mode"
    " arg_max arg_min argmax argmin max_by min_by arg_max_null arg_min_null"
)
_RANKS = words("row_number ntile lag lead first_value last_value nth_value")
_FLOATS = words(
    "avg mean sum fsum favg kahan_sum sumkahan stddev stddev_pop stddev_samp variance var_pop"
    " var_samp sem skewness kurtosis kurtosis_pop corr covar_pop covar_samp entropy product"
    " regr_avgx regr_avgy regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy"
    " geomean geometric_mean wavg weighted_avg histogram"
)


@dataclass(frozen=True)
class Lint:
    """What a query's text says about its result."""

    never: str = ""
    shape: str = ""
    floats: bool = False
    ordered: bool = True

    def compare(self, schema: pa.Schema) -> Compare:
        """The mode for a result with these columns."""
        if self.never:
            return {"mode": "none", "reason": self.never}
        if self.shape:
            return {"mode": "shape", "reason": self.shape}
        if self.floats and any(has_float(field.type) for field in schema):
            reason = "sums and averages of floats differ in their last bits from run to run"
            return {"mode": "tolerance", "reason": reason}
        if not self.ordered:
            return {"mode": "unordered", "reason": "no ORDER BY that fixes the order of all rows"}
        return {"mode": "ordered", "reason": "the query fixes the order of its rows"}


def lint(select: Select, *, library: bool = False) -> Lint:
    """Reads a query's tree.

    Args:
        select: The query.
        library: Whether it is a template's: whoever wrote its outermost ORDER BY had to end it
            with what tells its rows apart, so that order is taken as it stands.
    """
    every = list(nodes(select.root))
    calls = {function_name(node) for node in every} - {""}
    trusted = library and _ordered(select.root)
    return Lint(
        never=_named((calls | _bare_names(every)) & _CLOCK, "reads the clock"),
        shape=_shape(every[1:] if trusted else every, calls),
        floats=bool(calls & _FLOATS),
        ordered=trusted or _total(select.root),
    )


def _bare_names(every: list[Node]) -> set[str]:
    """Columns without a table: ``current_date`` is written like one."""
    columns = [node["column_names"] for node in every if node.get("class") == "COLUMN_REF"]
    return {str(names[0]).lower() for names in columns if len(names) == 1}


def _ordered(node: Node) -> bool:
    return any(modifier.get("orders") for modifier in node.get("modifiers") or ())


def _named(calls: set[str] | frozenset[str], what: str) -> str:
    return f"{min(calls)}() {what}" if calls else ""


def _shape(every: list[Node], calls: set[str]) -> str:
    approximate = {name for name in calls if name.startswith("approx_")}
    sorted_after = {id(part) for node in every for part in _sorted_lists(node)}
    reasons = [
        _named(calls & _RANDOM, "is random"),
        _named(approximate, "is approximate"),
        *(_node_shape(node) for node in every if id(node) not in sorted_after),
    ]
    return next((reason for reason in reasons if reason), "")


def _sorted_lists(node: Node) -> list[Node]:
    """The arguments of ``list_sort``; one line of DuckDB writes ``list(x ORDER BY x)`` so."""
    if function_name(node) not in ("list_sort", "list_reverse_sort"):
        return []
    return node.get("children") or [each["expression"] for each in node.get("arguments") or ()]


def _node_shape(node: Node) -> str:
    name = function_name(node)
    ordered = node.get("orders") or (node.get("order_bys") or {}).get("orders")
    kinds = {modifier.get("type"): modifier for modifier in node.get("modifiers") or ()}
    limited = kinds.keys() & {"LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER"}
    picked = (kinds.get("DISTINCT_MODIFIER") or {}).get("distinct_on_targets")
    if isinstance(node.get("sample"), dict):
        return "TABLESAMPLE takes other rows each time"
    if name in _PICKS and not ordered:
        return f"{name}() without an order may take another row each time"
    if node.get("class") == "WINDOW" and name in _RANKS and not ordered:
        return f"{name}() without an order numbers the rows anew each time"
    if (limited or picked) and not _total(node):
        what = "LIMIT" if limited else "DISTINCT ON"
        return f"{what} after an ORDER BY with ties may take other rows each time"
    return ""


def _total(node: Node) -> bool:
    """Whether ORDER BY leaves no ties: it names each group, or each column of the result."""
    if _one_row(node):
        return True
    orders: list[Node] = []
    for modifier in node.get("modifiers") or ():
        orders += modifier.get("orders") or ()
    keys = [order["expression"] for order in orders]
    if any(key.get("class") == "STAR" for key in keys):
        return True  # ORDER BY ALL
    columns = node.get("select_list") or []
    if not keys or not columns:
        return False
    named = [_meaning(key, columns) for key in keys]
    groups = [_meaning(group, columns) for group in node.get("group_expressions") or ()]
    if groups:
        return all(group in named for group in groups)
    if node.get("aggregate_handling") == "FORCE_AGGREGATES":  # GROUP BY ALL
        columns = [column for column in columns if not _aggregates(column)]
    elif any(column.get("class") == "STAR" for column in columns):
        return False
    return all(_bare(column) in named for column in columns)


def _one_row(node: Node) -> bool:
    columns = node.get("select_list") or []
    grouped = node.get("group_expressions") or node.get("aggregate_handling") == "FORCE_AGGREGATES"
    return bool(columns) and not grouped and all(_aggregates(column) for column in columns)


_AGGREGATES = (
    _PICKS
    | _FLOATS
    | words(
        "count count_star count_if countif min max median mad quantile quantile_cont"
        " quantile_disc bool_and bool_or bit_and bit_or bit_xor regr_count approx_count_distinct"
        " approx_quantile approx_top_k"
    )
)


def _aggregates(column: Node) -> bool:
    """Whether an expression is an aggregate, or is made of one."""
    return any(
        node.get("class") == "FUNCTION" and function_name(node) in _AGGREGATES
        for node in nodes(column)
    )


def _meaning(key: Node, columns: list[Node]) -> Any:
    """An ORDER BY or GROUP BY entry, with a position or an alias resolved."""
    if key.get("class") == "CONSTANT":
        position = _position(key)
        if position is not None and 0 < position <= len(columns):
            return _bare(columns[position - 1])
    names = key.get("column_names") or []
    if len(names) == 1:
        for column in columns:
            if str(column.get("alias", "")).lower() == str(names[0]).lower():
                return _bare(column)
    return _bare(key)


def _position(key: Node) -> int | None:
    literal = key.get("literal") or key.get("value") or {}
    number = str(literal.get("text", literal.get("value")))
    return int(number) if number.isdigit() else None


_PLACES = frozenset(("query_location", "query_location_length", "alias"))


def _bare(node: Any) -> Any:
    """An expression without its place in the text and its alias, to compare by value.

    A column is known by its last name: ``s.name`` and ``name`` are the same where both occur.
    """
    if isinstance(node, dict):
        if node.get("class") == "COLUMN_REF":
            return ("column", str(node["column_names"][-1]).lower())
        return {key: _bare(value) for key, value in node.items() if key not in _PLACES}
    if isinstance(node, list):
        return [_bare(item) for item in node]
    return node


def has_float(kind: pa.DataType) -> bool:
    """Whether a type holds floats, somewhere."""
    import pyarrow as pa

    if pa.types.is_nested(kind):
        return any(has_float(kind.field(index).type) for index in range(kind.num_fields))
    return bool(pa.types.is_floating(kind))
