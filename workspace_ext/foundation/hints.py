"""Hints: the name that somebody most likely meant."""

from __future__ import annotations

from collections.abc import Iterable

_MOST = 20


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A hint with the names that look like this one.

    Args:
        name: What was written.
        known: The names there are.
        otherwise: The hint when none of them looks alike; a list of them when empty.
    """
    from difflib import get_close_matches  # slow to import, for something that is rarely needed

    names = sorted(known)
    near = get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(near)}?"
    if otherwise or not names:
        return otherwise or "there are none"
    return f"there is {', '.join(names[:_MOST])}{' …' if len(names) > _MOST else ''}"
