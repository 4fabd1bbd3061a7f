"""What every command shares."""

import json
import os
import signal
import subprocess
import threading
from pathlib import Path

import duckdb
import pytest

from tests.support.command_answers import check_answers, commands, promises
from tests.support.command_line import COMMAND_LINE, Command
from tests.support.waiting import until
from workspace_ext.cli.main import COMMANDS, was_interrupted
from workspace_ext.cli.options import Command as PromisingCommand
from workspace_ext.cli.output import Output, json_text, plain, show_error
from workspace_ext.foundation.errors import BadInput


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


def test_json_is_always_an_object_and_help_tells_its_keys() -> None:
    """That each command prints what it promises is looked at wherever a test runs one."""
    for each in commands():
        assert isinstance(each, PromisingCommand), each.name
        for promise in promises(each):
            assert isinstance(promise, dict), each.name
            assert promise, each.name


def test_an_answer_that_help_does_not_tell_is_noticed() -> None:
    good = {"file": "p.json", "people": [{"name": "a", "display_name": "A", "role": "lead"}]}
    check_answers(["people", "list", "--json"], json.dumps(good))
    for wrong in (
        [good],
        {**good, "more": 1},
        {"file": "p.json"},
        {**good, "people": [{"name": "a", "display_name": "A"}]},
        {**good, "people": {}},
    ):
        with pytest.raises(AssertionError, match="not as its help says"):
            check_answers(["people", "list", "--json"], json.dumps(wrong))


@pytest.mark.parametrize(
    ("wrong", "right"), [(["ingset"], "ingest"), (["catalog", "batces"], "batches")]
)
def test_an_unknown_command_names_the_nearest(
    command: Command, wrong: list[str], right: str
) -> None:
    done = command(*wrong)
    assert done.code == 2
    assert done.out == ""
    assert f"did you mean {right}" in done.err
    told = json.loads(command(*wrong, "--json").err)["error"]
    assert told["code"] == "unknown_command"


def test_wrong_use_is_json_too_wherever_it_stands(command: Command) -> None:
    for arguments in (("query", "--nope", "--json"), ("query", "--json", "--limit", "-5")):
        done = command(*arguments)
        assert (done.code, done.out) == (2, "")
        assert json.loads(done.err)["error"]["code"] == "usage"


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


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_reader_that_leaves_gets_no_traceback_and_its_own_exit_code(form: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*COMMAND_LINE, "templates", "list", *form],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.stderr == ""
    assert done.returncode == 128 + signal.SIGPIPE  # and not 1, which says no


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_some_letters_is_told_what_it_can_be(
    encoding: str, tmp_path: Path
) -> None:
    missing = f"{tmp_path}/ü→.zip"
    told = {}
    for form in ("text", "json"):
        done = subprocess.run(
            [*COMMAND_LINE, "verify", missing, *["--json"] * (form == "json")],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 2
        told[form] = done.stderr.decode(encoding)
    assert "there is no file" in told["text"]
    assert missing in json.loads(told["json"])["error"]["message"]


def test_what_others_wrote_is_shown_and_not_obeyed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body of a log may hold the controls of a terminal (ECMA-48)."""
    from rich.table import Table

    monkeypatch.setenv("FORCE_COLOR", "1")
    hostile = "a\x1b]0;title\x07\x1b[2Jb\x9b31mc\r\x08d"
    table = Table("body")
    table.add_row(plain(hostile))
    output = Output()
    output.show(None, table, f"[red]seen:[/] {plain(hostile)}")
    output.note(hostile)
    show_error(output, BadInput(hostile, hint=hostile))
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert not set(text) & set("\x07\x08\r\x9b")
        assert "]0;title" in text
        assert "\x1b[2J" not in text
    assert "\x1b[31mseen:" in said.out  # our own styles stay


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_json_has_no_numbers_that_json_has_not(value: float) -> None:
    rows = [{"x": value, "deep": [(1.5, value)]}]
    assert json.loads(json_text({"rows": rows})) == {"rows": [{"x": None, "deep": [[1.5, None]]}]}


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
