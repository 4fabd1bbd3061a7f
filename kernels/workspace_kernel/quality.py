"""Quality as an analyst sees it: what to be careful about, and the numbers by service."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from workspace_ext.client.quality import COLUMNS, quality_rows
from workspace_kernel.markup import MUTED, WARN, table_html, table_text

FIRST_ROWS = 30


@dataclass(frozen=True)
class Quality:
    """How far the data of a window can be trusted.

    Attributes:
        told: Everything the broker says: ``signals``, ``skew``, ``sampling``, ``cardinality``,
            ``quarantined``, ``warnings``.
    """

    told: dict[str, Any]

    @property
    def warnings(self) -> list[str]:
        """What to be careful about."""
        return list(self.told["warnings"])

    def _rows(self) -> tuple[list[str], list[list[Any]]]:
        return list(COLUMNS), quality_rows(self.told)[:FIRST_ROWS]

    def _small_print(self) -> str:
        window, more = self.told["window"], len(self.told["signals"]) - FIRST_ROWS
        left_out = f" · {more} more rows in .told" if more > 0 else ""
        return f"{window['start']} to {window['end']} · pin {self.told['pin']}{left_out}"

    def __repr__(self) -> str:
        lines = [f"Warning: {warning}" for warning in self.warnings]
        return "\n".join([*lines, table_text(*self._rows()), self._small_print()])

    def _repr_html_(self) -> str:
        warned = "".join(
            f'<div style="color:{WARN}">⚠ {escape(warning)}</div>' for warning in self.warnings
        )
        small = f'<div style="{MUTED};font-size:85%">{escape(self._small_print())}</div>'
        return warned + table_html(*self._rows()) + small
