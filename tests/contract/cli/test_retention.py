"""Retention from the shell."""

from pathlib import Path

import pytest

from tests.support.command_line import Command


def test_a_plan_is_shown_and_nothing_goes(command: Command, served: Path) -> None:
    where = ("retention", "--store", served, "--larger-than", "0.001MB", "--dry-run")
    plan = command(*where, "--json").json
    assert plan["rows"]["spans"] > 0
    shown = command(*where).out
    assert "Would go" in shown
    assert "spans" in shown
    counted = command("query", "--store", served, "--sql", "SELECT 1 FROM spans", "--json")
    assert counted.json["answer"]["rows"] > 0


def test_the_policy(command: Command, served: Path) -> None:
    kept = command("retention", "--store", served, "--older-than", "30d", "--every-hour")
    assert "older than 30d" in kept.out
    assert "older than 30d" in command("retention", "--store", served).out
    assert "nothing by itself" in command("retention", "--store", served, "--off").out


@pytest.mark.parametrize(
    "options",
    [
        ("--dry-run",),
        ("--older-than", "soon"),
        ("--larger-than", "-1GB"),
        ("--off", "--older-than", "1d"),
        ("--older-than", "1d", "--dry-run", "--every-hour"),
    ],
)
def test_wrong_use_is_one_line_and_a_hint(
    command: Command, served: Path, options: tuple[str, ...]
) -> None:
    done = command("retention", "--store", served, *options)
    assert (done.code, done.out) == (2, "")
    assert "Hint" in done.err
