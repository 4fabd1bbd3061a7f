"""``jupyter investigation comment``: say something on a cell or a hypothesis."""

from __future__ import annotations

from pathlib import Path

import click

from workspace_ext.cli.comments import thread_lines, whole_id
from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output
from workspace_ext.cli.versioned import investigation_of, notebook_argument


@click.command(
    cls=Command,
    answer="{id, cell, hypothesis, comments: [{id, text, by, at}], resolved_by, resolved_at}",
    example="""
    jupyter investigation comment incident.ipynb --cell 3f2a81c0 "why this baseline?"
    jupyter investigation comment incident.ipynb --reply 9ab0 "the day before was a holiday"
    """,
)
@notebook_argument
@click.argument("text")
@store_option
@click.option("--cell", metavar="UID", help="On this cell; UID as `blame` shows it.")
@click.option("--hypothesis", metavar="ID", help="On this hypothesis.")
@click.option("--reply", metavar="THREAD", help="In this thread; its id or its beginning.")
@pass_output
def command(
    output: Output,
    notebook: Path,
    text: str,
    store: Path,
    cell: str | None,
    hypothesis: str | None,
    reply: str | None,
) -> None:
    """Say TEXT on a cell or a hypothesis of NOTEBOOK, or answer in a thread."""
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        uid = investigation_of(client, notebook, store)
        thread = whole_id(reply, client.review(uid)["threads"]) if reply is not None else None
        made = client.comment(uid, text, cell=cell, hypothesis=hypothesis, thread=thread)
        claims = {key: found["text"] for key, found in client.state(uid)["hypotheses"].items()}
    output.show(made, *thread_lines(made, claims))
