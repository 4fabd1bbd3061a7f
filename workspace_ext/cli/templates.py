"""``jupyter investigation templates``: list, show, check."""

from __future__ import annotations

from pathlib import Path

import click

from workspace_ext.cli.options import Command, pass_output
from workspace_ext.cli.output import Output


@click.group()
def command() -> None:
    """List, show and check query templates."""


def _folder(store: Path | None) -> Path | None:
    return store if store is not None and store.is_dir() else None


_store = click.option(
    "--store",
    envvar="INVESTIGATION_STORE",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also look into this workspace folder's templates/.",
)


@command.command("list", cls=Command, example="jupyter investigation templates list")
@_store
@pass_output
def list_(output: Output, store: Path | None) -> None:
    """All templates, with the question each answers."""
    from rich.table import Table

    from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths

    library = TemplateLibrary(default_paths(_folder(store)))
    table = Table("id", "v", "question", "status")
    templates = library.list()
    for template in templates:
        table.add_row(template.id, str(template.version), template.question, template.status)
    output.show({"templates": [template.describe() for template in templates]}, table)
    for problem in library.problems():
        output.note(f"left out: {problem}")


@command.command(cls=Command, example="jupyter investigation templates show latency.shift")
@_store
@click.argument("template")
@click.option("--sql", is_flag=True, help="Show the SQL too.")
@pass_output
def show(output: Output, store: Path | None, template: str, *, sql: bool) -> None:
    """One template: its question, parameters, what it covers and what it does not."""
    from workspace_ext.inquiry.templates.library import TemplateLibrary, default_paths

    found = TemplateLibrary(default_paths(_folder(store))).get(template)
    described = found.describe()
    lines = [f"[bold]{found.id}[/] v{found.version}: {found.title}", found.question, ""]
    for name, param in described["params"].items():
        details = ", ".join(
            f"{key}: {value}" for key, value in param.items() if key not in {"type", "help"}
        )
        lines.append(f"  {name} ({param['type']}) {param.get('help') or ''} {details}".rstrip())
    for heading, items in (("Covers", found.covers), ("Does not cover", found.not_covered)):
        lines += ["", f"[bold]{heading}[/]", *[f"  {item}" for item in items]]
    if sql:
        lines += ["", found.sql]
    output.show({**described, "sql": found.sql} if sql else described, *lines)


@command.command(cls=Command, example="jupyter investigation templates check templates/queries")
@click.argument("paths", metavar="[PATH…]", nargs=-1, type=click.Path(path_type=Path))
@pass_output
def check(output: Output, paths: tuple[Path, ...]) -> int:
    """Lint templates and run their fixtures; without PATH, those that are installed."""
    from workspace_ext.inquiry.templates.check import check as run_checks
    from workspace_ext.inquiry.templates.library import default_paths

    results = run_checks(list(paths) or list(default_paths(None)))
    failed = [result for result in results if not result.ok]
    lines = [
        f"[{'green' if result.ok else 'red'}]{'ok  ' if result.ok else 'FAIL'}[/] {result}"
        for result in results
    ]
    output.show(
        {"ok": not failed, "checks": [result.to_dict() for result in results]},
        *lines,
        f"{len(results) - len(failed)} of {len(results)} checks passed",
    )
    return 1 if failed else 0
