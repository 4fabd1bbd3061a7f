"""Whether what a command prints with ``--json`` is what its help says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import click
import yaml

from workspace_ext.cli.main import cli
from workspace_ext.cli.options import Command

MORE = "…"
OPTIONAL = "~"  # the help says ?, which in YAML begins a key


def check_answers(arguments: Sequence[str], printed: str) -> None:
    """Holds a command to its promise.

    Args:
        arguments: Its command line, without the program's name.
        printed: What it wrote to standard output: a document, or one a line.

    Raises:
        AssertionError: A key is missing, or one is there that the help does not tell.
    """
    command = _named(arguments)
    if "--json" not in arguments or not printed or not isinstance(command, Command):
        return
    for document in _documents(printed):
        wrong = [list(_differences(document, promised)) for promised in promises(command)]
        assert [] in wrong, f"{command.name} --json is not as its help says: {min(wrong, key=len)}"


def promises(command: Command) -> list[Any]:
    """The objects that a command's help tells of, their values None where nothing is said."""
    return [yaml.safe_load(each.replace("?", OPTIONAL)) for each in command.answer.split(" or ")]


def commands(group: click.Group = cli) -> Iterator[click.Command]:
    """All commands, also those within groups."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands(found)
        else:
            yield found


def _named(arguments: Sequence[str]) -> click.Command | None:
    found: click.Command | None = cli
    for word in arguments:
        if not isinstance(found, click.Group):
            break
        if not word.startswith("-"):
            found = found.get_command(click.Context(found), word) or found
    return found


def _documents(printed: str) -> list[Any]:
    try:
        return [json.loads(printed)]
    except ValueError:
        return [json.loads(line) for line in printed.splitlines()]


def _differences(found: Any, promised: Any, place: str = "") -> Iterator[str]:
    if promised is None:
        return
    if isinstance(promised, list):
        if not isinstance(found, list):
            yield f"{place or 'it'} is no list"
        else:
            for each in found:
                yield from _differences(each, promised[0], place)
        return
    if not isinstance(found, dict):
        yield f"{place or 'it'} is no object"
        return
    names = {name.removesuffix(OPTIONAL) for name in promised} - {MORE}
    needed = {name for name in promised if not name.endswith(OPTIONAL)} - {MORE}
    yield from (f"no {place}{name}" for name in sorted(needed - found.keys()))
    if MORE not in promised:
        yield from (f"{place}{name} is not told" for name in sorted(found.keys() - names))
    for name, inner in promised.items():
        if name.removesuffix(OPTIONAL) in found:
            inside = f"{place}{name.removesuffix('?')}."
            yield from _differences(found[name.removesuffix(OPTIONAL)], inner, inside)
