"""``name=value`` as people write parameters on a command line and in a magic."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from workspace_ext.foundation.errors import BadInput


def read_assignments(pairs: Iterable[str], *, option: str) -> dict[str, Any]:
    """Parameters as a dictionary; a value that is JSON is read as such, else it is text.

    Args:
        pairs: What was written.
        option: The option that takes them; the hint names it.

    Raises:
        BadInput: A pair has no ``=``, or its name is none that a query could have.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.isidentifier():
            raise BadInput(
                f"{pair!r} is no parameter",
                hint=f"write it as {option} name=value",
                code="bad_params",
            )
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values
