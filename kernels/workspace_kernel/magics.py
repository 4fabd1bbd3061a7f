"""``%%telemetry``, a cell that is SQL; ``%hypothesis``, ``%finding``, ``%decision``."""

from __future__ import annotations

import argparse
import shlex
from typing import NoReturn

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

from workspace_ext.foundation.errors import BadInput
from workspace_ext.protocol.assignments import read_assignments
from workspace_kernel.asking import Asker
from workspace_kernel.cards import Card
from workspace_kernel.hypothesis import Hypothesis
from workspace_kernel.investigation import Investigation
from workspace_kernel.result import Result


@magics_class
class TelemetryMagics(Magics):
    """The magics of an investigation.

    Args:
        shell: The shell they are registered in.
        asker: Puts the question.
        investigation: Keeps what is said.
    """

    def __init__(self, shell: InteractiveShell, asker: Asker, investigation: Investigation) -> None:
        super().__init__(shell)
        self._asker = asker
        self._investigation = investigation

    @line_magic
    def hypothesis(self, line: str) -> Hypothesis:
        """States a claim and what it predicts.

        ::

            h = %hypothesis the cart exhausts its pool --predicts waits come before errors
        """
        text, predicts = _said(line, "--predicts")
        return self._investigation.hypothesis(text, predicts=predicts)

    @line_magic
    def finding(self, line: str) -> Card:
        """Keeps something that was found out: ``%finding the pool is empty since 10:05``."""
        return self._investigation.finding(line)

    @line_magic
    def decision(self, line: str) -> Card:
        """Keeps a decision: ``%decision restart the cart --because its pool does not recover``."""
        text, because = _said(line, "--because")
        return self._investigation.decide(text, because=because)

    @cell_magic
    def telemetry(self, line: str, cell: str) -> Result:
        """Runs the cell as one SELECT over spans, logs, metrics, events and services.

        ::

            %%telemetry [--params NAME=VALUE …] [--name FRAME]

        ``--params`` gives the values of the ``$names`` in the SQL; ``$window_start``,
        ``$window_end``, ``$baseline_start`` and ``$baseline_end`` are the investigation's own.
        ``--name`` keeps the rows as a pandas frame under that name.
        """
        given = _options().parse_args(_split(line))
        name = _identifier(given.name) if given.name else ""
        values = read_assignments(given.params, option="--params")
        result = self._asker.sql(cell, values, title=name)
        if name and self.shell is not None:
            self.shell.user_ns[name] = result.df
        return result


def _said(line: str, option: str) -> tuple[str, str]:
    """A sentence and what stands behind an option; neither needs quotes."""
    text, given, more = f" {line} ".partition(f" {option} ")
    if given and not more.strip():
        raise BadInput(f"{option} is empty", hint=f"say it behind {option}", code="usage")
    return text.strip(), more.strip()


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise BadInput(
            f"{line.strip()!r}: {str(error).lower()}",
            hint='quote a value with a blank or an apostrophe in it: --params "name=it\'s"',
            code="usage",
        ) from error


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
