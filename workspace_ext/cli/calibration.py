"""``jupyter investigation calibration``: how well stated confidence holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output

if TYPE_CHECKING:
    from rich.table import Table

    from workspace_ext.inquiry.investigations.calibration import Calibration


@click.command(
    cls=Command,
    answer="{n, open, brier, base_rate, says, bins: [{low, high, n, stated, right}]}",
    example="""
    jupyter investigation calibration --store .investigation
    jupyter investigation calibration --record UID --wrong --because "it came back next day"
    """,
)
@store_option
@click.option(
    "--record",
    "uid",
    metavar="UID",
    help="First record how this investigation's conclusion turned out; `hypotheses` shows UIDs.",
)
@click.option("--right/--wrong", "correct", default=None, help="Whether it was right or wrong.")
@click.option("--because", default="", help="How that is known; needed with --record.")
@pass_output
def command(
    output: Output, store: Path, uid: str | None, *, correct: bool | None, because: str
) -> None:
    """Hold the confidence of all conclusions against how they turned out.

    Prints the Brier score (0 is best; always saying 50 % scores 0.25) and, for each range of
    confidence, how often it was right. In a notebook, `investigation.outcome(correct=…,
    because=…)` records how a conclusion turned out.
    """
    from workspace_ext.client.discovery import connect
    from workspace_ext.foundation.errors import BadInput
    from workspace_ext.inquiry.investigations.calibration import calibration

    if (uid is None) != (correct is None) or (because and uid is None):
        raise BadInput(
            "an outcome is of one investigation, and right or wrong",
            hint='as in --record UID --right --because "no alert since the fix"',
            code="usage",
        )
    with connect(store) as client:
        if uid is not None:
            from workspace_ext.foundation.actor import system_user
            from workspace_ext.protocol.events import event

            data = {"correct": bool(correct)}
            told = event("outcome.recorded", uid, data, actor=str(system_user()), rationale=because)
            client.report(uid, [told])
        found = calibration(client.investigations())  # type: ignore[arg-type]
    waiting = f"{found.open} {'conclusion' if found.open == 1 else 'conclusions'} without one"
    lines = [f"{found.says}; {waiting}" if found.n else f"No outcome is known yet; {waiting}."]
    if found.brier is not None and found.base_rate is not None:
        always = found.base_rate * (1 - found.base_rate)
        lines.append(
            f"Brier score {found.brier:.3f} (0 is best); {found.base_rate:.0%} were right, and"
            f" saying that each time would score {always:.3f}"
        )
        output.show(found.to_dict(), *lines, _table(found))
    else:
        output.show(found.to_dict(), *lines)


def _table(found: Calibration) -> Table:
    from rich.table import Table

    table = Table("confidence", "n", "stated", "right", box=None)
    for each in found.bins:
        stated = f"{each.stated:.0f} %" if each.stated is not None else "-"
        right = f"{each.right:.0f} %" if each.right is not None else "-"
        table.add_row(f"{each.low} to {each.high} %", str(each.n), stated, right)
    return table
