"""``jupyter investigation catalog``: what is in a store, how good it is, where it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from workspace_ext.cli.options import Command, Group, pass_output, store_option
from workspace_ext.cli.output import Output, counted, plain


@click.group(cls=Group)
def command() -> None:
    """What is in a store, how good it is, and where it came from."""


@command.command(
    cls=Command,
    answer="{services: [{name, owner, tier, lifecycle, system, depends_on, catalogued, signals}]}",
    example="jupyter investigation catalog services",
)
@store_option
@pass_output
def services(output: Output, store: Path) -> None:
    """All services: owner, tier and lifecycle, and which signals each sends."""
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        found = client.services()
    rows = [
        [
            each["name"],
            each["owner"],
            each["tier"],
            each["lifecycle"],
            ", ".join(each["signals"]) or "none",
        ]
        for each in found
    ]
    shown = _table(["service", "owner", "tier", "lifecycle", "sends"], rows)
    output.show({"services": found}, shown if rows else "no service is known yet")


@command.command(
    cls=Command,
    answer=(
        "{batches: [{batch_id, name, format, digest, bytes, rows, committed_at, "
        "first_time, last_time, duplicates, quarantined, …}]}"
    ),
    example="jupyter investigation catalog batches --limit 20",
)
@store_option
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Only so many of the newest.",
)
@pass_output
def batches(output: Output, store: Path, limit: int) -> None:
    """The newest batches: source, adapter, times, and what became of their records."""
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        found = client.batches(limit=limit)
    shown = _table(
        ["batch", "source", "adapter", "committed", "in", "kept", "twice", "bad", "late"],
        [
            [
                each["batch_id"],
                each["name"],
                _adapter(each),
                _second(each["committed_at"]),
                each["records"],
                each["kept"],
                each["duplicates"],
                each["quarantined"],
                each["late"],
            ]
            for each in found
        ],
    )
    warned = [f"batch {each['batch_id']}: {text}" for each in found for text in each["warnings"]]
    output.show(
        {"batches": found},
        shown if found else "nothing was ingested yet",
        *[plain(line) for line in warned],
    )


@command.command(
    cls=Command,
    answer="{pin, at, window, signals, skew, sampling, cardinality, quarantined, warnings}",
    example="jupyter investigation catalog quality --service cart",
)
@store_option
@click.option("--service", help="Only this one.")
@click.option(
    "--window", metavar="START/END", help="When; default: the hour up to the newest record."
)
@click.option(
    "--pin",
    type=click.IntRange(min=0),
    help="Count batches up to this one; default: all there are.",
)
@pass_output
def quality(
    output: Output, store: Path, service: str | None, window: str | None, pin: int | None
) -> None:
    """How far the data of a window can be trusted, by signal and service."""
    from workspace_ext.client.discovery import connect
    from workspace_ext.client.quality import COLUMNS, quality_rows

    with connect(store) as client:
        found = client.quality(window, service=service, pin=pin)
    rows = quality_rows(found)
    span = found["window"]
    output.show(
        found,
        f"{span['start']} to {span['end']}, data up to batch {found['pin']}",
        _table(list(COLUMNS), rows) if rows else "nothing was ingested yet",
        *[f"[yellow]warning:[/] {plain(warning)}" for warning in found["warnings"]],
    )


@command.command(
    cls=Command,
    answer="{query, title, template, at, pin, rows, digest, reads, exact, says, sources, …}",
    example="jupyter investigation catalog lineage QUERY_ID",
)
@store_option
@click.argument("query")
@pass_output
def lineage(output: Output, store: Path, query: str) -> None:
    """Walk back from the answer of a recorded QUERY to its batches and their sources."""
    from workspace_ext.client.discovery import connect

    with connect(store) as client:
        found = client.lineage(query)
    sources = [
        [each["name"], _adapter(each), each["batches"], each["contributed"], *each["committed"]]
        for each in found["sources"]
    ]
    reads = [
        f"  {each['table']}: {_window(each['window'])}; {', '.join(each['columns'])}"
        for each in found["reads"]
    ]
    output.show(
        found,
        f"[bold]{plain(found['title'])}[/] · {counted(found['rows'], 'row')} · {found['at']}",
        "[bold]Reads[/]",
        *[plain(line) for line in reads],
        f"[bold]Sources[/] [dim]{plain(found['says'])}[/]",
        _table(["source", "adapter", "batches", "rows", "first kept", "last kept"], sources),
    )


def _adapter(each: dict[str, Any]) -> str:
    version = each["adapter_version"]
    return f"{each['format']} v{version}" if version else str(each["format"])


def _window(window: dict[str, str] | None) -> str:
    return f"{window['start']} to {window['end']}" if window else "all up to the pin"


def _second(time: str | None) -> str:
    return "-" if time is None else f"{time[:10]} {time[11:19]}Z"  # a narrow table breaks it there


_SHORT = 16
"""In characters: a column with nothing longer is not broken; others make room."""


def _table(names: list[str], rows: list[list[Any]]) -> Any:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for index, name in enumerate(names):
        numbers = rows and all(isinstance(row[index], int | float | None) for row in rows)
        short = all(len(_text(row[index])) <= _SHORT for row in rows)
        table.add_column(
            name, justify="right" if numbers else "left", overflow="fold", no_wrap=short
        )
    for row in rows:
        table.add_row(*[plain(_text(value)) for value in row])
    return table


def _text(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else str(value)
