"""A console that only we control: what logs, templates and notebooks say is shown, not obeyed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.segment import Segment

if TYPE_CHECKING:
    from rich.console import ConsoleOptions

_OBEYED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)])
"""The control characters (ECMA-48's C0 and C1): they move the cursor, hide text, set the title."""
del _OBEYED[ord("\t")], _OBEYED[ord("\n")]


class SafeConsole(Console):
    """Styles are kept apart from text until the end, so a control in a text is always data's."""

    def render(self, renderable: Any, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As in the base class, without the controls in the texts."""
        for segment in super().render(renderable, options):
            text = segment.text
            if segment.control is None and not text.isprintable():
                yield Segment(text.translate(_OBEYED), segment.style)
            else:
                yield segment
