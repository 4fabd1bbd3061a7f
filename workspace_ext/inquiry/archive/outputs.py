"""How far what a cell shows agrees with what it showed. Pure.

Nothing is masked that was not declared, no picture is compared by its pixels, and numbers may
drift only where a query's own comparison allows it.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from workspace_ext.inquiry.archive import difference
from workspace_ext.inquiry.archive.compare import TOLERANCE, apart
from workspace_ext.inquiry.archive.masks import Declared
from workspace_ext.inquiry.archive.model import Comparison, OutputReplay, Rung
from workspace_ext.inquiry.archive.shown import Piece, Table, pieces, traits_of

_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_REDACTED = "[redacted:"


@dataclass(frozen=True)
class Terms:
    """On which terms outputs are compared.

    Attributes:
        declared: What the notebook and the cell declare.
        drift: Whether numbers may drift: some captured query aggregates floats.
        order: Whether rows may move: some captured query has no order.
        states: The widgets' states, then and now.
    """

    declared: Declared
    drift: bool = False
    order: bool = False
    states: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {})


Outputs = Sequence[Mapping[str, Any]]


def compare_outputs(then: Outputs, now: Outputs, terms: Terms) -> tuple[OutputReplay, ...]:
    """A verdict on each thing that a cell showed.

    Args:
        then: The captured outputs, as in a notebook.
        now: The replayed ones.
        terms: How they may be compared.
    """
    old, new = pieces(then), pieces(now)
    if not then and new:
        return (OutputReplay(new[0].kind, "skipped", _none("its outputs were not kept")),)
    return tuple(_judged(before, after, terms) for before, after in zip_longest(old, new))


def _judged(old: Piece | None, new: Piece | None, terms: Terms) -> OutputReplay:
    piece = old or new
    assert piece is not None
    found = _compared(old, new, terms)
    if terms.declared.wrong and found.rung != "exact":
        found = replace(found, reason="; ".join([found.reason, *terms.declared.wrong]))
    verdict = {True: "same", False: "changed", None: "skipped"}[found.same]
    return OutputReplay(piece.kind, verdict, found)  # type: ignore[arg-type]


def _compared(old: Piece | None, new: Piece | None, terms: Terms) -> Comparison:
    if old is None or new is None:
        reason = "was not shown then" if old is None else "is not shown now"
        return Comparison("different", same=False, reason=reason)
    if {old.kind, new.kind} == {"figure", "picture"}:
        return _none("only pixels are known of one of the two")
    if old.kind != new.kind:
        return Comparison("different", same=False, reason=f"a {old.kind} then, a {new.kind} now")
    if old.kind not in _WAYS:
        return _none("only pixels are known of it" if old.kind == "picture" else "of another kind")
    if _REDACTED in json.dumps(_plain(old.content), default=str):
        return _none("redacted")
    return _WAYS[old.kind](old.content, new.content, terms)


def _none(why: str) -> Comparison:
    return Comparison("not compared", None, why)


def _texts(old: str, new: str, terms: Terms) -> Comparison:
    if old == new:
        return Comparison("exact", same=True, reason="the same text")
    before, used = terms.declared.mask(old)
    after, _ = terms.declared.mask(new)
    if before == after:
        said = f"the same text, but for what is masked: {', '.join(used)}"
        return Comparison("tolerance", same=True, reason=said)
    drift = _drift(before, after)
    if terms.drift and drift is not None and drift <= TOLERANCE:
        said = f"the same text, its numbers within {TOLERANCE:g}; largest drift {drift:.2g}"
        return Comparison("tolerance", same=True, reason=said, drift=drift)
    lines = difference.of_texts(before, after)
    return Comparison("different", same=False, reason="another text", difference=lines)


def _drift(old: str, new: str) -> float | None:
    """The largest relative difference of the numbers in two texts that else are the same."""
    if _NUMBER.split(old) != _NUMBER.split(new):
        return None
    pairs = zip(_NUMBER.findall(old), _NUMBER.findall(new), strict=True)
    return max((_moved(before, after) for before, after in pairs), default=0.0)


def _moved(old: str, new: str) -> float:
    """How far a number moved. Whole ones do not drift: they are counts, ids, nanoseconds."""
    if old == new:
        return 0.0
    whole = all(each.lstrip("+-").isdigit() for each in (old, new))
    return math.inf if whole else apart(float(old), float(new))


def _tables(old: Table, new: Table, terms: Terms) -> Comparison:
    if old == new:
        return Comparison("exact", same=True, reason="the same table, as far as it is shown")
    if old.names != new.names:
        return Comparison("different", same=False, reason="other columns")
    before, after = (
        [{name: terms.declared.mask(text)[0] for name, text in row.items()} for row in each.rows]
        for each in (old, new)
    )
    if before == after:
        used = {name for row in old.rows for text in row.values()
                for name in terms.declared.mask(text)[1]}  # fmt: skip
        said = f"the same table, but for what is masked: {', '.join(sorted(used))}"
        return Comparison("tolerance", same=True, reason=said)
    if terms.order and sorted(map(repr, before)) == sorted(map(repr, after)):
        return Comparison("unordered", same=True, reason="the same rows in another order")

    def alike(one: object, other: object) -> bool:
        drift = _drift(str(one), str(other)) if terms.drift else None
        return one == other or (drift is not None and drift <= TOLERANCE)

    if len(before) == len(after) and all(
        alike(one[name], other[name])
        for one, other in zip(before, after, strict=True)
        for name in old.names
    ):
        said = f"the same table, its numbers within {TOLERANCE:g}"
        return Comparison("tolerance", same=True, reason=said)
    lines = difference.of_tables(old.names, before, after, keys=old.keys, alike=alike)
    rung: Rung = "shape" if len(before) == len(after) else "different"
    return Comparison(rung, same=False, reason="another table", difference=lines)


def _figures(old: Any, new: Any, terms: Terms) -> Comparison:
    if old is None or new is None:
        return _none("its data is not in the notebook")
    drift = apart(old, new)
    if drift == 0:
        return Comparison("exact", same=True, reason="drawn from the same data")
    if terms.drift and drift <= TOLERANCE:
        said = f"drawn from data equal within {TOLERANCE:g}; largest drift {drift:.2g}"
        return Comparison("tolerance", same=True, reason=said, drift=drift)
    if terms.order and sorted(map(repr, _rows(old))) == sorted(map(repr, _rows(new))):
        return Comparison("unordered", same=True, reason="drawn from the same rows, moved")
    reason = "drawn from other data"
    return Comparison("different", same=False, reason=reason, difference=_data(old, new))


def _rows(data: Any) -> list[Any]:
    return [row for part in data for row in (part if isinstance(part, list) else [part])]


def _data(old: Any, new: Any) -> tuple[str, ...]:
    before, after = _rows(old), _rows(new)
    if all(isinstance(row, dict) for row in before + after):
        names = list(dict.fromkeys(name for row in before + after for name in row))
        full = [[{name: row.get(name) for name in names} for row in each]
                for each in (before, after)]  # fmt: skip
        inexact = {name for row in full[0] + full[1] for name in names
                   if isinstance(row[name], float | list | dict)}  # fmt: skip
        keys = [name for name in names if name not in inexact]

        def alike(one: object, other: object) -> bool:
            return apart(one, other) == 0

        return difference.of_tables(names, *full, keys=keys, alike=alike)
    return difference.of_texts(json.dumps(old, indent=0), json.dumps(new, indent=0))


def _widgets(old: Any, new: Any, terms: Terms) -> Comparison:
    traits = terms.declared.traits
    if not traits:
        return _none("a widget; no traits of it are declared")
    before = traits_of(old, terms.states[0], traits)
    after = traits_of(new, terms.states[1], traits)
    if not before:
        return _none("a widget whose state is not in the notebook")
    if before == after:
        return Comparison("exact", same=True, reason=f"the same widget by {', '.join(traits)}")
    lines = tuple(_traits(before, after))
    return Comparison("different", same=False, reason="another state", difference=lines)


def _traits(
    before: Sequence[tuple[str, str, Any]], after: Sequence[tuple[str, str, Any]]
) -> Iterator[str]:
    for old, new in zip_longest(before, after):
        if old is None or new is None or old[:2] != new[:2]:
            yield "other widgets within it"
            return
        if old != new:
            yield f"{old[0]}.{old[1]}: {old[2]!r} then, {new[2]!r} now"


def _plain(content: Any) -> Any:
    return content.rows if isinstance(content, Table) else content


_WAYS: dict[str, Callable[[Any, Any, Terms], Comparison]] = {
    "text": _texts,
    "table": _tables,
    "figure": _figures,
    "widget": _widgets,
}
