"""Tab completion: template ids, their parameters, and the values those can take."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from workspace_kernel.catalogue import Catalogue

_QUOTED_ID = re.compile(
    r"""(?P<object>\w+)\.(?P<method>run|help|test)\(\s*["'](?P<part>[^"'\n]*)$"""
)
_CALL = re.compile(r"""(?P<object>\w+)\.(?P<method>run|test)\(\s*["'](?P<id>[\w.]+)["']\s*,""")
_NAME = re.compile(r"(?:^|,)\s*(?P<part>\w*)$")
_VALUE = re.compile(r"""(?:^|,)\s*(?P<name>\w+)\s*=\s*["'](?P<part>[^"'\n]*)$""")
_MINE = "expect"

WAIT_SECONDS = 1.0
"""So long the Tab key waits for a broker: who types does not wait longer."""

_Proposals = tuple[str, list[str]]


class Completer:
    """Proposes what may stand at the cursor inside a call that names a template.

    Args:
        catalogue: What can be asked.
        holds: Whether a variable holds an object with such a method.
    """

    def __init__(self, catalogue: Catalogue, holds: Callable[[str, str], bool]) -> None:
        self._catalogue = catalogue
        self._holds = holds

    def complete(self, before: str) -> _Proposals | None:
        """The proposals for the text before the cursor.

        Returns:
            What is typed already, and what it may become; None where this is not our business.
        """
        found = _QUOTED_ID.search(before)
        if found and self._holds(found["object"], found["method"]):
            ids = [str(template["id"]) for template in self._catalogue.templates()]
            return _starting(found["part"], ids)
        call = next(reversed(list(_CALL.finditer(before))), None)
        if call is None or not self._holds(call["object"], call["method"]):
            return None
        arguments = before[call.end() :]
        if _closed(arguments):
            return None
        params = self._params(call["id"], call["method"])
        value = _VALUE.search(arguments)
        if value:
            return _starting(value["part"], self._values(params.get(value["name"])))
        name = _NAME.search(arguments)
        if name is None:
            return None
        used = set(re.findall(r"(\w+)\s*=", arguments))
        return _starting(name["part"], [f"{each}=" for each in params if each not in used])

    def _params(self, template_id: str, method: str) -> dict[str, dict[str, Any]]:
        for template in self._catalogue.templates():
            if template["id"] == template_id:
                params: dict[str, Any] = {param["name"]: param for param in template["params"]}
                if method == "test":
                    params[_MINE] = {"type": "choice", "of": ["interesting", "not interesting"]}
                return params
        return {}

    def _values(self, param: dict[str, Any] | None) -> list[str]:
        if param is None:
            return []
        if param["type"] == "service":
            return self._catalogue.services()
        return [str(choice) for choice in param.get("of") or ()]


def _starting(part: str, words: list[str]) -> tuple[str, list[str]]:
    return part, [word for word in words if word.startswith(part)]


def _closed(arguments: str) -> bool:
    depth, quote = 0, ""
    for character in arguments:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth < 0:
                return True
    return False


class Lookup:
    """A completer that never keeps anybody waiting.

    It looks in a thread of its own: a broker may be away, be busy, or have to be started first.
    What comes too late is remembered by the catalogue, and is there at the next Tab.

    Args:
        completer: Knows what may stand at the cursor.
    """

    def __init__(self, completer: Completer) -> None:
        self._completer = completer
        self._looking: threading.Thread | None = None

    def complete(self, before: str) -> _Proposals | None:
        """As `Completer.complete`; None also where that takes too long or fails."""
        found: list[_Proposals | None] = []

        def look() -> None:
            # an edge: a broker that is away must not break the Tab key
            with suppress(Exception):
                found.append(self._completer.complete(before))

        if self._looking is not None and self._looking.is_alive():
            return None
        self._looking = threading.Thread(target=look, name="completion", daemon=True)
        self._looking.start()
        self._looking.join(WAIT_SECONDS)
        return found[0] if found else None


def matcher(completer: Completer) -> Callable[[Any], Any]:
    """The completer as IPython wants it; whatever goes wrong, other completion still works."""
    from IPython.core.completer import SimpleCompletion, completion_matcher

    lookup = Lookup(completer)

    @completion_matcher(identifier="investigation", priority=100, api_version=2)  # type: ignore[arg-type,untyped-decorator,unused-ignore]
    def match(context: Any) -> dict[str, Any]:
        found = lookup.complete(_before(context))
        if found is None or not found[1]:
            return {"completions": [], "suppress": False}
        part, words = found
        return {
            "completions": [SimpleCompletion(text=word, type="param") for word in words],
            "matched_fragment": part,
            "suppress": True,
            "ordered": True,
        }

    made: Callable[[Any], Any] = match
    return made


def _before(context: Any) -> str:
    lines = context.full_text.split("\n")[: context.cursor_line + 1]
    lines[-1] = lines[-1][: context.cursor_position]
    return "\n".join(lines)
