"""What all commands share: ``--json``, ``--debug``, ``--store``, an example in the help."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import click

from workspace_ext.cli.output import Output
from workspace_ext.foundation.errors import NotFound
from workspace_ext.foundation.hints import did_you_mean

F = TypeVar("F", bound=Any)

LONGEST_SENTENCE = 200  # characters


def exit_codes(good: str = "good", no: str = "the answer is no or something is damaged") -> str:
    """What a command's help says of its exit codes.

    Args:
        good: What 0 means.
        no: What 1 means.
    """
    return (
        f"Exit codes: 0 {good}, 1 {no}, 2 wrong use, 3 environment,"
        " 130 stopped by Ctrl-C before its end, 141 the reader of its output left."
    )


pass_output = click.make_pass_decorator(Output)
"""Gives a command its `Output` as first argument."""


def _switch(ctx: click.Context, param: click.Parameter, value: bool) -> bool:
    if value:
        setattr(ctx.ensure_object(Output), "as_json" if param.name == "json" else "debug", True)
    return value


class Command(click.Command):
    """A command with ``--json`` and ``--debug``, and with an example in its help.

    Args:
        answer: What ``--json`` prints, shown under *JSON*: an object with these keys. ``[…]`` is
            a list of such, ``key?`` is not always there, ``…`` are more than are told, *or* is
            another object, by the options. The tests hold each command to it.
        example: One or more command lines, shown under *Examples*.
    """

    def __init__(self, *args: Any, answer: str, example: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answer = answer
        self.example = example
        for name, text in (
            ("json", "Print one JSON document instead of text."),
            ("debug", "Show a traceback with an error."),
        ):
            self.params.append(
                click.Option(
                    [f"--{name}"],
                    is_flag=True,
                    expose_value=False,
                    is_eager=True,
                    callback=_switch,
                    help=text,
                )
            )

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002
        """Its first sentence, whole: a list of commands is as wide as the terminal."""
        return super().get_short_help_str(limit=LONGEST_SENTENCE)

    def format_epilog(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, keys of ``--json`` and exit codes."""
        if self.example:
            with formatter.section("Examples"):
                for line in self.example.strip().splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line.strip()}\n")
        with formatter.section("JSON"):
            formatter.write_text(self.answer)
        formatter.write_paragraph()
        formatter.write_text(self.epilog or exit_codes())


class Group(click.Group):
    """A group of commands; an unknown name is our own error, with the nearest names."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As in the base class, but for the error."""
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            hint = did_you_mean(args[0], known, otherwise=f"see `{ctx.command_path} --help`")
            ctx.ensure_object(Output).as_json |= "--json" in args
            raise NotFound(f"there is no command {args[0]!r}", hint=hint, code="unknown_command")
        return super().resolve_command(ctx, args)


def store_option(function: F) -> F:
    """``--store DIR``: passed to the command as ``store: Path``."""
    decorated: F = click.option(
        "--store",
        envvar="INVESTIGATION_STORE",
        default=".investigation",
        show_default="$INVESTIGATION_STORE, then ./.investigation",
        type=click.Path(file_okay=False, path_type=Path),
        help="The workspace folder.",
    )(function)
    return decorated


kernel_option = click.option(
    "--kernel",
    default="",
    help="Another kernel than the notebook names; `jupyter kernelspec list` shows them.",
)


def kernel_options(function: F) -> F:
    """``--kernel`` and ``--timeout``: how a notebook is run headless; see `RunOptions`."""
    timeout = click.option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        help="Seconds one cell may take; any when not given.",
    )
    decorated: F = kernel_option(timeout(function))
    return decorated
