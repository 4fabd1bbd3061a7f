"""``jupyter investigation restore``: a notebook, or one of its cells, as it was."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.cli.versioned import investigation_of, notebook_argument, read_raw
from workspace_ext.foundation.errors import BadInput

if TYPE_CHECKING:
    from workspace_ext.client.broker import BrokerClient


@click.command(
    cls=Command,
    answer="{notebook, version}",
    example="""
    jupyter investigation restore incident.ipynb 12
    jupyter investigation restore incident.ipynb 12 --cell 3f2a81c0 --reason "that query was right"
    jupyter investigation restore incident.ipynb --from-journal
    """,
)
@notebook_argument
@click.argument("revision", metavar="[VERSION]", required=False, type=click.IntRange(min=1))
@store_option
@click.option("--cell", help="Only this cell; its uid as `blame` shows it.")
@click.option("--reason", default="", help="Why; kept with the new version.")
@click.option(
    "--from-journal",
    is_flag=True,
    help="Bring back every cell that was ever saved or run, after a notebook was cut or deleted.",
)
@pass_output
def command(
    output: Output,
    notebook: Path,
    revision: int | None,
    store: Path,
    *,
    cell: str | None,
    reason: str,
    from_journal: bool,
) -> None:
    """Bring NOTEBOOK back to VERSION. That is a new version: nothing is ever lost.

    A notebook that is open in JupyterLab changes there, before everybody's eyes.
    """
    from workspace_ext.cli.running import restore_through_server
    from workspace_ext.client.discovery import connect

    if (revision is None) != from_journal:
        raise BadInput(
            "give a version, or --from-journal",
            hint="`jupyter investigation history NOTEBOOK` shows the versions",
        )
    with connect(store) as client:
        uid = investigation_of(client, notebook, store)
        before = client.version(uid)["version"]["revision"]
        wish = {"revision": revision, "cell": cell, "reason": reason, "uid": uid}
        if not restore_through_server(notebook, wish):
            _restore_file(client, uid, notebook, revision, cell=cell, reason=reason)
        newest = client.version(uid)["version"]
    now = newest["revision"]
    came = "is restored; it is" if now != before else "is as it was saved last:"
    output.show(
        {"notebook": str(notebook), "version": newest},
        f"{plain(notebook)} {came} version {now}.",
    )


def _restore_file(
    client: BrokerClient,
    uid: str,
    path: Path,
    revision: int | None,
    *,
    cell: str | None,
    reason: str,
) -> None:
    from workspace_ext.foundation.actor import system_user
    from workspace_ext.inquiry.headless.notebook import write_notebook
    from workspace_ext.inquiry.headless.versions import keep, keep_as_found
    from workspace_ext.inquiry.metadata.notebook import apply_projection
    from workspace_ext.inquiry.versions.restoring import reason_of, restored

    before = (
        client.recovered(uid) if revision is None else client.version(uid, revision)["notebook"]
    )
    now = read_raw(path)
    if now is None:
        _set_aside(path)
    else:
        keep_as_found(client, uid, path, now)
    content = restored(now, before, cell)
    apply_projection(content, client.projection(uid))
    write_notebook(path, _node(content))
    keep(client, uid, path, content, system_user(), reason=reason_of(revision, cell, reason))


def _node(content: dict[str, Any]) -> Any:
    import nbformat

    return nbformat.from_dict(content)  # type: ignore[no-untyped-call]


def _set_aside(path: Path) -> None:
    """A file that is no notebook any more may still hold what somebody needs."""
    from workspace_ext.foundation.errors import Unavailable

    try:
        if path.is_file() and path.stat().st_size:
            path.replace(path.with_name(f"{path.name}.damaged"))
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be set aside: {error.strerror}", hint="move it away by hand"
        ) from error
