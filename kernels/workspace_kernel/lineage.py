"""Lineage as an analyst sees it: a small table of sources, all batches behind it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from workspace_kernel.markup import MUTED, table_html, table_text

FIRST_SOURCES = 20


@dataclass(frozen=True)
class Lineage:
    """Where an answer comes from.

    Attributes:
        told: Everything the broker says: ``reads``, ``sources``, ``batches``, ``exact``.
    """

    told: dict[str, Any]

    @property
    def batches(self) -> list[dict[str, Any]]:
        """The batches, newest first, each with the rows it contributed."""
        return list(self.told["batches"])

    @property
    def sources(self) -> list[dict[str, Any]]:
        """The same by source and adapter."""
        return list(self.told["sources"])

    def _rows(self) -> tuple[list[str], list[list[Any]]]:
        rows = [
            [
                each["name"],
                " v".join(str(part) for part in (each["format"], each["adapter_version"]) if part),
                each["batches"],
                each["contributed"],
                *each["committed"],
            ]
            for each in self.sources[:FIRST_SOURCES]
        ]
        return ["source", "adapter", "batches", "rows", "first kept", "last kept"], rows

    def _small_print(self) -> str:
        more = len(self.sources) - FIRST_SOURCES
        left_out = f" · {more} more sources" if more > 0 else ""
        return f"pin {self.told['pin']} · {self.told['says']}{left_out}"

    def __repr__(self) -> str:
        return f"{table_text(*self._rows())}\n{self._small_print()}"

    def _repr_html_(self) -> str:
        small = f'<div style="{MUTED};font-size:85%">{escape(self._small_print())}</div>'
        return table_html(*self._rows()) + small
