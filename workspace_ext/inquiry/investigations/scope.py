"""Which parameters of a query are what the scope was when it was asked. Pure.

Only those can be out of date once the scope moves; a window that somebody gave is their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from workspace_ext.foundation.clock import Window, parse_rfc3339
from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.messages import InvestigationState


def scoped(state: InvestigationState, params: Mapping[str, Any]) -> list[str]:
    """The names of those parameters, in order.

    Args:
        state: The investigation when the query was asked.
        params: As the query recorded them, free SQL's ``window_start`` and the like included.
    """
    scope = _moments(state)
    return sorted(
        name for name, value in params.items() if name in scope and _same(value, scope[name])
    )


def _moments(state: InvestigationState) -> dict[str, Window | int]:
    window, baseline = _window(state["window"]), _window(state["baseline"])
    if baseline is None and window is not None:
        with suppress(BadInput):  # none as long lies before it
            baseline = window.before()
    found: dict[str, Window | int] = {}
    for name, each in (("window", window), ("baseline", baseline)):
        if each is not None:
            found |= {name: each, f"{name}_start": each.start_ns, f"{name}_end": each.end_ns}
    return found


def _same(value: object, moment: Window | int) -> bool:
    if isinstance(moment, Window):
        return _window(value) == moment
    try:
        return isinstance(value, str) and parse_rfc3339(value) == moment
    except BadInput:
        return False


def _window(value: object) -> Window | None:
    try:
        return Window.parse(value) if value else None
    except BadInput:
        return None
