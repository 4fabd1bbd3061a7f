"""What is looked for when no policy says more.

Each pattern stands for a form that is secret or personal wherever it occurs; entropy and
dictionaries (as in detect-secrets) are left out on purpose: in telemetry every other word is a
random id. Where a pattern has a group ``value``, that alone is taken out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_SECRET_NAME = r"(?:password|passwd|pwd|secret|api[_-]?key|access[_-]?key|(?:access_|auth_)?token)"  # noqa: S105
_QUOTE = r"(?:\\*[\"']|&quot;|&#(?:34|39|x27);)"
"""As it is, as JSON within JSON has it, and as HTML has it."""
_SPACE = r"[\s\v\x1c-\x1f\x{85}\pZ]"
"""In RE2, what Python takes for white space."""


@dataclass(frozen=True)
class Pattern:
    """One thing to look for.

    Attributes:
        name: What it is called in reports and marks.
        regex: What it looks like.
        hint: RE2 that every text with it matches, and every key that names it, to pass over columns
            quickly.
        on: Whether it is looked for when no policy says otherwise.
        check: What tells a find from a lookalike.
        key: The keys of JSON, attributes and columns under which every word is one.
    """

    name: str
    regex: re.Pattern[str]
    hint: str
    on: bool = True
    check: Callable[[str], bool] | None = None
    key: re.Pattern[str] | None = None


def is_card_number(text: str) -> bool:
    """Whether digits (with blanks or dashes) pass the Luhn check of ISO/IEC 7812-1."""
    digits = [int(sign) for sign in text if sign.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


_CARD = (
    r"(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6\d{3}|35\d\d)(?:[ -]?\d{4}){3}|3[47]\d\d[ -]?\d{6}[ -]?\d{5}"
)
"""Visa, Mastercard, Discover and UnionPay, JCB with 16 digits; American Express with 15."""

PATTERNS = (
    Pattern(
        "private_key",
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            re.DOTALL,
        ),
        "PRIVATE KEY",
    ),
    Pattern("jwt", re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), r"eyJ[\w-]{8,}\.[\w-]{8,}\."),
    Pattern(
        "bearer_token",
        re.compile(r"(?i:\b(?:bearer|basic))\s+(?P<value>[A-Za-z0-9+/_.~=-]{16,})"),
        rf"(?i:bearer|basic){_SPACE}+[A-Za-z0-9+/_.~=-]{{16,}}",
    ),
    Pattern("aws_key", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "(?:AKIA|ASIA)[0-9A-Z]{16}"),
    Pattern(
        "service_token",
        re.compile(r"\b(?:gh[pousr]_\w{36,}|github_pat_\w{22,}|xox[abeoprs]-[\w-]{10,})"),
        "gh[pousr]_|github_pat_|xox[abeoprs]-",
    ),
    Pattern(
        "url_password",
        re.compile(r"\b[A-Za-z][\w+.-]*://[^\s:/?#@\"']*:(?P<value>[^\s/@\"']+)@"),
        r"://[^\s:/?#@]*:[^\s/@]+@",
    ),
    Pattern(
        "named_secret",
        re.compile(
            rf"(?i:\b\w*{_SECRET_NAME})"
            rf"(?:{_QUOTE}?\s*[:=]\s*{_QUOTE}(?P<quoted>[^\"'\s]{{4,}}?){_QUOTE}"
            rf"|=(?P<value>[^\s&\"',;()\[\]]{{4,}}))"
        ),
        rf"(?i:{_SECRET_NAME})(?:{_QUOTE}?{_SPACE}*[:=]|$)",
        key=re.compile(rf"(?i:{_SECRET_NAME})\Z"),
    ),
    Pattern(
        "email",
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}\b"),
        r"@[A-Za-z0-9-]+\.[A-Za-z0-9-]",
    ),
    Pattern(
        "card_number",
        re.compile(rf"(?<![\w.-])(?:{_CARD})(?![\w-]|\.\d)"),
        _CARD,
        check=is_card_number,
    ),
    Pattern(
        "ip_address",
        re.compile(
            r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w.])"
            r"|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?![\w:])"
        ),
        r"\d+\.\d+\.\d+\.\d+|[0-9a-fA-F]+:[0-9a-fA-F]+:[0-9a-fA-F]+:",
        on=False,
    ),
)
