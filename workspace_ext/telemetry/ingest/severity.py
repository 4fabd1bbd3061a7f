"""OpenTelemetry's severities: a name for each range of numbers."""

from __future__ import annotations

SEVERITIES = (("TRACE", 1), ("DEBUG", 5), ("INFO", 9), ("WARN", 13), ("ERROR", 17), ("FATAL", 21))
"""Name and first number of each range of four."""


_OTHERS = (
    ("ERR", 17), ("CRIT", 18), ("ALERT", 19), ("EMERG", 21), ("PANIC", 21), ("NOTICE", 10),
    ("VERBOSE", 1),
)  # fmt: skip
"""As syslog, and the loggers that follow it, name them."""


def severity_name(number: int) -> str | None:
    """The name of a severity number; None outside 1 to 24."""
    return SEVERITIES[(number - 1) // 4][0] if 1 <= number <= 24 else None


def severity_number(name: str) -> int | None:
    """The number of a severity's name, however it is written: ``warning`` is 13."""
    upper = name.upper()
    return next((low for word, low in (*SEVERITIES, *_OTHERS) if upper.startswith(word)), None)
