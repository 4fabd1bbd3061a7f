"""What a command prints: for people by rich, for programs as JSON; errors on standard error."""

from __future__ import annotations

import json
import sys
from traceback import format_exception
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import InvestigationError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress


class Output:
    """Where a command writes, and how; `options.Command` sets the two switches.

    Attributes:
        as_json: Exactly one JSON document goes to standard output, and nothing else.
        debug: Errors come with their traceback.
    """

    def __init__(self) -> None:
        self.as_json = False
        self.debug = False

    def show(self, data: Any, *shown: RenderableType) -> None:
        """Prints a command's result.

        Args:
            data: What ``--json`` prints.
            shown: What people see instead.
        """
        if self.as_json:
            sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()
            return
        console = self.console()
        for part in shown:
            console.print(part)

    def note(self, text: str) -> None:
        """One line beside the result, on standard error; never in the way of ``--json``."""
        self.console(stderr=True).print(text, style="dim", highlight=False, markup=False)

    def console(self, *, stderr: bool = False) -> Console:
        """A rich console; plain text when the stream is no terminal."""
        from rich.console import Console

        return Console(stderr=stderr, soft_wrap=True)

    def progress(self) -> Progress:
        """A progress display on standard error; silent when that is no terminal or with --json."""
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        console = self.console(stderr=True)
        silent = self.as_json or not console.is_terminal
        console.quiet = silent  # a disabled display of rich 13 ends with an empty line all the same
        return Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            disable=silent,
        )


def counted(number: int, noun: str) -> str:
    """A number of things: *1 row*, *2 rows*."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def show_error(output: Output, error: InvestigationError) -> None:
    """One line with the error, one with the hint; JSON with ``--json``; always on stderr."""
    if output.debug:
        sys.stderr.write("".join(format_exception(error)))
    if output.as_json:
        sys.stderr.write(json.dumps({"error": error.to_dict()}, ensure_ascii=False) + "\n")
        return
    message = " ".join(error.message.split())
    console = output.console(stderr=True)
    console.print(f"[bold red]Error:[/] {_plain(message)}", highlight=False)
    if error.hint:
        console.print(f"[bold]Hint:[/] {_plain(error.hint)}", highlight=False)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
