"""What differs between two tables or two texts, in a few lines for people. Pure."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

Row = Mapping[str, object]
Key = tuple[str, ...]

FEW = 3
"""How many rows of each kind are shown."""
_LINES = 6
_LENGTH = 160


def of_tables(
    names: Sequence[str],
    then: Sequence[Row],
    now: Sequence[Row],
    *,
    keys: Sequence[str],
    alike: Callable[[object, object], bool],
) -> tuple[str, ...]:
    """Rows added, removed and changed, by key; the first of each kind.

    Args:
        names: The columns.
        then: The captured rows.
        now: The replayed rows.
        keys: The columns that may tell rows apart, the likeliest first.
        alike: Whether two values count as equal.
    """
    key = _key(keys, then, now)
    if not key:
        return _of_bags(names, then, now)
    before = {tuple(map(repr, _values(row, key))): row for row in then}
    after = {tuple(map(repr, _values(row, key))): row for row in now}
    removed = [before[each] for each in before if each not in after]
    added = [after[each] for each in after if each not in before]
    changed = [
        (row, after[each], columns)
        for each, row in before.items()
        if each in after
        and (columns := [name for name in names if not alike(row[name], after[each][name])])
    ]
    told = [
        _told(len(removed), "removed"), _told(len(added), "added"), _told(len(changed), "changed"),
    ]  # fmt: skip
    lines = [f"rows by {', '.join(key)}: {', '.join(filter(None, told)) or 'moved'}"]
    lines += [f"- {_shown(row, names)}" for row in removed[:FEW]]
    lines += [f"+ {_shown(row, names)}" for row in added[:FEW]]
    for row, new, columns in changed[:FEW]:
        values = (f"{name} {row[name]!r} → {new[name]!r}" for name in columns)
        lines.append(f"≠ {_shown(row, key)}: {', '.join(values)}")
    return tuple(map(_cut, lines))


def of_texts(then: str, now: str) -> tuple[str, ...]:
    """The first lines that differ, with - for then and + for now."""
    lines = difflib.unified_diff(then.splitlines(), now.splitlines(), lineterm="", n=0)
    found = (line for line in islice(lines, 2, None) if not line.startswith("@@"))
    return tuple(_cut(f"{line[0]} {line[1:]}") for line in islice(found, _LINES))


def _key(names: Sequence[str], then: Sequence[Row], now: Sequence[Row]) -> Key:
    """The first column, else the first columns together, that tell all rows apart."""
    ways = [(name,) for name in names] + [tuple(names[:n]) for n in range(2, len(names) + 1)]
    return next((key for key in ways if _unique(key, then) and _unique(key, now)), ())


def _unique(key: Key, rows: Sequence[Row]) -> bool:
    return len({tuple(map(repr, _values(row, key))) for row in rows}) == len(rows)


def _of_bags(names: Sequence[str], then: Sequence[Row], now: Sequence[Row]) -> tuple[str, ...]:
    before = Counter(_shown(row, names) for row in then)
    after = Counter(_shown(row, names) for row in now)
    gone, new = before - after, after - before
    told = [_told(gone.total(), "removed"), _told(new.total(), "added")]
    lines = [f"rows: {', '.join(filter(None, told)) or 'moved'}"]
    lines += [f"- {row}" for row in islice(gone.elements(), FEW)]
    lines += [f"+ {row}" for row in islice(new.elements(), FEW)]
    return tuple(map(_cut, lines))


def _values(row: Row, names: Sequence[str]) -> list[object]:
    return [row[name] for name in names]


def _told(count: int, what: str) -> str:
    return f"{count:,} {what}" if count else ""


def _shown(row: Row, names: Sequence[str]) -> str:
    return ", ".join(f"{name}={row[name]!r}" for name in names)


def _cut(line: str) -> str:
    return line if len(line) <= _LENGTH else f"{line[: _LENGTH - 1]}…"
