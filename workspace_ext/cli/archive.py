"""``jupyter investigation archive``: an investigation as one file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, cast

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, plain
from workspace_ext.foundation.errors import BadInput

if TYPE_CHECKING:
    from workspace_ext.client.broker import BrokerClient
    from workspace_ext.inquiry.archive.signing import Signer
    from workspace_ext.protocol.archives import ArchiveWishes

SUFFIX = ".investigation.zip"


@click.command(
    cls=Command,
    answer="{archive, bytes, missing, capped, redacted, signed, …}",
    example="""
    jupyter investigation archive checkout.ipynb --store .investigation -o checkout.zip
    jupyter investigation archive checkout.ipynb --redact policy.yaml --redact-report
    jupyter investigation archive checkout.ipynb --sign key.pem
    """,
)
@click.argument("notebook", type=click.Path(path_type=Path))
@store_option
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"The file to write.  [default: NOTEBOOK with {SUFFIX}]",
)
@click.option(
    "--max-slice-rows",
    type=click.IntRange(0),
    help="Take at most so many rows of a table; when not given, more than 5,000,000 are refused.",
)
@click.option(
    "--max-slice-mb",
    type=click.IntRange(0),
    help="Take at most so much of a table; when not given, more than 500 MB are refused.",
)
@click.option(
    "--redact",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A policy (YAML) of what to take out, beside the store's redaction.yaml.",
)
@click.option("--redact-report", is_flag=True, help="Say in which files what was taken out.")
@click.option(
    "--sign",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An Ed25519 private key (PEM or OpenSSH) to sign with.",
)
@pass_output
def command(
    output: Output,
    notebook: Path,
    *,
    store: Path,
    target: Path | None,
    max_slice_rows: int | None,
    max_slice_mb: int | None,
    redact: Path | None,
    sign: Path | None,
    redact_report: bool,
) -> None:
    """Freeze the investigation of NOTEBOOK: notebook, ledger, data read, results, templates.

    Secrets and personal data are taken out before anything leaves. A table of which the queries
    read very much is refused; --max-slice-rows or --max-slice-mb take its oldest part.
    """
    from workspace_ext.client.discovery import connect
    from workspace_ext.inquiry.archive.signing import Signer

    signer = Signer(sign) if sign else None
    content = read_investigation(notebook)
    asked = {"max_slice_rows": max_slice_rows, "max_slice_mb": max_slice_mb}
    wishes = cast("ArchiveWishes", {key: each for key, each in asked.items() if each is not None})
    if redact is not None:
        from workspace_ext.inquiry.redaction.policy import read_policy

        wishes["redact"] = dict(read_policy(redact))
    target = target or notebook.with_suffix(SUFFIX)
    with connect(store) as client, output.working("Freezing"):
        written = freeze(client, content, target, wishes=wishes, signer=signer)
    told = _told(written)
    size = told["bytes"]
    for note in _notes(told):
        output.note(note)
    output.show(
        told,
        *(_report(told["redacted"]) if redact_report else ()),
        f"{plain(written)} ({size / 1000:,.0f} kB)",
        f"Check it anywhere: jupyter investigation replay {plain(quote(str(written)))}",
    )


def _told(written: Path) -> dict[str, Any]:
    """What is to be said of an archive."""
    from workspace_ext.inquiry.archive.container import REDACTION
    from workspace_ext.inquiry.archive.reader import Archive

    with Archive(written) as archive:
        redaction = archive.read_json(REDACTION)
        return {
            "archive": str(written),
            "bytes": written.stat().st_size,
            "missing": archive.manifest.missing,
            "capped": archive.manifest.capped,
            "redacted": {name: redaction[name] for name in ("rules", "files", "not_looked_into")},
            "signed": archive.signature()[1] is True,
        }


def _notes(told: Mapping[str, Any]) -> Iterator[str]:
    for path, why in told["missing"].items():
        yield f"not in it: {path} ({why}); cells that need it cannot be replayed"
    for path, cut in told["capped"].items():
        yield f"cut off: {path} has {cut['rows']:,} of {cut['of']:,} rows, up to {cut['until']}"
    rules = told["redacted"]["rules"]
    if rules:
        counts = ", ".join(f"{rule} {found['places']:,}" for rule, found in rules.items())
        yield f"taken out: {counts}; --redact-report tells where"
    for path, count in told["redacted"]["not_looked_into"].items():
        yield f"not looked into for secrets: {count} pictures and files in {path}"


def _report(redacted: Mapping[str, Any]) -> list[Any]:
    from rich.table import Table

    table = Table("file", "rule", "places", title="What was taken out")
    for file, rules in redacted["files"].items():
        for rule, places in rules.items():
            table.add_row(plain(file), plain(rule), f"{places:,}")
    return [table] if redacted["files"] else ["Nothing was taken out."]


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


def freeze(
    client: BrokerClient,
    content: Any,
    target: Path,
    *,
    wishes: ArchiveWishes | None = None,
    signer: Signer | None = None,
) -> Path:
    """Writes the archive of an investigation; the file is whole or not there.

    Args:
        client: The broker of its store.
        content: Its notebook, as `read_investigation` gives it.
        target: The file.
        wishes: How large its slices may be, and what else to redact.
        signer: Who signs it; nobody when None.

    Raises:
        NotFound: The investigation is in another store.
        BadInput: A slice is too large, or the policy is wrong.
        Unavailable: The file cannot be written.
    """
    import shutil
    from tempfile import TemporaryDirectory

    from workspace_ext.cli.writing import whole_file
    from workspace_ext.foundation.actor import system_user
    from workspace_ext.inquiry.metadata.notebook import read_uid

    uid = read_uid(content)
    assert uid is not None
    with whole_file(target) as file, TemporaryDirectory() as folder:
        unsigned = Path(folder) / "archive.zip"
        with unsigned.open("wb") as made:
            client.archive(uid, content, made, actor=str(system_user()), wishes=wishes)
        if signer is not None:
            signer.sign(unsigned)
        with unsigned.open("rb") as made:
            shutil.copyfileobj(made, file)
    return target
