"""``%%telemetry``: a cell that is SQL."""

from __future__ import annotations

import argparse
import shlex
from typing import NoReturn

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, magics_class

from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.assignments import read_assignments
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
        values = read_assignments(given.params, option="--params")
        result = self._asker.sql(cell, values, title=name)
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
