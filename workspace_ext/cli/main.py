"""The entry point: finds the command, runs it, and turns errors into lines and exit codes.

Exit codes, the same for every command: 0 good; 1 the answer is no (a check failed, a replay
differs, something kept is damaged); 2 wrong use; 3 the environment (a lock, a port, a disk, a
limit); 130 interrupted; 141 the reader of the output left, as a shell says of any command.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

import click

from workspace_ext import __version__
from workspace_ext.cli.options import Group, exit_codes
from workspace_ext.cli.output import Output, show_error
from workspace_ext.foundation.errors import BadInput, InvestigationError
from workspace_ext.foundation.imports import without_slow_formats

COMMANDS = {
    "demo": "A real incident, end to end, on this machine.",
    "init": "Make an empty workspace folder.",
    "broker": "Run the store's process by hand.",
    "people": "Who may log in to a Jupyter server, and in which role.",
    "ingest": "Load telemetry files into a store.",
    "catalog": "What is in a store, how good it is, where it came from.",
    "query": "Run a template or SQL and print the rows.",
    "templates": "List, show, write, check and review query templates.",
    "run": "Run a notebook headless, captured as in the browser.",
    "test": "Run a notebook's tests: which of its claims hold?",
    "hypotheses": "Search what was believed, in all investigations.",
    "calibration": "How well stated confidence holds.",
    "history": "The saved versions of a notebook: when, who, what, why.",
    "diff": "What differs between two versions, cell by cell.",
    "restore": "A notebook, or one cell, as it was.",
    "blame": "Who last changed and who last ran each cell.",
    "changes": "What changed since you last looked.",
    "comments": "What people said on cells and hypotheses.",
    "comment": "Say something on a cell or a hypothesis.",
    "review": "Send to review, approve, request changes, archive.",
    "export": "The investigation as a Markdown post-mortem.",
    "archive": "Freeze an investigation into one file.",
    "replay": "Run an archive again, offline, and compare.",
    "verify": "Check an archive, or a store's ledger, for changes.",
    "retention": "Remove old data that no investigation needs.",
    "doctor": "What is installed, reachable and healthy.",
}
"""Each command with its one line; its module is imported only when it is called."""


_READER_LEFT = 128 + signal.SIGPIPE


class LazyGroup(Group):
    """A group that imports a command's module when the command is used, and not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names, in the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Imports ``cli/<name>.py`` and returns its ``command``."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"workspace_ext.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=exit_codes(),
)
@click.version_option(__version__, prog_name="jupyter investigation")
def cli() -> None:
    """Find out why a system broke, together, and keep how you knew."""


def main(arguments: Sequence[str]) -> int:
    """Runs one command line.

    Args:
        arguments: Without the program's name.

    Returns:
        The exit code.
    """
    output = Output()
    try:
        code = cli.main(
            list(arguments), prog_name="jupyter investigation", standalone_mode=False, obj=output
        )
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.exceptions.NoArgsIsHelpError as asked:
        sys.stderr.write(f"{asked.format_message()}\n")
        return asked.exit_code
    except SystemExit:  # click's, and nobody else's, when whoever read the output has left
        return _READER_LEFT
    except BaseException as error:  # the edge: no traceback unless asked for
        if was_interrupted(error):
            output.note("interrupted")
            return 130
        if isinstance(error, click.UsageError):  # it may be told before its options are read
            output.as_json |= "--json" in arguments
        shown = _as_our_own(error)
        show_error(output, shown)
        return shown.exit_code
    return code if isinstance(code, int) else 0


def was_interrupted(error: BaseException) -> bool:
    """Whether it is Ctrl-C, or the error that DuckDB, which takes it while it works, made of it."""
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return True
    return isinstance(error, RuntimeError) and str(error) == "Query interrupted"


def _as_our_own(error: BaseException) -> InvestigationError:
    if isinstance(error, InvestigationError):
        return error
    if isinstance(error, click.UsageError):
        hint = f"see `{error.ctx.command_path} --help`" if error.ctx is not None else ""
        return BadInput(error.format_message(), hint=hint, code="usage")
    unexpected = InvestigationError(
        f"{type(error).__name__}: {error}",
        hint="this is a defect; run again with --debug and report what it prints",
        code="internal",
    )
    unexpected.__cause__ = error
    return unexpected


def run() -> None:
    """The script ``jupyter-investigation``. SIGTERM ends a command as Ctrl-C does: in order."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a letter that it has not is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    with without_slow_formats():
        sys.exit(main(sys.argv[1:]))
