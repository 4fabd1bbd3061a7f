"""What every command shares."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import duckdb
import pytest

from tests.support.command_line import COMMAND_LINE, Command
from tests.support.waiting import until
from workspace_ext.cli.main import COMMANDS, was_interrupted


def test_help_names_every_command_in_the_order_people_meet_them(command: Command) -> None:
    done = command("--help")
    assert done.code == 0
    places = [done.out.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)


SHOWN = {"templates": "show", "catalog": "batches", "people": "list"}
"""Of a group of commands, the one whose help is looked at."""


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_each_command_has_an_example_and_exit_codes(command: Command, name: str) -> None:
    done = command(*[name, SHOWN[name]] if name in SHOWN else [name], "--help")
    assert done.code == 0
    assert f"jupyter investigation {name}" in done.out.partition("Examples")[2]
    assert "Exit codes: 0 " in done.out
    assert "130 stopped by Ctrl-C" in " ".join(done.out.split())
    assert "--json" in done.out


def test_an_unknown_command_names_the_nearest(command: Command) -> None:
    done = command("ingset")
    assert done.code == 2
    assert done.out == ""
    assert "did you mean ingest" in done.err


def test_wrong_use_is_one_line_and_a_hint(command: Command) -> None:
    done = command("init")
    assert done.code == 2
    assert done.err.splitlines() == [
        "Error: Missing argument 'DIR'.",
        "Hint: see `jupyter investigation init --help`",
    ]


def test_a_group_alone_shows_what_it_has(command: Command) -> None:
    done = command("catalog")
    assert done.code == 2
    assert "\n  batches  " in done.err
    assert "Error" not in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("history", "a.ipynb", "--limit", "0"),
        ("query", "--sql", "SELECT 1", "--limit", "-5"),
        ("catalog", "batches", "--limit", "-1"),
        ("catalog", "quality", "--pin", "-1"),
        ("broker", "--port", "99999"),
        ("review", "a.ipynb", "aprove"),
        ("people", "add", "ada", "--url", "here"),
    ],
)
def test_what_no_option_can_be_is_refused_by_its_name(
    command: Command, arguments: tuple[str, ...]
) -> None:
    done = command(*arguments)
    assert done.code == 2
    assert arguments[-1] in done.err
    assert "Hint: " in done.err


def test_an_error_is_json_when_json_is_asked_for(command: Command, tmp_path: Path) -> None:
    done = command("query", "triage.overview", "--store", tmp_path / "none", "--json")
    assert done.code == 2
    assert json.loads(done.err)["error"]["hint"]
    assert done.out == ""


def test_a_traceback_comes_only_with_debug(command: Command, tmp_path: Path) -> None:
    arguments = ("query", "triage.overview", "--store", tmp_path / "none")
    assert "Traceback" not in command(*arguments).err
    assert "Traceback" in command(*arguments, "--debug").err


def test_a_reader_that_leaves_gets_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*COMMAND_LINE, "templates", "list", "--json"],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.stderr == ""


def test_ctrl_c_that_duckdb_took_is_no_defect() -> None:
    """DuckDB looks for signals by itself and makes an error of its own of Ctrl-C."""
    # With several threads, the one that asked may wait for the others, and does not look then.
    database = duckdb.connect(config={"threads": 1})
    database.execute("SET enable_progress_bar = true")
    database.execute("SET enable_progress_bar_print = false")

    def press() -> None:
        until(lambda: database.query_progress() > 0, "the query runs")
        os.kill(os.getpid(), signal.SIGINT)

    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored
    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        with pytest.raises(RuntimeError) as caught:
            database.execute("SELECT sum(hash(range) % 7) FROM range(1000000000000)")
    finally:
        pressing.join()
        signal.signal(signal.SIGINT, usual)
    assert was_interrupted(caught.value)
    assert not was_interrupted(RuntimeError("something else"))
