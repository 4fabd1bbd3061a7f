"""A request's body as JSON, and what is in it."""

from __future__ import annotations

import json
from typing import Any

from workspace_ext.foundation.errors import BadInput
from workspace_ext.telemetry.ingest.adapter import Context
from workspace_ext.telemetry.ingest.rows import BadRecord, Rows

_DEPTH = 12
_NAMES = 20_000


def json_body(rows: Rows, body: bytes, context: Context, what: str) -> Any:
    """The body as JSON; bytes in it that are not UTF-8 are replaced, and told.

    Raises:
        BadInput: It is no JSON.
    """
    try:
        return json.loads(rows.text(body))
    except (ValueError, RecursionError) as error:
        raise _unreadable(context, what, f"not valid JSON: {error}") from None


def json_object(rows: Rows, body: bytes, context: Context, what: str) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        BadInput: It is none.
    """
    content = json_body(rows, body, context, what)
    if not isinstance(content, dict):
        raise _unreadable(context, what, "it is no object")
    return content


def json_list(content: dict[str, Any], key: str) -> list[Any]:
    """A list in an object.

    Raises:
        BadInput: There is none.
    """
    found = content.get(key)
    if not isinstance(found, list):
        raise BadInput(
            f"there is no list {key!r} in it",
            hint="compare with the protocol's documentation",
            code="bad_request_body",
        )
    return found


def flat(content: dict[str, Any]) -> dict[str, Any]:
    """An object without objects in it: their keys are joined by dots. Lists stay.

    Raises:
        BadRecord: It has too many keys.
    """
    found: dict[str, Any] = {}
    waiting = [("", content, 0)]
    while waiting:
        prefix, part, depth = waiting.pop()
        for key, value in part.items():
            if isinstance(value, dict) and value and depth < _DEPTH:
                waiting.append((f"{prefix}{key}.", value, depth + 1))
            else:
                found[f"{prefix}{key}"] = value
        if len(found) > _NAMES:
            raise BadRecord(f"more than {_NAMES} keys")
    return found


def _unreadable(context: Context, what: str, why: str) -> BadInput:
    return BadInput(
        f"{context.name} is not {what}: {why}"[:300],
        hint="compare with the protocol's documentation",
        code="bad_request_body",
    )
