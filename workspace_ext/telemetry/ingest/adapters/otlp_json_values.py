"""Values as OTLP's JSON writes them: 64-bit integers as text, enumerations as number or name."""

from __future__ import annotations

from typing import Any

from workspace_ext.telemetry.ingest.rows import BadRecord, Pairs, as_text
from workspace_ext.telemetry.ingest.severity import SEVERITIES

_SEVERITY_NAMES = [f"{word}{step or ''}" for word, _ in SEVERITIES for step in (0, 2, 3, 4)]


def items(value: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """A list; none is an empty one.

    Raises:
        BadRecord: It is something else.
    """
    found = value.get(key) or []
    if not isinstance(found, list):
        raise BadRecord(f"{key} is not a list")
    return found


def whole(value: dict[str, Any], key: str) -> int:
    """A whole number; none is 0.

    Raises:
        BadRecord: It is something else.
    """
    given = value.get(key) or 0
    try:
        return int(given)
    except (TypeError, ValueError, OverflowError):
        raise BadRecord(f"{key}: {given!r} is not a whole number") from None


def number(value: dict[str, Any], key: str) -> float | None:
    """A number, when there is one.

    Raises:
        BadRecord: It is something else.
    """
    given = value.get(key)
    if given is None:
        return None
    try:
        return float(given)
    except (TypeError, ValueError):
        raise BadRecord(f"{key}: {given!r} is not a number") from None


def hex_id(value: dict[str, Any], key: str) -> str:
    """An id, in lower case; empty when there is none."""
    return str(value.get(key) or "").lower()


def enum(value: object, prefix: str, names: tuple[str, ...]) -> int:
    """An enumeration's number, from it or from its name; what is not known is number 0."""
    if isinstance(value, str) and not value.isdigit():
        name = value.removeprefix(prefix).lower()
        return names.index(name) if name in names else 0
    return int(str(value)) if value is not None else 0


def severity(record: dict[str, Any]) -> int:
    """A severity's number: ``SEVERITY_NUMBER_WARN2`` is 14."""
    given = record.get("severityNumber")
    if isinstance(given, str) and not given.isdigit():
        name = given.removeprefix("SEVERITY_NUMBER_")
        return _SEVERITY_NAMES.index(name) + 1 if name in _SEVERITY_NAMES else 0
    return whole(record, "severityNumber")


def pairs(attributes: list[dict[str, Any]] | None) -> Pairs:
    """Attributes as texts, sorted by name."""
    if not attributes:
        return []
    given = {str(item.get("key", "")): as_text(any_value(item.get("value"))) for item in attributes}
    return sorted(given.items())


def any_value(value: dict[str, Any] | None) -> Any:
    """An AnyValue as plain JSON."""
    if not value:
        return None
    kind, content = next(iter(value.items()))
    if kind == "intValue":
        return int(content)
    if kind == "doubleValue":
        return float(content)
    if kind == "arrayValue":
        return [any_value(item) for item in content.get("values") or ()]
    if kind == "kvlistValue":
        pairs_ = content.get("values") or ()
        return {str(item.get("key", "")): any_value(item.get("value")) for item in pairs_}
    return content
