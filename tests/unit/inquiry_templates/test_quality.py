from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.templates import HEADER, write_template
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.inquiry.templates.quality import Probe, parts_of, reach_of, reach_sql
from workspace_ext.inquiry.templates.sandbox import schema_cursor

START = "2024-05-01T12:00:00Z"
WINDOW = {"window": f"{START}/2024-05-01T12:10:00Z"}


@pytest.fixture
def probe(template: Template) -> Probe:
    return Probe(parts_of(template, template.bind(WINDOW).arguments))


def after(probe: Probe, minutes: float) -> int:
    """Microseconds since the epoch, so long after the window's start."""
    start = probe.values["window_start"]
    assert isinstance(start, datetime)
    return int((start + timedelta(minutes=minutes)).timestamp() * 1_000_000)


def row(probe: Probe, **change: Any) -> dict[str, Any]:
    whole = {
        "signal": "spans",
        "part": "window",
        "n": 500,
        "first": after(probe, 0),
        "last": after(probe, 10),
        "filled": [500],
    }
    return {**whole, **change}


def test_its_query_runs_on_the_schema(probe: Probe) -> None:
    assert probe.sql is not None
    cursor = schema_cursor()
    found = cursor.execute(probe.sql, probe.values).fetchall()

    assert found == [("spans", "window", 0, None, None, [0])]


def test_a_signal_that_is_nowhere() -> None:
    found = schema_cursor().execute(reach_sql(["logs", "spans"])).fetchall()
    rows = [dict(zip(("signal", "first", "last"), each, strict=True)) for each in found]
    assert reach_of(rows) == dict.fromkeys(["logs", "spans"], ", and the data has none at all")


def test_whole_data_has_no_warnings(probe: Probe) -> None:
    assert probe.warnings([row(probe)]) == []


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({"n": 0, "first": None, "last": None}, "the window has no spans"),
        ({"n": 12}, "the window has only 12 spans"),
        ({"filled": [0]}, "none of the spans in the window has a duration_ns"),
    ],
)
def test_warns(probe: Probe, change: dict[str, Any], warning: str) -> None:
    assert probe.warnings([row(probe, **change)]) == [warning]


@pytest.mark.parametrize(
    ("signal", "minutes", "warned"),
    [("spans", 3, True), ("spans", 1, False), ("metrics", 2.9, False), ("metrics", 4, True)],
)
def test_warns_when_the_window_reaches_beyond_the_data(
    template: Template, tmp_path: Path, signal: str, minutes: float, warned: bool
) -> None:
    column = "duration_ns" if signal == "spans" else "value"
    path = write_template(
        tmp_path, header=HEADER.replace("spans.duration_ns", f"{signal}.{column}")
    )
    probe = Probe(parts_of(parse(path.read_bytes(), path), template.bind(WINDOW).arguments))

    found = probe.warnings([row(probe, signal=signal, first=after(probe, minutes))])

    assert bool(found) is warned
    assert all("partly without" in text for text in found)


def test_a_template_that_requires_nothing_asks_nothing(tmp_path: Path) -> None:
    path = write_template(tmp_path, header=HEADER.replace("requires: [spans.duration_ns]\n", ""))
    template = parse(path.read_bytes(), path)

    assert Probe(parts_of(template, template.bind(WINDOW).arguments)).sql is None
