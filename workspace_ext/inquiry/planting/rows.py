"""Rows with chance in them, as the language of plants tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.planting.world import BASELINE, WINDOW, Floats, World
from workspace_ext.inquiry.templates.binding import seconds

_WHEN = ("every", "steady", "per_minute", "count")
_DRAWS = ("normal", "lognormal", "poisson", "uniform", "one_of", "counter")
_LARGEST = 10_000
"""Of the random numbers in texts."""


def add_rows(world: World, signal: str, entry: Mapping[str, Any], strength: float) -> None:
    """Adds the rows of one entry, with the fault in them when there is a strength."""
    start = offset(entry.get("at", f"-{BASELINE:g}s"))
    end = start + offset(entry["for"]) if "for" in entry else WINDOW
    usual = {name: value for name, value in entry.items() if name not in ("at", "for", "planted")}
    planted = entry.get("planted")
    silent = planted and not set(_WHEN).intersection(usual) and set(_WHEN).intersection(planted)
    if not planted or not strength:
        if not silent:
            _piece(world, signal, usual, start, end, strength)
        return
    begun = offset(planted["at"]) if "at" in planted else max(start, 0.0)
    until = begun + offset(planted["for"]) if "for" in planted else end
    instead = {name: value for name, value in planted.items() if name not in ("at", "for")}
    kept = {n: v for n, v in usual.items() if n not in _WHEN} if _says_when(instead) else usual
    if not silent:
        _piece(world, signal, usual, start, begun, strength)
        _piece(world, signal, usual, until, end, strength)
    _piece(world, signal, {**kept, **instead}, begun, until, strength)


def _says_when(entry: Mapping[str, Any]) -> bool:
    return any(name in entry for name in _WHEN)


def _piece(
    world: World, signal: str, entry: Mapping[str, Any], start: float, end: float, strength: float
) -> None:
    """The rows of one stretch of time."""
    when = [name for name in _WHEN if name in entry]
    if len(when) > 1:
        raise BadInput(f"{' and '.join(when)} cannot both say when")
    if start >= end:
        return
    rng = world.rng
    if not when:
        at: Floats = np.array([start])
    elif when[0] == "every":
        at = np.arange(start, end, offset(entry["every"]))
    elif when[0] == "steady":
        at = np.arange(start, end, 60 / number(entry["steady"], strength))
    else:
        many = number(entry[when[0]], strength)
        count = int(many) if when[0] == "count" else int(rng.poisson(many * (end - start) / 60))
        at = np.sort(rng.uniform(start, end, count))
    columns = {
        name: {key: column(world, each, at, strength) for key, each in value.items()}
        if name == "attributes"
        else column(world, value, at, strength)
        for name, value in entry.items()
        if name not in _WHEN
    }
    if "duration" in columns:
        lasts = [number(each, strength) * 1e9 for each in columns.pop("duration")]
        columns["duration_ns"] = np.array(lasts).astype(np.int64)
    if len(at):
        world.add(signal, at, **columns)


def column(world: World, value: Any, at: Floats, strength: float) -> Any:
    """A column's values, one a row."""
    size = len(at)
    if isinstance(value, list):
        return [value[number % len(value)] for number in range(size)]
    if isinstance(value, str) and "{" in value:
        random = world.rng.integers(1, _LARGEST, size)
        return [value.replace("{i}", str(i)).replace("{n}", str(n)) for i, n in enumerate(random)]
    if value == "strength":
        return np.full(size, strength)
    if not isinstance(value, Mapping):
        return [value] * size
    drawn = _draw(world, value, size, strength)
    grows = number(value.get("grows", 0), strength)
    return drawn + grows * (at - at[0]) / 60 if grows and size else drawn


def _draw(world: World, told: Mapping[str, Any], size: int, strength: float) -> Any:
    names = [name for name in told if name != "grows"]
    if len(names) != 1 or names[0] not in _DRAWS:
        raise BadInput(f"a draw is one of {', '.join(_DRAWS)}, not {', '.join(names) or 'nothing'}")
    name, rng = names[0], world.rng
    if name == "one_of":
        shares = np.array([number(each, strength) for each in told[name].values()])
        places = rng.choice(len(shares), size, p=shares / shares.sum())
        return np.array([str(each) for each in told[name]])[places]
    given = told[name] if isinstance(told[name], list) else [told[name]]
    first, *rest = (number(each, strength) for each in given)
    if name == "lognormal":
        return first * rng.lognormal(0, rest[0], size)
    if name == "counter":
        return np.cumsum(rng.poisson(first, size)).astype(float)
    if name == "poisson":
        return rng.poisson(first, size).astype(float)
    return (rng.normal if name == "normal" else rng.uniform)(first, rest[0], size)


def number(value: Any, strength: float) -> float:
    """A number, the strength, or a duration in seconds."""
    if value == "strength":
        return strength
    return offset(value) if isinstance(value, str) else float(value)


def offset(text: Any) -> float:
    """Seconds, also before: ``-10m``."""
    told = str(text)
    size = told.lstrip("+-")
    if size.rstrip("smhd") == "0":
        return 0.0
    return -seconds(size) if told.startswith("-") else seconds(size)
