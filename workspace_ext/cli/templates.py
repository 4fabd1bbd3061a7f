"""``jupyter investigation templates``: list, show, new, check, docs, review."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, groupby
from operator import attrgetter
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from workspace_ext.cli.options import Command, Group, pass_output, store_option
from workspace_ext.cli.output import Output, counted, plain

if TYPE_CHECKING:
    from workspace_ext.inquiry.templates.check import CheckResult


@click.group(cls=Group)
def command() -> None:
    """List, show, write, check and review query templates."""


def _paths(store: Path) -> list[Path]:
    """Where templates lie: ours, those of packages, and the store's if there is one."""
    from workspace_ext.inquiry.templates.library import default_paths

    return default_paths(store if store.is_dir() else None)


@command.command(
    "list",
    cls=Command,
    answer="{templates: [{id, version, digest, title, question, params, returns, …}]}",
    example="jupyter investigation templates list",
)
@store_option
@pass_output
def list_(output: Output, store: Path) -> None:
    """All templates, with the question each answers."""
    from rich.table import Table

    from workspace_ext.inquiry.templates.library import TemplateLibrary

    library = TemplateLibrary(_paths(store))
    table = Table("id", "v", "question", "status")
    templates = library.list()
    for template in templates:
        table.add_row(
            plain(template.id), str(template.version), plain(template.question), template.status
        )
    output.show({"templates": [template.describe() for template in templates]}, table)
    for problem in library.problems():
        output.note(f"left out: {problem}")


@command.command(
    cls=Command,
    answer="{id, version, digest, title, question, params, returns, …}",
    example="jupyter investigation templates show latency.shift",
)
@store_option
@click.argument("template")
@click.option("--version", type=int, help="Which version; the newest when not given.")
@click.option("--sql", is_flag=True, help="Show the SQL too.")
@pass_output
def show(output: Output, store: Path, template: str, version: int | None, *, sql: bool) -> None:
    """One template: its question, parameters, what it covers and what it does not."""
    from rich.table import Table

    from workspace_ext.inquiry.templates.library import TemplateLibrary

    found = TemplateLibrary(_paths(store)).get(template, version)
    described = found.describe()
    params = Table("parameter", "type", "default", "meaning")
    for param in described["params"]:
        default = "required" if param["required"] else _text(param["default"])
        params.add_row(
            plain(param["name"]), param["type"], plain(default), plain(param["help"] or "")
        )
    parts: list[Any] = [
        f"[bold]{found.id}[/] v{found.version}: {plain(found.title)}",
        plain(found.question),
    ]
    parts.append(params)
    if found.columns:
        parts.append("[bold]Columns[/]")
        parts += [f"  {plain(f'{name}: {meant}')}" for name, meant in found.columns.items()]
    for heading, items in (("Covers", found.covers), ("Does not cover", found.not_covered)):
        parts += [f"[bold]{heading}[/]", *[f"  {plain(item)}" for item in items]]
    if found.step:
        parts.append(f"[bold]After its SQL[/] the Python step {plain(found.step)}")
    if described["next"]:
        parts.append("[bold]Leads to[/]")
        parts += [f"  {plain(_onward(each))}" for each in described["next"]]
    parts += ["[bold]Example[/]", f"  {plain(described['example'])}"]
    if sql:
        parts += ["[bold]SQL[/]", plain(found.sql)]
    output.show({**described, "sql": found.sql} if sql else described, *parts)


def _onward(each: dict[str, Any]) -> str:
    filled = ", ".join(f"{name}={value}" for name, value in each["params"].items())
    when = f" when {each['when']}" if each.get("when") else ""
    return f"{each['template']}({filled}){when}"


def _text(default: object) -> str:
    return "" if default is None else str(default)


@command.command(
    cls=Command,
    answer="{digest, by, at, …}",
    example="""
    jupyter investigation templates review cart.slow
    jupyter investigation templates review helpers.py
    """,
)
@store_option
@click.argument("template", metavar="TEMPLATE|SCRIPT")
@click.option("--version", type=int, help="Which version; the newest when not given.")
@click.option("--reason", default="", help="What you say about it.")
@pass_output
def review(output: Output, store: Path, template: str, version: int | None, reason: str) -> None:
    """Say that you looked through a template of the store, or a script, as its file is now.

    Until somebody did, every answer of a template carries a warning, and each cell that used a
    script (a file that ends with .py) is marked. An edited file is another text.
    """
    from workspace_ext.client.discovery import connect

    if template.endswith(".py"):
        _review_script(output, store, Path(template), reason)
        return
    with connect(store) as client:
        found = client.review_template(template, version=version, reason=reason)
    told = f"{found['id']} v{found['version']} ({found['digest'][:19]}) reviewed by {found['by']}"
    output.show(found, plain(told))


def _review_script(output: Output, store: Path, path: Path, reason: str) -> None:
    from workspace_ext.cli.reading import read_text
    from workspace_ext.client.discovery import connect
    from workspace_ext.foundation.canonical import digest_bytes

    read_text(path, "script")  # says what is wrong with it
    with connect(store) as client:
        digest = digest_bytes(path.read_bytes())
        found = client.review_script(path.name, digest, reason=reason)
    told = f"{path} ({found['digest'][:19]}) reviewed by {found['by']}"
    output.show(found, plain(told))


@command.command(
    cls=Command,
    answer="{ok, checks: [{template, path, line, case, ok, message}]}",
    example="jupyter investigation templates check templates/queries",
)
@store_option
@click.argument("paths", metavar="[PATH…]", nargs=-1, type=click.Path(path_type=Path))
@click.option("--recall", is_flag=True, help="Also plant their faults in noise: seconds each.")
@click.option("--cost", is_flag=True, help="Also ask over 10 million rows: a minute to make them.")
@pass_output
def check(output: Output, store: Path, paths: tuple[Path, ...], *, recall: bool, cost: bool) -> int:
    """Lint templates and run their fixtures; without PATH, all: ours, of packages, of the store."""
    from workspace_ext.inquiry.templates.check import check as run_checks

    wanted = paths or [path for path in _paths(store) if any(path.rglob("*.sql"))]
    results = run_checks(wanted)
    if not paths:
        results += _left_out(wanted, results)
    if recall or cost:
        from workspace_ext.inquiry.planting import costs, planted

        sound = [Path(p) for p in dict.fromkeys(result.path for result in results if result.ok)]
        with output.progress() as progress:
            task = progress.add_task("checking", total=None, state="")
            more = chain(planted(sound) if recall else (), costs(sound) if cost and sound else ())
            for result in more:
                progress.update(task, state=f"{result.template}, {result.case}")
                results.append(result)
    failed = [result for result in results if not result.ok]
    name = attrgetter("template")
    output.show(
        {"ok": not failed, "checks": [result.to_dict() for result in results]},
        *(line for _, each in groupby(sorted(results, key=name), name) for line in _told([*each])),
        f"{len(results) - len(failed)} of {len(results)} checks passed",
    )
    return 1 if failed else 0


def _left_out(paths: Iterable[Path], results: list[CheckResult]) -> list[CheckResult]:
    """What holds by itself and is not served all the same, as of a package under another name."""
    from workspace_ext.inquiry.templates.check import CheckResult
    from workspace_ext.inquiry.templates.library import TemplateLibrary

    told = {result.path for result in results if not result.ok}
    return [
        CheckResult(
            f"{problem.path.parent.name}.{problem.path.stem}",
            *(problem.path, problem.line, ""),
            ok=False,
            message=f"is not served: {problem.message}",
        )
        for problem in TemplateLibrary([*paths]).problems()
        if problem.path not in told
    ]


def _told(results: list[CheckResult]) -> Iterator[str]:
    """A line for a template, and one for each of its checks that has something to say."""
    good = sum(result.ok for result in results)
    mark = "[green]ok  [/]" if good == len(results) else "[red]FAIL[/]"
    yield f"{mark} {results[0].template}: {good} of {len(results)} checks"
    for result in results:
        if result.message:
            place = f"{result.path}:{result.line}" if result.line else result.case or result.path
            told = plain(f"{place}: {result.message}")
            yield f"     {told if result.ok else f'[red]{told}[/]'}"


@command.command(
    cls=Command,
    answer="{template, fixtures}",
    example="jupyter investigation templates new cart.failing",
)
@store_option
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of templates; that of the store when not given.",
)
@click.argument("template")
@pass_output
def new(output: Output, store: Path, folder: Path | None, template: str) -> None:
    """Begin a template: one that works, with fixtures that pass, to be made into another."""
    from workspace_ext.cli.authoring import begin
    from workspace_ext.foundation.errors import Conflict
    from workspace_ext.inquiry.templates.library import TemplateLibrary

    if any(each.id == template for each in TemplateLibrary(_paths(store)).list()):
        raise Conflict(f"{template} is already there", hint="take another id")
    path, fixtures = begin(template, folder or store / "templates")
    then = f"jupyter investigation templates check {quote(str(path))} --recall"
    ask = f'investigation.run("{template}")'
    output.show(
        {"template": str(path), "fixtures": str(fixtures)},
        plain(f"{path}\n{fixtures}\nEdit both, then: {then}\nIn a notebook of this store: {ask}"),
    )


@command.command(
    cls=Command,
    answer="{file, templates}",
    example="jupyter investigation templates docs -o templates.html",
)
@store_option
@click.option(
    "-o",
    "--output",
    "file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The page to write: .html, else Markdown.",
)
@click.option(
    "--pictures",
    nargs=2,
    metavar="WINDOW BASELINE",
    help="First draw an example of each from the store's data, beside its .sql.",
)
@click.option(
    "--planted",
    is_flag=True,
    help="Then draw from planted faults what has no picture, or an old one.",
)
@pass_output
def docs(
    output: Output,
    store: Path,
    file: Path,
    pictures: tuple[str, str] | None,
    *,
    planted: bool,
) -> None:
    """One page about all templates: questions, inputs, what they cover, where they lead."""
    from workspace_ext.cli.authoring import draw, draw_planted, is_current
    from workspace_ext.cli.gallery import gallery_html, gallery_markdown
    from workspace_ext.cli.writing import write_text
    from workspace_ext.client.discovery import connect
    from workspace_ext.foundation.clock import Window
    from workspace_ext.inquiry.templates.library import TemplateLibrary

    templates = TemplateLibrary(_paths(store)).list()
    for window in pictures or ():
        Window.parse(window)
    if pictures:
        with connect(store) as client:
            for template in templates:
                picture = draw(client, template, *pictures)
                if picture is not None:
                    write_text(template.picture, picture)
    for template in templates if planted else ():
        picture = None if is_current(template) else draw_planted(template)
        if picture is not None:
            write_text(template.picture, picture)
    page = gallery_html if file.suffix in (".html", ".htm") else gallery_markdown
    write_text(file, page(templates))
    output.show(
        {"file": str(file), "templates": len(templates)},
        f"{plain(file)}: {counted(len(templates), 'template')}",
    )
