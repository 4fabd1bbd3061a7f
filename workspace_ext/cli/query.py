"""``jupyter investigation query``: one question from the shell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workspace_ext.cli.options import Command, pass_output, store_option
from workspace_ext.cli.output import Output, counted
from workspace_ext.foundation.errors import BadInput

if TYPE_CHECKING:
    import pyarrow as pa

    from workspace_ext.protocol.messages import Answer, QueryRequest


_WIDEST, _AROUND = 40, 3
"""In characters: a column that is wider may wrap; what a table draws around each."""


@click.command(
    cls=Command,
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
    type=click.Choice(["table", "json", "csv", "parquet"]),
    default="table",
    show_default=True,
    help="How to print the rows; Parquet needs --file.",
)
@click.option("--file", type=click.Path(dir_okay=False, path_type=Path), help="Write rows here.")
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
    form: str,
    file: Path | None,
    limit: int,
) -> None:
    """Run a TEMPLATE, or free SQL, and print its rows and its verdict.

    With --json (or --output json) rows and answer are one document.
    """
    from workspace_ext.client.discovery import connect
    from workspace_ext.protocol.assignments import read_assignments

    if (template is None) == (sql is None):
        raise BadInput(
            "give either a template or --sql",
            hint="`jupyter investigation templates list` shows the templates",
        )
    if form == "parquet" and file is None:
        raise BadInput("Parquet cannot be printed", hint="name a file with --file")
    request: QueryRequest = {"params": read_assignments(params, option="-p")}
    if template is not None:
        request["template"] = template
    if sql is not None:
        request["sql"] = sql
    if pin is not None:
        request["pin"] = pin
    with connect(store) as client:
        result = client.query(request)
    if output.as_json:
        form = "json"
    if file is not None:
        _write(result.table, form, file)
        output.note(f"{counted(result.table.num_rows, 'row')} written to {file}")
        if form != "json":
            return
    _print(output, result.table, result.answer, form=form, limit=limit)


def _write(table: pa.Table, form: str, file: Path) -> None:
    from workspace_ext.cli.writing import whole_file

    with whole_file(file) as target:
        if form == "parquet":
            import pyarrow.parquet as pq

            pq.write_table(table, target, compression="zstd")
        elif form == "json":
            table.to_pandas().to_json(target, orient="records", date_format="iso")
        else:
            table.to_pandas().to_csv(target, index=False)


def _print(output: Output, table: pa.Table, answer: Answer, *, form: str, limit: int) -> None:
    if form == "csv":
        table.to_pandas().to_csv(sys.stdout, index=False)
        return
    if form == "json":
        output.as_json = True
        output.show({"answer": answer, "rows": table.to_pylist()})
        return
    from rich.markup import escape

    verdict = answer["verdict"]
    words = {True: "[bold yellow]interesting[/]", False: "not interesting", None: "no verdict"}
    said = [f"[yellow]warning:[/] {escape(warning)}" for warning in verdict["warnings"]]
    if answer["template"] is not None:  # nobody judges free SQL
        said.insert(0, f"{words[verdict['interesting']]}: {escape(verdict['reason'])}")
    shown, left_out = _rows(table.slice(0, limit), output.console().width)
    more = f" · {counted(left_out, 'more column')}: --output csv shows all" if left_out else ""
    output.show(
        None,
        f"[bold]{escape(answer['title'])}[/]",
        *([shown] if table.num_rows else []),
        *said,
        f"[dim]{counted(answer['rows'], 'row')} · data up to batch {answer['pin']} ·"
        f" {answer['elapsed_ms']} ms{more}[/]",
    )


def _rows(table: pa.Table, width: int) -> tuple[Any, int]:
    """The table with as many columns as can be read in ``width``, and how many are left out."""
    from rich.markup import escape
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
        shown.add_column(escape(name))
    for row in zip(*columns[:kept], strict=True):
        shown.add_row(*[escape(text) for text in row])
    return shown, len(columns) - kept


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
