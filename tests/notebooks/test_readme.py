"""README is true: what it shows runs as it stands, and it names what there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell

from tests.notebooks.conftest import notebook
from tests.support.command_line import Command
from workspace_ext.cli.main import COMMANDS, cli
from workspace_ext.client.broker import BrokerClient
from workspace_ext.inquiry.redaction.policy import read_policy
from workspace_ext.telemetry.ingest.mapping import parse_mapping

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCKS if name == language]


def test_the_golden_path_runs_as_it_stands(
    client: BrokerClient, store: Path, investigation: str, tmp_path: Path, command: Command
) -> None:
    (python,) = blocks("python")
    (sql,) = [text for text in blocks("") if text.startswith("%%telemetry")]
    made = notebook(uid=investigation)
    made.cells = [new_code_cell(text, id=f"cell-{n}") for n, text in enumerate((python, sql))]
    path = tmp_path / "golden.ipynb"
    path.write_text(nbformat.writes(made))

    done = command("run", path, "--store", store, "--json")

    assert done.code == 0, done
    state = client.state(investigation)
    conclusion = state["conclusion"]
    assert conclusion is not None
    assert conclusion["confidence_percent"] == 90
    assert [claim["state"] for claim in state["hypotheses"].values()] == ["root_cause"]


def _parsed(line: str) -> Any:
    """What click makes of a command line: wrong names and options are refused."""
    words = shlex.split(line)[2:]
    found: click.Command = cli
    while isinstance(found, click.Group) and words:
        context = click.Context(found)
        named = found.get_command(context, words[0])
        assert named is not None, line
        found, words = named, words[1:]
    return found.make_context(found.name, list(words))


SHELL = [
    line.partition("  #")[0].strip()
    for text in blocks("bash")
    for line in text.splitlines()
    if line.startswith("jupyter investigation ")
]


@pytest.mark.parametrize("line", SHELL)
def test_a_command_line_is_one_that_its_command_takes(line: str) -> None:
    assert _parsed(line) is not None


def test_the_table_of_commands_has_them_all() -> None:
    table = README[README.index("| Command | What it does |") :]
    rows = re.findall(r"^\| (`[^|]*(?:\\\|[^|]*)*) \|", table.partition("\n\n")[0], re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`(\w+)", row)}
    assert set(COMMANDS) <= named


def test_its_yaml_is_what_we_read(tmp_path: Path) -> None:
    policies = [text for text in blocks("yaml") if "patterns:" in text]
    mappings = [text for text in blocks("yaml") if "signal:" in text]
    assert (len(policies), len(mappings)) == (1, 1)
    path = tmp_path / "redaction.yaml"
    path.write_text(policies[0])
    assert read_policy(path)
    assert parse_mapping(mappings[0])
    senders = [text for text in blocks("conf") if "remote_write" in text]
    for line in senders[0].splitlines():
        if line.endswith(("}", "]")):
            assert yaml.safe_load(line), line
