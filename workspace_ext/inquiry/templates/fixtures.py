"""Fixtures: the small cases that travel beside a template, in ``<name>.fixtures.yaml``.

::

    origin: 2024-05-01T12:00:00Z      # what offsets count from
    window: [0s, 60s]                 # of every case, unless its params say otherwise
    baseline: [-60s, 0s]
    cases:
      - name: cart got slower
        params: {service: cart}
        spans:                        # rows for each view; what is not given is NULL
          - {at: -60s, every: 1s, repeat: 40, service: cart, name: GET, duration: 20ms}
          - {at: 0s, every: 1s, repeat: 40, service: cart, name: GET, duration: [90ms, 80ms]}
        expect:
          interesting: true           # or false, or null: nothing could be judged
          rows: 1                     # or rows_at_least
          first: {service: cart}      # values of the first row
          reason: cart                # must be in the reason
          warning: …                  # must be in one of the warnings

A row stands for ``repeat`` rows, ``every`` so long apart; in its texts ``{i}`` becomes the
number of the row from 0, and a list of values is gone through again and again. ``at`` is the
offset of ``time``; ``duration`` fills ``duration_ns``. Beside ``cases`` there may be ``plants``:
faults in noise, which `planting.language` reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from workspace_ext.foundation.clock import Window, moment, parse_rfc3339
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.templates.binding import BindContext, seconds
from workspace_ext.inquiry.templates.model import BadTemplate, Problem
from workspace_ext.telemetry.schema import SIGNALS

_TOP = ("origin", "window", "baseline", "cases", "plants")
_CASE = ("name", "params", "expect", *SIGNALS)
_EXPECT = ("interesting", "rows", "rows_at_least", "first", "reason", "warning")
_ROW = ("at", "every", "repeat", "duration")


@dataclass(frozen=True)
class Case:
    """One case: rows, parameters, and what must come out."""

    name: str
    params: dict[str, Any]
    rows: dict[str, list[dict[str, Any]]]
    expect: dict[str, Any]


@dataclass(frozen=True)
class Fixtures:
    """All cases of a template, and what is planted for it, as the file has it."""

    context: BindContext
    cases: list[Case] = field(default_factory=list)
    plants: list[Any] = field(default_factory=list)


def fixtures_path(template: Path) -> Path:
    """Where a template's fixtures lie."""
    return template.with_suffix(".fixtures.yaml")


def load(path: Path) -> Fixtures:
    """Reads a fixtures file.

    Raises:
        BadTemplate: There is none, it is no YAML, or something in it is unknown or wrong.
    """
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BadTemplate([Problem(path, None, "there are no fixtures")]) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise BadTemplate([Problem(path, line, "is no YAML")]) from error
    try:
        return _fixtures(document)
    except (BadInput, TypeError, KeyError, AttributeError, ValueError) as error:
        raise BadTemplate([Problem(path, None, f"cannot be read: {error}")]) from error


def _fixtures(document: dict[str, Any]) -> Fixtures:
    _known(document, _TOP, "the file")
    origin = parse_rfc3339(_text(document["origin"]))
    context = BindContext(
        window=_window(origin, document["window"]),
        baseline=_window(origin, document["baseline"]) if "baseline" in document else None,
    )
    cases = []
    for given in document["cases"]:
        _known(given, _CASE, f"case {given.get('name')!r}")
        _known(given["expect"], _EXPECT, f"expect of {given['name']!r}")
        rows = {
            signal: [row for entry in given.get(signal) or [] for row in _rows(origin, entry)]
            for signal in SIGNALS
        }
        cases.append(Case(given["name"], given.get("params") or {}, rows, given["expect"]))
    return Fixtures(context, cases, document.get("plants") or [])


def _known(value: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
    unknown = sorted(value.keys() - set(keys))
    if unknown:
        raise BadInput(f"{where} has an unknown key {unknown[0]!r}")


def _text(value: object) -> str:
    """YAML reads a time by itself; a time it has read is in UTC."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def _window(origin: int, ends: list[str]) -> Window:
    start, end = ends
    return Window(origin + _offset(start), origin + _offset(end))


def _offset(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    size = text.lstrip("+-")
    return 0 if size.rstrip("smhd") == "0" else sign * round(seconds(size) * 1e9)


def _rows(origin: int, entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    start = _offset(entry.get("at", "0s"))
    step = _offset(entry.get("every", "0s"))
    for index in range(entry.get("repeat", 1)):
        row = {k: _value(v, index) for k, v in entry.items() if k not in _ROW}
        time_ns = origin + start + index * step
        row["time"], row["time_ns"] = moment(time_ns), time_ns
        if "duration" in entry:
            row["duration_ns"] = _offset(_value(entry["duration"], index))
        yield row


def _value(value: Any, index: int) -> Any:
    if isinstance(value, list):
        value = value[index % len(value)]
    if isinstance(value, dict):
        return {key: _value(item, index) for key, item in value.items()}
    return value.replace("{i}", str(index)) if isinstance(value, str) else value
