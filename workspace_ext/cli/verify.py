"""``jupyter investigation verify``: an archive, or a store's ledger."""

from __future__ import annotations

from pathlib import Path

import click

from workspace_ext.cli.options import Command, exit_codes, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.foundation.errors import BadInput


@click.command(
    cls=Command,
    answer="{ok, problems}",
    example="""
    jupyter investigation verify checkout.investigation.zip
    jupyter investigation verify --store .investigation
    """,
    epilog=exit_codes("nothing was changed", "something was"),
)
@click.argument("archive", required=False, type=click.Path(path_type=Path))
@store_option
@click.option(
    "--key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The public key (PEM or OpenSSH) of who should have signed ARCHIVE.",
)
@pass_output
def command(output: Output, archive: Path | None, store: Path, key: Path | None) -> int:
    """Check ARCHIVE for changes; without it, the ledger of a store. Names what was changed.

    ARCHIVE is the file, or the folder that it was extracted to.
    """
    if archive is None and key is not None:
        raise BadInput(
            "--key is for an archive: the ledger of a store is not signed",
            hint="name the archive, as in verify ARCHIVE --key key.pub",
            code="usage",
        )
    with output.working("Verifying"):
        what, problems = _archive(archive, key) if archive is not None else _store(store)
    lines = [f"[red]changed:[/] {plain(problem)}" for problem in problems]
    verdict = "[red]changed[/]" if problems else "[green]nothing was changed[/]"
    output.show({"ok": not problems, "problems": problems}, *lines, f"{plain(what)}: {verdict}")
    return 1 if problems else 0


def _archive(path: Path, key: Path | None) -> tuple[str, list[str]]:
    from workspace_ext.inquiry.archive.reader import Archive

    with Archive(path) as archive:
        parts = len(archive.manifest.files)
        signature, good = archive.signature(None if key is None else key.read_bytes())
        problems = archive.verify() + ([f"signature: {signature}"] if good is False else [])
        return f"{path} ({parts} parts, signature: {signature})", problems


def _store(store: Path) -> tuple[str, list[str]]:
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        report = client.verify()
    problems = [
        f"{found['stream']}, entry {found['seq']}: {found['what']}" for found in report["problems"]
    ]
    return f"ledger of {store} ({report['entries']} entries)", problems
