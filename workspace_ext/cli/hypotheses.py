"""``jupyter investigation hypotheses``: what was believed, in all investigations of a store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.cli.versioned import when, who

if TYPE_CHECKING:
    from workspace_ext.protocol.hypotheses import HypothesisSummary


@click.command(
    cls=Command,
    answer=(
        "{hypotheses: [{id, text, prediction, state, why, evidence, investigation, title, "
        "by, at, …}]}"
    ),
    example="""
    jupyter investigation hypotheses --state refuted pool
    jupyter investigation hypotheses --store .investigation --json
    """,
)
@click.argument("text", nargs=-1)
@click.option("--state", help="Only those that are proposed, supported, refuted, root_cause …")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000),
              help="Most of them.")  # fmt: skip
@store_option
@pass_output
def command(
    output: Output, text: tuple[str, ...], state: str | None, limit: int, store: Path
) -> None:
    """Search the hypotheses of all investigations, refuted ones as well, newest first.

    Every word of TEXT must occur in claim, prediction or reason.
    """
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        found = client.hypotheses(" ".join(text), state=state, limit=limit)
    lines = [line for each in found for line in _lines(each)]
    output.show({"hypotheses": found}, *(lines or ["No such hypothesis."]))


def _lines(found: HypothesisSummary) -> Iterator[str]:
    state = found["state"].replace("_", " ")
    yield f"[bold]{state}[/]: {plain(found['text'])}"
    late = " (written after a test began)" if found["prediction_late"] else ""
    told = [
        ("predicts" + late, found["prediction"]),
        ("why", found["why"]),
        ("despite its tests", found["override"]),
        ("evidence", ", ".join(found["evidence"])),
    ]
    yield from (f"  {name}: {plain(value)}" for name, value in told if value)
    by = f"{who([found['by']])}, {when(found['at'])} UTC"
    where = f"{found['title']} ({found['investigation']}), {by}"
    yield f"  [dim]{plain(where)}[/]"
