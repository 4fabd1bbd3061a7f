"""``jupyter investigation review``: send to review, approve, send back, archive, status."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workspace_ext.cli.options import Command, exit_codes, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.cli.versioned import investigation_of, notebook_argument, when, who
from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.hints import did_you_mean

if TYPE_CHECKING:
    from workspace_ext.protocol.reviews import Review

ACTIONS = ("request", "approve", "changes", "archive", "status")


@click.command(
    cls=Command,
    answer=(
        "{investigation, state, label, actions, lapse, revision, digest, authors, steps, "
        "threads, templates, scripts}"
    ),
    example="""
    jupyter investigation review incident.ipynb request
    jupyter investigation review incident.ipynb changes --reason "compare with last week"
    jupyter investigation review incident.ipynb status
    """,
    epilog=exit_codes("good", "status: not approved, or the approval lapsed"),
)
@notebook_argument
@click.argument("action", metavar=f"[{'|'.join(ACTIONS)}]", default="status")
@store_option
@click.option("--reason", default="", help="Why; needed to request changes.")
@pass_output
def command(output: Output, notebook: Path, action: str, store: Path, reason: str) -> int:
    """Review NOTEBOOK's investigation: send it to review, approve it, request changes, archive it.

    Without more it shows the status. Nobody reviews what they ran, edited or reported. An approval
    binds to the version that is newest now, and lapses with the next change.
    """
    from workspace_ext.client.discovery import connect

    if action not in ACTIONS:
        raise BadInput(
            f"a review knows no {action!r}",
            hint=did_you_mean(action, ACTIONS),
            code="unknown_action",
        )
    with connect(store) as client:
        uid = investigation_of(client, notebook, store)
        if action == "status":
            review = client.review(uid)
        else:
            review = client.act_on_review(uid, action, reason=reason)
    output.show(review, *_lines(review))
    good = review["state"] in ("approved", "archived") and review["lapse"] is None
    return 0 if good or action != "status" else 1


def _lines(review: Review) -> Iterator[str]:
    yield f"[bold]{plain(review['label'])}[/]"
    for step in review["steps"]:
        why = f": {step['reason']}" if step["reason"] else ""
        on = f"version {step['revision']}" if step["revision"] else "nothing saved"
        told = f"{when(step['at'])}  {step['action']}  {who([step['by']])}  ({on}){why}"
        yield f"  {plain(told)}"
    unsettled = sum(thread["resolved_by"] is None for thread in review["threads"].values())
    if unsettled:
        yield f"  {unsettled} open {'thread' if unsettled == 1 else 'threads'} of comments"
    yield f"  [dim]authors: {plain(who(review['authors']))}[/]"
    yield f"  [dim]next: {', '.join(review['actions'])}[/]"
