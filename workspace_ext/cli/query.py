"""``jupyter investigation query``: one question from the shell."""

from __future__ import annotations

import csv
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, counted, json_text, plain
from workspace_ext.foundation.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.protocol.messages import Answer, QueryRequest


_FORMS = ("json", "csv", "parquet")
_WIDEST, _AROUND = 40, 3
"""In characters: a column that is wider may wrap; what a table draws around each."""


@click.command(
    cls=Command,
    answer="{answer: {query, title, params, pin, rows, verdict, …}, rows?, file?}",
    example="""
    jupyter investigation query triage.overview -p window=2023-01-29T09:00:00Z/2023-01-29T09:10:00Z
    jupyter investigation query --sql "SELECT service, count(*) FROM spans GROUP BY ALL"
    """,
)
@store_option
@click.argument("template", required=False)
@click.option(
    "-p",
    "--param",
    "params",
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter; JSON is read as such, all else is text.",
)
@click.option("--sql", help="Free SQL over spans, logs, metrics, events, services; $name is bound.")
@click.option(
    "--pin", type=click.IntRange(min=0), help="Read batches up to this one; default: all there are."
)
@click.option(
    "--output",
    "form",
    type=click.Choice(["table", *_FORMS]),
    help="The form of the rows; Parquet needs --file.  [default: a table; in a file, as its name"
    " ends, else CSV]",
)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows here, as JSON, CSV or Parquet, instead of printing them.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Most rows of a printed table.",
)
@pass_output
def command(
    output: Output,
    *,
    store: Path,
    template: str | None,
    params: tuple[str, ...],
    sql: str | None,
    pin: int | None,
    form: str | None,
    file: Path | None,
    limit: int,
) -> None:
    """Run a TEMPLATE, or free SQL, and print its rows and its verdict.

    With --json (or --output json) rows and answer are one document; with --file the rows are in
    the file alone.
    """
    from workspace_ext.cli.writing import require_writable
    from workspace_ext.client.discovery import connect
    from workspace_ext.protocol.assignments import read_assignments

    if (template is None) == (sql is None):
        raise BadInput(
            "give either a template or --sql",
            hint="`jupyter investigation templates list` shows the templates",
        )
    if form == "parquet" and file is None:
        raise BadInput("Parquet cannot be printed", hint="name a file with --file")
    kept = None if file is None else _form_of(file, form)
    if file is not None:
        require_writable(file)
    request: QueryRequest = {"params": read_assignments(params, option="-p")}
    if template is not None:
        request["template"] = template
    if sql is not None:
        request["sql"] = sql
    if pin is not None:
        request["pin"] = pin
    with connect(store) as client:
        result = client.query(request)
    if file is None or kept is None:
        form = "json" if output.as_json else form
        _print(output, result.table, result.answer, form=form, limit=limit)
        return
    _write(result.table, kept, file)
    written = f"{counted(result.table.num_rows, 'row')} written to {plain(file)}"
    output.show({"answer": result.answer, "file": str(file)}, written)


def _form_of(file: Path, form: str | None) -> str:
    """How rows are written: as asked, else as the file's name ends, else as CSV."""
    wanted = (form, file.suffix.removeprefix("."))
    return next((each for each in wanted if each in _FORMS), "csv")


def _write(table: pa.Table, form: str, file: Path) -> None:
    from workspace_ext.cli.writing import whole_file

    with whole_file(file) as target:
        if form == "parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, target, compression="zstd")
            return
        text = TextIOWrapper(target, "utf-8", newline="")
        if form == "csv":
            _csv(table, text)
        else:
            text.write(json_text(table.to_pylist()))
        text.detach()


def _csv(table: pa.Table, target: TextIO) -> None:
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(table.column_names)
    for batch in table.to_batches():
        writer.writerows(zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _print(
    output: Output, table: pa.Table, answer: Answer, *, form: str | None, limit: int
) -> None:
    if form == "csv":
        _csv(table, sys.stdout)
        return
    if form == "json":
        output.as_json = True
        output.show({"answer": answer, "rows": table.to_pylist()})
        return
    verdict = answer["verdict"]
    words = {True: "[bold yellow]interesting[/]", False: "not interesting", None: "no verdict"}
    said = [f"[yellow]warning:[/] {plain(warning)}" for warning in verdict["warnings"]]
    if answer["template"] is not None:  # nobody judges free SQL
        said.insert(0, f"{words[verdict['interesting']]}: {plain(verdict['reason'])}")
    shown, left_out = _rows(table.slice(0, limit), output.console().width)
    more = f" · {counted(left_out, 'more column')}: --output csv shows all" if left_out else ""
    output.show(
        None,
        f"[bold]{plain(answer['title'])}[/]",
        *([shown] if table.num_rows else []),
        *said,
        f"[dim]{counted(answer['rows'], 'row')} · data up to batch {answer['pin']} ·"
        f" {answer['elapsed_ms']} ms{more}[/]",
    )


def _rows(table: pa.Table, width: int) -> tuple[Any, int]:
    """The table with as many columns as can be read in ``width``, and how many are left out."""
    from rich.table import Table

    columns = [[_text(value) for value in column.to_pylist()] for column in table.columns]
    kept, room = 0, width - 1
    for name, values in zip(table.column_names, columns, strict=True):
        room -= min(max(len(text) for text in (name, *values)), _WIDEST) + _AROUND
        if room < 0 and kept:
            break
        kept += 1
    shown = Table()
    for name in table.column_names[:kept]:
        shown.add_column(plain(name))
    for row in zip(*columns[:kept], strict=True):
        shown.add_row(*[plain(text) for text in row])
    return shown, len(columns) - kept


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
