"""``jupyter investigation comments``: what people said on cells and hypotheses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.cli.versioned import investigation_of, notebook_argument, when, who
from workspace_ext.foundation.errors import BadInput

if TYPE_CHECKING:
    from workspace_ext.protocol.reviews import Thread


@click.command(
    cls=Command,
    answer=(
        "{threads: [{id, cell, hypothesis, comments: [{id, text, by, at}], resolved_by, "
        "resolved_at}]}"
    ),
    example="""
    jupyter investigation comments incident.ipynb
    jupyter investigation comments incident.ipynb --resolve 3f2a81c0
    """,
)
@notebook_argument
@store_option
@click.option("--open", "unsettled", is_flag=True, help="Only threads that are not resolved.")
@click.option("--resolve", metavar="THREAD", help="Mark this thread as resolved.")
@click.option("--reopen", metavar="THREAD", help="Open this thread again.")
@pass_output
def command(
    output: Output,
    notebook: Path,
    store: Path,
    *,
    unsettled: bool,
    resolve: str | None,
    reopen: str | None,
) -> None:
    """List the threads of comments on NOTEBOOK's cells and hypotheses; resolve one, reopen one.

    THREAD is an id as shown, or its first characters.
    """
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        uid = investigation_of(client, notebook, store)
        review = client.review(uid)
        for named, resolved in ((resolve, True), (reopen, False)):
            if named is not None:
                key = whole_id(named, review["threads"])
                review["threads"][key] = client.settle(uid, key, resolved=resolved)
        claims = {key: found["text"] for key, found in client.state(uid)["hypotheses"].items()}
    found = [
        thread
        for thread in review["threads"].values()
        if not (unsettled and thread["resolved_by"] is not None)
    ]
    lines = [line for thread in found for line in thread_lines(thread, claims)]
    output.show({"threads": found}, *(lines or ["No comments."]))


def whole_id(named: str, threads: dict[str, Thread]) -> str:
    """A thread's id from its first characters; one that is none goes to the broker as it is.

    Raises:
        BadInput: Several threads begin so.
    """
    found = [key for key in threads if key.startswith(named)]
    if named in threads or not found:
        return named
    if len(found) > 1:
        raise BadInput(f"{len(found)} threads begin with {named}", hint="give more of its id")
    return found[0]


def thread_lines(thread: Thread, claims: dict[str, str]) -> Iterator[str]:
    """A thread as people read it."""
    on = f"cell {thread['cell']}"
    if thread["hypothesis"] is not None:
        on = f"hypothesis: {claims.get(thread['hypothesis'], thread['hypothesis'])}"
    done = f" [green](resolved by {plain(who([thread['resolved_by']]))})[/]" if (
        thread["resolved_by"]
    ) else ""  # fmt: skip
    yield f"[bold]{plain(on)}[/]{done} [dim]{plain(thread['id'][:8])}[/]"
    for comment in thread["comments"]:
        said = f"{when(comment['at'])}  {who([comment['by']])}: {comment['text']}"
        yield f"  {plain(said)}"
