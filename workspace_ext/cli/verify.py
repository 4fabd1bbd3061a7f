"""``jupyter investigation verify``: an archive, or a store's ledger."""

from __future__ import annotations

from pathlib import Path

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output


@click.command(
    cls=Command,
    example="""
    jupyter investigation verify checkout.investigation.zip
    jupyter investigation verify --store .investigation
    """,
    epilog="Exit codes: 0 nothing was changed, 1 something was, 2 wrong use, 3 environment.",
)
@click.argument("archive", required=False, type=click.Path(path_type=Path))
@store_option
@pass_output
def command(output: Output, archive: Path | None, store: Path) -> int:
    """Check ARCHIVE for changes; without it, the ledger of a store. Names what was changed."""
    if archive is not None:
        what, problems = _archive(archive)
    else:
        what, problems = _store(store)
    lines = [f"[red]changed:[/] {_escaped(problem)}" for problem in problems]
    verdict = "[red]changed[/]" if problems else "[green]nothing was changed[/]"
    output.show({"ok": not problems, "problems": problems}, *lines, f"{_escaped(what)}: {verdict}")
    return 1 if problems else 0


def _archive(path: Path) -> tuple[str, list[str]]:
    from workspace_ext.inquiry.archive.reader import Archive

    with Archive(path) as archive:
        parts = len(archive.manifest.files)
        return f"{path}: {parts} parts, {archive.manifest.seq} entries", archive.verify()


def _store(store: Path) -> tuple[str, list[str]]:
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        report = client.verify()
    problems = [
        f"{found['stream']}, entry {found['seq']}: {found['what']}" for found in report["problems"]
    ]
    return f"ledger of {store}: {report['entries']} entries", problems


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
