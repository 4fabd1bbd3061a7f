"""What all displays share: colours, tables as HTML and as text, and values in their cells."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Any

from workspace_ext.protocol.messages import METADATA_KEY

CELL_LENGTH = 80
NAME_LENGTH = 48
"""Text up to this length, in characters, stays in one line: it is a name, not prose."""

MUTED = "color:var(--jp-ui-font-color2,#666)"
LEFT = ' style="text-align:left"'
LEFT_IN_ONE_LINE = ' style="text-align:left;white-space:nowrap"'
STRONG, GOOD, BAD = "#1669c1", "#3a7d44", "#b3261e"
WARN, NOTE, PLAIN = "#b35900", "#0a7286", "#6b6b6b"
COLORS = {  # as in the panel, which stands beside it
    "Interesting": STRONG,
    "Not interesting": PLAIN,
    "Cannot tell": WARN,
    "No rows": WARN,
    "supported": GOOD,
    "refuted": BAD,
    "inconclusive": WARN,
    "root cause": STRONG,
    "contributing": STRONG,
    "ruled out": PLAIN,
    "proposed": PLAIN,
    "testing": NOTE,
}


def badge(word: str) -> str:
    """A word on its colour."""
    return (
        f'<span style="background:{COLORS.get(word, PLAIN)};color:#fff;border-radius:3px;'
        f'padding:1px 7px;font-size:90%;white-space:nowrap">{escape(word)}</span>'
    )


def aside(shown: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """Shows what there is to ask; a replay, whose store holds less of that, does not compare it."""
    forms = {"text/plain": repr(shown), "text/html": shown._repr_html_()}
    return forms, {METADATA_KEY: {"aside": True}}


def table_html(
    names: list[str],
    rows: list[list[Any]],
    length: int = CELL_LENGTH,
    meanings: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A table; numbers to the right, names in one line, long text cut, meanings to point at."""
    left = [any(_is_text(row[index]) for row in rows) for index in range(len(names))]
    head = "".join(
        f"<th{LEFT if text else ''}{_meaning(meanings.get(name))}>{escape(name)}</th>"
        for name, text in zip(names, left, strict=True)
    )
    body = []
    for row in rows:
        cells = []
        for value, text in zip(row, left, strict=True):
            said = cell(value, length)
            style = (LEFT_IN_ONE_LINE if len(said) <= NAME_LENGTH else LEFT) if text else ""
            cells.append(f"<td{style}>{escape(said)}</td>")
        body.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _meaning(told: str | None) -> str:
    return f' title="{escape(told)}"' if told else ""


def _is_text(value: Any) -> bool:
    return value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)))


def table_text(names: list[str], rows: list[list[Any]], length: int = CELL_LENGTH) -> str:
    """A table in columns of plain text."""
    shown = [names, *[[cell(value, length) for value in row] for row in rows]]
    widths = [max(len(row[index]) for row in shown) for index in range(len(names))]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()
        for row in shown
    )


def cell(value: Any, length: int = CELL_LENGTH) -> str:
    """A value as it fits into a table's cell."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    if hasattr(value, "isoformat"):
        said: str = value.isoformat(sep=" ") if hasattr(value, "hour") else value.isoformat()
        return said.replace("+00:00", "Z")
    said = " ".join(str(value).split())
    return said if len(said) <= length else said[: length - 1] + "…"
