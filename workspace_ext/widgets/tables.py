"""Still pictures: small tables in HTML and in plain text. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

MUTED = "color:var(--jp-ui-font-color2,#666)"
WRONG = "color:var(--jp-error-color1,#b3261e)"
_LEFT = ' style="text-align:left"'
_WIDEST = 100
"""Characters; what is longer is cut in plain text."""


@dataclass(frozen=True)
class Still:
    """What a view says without any control: a title, a line on it, and a table."""

    title: str
    about: str = ""
    names: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    empty: str = ""
    note: str = ""

    def html(self) -> str:
        """For wherever HTML is shown; nothing in it is run."""
        parts = [f"<div><b>{escape(self.title)}</b>"]
        if self.about:
            parts.append(f' <span style="{MUTED}">{escape(self.about)}</span>')
        parts.append("</div>")
        if self.rows:
            head = "".join(f"<th{_LEFT}>{escape(name)}</th>" for name in self.names)
            body = "".join(
                "<tr>" + "".join(f"<td{_LEFT}>{escape(cell)}</td>" for cell in row) + "</tr>"
                for row in self.rows
            )
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
        elif self.empty:
            parts.append(f'<div style="{MUTED}">{escape(self.empty)}</div>')
        if self.note:
            parts.append(f'<div style="{MUTED};font-size:85%">{escape(self.note)}</div>')
        return "".join(parts)

    def text(self) -> str:
        """For a terminal."""
        lines = [f"{self.title}: {self.about}" if self.about else self.title]
        if self.rows:
            shown = [[_cut(cell) for cell in row] for row in (self.names, *self.rows)]
            widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
            lines += [
                "  ".join(
                    cell.ljust(width) for cell, width in zip(row, widths, strict=True)
                ).rstrip()
                for row in shown
            ]
        elif self.empty:
            lines.append(self.empty)
        return "\n".join([*lines, self.note] if self.note else lines)


def error_html(message: str, hint: str) -> str:
    """What went wrong, and what to do next."""
    more = f'<div style="{MUTED}">{escape(_sentence(hint))}</div>' if hint else ""
    return f'<div style="{WRONG}">{escape(_sentence(message))}</div>{more}'


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _cut(text: str) -> str:
    said = " ".join(text.split())
    return said if len(said) <= _WIDEST else said[: _WIDEST - 1] + "…"
