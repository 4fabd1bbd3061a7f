"""What a notebook declares of how its outputs may be compared: masks and traits. Pure.

Declared as ``investigation.compare`` in the metadata of the notebook or of a cell::

    {"masks": ["times", "ids", "re:build [0-9]+"], "traits": ["value"]}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from workspace_ext.inquiry.metadata.notebook import read_metadata

OWN = "re:"
NAMED = {
    "times": r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\b\d\d?:\d\d(?::\d\d(?:\.\d+)?)?\b",
    "durations": r"\b\d+(?:\.\d+)? ?(?:ns|µs|us|ms|s|min|h)\b",
    "ids": r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b0x[0-9a-f]+\b"
    r"|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{8,}\b",
}
"""The masks that have a name."""


@dataclass(frozen=True)
class Declared:
    """How the outputs of a cell may be compared.

    Attributes:
        masks: Patterns by the words of the declaration; what matches one counts as equal.
        traits: The traits of widgets that say what they say.
        wrong: Masks that cannot be used, with the reason.
    """

    masks: Mapping[str, re.Pattern[str]]
    traits: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def mask(self, text: str) -> tuple[str, tuple[str, ...]]:
        """The text with each match as ``<mask>``, and the masks that matched."""
        used = []
        for name, pattern in self.masks.items():
            text, count = pattern.subn(f"<{name}>", text)
            if count:
                used.append(name)
        return text, tuple(used)


def declared(*holders: Mapping[str, Any]) -> Declared:
    """What is declared in the metadata of some holders, together.

    Args:
        holders: The notebook and the cell.
    """
    masks: dict[str, re.Pattern[str]] = {}
    traits: list[str] = []
    wrong: list[str] = []
    for holder in holders:
        found = (read_metadata(holder) or {}).get("compare")
        told = found if isinstance(found, Mapping) else {}
        traits += _words(told.get("traits"))
        for word in _words(told.get("masks")):
            pattern = word.removeprefix(OWN) if word.startswith(OWN) else NAMED.get(word)
            try:
                if pattern is None:
                    wrong.append(f"there is no mask {word!r}: {', '.join(NAMED)} or re:PATTERN")
                else:
                    masks[word] = re.compile(pattern, re.IGNORECASE)
            except re.error as error:
                wrong.append(f"mask {word!r} is no pattern: {error}")
    return Declared(masks, tuple(dict.fromkeys(traits)), tuple(wrong))


def _words(value: object) -> Iterable[str]:
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []
