"""How much the data can say: one small query beside a template's own, and its warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from workspace_ext.inquiry.templates.model import Template

_FEW = 30
_EDGE = 0.2
_SCRAPE = timedelta(seconds=60)
"""Metrics come in steps; a gap of one step at a window's edge is no gap."""


class Probe:
    """Asks whether a template's windows hold the data that it requires.

    Run ``sql`` with ``values`` on the same pin as the template, and give its rows to
    `warnings`. ``sql`` is None when the template requires nothing of a timed table.

    Args:
        template: What is asked.
        arguments: `Bound.arguments` of the query.
    """

    def __init__(self, template: Template, arguments: Mapping[str, object]) -> None:
        self._windows = [param for param in template.params.values() if param.type == "window"]
        self._columns = _required(template)
        self._arguments = arguments
        parts = [
            _part(signal, columns, param.name)
            for signal, columns in self._columns.items()
            for param in self._windows
        ]
        self.sql = " UNION ALL ".join(parts) if parts else None
        self.values = {name: arguments[name] for param in self._windows for name in param.names}

    def warnings(self, rows: Iterable[Mapping[str, Any]]) -> list[str]:
        """What an analyst should know before trusting the answer."""
        found: list[str] = []
        for row in rows:
            found.extend(self._of(row))
        return found

    def _of(self, row: Mapping[str, Any]) -> list[str]:
        signal, part, count = row["signal"], row["part"], row["n"]
        if not count:
            return [f"the {part} has no {signal}"]
        found = []
        if count < _FEW:
            found.append(f"the {part} has only {count} {signal}")
        start, end = self._arguments[f"{part}_start"], self._arguments[f"{part}_end"]
        assert isinstance(start, datetime)
        assert isinstance(end, datetime)
        edge = (end - start) * _EDGE + (_SCRAPE if signal == "metrics" else timedelta())
        if row["first"] - start > edge or end - row["last"] > edge:
            covered = f"{row['first']:%H:%M:%S} to {row['last']:%H:%M:%S}"
            found.append(f"the {part} is partly without {signal}: there are some from {covered}")
        for column, filled in zip(self._columns[signal], row["filled"], strict=True):
            if not filled:
                found.append(f"none of the {signal} in the {part} has a {column}")
        return found


def _required(template: Template) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for entry in template.requires:
        signal, _, column = entry.partition(".")
        columns = found.setdefault(signal, [])
        if column:
            columns.append(column)
    return found


def _part(signal: str, columns: list[str], window: str) -> str:
    filled = ", ".join(f"count({column})" for column in columns)
    return (
        f"SELECT '{signal}' AS signal, '{window}' AS part, count(*) AS n, min(time) AS first,"  # noqa: S608
        f" max(time) AS last, [{filled}]::BIGINT[] AS filled FROM {signal}"
        f" WHERE time >= ${window}_start AND time < ${window}_end"
    )
