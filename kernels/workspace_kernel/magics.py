"""``%%telemetry``: a cell that is SQL."""

from __future__ import annotations

import argparse
import json
import shlex
from typing import Any, NoReturn

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, magics_class

from workspace_ext.foundation.errors import BadInput
from workspace_kernel.asking import Asker
from workspace_kernel.result import Result


@magics_class
class TelemetryMagics(Magics):
    """The magics of an investigation.

    Args:
        shell: The shell they are registered in.
        asker: Puts the question.
    """

    def __init__(self, shell: InteractiveShell, asker: Asker) -> None:
        super().__init__(shell)
        self._asker = asker

    @cell_magic
    def telemetry(self, line: str, cell: str) -> Result:
        """Runs the cell as one SELECT over spans, logs, metrics, events and services.

        ::

            %%telemetry [--params NAME=VALUE …] [--name FRAME]

        ``--params`` gives the values of the ``$names`` in the SQL; ``$window_start``,
        ``$window_end``, ``$baseline_start`` and ``$baseline_end`` are the investigation's own.
        ``--name`` keeps the rows as a pandas frame under that name.
        """
        given = _options().parse_args(shlex.split(line))
        name = _identifier(given.name) if given.name else ""
        result = self._asker.sql(cell, _assignments(given.params), title=name)
        if name and self.shell is not None:
            self.shell.user_ns[name] = result.df
        return result


class _Options(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise BadInput(message, hint="%%telemetry --params name=value --name frame", code="usage")


def _options() -> argparse.ArgumentParser:
    options = _Options(prog="%%telemetry", add_help=False)
    options.add_argument("--params", "-p", nargs="+", action="extend", default=[])
    options.add_argument("--name", "-n")
    return options


def _identifier(name: str) -> str:
    if not name.isidentifier():
        raise BadInput(
            f"--name {name!r} is no Python name", hint="as in --name errors", code="bad_name"
        )
    return name


def _assignments(pairs: list[str]) -> dict[str, Any]:
    """``name=value`` arguments; a value that is JSON is read as such."""
    values: dict[str, Any] = {}
    for pair in pairs:
        name, sign, said = pair.partition("=")
        if not sign or not name.isidentifier():
            raise BadInput(
                f"{pair!r} is no parameter", hint="write --params name=value", code="bad_params"
            )
        try:
            values[name] = json.loads(said)
        except ValueError:
            values[name] = said
    return values
