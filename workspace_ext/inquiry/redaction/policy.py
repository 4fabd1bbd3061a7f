r"""What is to be taken out: the patterns, and what people know of their own data.

::

    patterns: {ip_address: on, email: off}   which of the built-in ones
    regexes: {customer: 'cust-\d{6}'}         one's own; a group `value` is taken out alone
    columns: [logs.body, user_name]          whole values, of one table or of any
    attributes: [user.email, http.client_ip] whole values under these keys
    keep: [support@example.com]              never taken out
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.redaction.patterns import PATTERNS, Pattern

FILE = "redaction.yaml"
"""Where a store's folder holds the policy for all that leaves it."""

_LISTS = ("columns", "attributes", "keep")


@dataclass(frozen=True)
class Policy:
    """What is to be taken out.

    Attributes:
        patterns: What to look for in text.
        columns: ``table.column``, or a column of any table and any result.
        attributes: Keys of attributes.
        keep: Values that stay.
    """

    patterns: tuple[Pattern, ...] = tuple(pattern for pattern in PATTERNS if pattern.on)
    columns: frozenset[str] = field(default_factory=frozenset)
    attributes: frozenset[str] = field(default_factory=frozenset)
    keep: frozenset[str] = field(default_factory=frozenset)

    def to_dict(self) -> dict[str, Any]:
        """The form in which a report tells it: what stays is nobody's business."""
        return {
            "patterns": sorted(pattern.name for pattern in self.patterns),
            "columns": sorted(self.columns),
            "attributes": sorted(self.attributes),
        }


def read_policy(path: Path) -> Mapping[str, Any]:
    """A policy's file.

    Raises:
        BadInput: It cannot be read or is no YAML map.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _bad(str(path), f"cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict | None):
        raise _bad(str(path), "is no map")
    return content or {}


def make_policy(*said: Mapping[str, Any]) -> Policy:
    """The policy that several say together; of the patterns the last one decides.

    Raises:
        BadInput: Something in it is not understood.
    """
    on = {pattern.name: pattern.on for pattern in PATTERNS}
    lists: dict[str, set[str]] = {name: set() for name in _LISTS}
    own: dict[str, Pattern] = {}
    for each in said:
        unknown = sorted(each.keys() - {"patterns", "regexes", *_LISTS})
        if unknown:
            raise _bad("it", f"has an unknown key {unknown[0]!r}")
        for name, value in _map(each, "patterns").items():
            if name not in on or not isinstance(value, bool):
                raise _bad("patterns", f"cannot say {name}: {value!r}; known: {', '.join(on)}")
            on[name] = value
        for name, text in _map(each, "regexes").items():
            own[name] = _own(name, text)
        for name in _LISTS:
            values = each.get(name) or []
            if not (isinstance(values, list) and all(isinstance(value, str) for value in values)):
                raise _bad(name, "is no list of texts")
            lists[name] |= set(values)
    patterns = tuple(pattern for pattern in PATTERNS if on[pattern.name])
    taken = {name: frozenset(values) for name, values in lists.items()}
    return Policy((*own.values(), *patterns), **taken)


def _map(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = said.get(name) or {}
    if not isinstance(found, Mapping):
        raise _bad(name, "is no map")
    return found


def _own(name: object, text: object) -> Pattern:
    if not re.fullmatch(r"\w{1,40}", str(name)):
        raise _bad("regexes", f"cannot have the name {name!r}: letters, digits and _ only")
    try:
        regex = re.compile(str(text))
    except re.error as error:
        raise _bad(f"the regex {name}", f"is none: {error}") from error
    if not text or regex.match(""):
        raise _bad(f"the regex {name}", "matches everything")
    return Pattern(str(name), regex, "")


def _bad(what: str, why: str) -> BadInput:
    return BadInput(
        f"the redaction policy is wrong: {what} {why}",
        hint="it holds patterns, regexes, columns, attributes and keep; see README",
        code="bad_policy",
    )
