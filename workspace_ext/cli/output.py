"""What a command prints: for people by rich, for programs as JSON; errors on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from traceback import format_exception
from typing import TYPE_CHECKING, Any, TextIO

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
            shown: What people see instead; a text is rich's markup, so what others wrote in it
                goes through `plain`.
        """
        if self.as_json:
            sys.stdout.write(json_text(data, sys.stdout, indent=2) + "\n")
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
        from workspace_ext.cli.terminal import SafeConsole

        return SafeConsole(stderr=stderr, soft_wrap=True)

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

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Shows that something goes on which does not say how far it is."""
        with self.progress() as progress:
            progress.add_task(what, total=None, state="")
            yield


def json_text(data: Any, stream: TextIO | None = None, *, indent: int | None = None) -> str:
    """One JSON document (RFC 8259): a number that JSON has not, as NaN, is null.

    Args:
        data: What it says.
        stream: Where it goes; letters that its encoding has not are escaped.
        indent: As `json.dumps` takes it.
    """
    narrow = stream is not None and (stream.encoding or "").lower() not in ("utf-8", "utf8")
    how: dict[str, Any] = {"ensure_ascii": narrow, "indent": indent, "default": str}
    try:
        return json.dumps(data, allow_nan=False, **how)
    except ValueError:
        return json.dumps(_finite(data), **how)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def plain(text: object) -> str:
    """A text that others wrote, as it stands: none of it is rich's markup."""
    from rich.markup import escape

    return escape(str(text))


def counted(number: int, noun: str) -> str:
    """A number of things: *1 row*, *2 rows*."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def show_error(output: Output, error: InvestigationError) -> None:
    """One line with the error, one with the hint; JSON with ``--json``; always on stderr."""
    if output.debug:
        sys.stderr.write("".join(format_exception(error)))
    if output.as_json:
        sys.stderr.write(json_text({"error": error.to_dict()}, sys.stderr) + "\n")
        return
    message = " ".join(error.message.split())
    console = output.console(stderr=True)
    console.print(f"[bold red]Error:[/] {plain(message)}", highlight=False)
    if error.hint:
        console.print(f"[bold]Hint:[/] {plain(error.hint)}", highlight=False)
