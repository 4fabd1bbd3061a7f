"""What another system could bring, done to the rows that the step ``rca.ranking`` is given."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Case:
    """What the step is given, and what it is then told."""

    case_id: str
    table: pa.Table
    params: dict[str, Any]
    onset: str | None = None


def alias(name: str | None) -> str | None:
    """Another name for the same thing, which tells nothing."""
    return name and "x" + hashlib.sha256(name.encode()).hexdigest()[:9].translate(_LETTERS)


_LETTERS = str.maketrans("0123456789", "ghijklmnop")


def _mapped(table: pa.Table, column: str, rows: pa.Array, to: Callable[[Any], Any]) -> pa.Table:
    values = table.column(column).combine_chunks()
    encoded = values.dictionary_encode()
    new = pa.array([to(each) for each in encoded.dictionary.to_pylist()], pa.string())
    changed = pc.if_else(rows, new.take(encoded.indices), values)
    return table.set_column(table.column_names.index(column), column, changed)


def _is(table: pa.Table, *parts: str) -> pa.Array:
    return pc.is_in(table.column("part"), pa.array(parts)).combine_chunks()


def renamed(case: Case, _draw: random.Random) -> Case:
    """Services, operations, instances and all words of the logs have other names."""
    table, everything = case.table, _is(case.table, *_PARTS)
    for column in ("service", "pod"):
        table = _mapped(table, column, everything, alias)
    table = _mapped(table, "name", _is(table, "span", "edge"), alias)
    words = re.compile(r"[A-Za-z]{3,}")
    for part in ("log", "line"):
        table = _mapped(
            table,
            "text",
            _is(table, part),
            lambda text: text and words.sub(lambda word: alias(word[0]) or "", text),
        )
    return replace(
        case, table=table, params=case.params | {"service": alias(case.params["service"])}
    )


def metrics_renamed(case: Case, _draw: random.Random) -> Case:
    """Metrics are named by numbers, without units."""
    table = _mapped(case.table, "name", _is(case.table, "metric"), alias)
    table = _mapped(table, "unit", _is(table, "metric"), lambda _: None)
    return replace(
        case, table=table, params=case.params | {"symptom": alias(case.params["symptom"])}
    )


def no_places(case: Case, _draw: random.Random) -> Case:
    """Lines of logs do not tell the place in the code that wrote them."""
    table = _mapped(
        case.table,
        "text",
        _is(case.table, "log", "line"),
        lambda text: text and re.sub(r"[#:]\d+", "", text),
    )
    return replace(case, table=table)


def structured(case: Case, draw: random.Random) -> Case:
    """Lines are JSON without places, with fields that tell of the request."""

    def line(text: str | None) -> str | None:
        fields = {name: draw.choice(of) for name, of in _FIELDS.items()}
        return text and json.dumps({**fields, "message": re.sub(r"^.*?#\d+ *", "", text)[:250]})

    rows = _is(case.table, "log", "line").to_pylist()
    texts = case.table.column("text").to_pylist()
    said = [line(text) if is_line else text for text, is_line in zip(texts, rows, strict=True)]
    at = case.table.column_names.index("text")
    return replace(case, table=case.table.set_column(at, "text", pa.array(said, pa.string())))


_FIELDS = {
    "user": ("alice", "bob", "carol", "dave", "erin", "frank", "grace"),
    "region": ("north", "south", "east"),
    "tier": ("gold", "silver"),
}


def clocks_apart(case: Case, draw: random.Random) -> Case:
    """The clock of each service is up to 50 ms wrong."""
    services = case.table.column("service").combine_chunks().dictionary_encode()
    wrong = [draw.randrange(-50_000_000, 50_000_000) for _ in services.dictionary]
    late = pc.fill_null(pa.array(wrong, pa.int64()).take(services.indices), 0)
    times = case.table.column("time_ns").combine_chunks()
    told = pc.if_else(_is(case.table, "span", "log", "line"), pc.add(times, late), times)
    at = case.table.column_names.index("time_ns")
    return replace(case, table=case.table.set_column(at, "time_ns", told))


def without(*parts: str) -> Callable[[Case, random.Random], Case]:
    """A system that does not send these signals."""

    def stress(case: Case, _draw: random.Random) -> Case:
        return replace(case, table=case.table.filter(pc.invert(_is(case.table, *parts))))

    return stress


def only_logs(case: Case, _draw: random.Random) -> Case:
    """Lines without spans."""
    table = case.table.filter(_is(case.table, "log", "line"))
    table = _mapped(table, "part", _is(table, "log"), lambda _: "line")
    return replace(case, table=table)


def silent_services(case: Case, draw: random.Random) -> Case:
    """One service in five sends nothing."""
    names = sorted({name for name in case.table.column("service").to_pylist() if name})
    gone = draw.sample(names, len(names) // 5)
    keep = pc.invert(pc.is_in(case.table.column("service"), pa.array(gone, pa.string())))
    return replace(case, table=case.table.filter(keep))


def _traces(case: Case, keep: Callable[[str, bool], bool]) -> Case:
    """Some traces only, with the lines on them."""
    table = case.table
    spans = table.filter(_is(table, "span"))
    sides = dict(zip(spans["trace_id"].to_pylist(), spans["is_now"].to_pylist(), strict=True))
    kept = [trace for trace, now in sides.items() if keep(trace, bool(now))]
    chosen = pc.is_in(table.column("trace_id"), pa.array(kept, pa.string()))
    return replace(case, table=table.filter(pc.or_(chosen, pc.invert(_is(table, "span", "log")))))


def thinned(share: float) -> Callable[[Case, random.Random], Case]:
    """Head sampling."""
    return lambda case, draw: _traces(case, lambda _trace, _now: draw.random() < share)


def short_baseline(case: Case, draw: random.Random) -> Case:
    """A third of the baseline's traces."""
    return _traces(case, lambda _trace, now: now or draw.random() < 1 / 3)


def other_mix(case: Case, draw: random.Random) -> Case:
    """Half of the kinds of requests were a quarter as frequent in the baseline."""
    spans = case.table.filter(_is(case.table, "span"))
    roots = spans.filter(pc.is_null(spans.column("parent_span_id")))
    names = dict(zip(roots["trace_id"].to_pylist(), roots["name"].to_pylist(), strict=True))
    kinds: dict[str, str] = {}
    for trace, name in zip(spans["trace_id"].to_pylist(), spans["name"].to_pylist(), strict=True):
        kinds[trace] = min(kinds.get(trace, name), name) if name else names.get(trace, "")
    rare = set(draw.sample(sorted(set(kinds.values())), len(set(kinds.values())) // 2))
    return _traces(case, lambda trace, now: now or kinds[trace] not in rare or draw.random() < 0.25)


def shifted(seconds: int) -> Callable[[Case, random.Random], Case]:
    """The onset that is told is wrong."""

    def stress(case: Case, _draw: random.Random) -> Case:
        if case.onset is None:
            return case
        moved = datetime.fromisoformat(case.onset) + timedelta(seconds=seconds)
        return replace(case, onset=f"{moved:%Y-%m-%dT%H:%M:%SZ}")

    return stress


_PARTS = ("span", "load", "log", "line", "metric", "edge", "change")
STRESSES: dict[str, Callable[[Case, random.Random], Case]] = {
    "as it is": lambda case, _draw: case,
    "services, operations, words renamed": renamed,
    "metrics renamed, no units": metrics_renamed,
    "logs without places": no_places,
    "logs in JSON with fields": structured,
    "clocks apart": clocks_apart,
    "no logs": without("log", "line"),
    "no metrics": without("metric"),
    "no spans": without("span", "load", "log"),
    "only logs": only_logs,
    "only metrics": without("span", "load", "log", "line"),
    "no call graph": without("edge"),
    "a fifth of services silent": silent_services,
    "a tenth of traces": thinned(0.1),
    "a third of the baseline": short_baseline,
    "other mix of requests": other_mix,
    "onset 60 s early": shifted(-60),
    "onset 60 s late": shifted(60),
}
