from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.templates import HEADER, write_template
from workspace_ext.inquiry.templates.binding import bind
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.inquiry.templates.quality import Part, Probe, parts_of, reach_of, reach_sql
from workspace_ext.inquiry.templates.sandbox import schema_cursor

START = "2024-05-01T12:00:00Z"
WINDOW = {"window": f"{START}/2024-05-01T12:10:00Z"}


@pytest.fixture
def probe(template: Template) -> Probe:
    return Probe(parts_of(template, bind(template, WINDOW).arguments))


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
    said = reach_of(rows, 7)
    assert set(said) == {"logs", "spans"}
    assert said["logs"].startswith(", and there are none up to batch 7, the pin")
    assert "moves the pin" in said["logs"]


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
    probe = Probe(parts_of(parse(path.read_bytes(), path), bind(template, WINDOW).arguments))

    found = probe.warnings([row(probe, signal=signal, first=after(probe, minutes))])

    assert bool(found) is warned
    assert all("partly without" in text for text in found)


def test_few_events_are_no_lack_of_them() -> None:
    start, minute = datetime(2024, 5, 1, tzinfo=UTC), 60_000_000
    part = Part("events", ("kind",), "window", start, start + timedelta(hours=1))
    at = int(start.timestamp() * 1e6) + 30 * minute
    two = {"n": 2, "first": at, "last": at + minute, "filled": [2]}

    assert part.warnings(two) == []
    assert part.warnings({**two, "filled": [0]}) == ["none of the events in the window has a kind"]
    assert part.warnings({**two, "n": 0}) == ["the window has no events"]


def test_a_template_that_requires_nothing_asks_nothing(tmp_path: Path) -> None:
    path = write_template(tmp_path, header=HEADER.replace("requires: [spans.duration_ns]\n", ""))
    template = parse(path.read_bytes(), path)

    assert Probe(parts_of(template, bind(template, WINDOW).arguments)).sql is None


@pytest.mark.parametrize("seconds", [0.000001, 0.01, 7, 180, 3600, 86_400 * 400])
def test_windows_that_are_almost_the_same_share_what_lies_within(seconds: float) -> None:
    start = datetime(2024, 5, 1, 12, 0, 1, tzinfo=UTC)
    length = timedelta(seconds=seconds)
    part = Part("spans", ("service",), "window", start, start + length)
    inside = part.inside

    assert start <= inside.start < inside.end <= part.end
    assert inside.start - start <= length / 16
    assert part.end - inside.end <= length / 16
    later = replace(part, start=start + length / 10_000, end=part.end + length / 10_000)
    assert seconds < 1 or later.inside == inside


def test_what_lies_within_speaks_for_the_whole_only_when_it_has_nothing_to_warn_of(
    template: Template,
) -> None:
    (part,) = parts_of(template, bind(template, WINDOW).arguments)
    probe = Probe([part])

    assert part.warnings(row(probe, first=after(probe, 0.6), last=after(probe, 9.4))) == []
    assert part.warnings(row(probe, n=29)) != []
