"""Small cards: what was noted, decided, concluded, and how a hypothesis stands."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from workspace_kernel.markup import MUTED, badge


@dataclass(frozen=True)
class Card:
    """A kind, a text, and lines of detail; shown as HTML or as plain text."""

    kind: str
    text: str
    details: tuple[str, ...] = ()
    state: str = ""

    def __repr__(self) -> str:
        state = f" [{self.state}]" if self.state else ""
        return "\n".join([f"{self.kind}{state}: {self.text}", *[f"  {d}" for d in self.details]])

    def _repr_html_(self) -> str:
        state = f" {badge(self.state)}" if self.state else ""
        details = "".join(f'<div style="{MUTED}">{escape(line)}</div>' for line in self.details)
        return (
            '<div style="border-left:3px solid #2b6cb0;padding:2px 10px;margin:2px 0">'
            f"<b>{escape(self.kind)}</b>{state} {escape(self.text)}{details}</div>"
        )
