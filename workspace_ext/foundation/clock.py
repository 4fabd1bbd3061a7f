"""Time: UTC nanoseconds since the Unix epoch inside, RFC 3339 text outside."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from workspace_ext.foundation.errors import BadInput

Clock = Callable[[], int]
"""Tells the time in nanoseconds since the epoch; replay passes a fixed one."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_NS, _LAST_NS = -62_135_596_800_000_000_000, 253_402_300_799_999_999_999
"""The years 1 to 9999: what can be written."""

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s*(Z|z|[+-]\d\d:?\d\d)")

_NO_SECONDS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\s*(Z|z|[+-]\d\d:?\d\d)")


def now_ns() -> int:
    """The system's time, in nanoseconds since the epoch."""
    return time.time_ns()


def to_rfc3339(time_ns: int) -> str:
    """Nanoseconds since the epoch as RFC 3339 text in UTC, with as many digits as needed."""
    seconds, fraction = divmod(time_ns, 1_000_000_000)
    text = (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    digits = f".{fraction:09d}".rstrip("0") if fraction else ""
    return f"{text}{digits}Z"


def moment(time_ns: int) -> datetime:
    """Nanoseconds since the epoch as the aware time that SQL takes, in microseconds."""
    return _EPOCH + timedelta(microseconds=time_ns // 1000)


def parse_rfc3339(text: str) -> int:
    """RFC 3339 text with its offset as nanoseconds since the epoch.

    Raises:
        BadInput: The text is no such time, or has no offset; a time without one would mean
            another moment on another machine.
    """
    match = _RFC3339.fullmatch(text.strip())
    if match is None:
        short = _NO_SECONDS.fullmatch(text.strip())
        raise BadInput(
            f"{text!r} is {'a time without seconds' if short else 'not a time with its offset'}",
            hint="write it as 2023-01-29T09:03:53Z or 2023-01-29T17:03:53+08:00",
            code="bad_time",
        )
    whole, fraction, offset = match.groups()
    zone = "+00:00" if offset in "Zz" else offset
    try:
        moment = datetime.fromisoformat(f"{whole}{zone}")
    except ValueError as error:
        raise BadInput(
            f"{text!r} is not a time: {error}", hint="check day and hour", code="bad_time"
        ) from error
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return seconds * 1_000_000_000 + int((fraction or "0").ljust(9, "0"))


@dataclass(frozen=True)
class Window:
    """A half-open span of time ``[start_ns, end_ns)``, in nanoseconds since the epoch, UTC.

    Raises:
        BadInput: The end is not after the start.
    """

    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        if self.end_ns <= self.start_ns:
            raise BadInput(
                f"the window ends ({to_rfc3339(self.end_ns)}) before it starts"
                f" ({to_rfc3339(self.start_ns)})",
                hint="give the earlier time first",
                code="bad_window",
            )

    @classmethod
    def parse(cls, value: object) -> Window:
        """From ``"start/end"`` (ISO 8601 interval), ``(start, end)`` or ``{"start": …, "end": …}``.

        Raises:
            BadInput: It is neither, or a time in it is wrong.
        """
        if isinstance(value, Window):
            return value
        if isinstance(value, str) and value.count("/") == 1:
            start, end = value.split("/")
            return cls(parse_rfc3339(start), parse_rfc3339(end))
        if isinstance(value, list | tuple) and len(value) == 2:
            return cls(parse_rfc3339(str(value[0])), parse_rfc3339(str(value[1])))
        if isinstance(value, dict) and {"start", "end"} <= value.keys():
            return cls(parse_rfc3339(str(value["start"])), parse_rfc3339(str(value["end"])))
        raise BadInput(
            f"{value!r} is not a window",
            hint='write "2023-01-29T09:00:00Z/2023-01-29T09:10:00Z" or {"start": …, "end": …}',
            code="bad_window",
        )

    def to_dict(self) -> dict[str, str]:
        """The form that travels."""
        return {"start": to_rfc3339(self.start_ns), "end": to_rfc3339(self.end_ns)}

    def moments(self) -> tuple[datetime, datetime]:
        """The two times as SQL takes them.

        Tables keep microseconds; a window that ends between two of them takes the first one in.
        """
        return moment(self.start_ns), moment(min(self.end_ns + 999, _LAST_NS))

    def before(self) -> Window:
        """The window of equal length that ends where this one starts: the usual baseline.

        Raises:
            BadInput: It would begin before there were years.
        """
        start_ns = 2 * self.start_ns - self.end_ns
        if start_ns < _FIRST_NS:
            raise BadInput(
                f"there is no window as long as {to_rfc3339(self.start_ns)} to"
                f" {to_rfc3339(self.end_ns)} before it",
                hint="give a shorter window, or a baseline",
                code="bad_window",
            )
        return Window(start_ns, self.start_ns)


def united(windows: Iterable[Window]) -> list[Window]:
    """The same spans of time, in order; those that overlap or touch are one."""
    found: list[Window] = []
    for window in sorted(windows, key=lambda each: each.start_ns):
        if found and window.start_ns <= found[-1].end_ns:
            last = found.pop()
            found.append(Window(last.start_ns, max(last.end_ns, window.end_ns)))
        else:
            found.append(window)
    return found
