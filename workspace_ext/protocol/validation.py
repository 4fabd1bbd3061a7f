"""Validation of messages against the schemas beside this module."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import BadInput

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema called ``name``, as in ``schemas/<name>.schema.json``."""
    text = resources.files(__package__).joinpath(f"schemas/{name}.schema.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@cache
def _validator(name: str, definition: str | None) -> Validator:
    from jsonschema import Draft202012Validator  # heavy: only who validates pays for it

    document = schema(name)
    if definition is not None:
        document = {"$ref": f"#/$defs/{definition}", "$defs": document["$defs"]}
    return Draft202012Validator(document)


def validate(name: str, value: Any, *, definition: str | None = None) -> None:
    """Checks a value.

    Args:
        name: The schema's name.
        value: What to check.
        definition: A name in the schema's ``$defs``, to check against that part alone.

    Raises:
        BadInput: It does not conform; the message names the place and the rule.
    """
    error = next(iter(_validator(name, definition).iter_errors(value)), None)
    if error is not None:
        what = definition or name
        raise BadInput(
            f"not a valid {what}: {error.json_path}: {error.message}",
            hint=f"see protocol/schemas/{name}.schema.json",
            code="bad_message",
        )
