"""How much the data can say: one small query beside a template's own, and its warnings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from workspace_ext.foundation.clock import Window
from workspace_ext.inquiry.templates.model import Template

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INSTANT = "%Y-%m-%dT%H:%M:%SZ"
_FEW = 30
_EDGE = 0.2
_INSIDE = 16
_MICROSECOND = timedelta(microseconds=1)
_SCRAPE = timedelta(seconds=60)
"""Metrics come in steps; a gap of one step at a window's edge is no gap."""
_SELDOM = "events"
"""Deploys, alerts, incidents: few of them in a window, and none at its end, is as it should be."""

_NOT_ASKED: Mapping[str, str] = {}


@dataclass(frozen=True)
class Part:
    """What a template requires of one signal in one of its windows."""

    signal: str
    columns: tuple[str, ...]
    window: str
    start: datetime
    end: datetime

    @property
    def span(self) -> Window:
        """The window."""
        return Window(_since_epoch(self.start), _since_epoch(self.end))

    @property
    def inside(self) -> Part:
        """The same of a somewhat shorter window within, which it shares with windows like it.

        Where that has nothing to warn of (see `warnings`), neither has the whole: there is no less
        in it. Its ends lie on a grid, less than a sixteenth of the window apart.
        """
        start, end = (moment - _EPOCH for moment in (self.start, self.end))
        fraction = max((end - start) // _MICROSECOND // _INSIDE, 1)
        step = _MICROSECOND * (1 << fraction.bit_length() - 1)
        return replace(self, start=_EPOCH - -start // step * step, end=_EPOCH + end // step * step)

    def warnings(self, row: Mapping[str, Any], reach: str = "") -> list[str]:
        """What its row of the answer warns of; ``reach`` tells where there is data."""
        signal, window, count = self.signal, self.window, row["n"]
        if not count:
            return [f"the {window} has no {signal}{reach}"]
        found = []
        if count < _FEW and signal != _SELDOM:
            found.append(f"the {window} has only {count} {signal}")
        first, last = (_EPOCH + timedelta(microseconds=row[name]) for name in ("first", "last"))
        edge = (self.end - self.start) * _EDGE + (_SCRAPE if signal == "metrics" else timedelta())
        if (first - self.start > edge or self.end - last > edge) and signal != _SELDOM:
            covered = f"{first:%H:%M:%S} to {last:%H:%M:%S}"
            found.append(f"the {window} is partly without {signal}: there are some from {covered}")
        for column, filled in zip(self.columns, row["filled"], strict=True):
            if not filled:
                found.append(f"none of the {signal} in the {window} has a {column}")
        return found


def _since_epoch(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND * 1000


class Probe:
    """Asks whether windows hold the data that a template requires.

    Run ``sql`` with ``values`` on the same pin as the template, and give its rows to `findings`
    or `warnings`. ``sql`` is None when there is nothing to ask.

    Args:
        parts: What to ask about; see `parts_of`.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = {(part.signal, part.window): part for part in parts}
        self.sql = " UNION ALL ".join(_sql(part) for part in parts) if parts else None
        self.values: dict[str, object] = {}
        for part in parts:
            self.values |= {f"{part.window}_start": part.start, f"{part.window}_end": part.end}

    def answers(
        self, rows: Iterable[Mapping[str, Any]]
    ) -> Iterator[tuple[Part, Mapping[str, Any]]]:
        """Each part with its row of the answer to ``sql``."""
        for row in rows:
            yield self._parts[row["signal"], row["part"]], row

    def findings(
        self, rows: Iterable[Mapping[str, Any]], reach: Mapping[str, str] = _NOT_ASKED
    ) -> Iterator[tuple[Part, list[str]]]:
        """Each part with what an analyst should know before trusting the answer.

        Args:
            rows: The answer to ``sql``.
            reach: What `reach_of` gives for signals that a window has none of.
        """
        for part, row in self.answers(rows):
            yield part, part.warnings(row, reach.get(part.signal, ""))

    def warnings(self, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """All findings in one list."""
        return [warning for _, found in self.findings(rows) for warning in found]


def parts_of(template: Template, arguments: Mapping[str, object]) -> list[Part]:
    """What a template requires of the timed tables; ``arguments`` are `Bound.arguments`."""
    columns: dict[str, list[str]] = {}
    for entry in template.requires:
        signal, _, column = entry.partition(".")
        columns.setdefault(signal, []).extend([column] if column else [])
    windows = [param.name for param in template.params.values() if param.type == "window"]
    parts = []
    for signal, names in columns.items():
        for window in windows:
            start, end = arguments[f"{window}_start"], arguments[f"{window}_end"]
            assert isinstance(start, datetime)
            assert isinstance(end, datetime)
            parts.append(Part(signal, tuple(names), window, start, end))
    return parts


def reach_sql(signals: Iterable[str]) -> str:
    """Asks from when to when there is data of these signals."""
    return " UNION ALL ".join(
        f"SELECT '{signal}' AS signal, epoch_us(min(time)) AS first, epoch_us(max(time)) AS last"  # noqa: S608
        f" FROM {signal}"
        for signal in signals
    )


def reach_of(rows: Iterable[Mapping[str, Any]], pin: int) -> dict[str, str]:
    """The answer to `reach_sql`, asked on a pin, in words, by signal."""
    found = {}
    for row in rows:
        words = (
            f", and there are none up to batch {pin}, the pin: what came later is read once"
            " somebody moves the pin in the panel"
        )
        if row["first"] is not None:
            first, last = (_EPOCH + timedelta(microseconds=row[name]) for name in ("first", "last"))
            words = f": the data has some from {first:{_INSTANT}} to {last:{_INSTANT}}"
        found[row["signal"]] = words
    return found


def _sql(part: Part) -> str:
    filled = ", ".join(f"count({column})" for column in part.columns)
    return (
        f"SELECT '{part.signal}' AS signal, '{part.window}' AS part, count(*) AS n,"  # noqa: S608
        " epoch_us(min(time)) AS first, epoch_us(max(time)) AS last,"
        f" [{filled}]::BIGINT[] AS filled FROM {part.signal}"
        f" WHERE time >= ${part.window}_start AND time < ${part.window}_end"
    )
