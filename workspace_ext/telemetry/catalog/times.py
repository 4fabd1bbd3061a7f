"""Times as the catalog's tables and its answers have them."""

from __future__ import annotations

from workspace_ext.foundation.clock import Window, to_rfc3339


def told(microseconds: int | None) -> str | None:
    """Microseconds since the epoch as RFC 3339 text."""
    return None if microseconds is None else to_rfc3339(microseconds * 1000)


def within(window: Window) -> str:
    """SQL that is true of the rows whose ``time`` lies in a window; see `Window.moments`."""
    first, end = window.start_ns // 1000, (window.end_ns + 999) // 1000
    return f"(time >= make_timestamptz({first}) AND time < make_timestamptz({end}))"
