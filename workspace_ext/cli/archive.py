"""``jupyter investigation archive``: an investigation as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output
from workspace_ext.foundation.errors import BadInput

if TYPE_CHECKING:
    from workspace_ext.client.broker import BrokerClient

SUFFIX = ".investigation.zip"


@click.command(
    cls=Command,
    example="jupyter investigation archive checkout.ipynb --store .investigation -o checkout.zip",
)
@click.argument("notebook", type=click.Path(path_type=Path))
@store_option
@click.option(
    "-o",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"The file to write.  [default: NOTEBOOK with {SUFFIX}]",
)
@pass_output
def command(output: Output, notebook: Path, store: Path, target: Path | None) -> None:
    """Freeze the investigation of NOTEBOOK: notebook, ledger, data read, results, templates."""
    from rich.markup import escape

    from workspace_ext.client.discovery import connect
    from workspace_ext.inquiry.archive.reader import Archive

    content = read_investigation(notebook)
    with connect(store) as client:
        written = freeze(client, content, target or notebook.with_suffix(SUFFIX))
    with Archive(written) as archive:
        missing = archive.manifest.missing
    for path, why in missing.items():
        output.note(f"not in it: {path} ({why}); cells that need it cannot be replayed")
    size = written.stat().st_size
    output.show(
        {"archive": str(written), "bytes": size, "missing": missing},
        f"{escape(str(written))} ({size / 1000:,.0f} kB)",
        f"Check it anywhere: jupyter investigation replay {escape(str(written))}",
    )


def read_investigation(notebook: Path) -> Any:
    """The notebook of an investigation.

    Raises:
        NotFound: There is no such file.
        BadInput: It is no notebook, or no investigation.
    """
    from workspace_ext.inquiry.headless.notebook import read_notebook
    from workspace_ext.inquiry.metadata.notebook import read_uid

    content = read_notebook(notebook)
    if read_uid(content) is None:
        raise BadInput(
            f"{notebook} is not an investigation: it carries no `investigation` metadata",
            hint=f"run it first: jupyter investigation run {notebook}",
            code="no_investigation",
        )
    return content


def freeze(client: BrokerClient, content: Any, target: Path) -> Path:
    """Writes the archive of an investigation; the file is whole or not there.

    Args:
        client: The broker of its store.
        content: Its notebook, as `read_investigation` gives it.
        target: The file.

    Raises:
        NotFound: The investigation is in another store.
        Unavailable: The file cannot be written.
    """
    from workspace_ext.cli.writing import whole_file
    from workspace_ext.foundation.actor import system_user
    from workspace_ext.inquiry.metadata.notebook import read_uid

    uid = read_uid(content)
    assert uid is not None
    with whole_file(target) as file:
        client.archive(uid, content, file, actor=str(system_user()))
    return target
