"""Markdown from texts that people and machines wrote: nothing in them becomes markup."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_MARKUP = re.compile(r"([\\`*_\[\]<>|#~$])")
_LEADING = re.compile(r"^([-+=]|\d+[.)])")


def plain(text: object, most: int = 0) -> str:
    """A text on one line, with whatever Markdown would read as markup escaped.

    Args:
        text: The text.
        most: Its longest, in characters; 0 for no limit.
    """
    line = " ".join(str(text).split())
    if most and len(line) > most:
        line = f"{line[: most - 1]}…"
    return _LEADING.sub(r"\\\1", _MARKUP.sub(r"\\\1", line))


def code(text: object) -> str:
    """A text as code, whatever backticks are in it (CommonMark 6.1); empty stays empty."""
    line = " ".join(str(text).split())
    if not line:
        return ""
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table; the cells are Markdown already. Nothing when there are no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return []
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *lines, ""]


def items(lines: Iterable[str], otherwise: str = "") -> list[str]:
    """A list, or a sentence when there is nothing to list."""
    told = [f"- {line}" for line in lines]
    return [*(told or ([otherwise] if otherwise else [])), ""]
