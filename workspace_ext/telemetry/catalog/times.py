"""Times as the catalog's tables and its answers have them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from workspace_ext.foundation.clock import Window, to_rfc3339

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(time_ns: int) -> datetime:
    """Nanoseconds since the epoch as SQL takes a time, in microseconds."""
    return _EPOCH + timedelta(microseconds=time_ns // 1000)


def told(microseconds: int | None) -> str | None:
    """Microseconds since the epoch as RFC 3339 text."""
    return None if microseconds is None else to_rfc3339(microseconds * 1000)


def moments(window: Window) -> tuple[datetime, datetime]:
    """A window as SQL takes its two times.

    Tables keep microseconds; a window that ends between two of them takes the first one in.
    """
    return moment(window.start_ns), moment(window.end_ns + 999)


def within(window: Window) -> str:
    """SQL that is true of the rows whose ``time`` lies in a window; see `moments`."""
    first, end = window.start_ns // 1000, (window.end_ns + 999) // 1000
    return f"(time >= make_timestamptz({first}) AND time < make_timestamptz({end}))"
