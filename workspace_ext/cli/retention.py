"""``jupyter investigation retention``: what goes when data is too old or too much."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.foundation.errors import BadInput

if TYPE_CHECKING:
    from rich.table import Table


@click.command(
    cls=Command,
    answer=(
        "{policy, applied_at, last} or {policy, upto_batch, reason, rows, pieces, spared, "
        "quarantined, used_bytes, freed_bytes, run}"
    ),
    example="""
    jupyter investigation retention --older-than 30d --larger-than 50GB --dry-run
    jupyter investigation retention --older-than 30d --every-hour
    jupyter investigation retention
    """,
)
@store_option
@click.option("--older-than", metavar="AGE", help="As in 30d, 12h, 4w: since the data came.")
@click.option("--larger-than", metavar="SIZE", help="As in 50GB: the oldest goes until it fits.")
@click.option(
    "--even-unarchived",
    is_flag=True,
    help="Spare open investigations only, not concluded ones without an archive.",
)
@click.option("--dry-run", is_flag=True, help="Show what would go, and remove nothing.")
@click.option("--every-hour", is_flag=True, help="Keep it: the broker does this by itself.")
@click.option("--off", is_flag=True, help="The broker removes nothing by itself any more.")
@pass_output
def command(
    output: Output,
    store: Path,
    *,
    older_than: str | None,
    larger_than: str | None,
    even_unarchived: bool,
    dry_run: bool,
    every_hour: bool,
    off: bool,
) -> None:
    """Remove the oldest data; without options, show what the broker does by itself.

    Spared is what open investigations need (their window, their baseline, what their queries read,
    up to their pin), and concluded ones until they are archived. The room of what went is used for
    new data: the file does not grow, and seldom shrinks.
    """
    from workspace_ext.client.discovery import connect

    policy = {"older_than": older_than, "larger_than": larger_than}
    given = {name: value for name, value in policy.items() if value is not None}
    _check(
        given,
        even_unarchived=even_unarchived,
        dry_run=dry_run,
        every_hour=every_hour,
        off=off,
    )
    if even_unarchived:
        given["even_unarchived"] = True  # type: ignore[assignment] # a switch among texts
    with connect(store) as client:
        if off or every_hour:
            _show_policy(output, client.keep_policy(None if off else given))
        elif given:
            with output.working("Planning" if dry_run else "Removing"):
                done = client.retain(given, dry_run=dry_run)
            _show_plan(output, done, dry_run=dry_run)
        else:
            _show_policy(output, client.retention())


def _check(
    given: dict[str, str], *, even_unarchived: bool, dry_run: bool, every_hour: bool, off: bool
) -> None:
    if off and (given or dry_run or every_hour or even_unarchived):
        raise BadInput("--off stands alone", hint="leave the other options out", code="usage")
    if dry_run and every_hour:
        raise BadInput(
            "--dry-run and --every-hour contradict each other",
            hint="look with --dry-run first",
            code="usage",
        )
    if not given and (dry_run or every_hour or even_unarchived):
        raise BadInput(
            "nothing says what may go",
            hint="give --older-than 30d or --larger-than 50GB",
            code="bad_retention",
        )


def _show_policy(output: Output, described: dict[str, Any]) -> None:
    policy, last = described["policy"], described["last"]
    if policy is None:
        lines = ["The broker removes nothing by itself."]
    else:
        said = [f"older than {policy['older_than']}"] if policy["older_than"] else []
        said += [f"beyond {policy['larger_than']}"] if policy["larger_than"] else []
        applied = described["applied_at"] or "not yet"
        lines = [f"Every hour the broker removes data {' and '.join(said)} (last: {applied})."]
    if last is not None:
        rows = ", ".join(f"{of['rows']} {signal}" for signal, of in last["removed"].items())
        lines.append(f"Last removed: {rows} by {plain(last['actor'])}: {plain(last['reason'])}.")
    output.show(described, *lines)


def _show_plan(output: Output, plan: dict[str, Any], *, dry_run: bool) -> None:
    if not plan["rows"]:
        shown: list[Any] = [f"Nothing goes: {_why_not(plan)}."]
    else:
        verb = "Would go" if dry_run else "Removed"
        size = f"about {plan['freed_bytes'] / 1e6:.0f} of {plan['used_bytes'] / 1e6:.0f} MB"
        shown = [f"{verb}, {size}: {plain(plan['reason'])}", _table(plan)]
    if plan["spared"]:
        shown.append(_spared(plan))
    output.show(plan, *shown)


def _why_not(plan: dict[str, Any]) -> str:
    return "all of it is spared" if plan["spared"] else str(plan["reason"])


def _table(plan: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("signal", "from", "up to", "rows", "in batches")
    for piece in plan["pieces"]:
        batches = f"{piece['from_batch']}-{piece['upto_batch']}"
        table.add_row(piece["signal"], piece["from"], piece["upto"], f"{piece['rows']:,}", batches)
    return table


def _spared(plan: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table("spared for", "signal", "rows")
    for each in plan["spared"]:
        table.add_row(plain(each["why"]), each["signal"], f"{each['rows']:,}")
    return table
