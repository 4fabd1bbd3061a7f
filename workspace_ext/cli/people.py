"""``jupyter investigation people``: who may log in to this user's Jupyter servers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import click

from workspace_ext.cli.options import Command, Group, pass_output
from workspace_ext.cli.output import Output, plain
from workspace_ext.foundation.errors import BadInput

if TYPE_CHECKING:
    from workspace_ext.access.people import People

URL = "http://127.0.0.1:8888/"


@click.group(cls=Group)
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The people file. Default: $INVESTIGATION_PEOPLE, else in Jupyter's configuration folder.",
)
@click.pass_context
def command(context: click.Context, file: Path | None) -> None:
    """Who may log in to a Jupyter server, each with a token of their own.

    A server that was started when there was no people file has to be started again; all other
    changes hold at once.
    """
    context.meta["people"] = file


@command.command(
    cls=Command,
    answer="{name, role, token, link, file}",
    example='jupyter investigation people add ada --display "Ada L." --role lead',
)
@click.argument("name")
@click.option("--display", default="", help="What others see; the name when not given.")
@click.option("--role", default="responder", show_default=True, help="lead, responder or viewer.")
@click.option("--url", default=URL, show_default=True, help="The server's, for the link.")
@pass_output
def add(output: Output, name: str, display: str, role: str, url: str) -> None:
    """Let somebody in: prints their personal link and token, this once."""
    from workspace_ext.access.roles import role_named

    if not url.startswith(("http://", "https://")):
        raise BadInput(f"{url!r} is no address of a server", hint=f"as in --url {URL}")
    people = _people()
    token = people.add(name, display_name=display, role=role_named(role))
    link = f"{url.rstrip('/')}/lab?token={quote(token)}"
    output.show(
        {"name": name, "role": role, "token": token, "link": link, "file": str(people.path)},
        f"{plain(name)} ({role}) logs in with this link, or with the token where the page asks:",
        f"  {plain(link)}",
        f"  {plain(token)}",
        "It is shown once. Whoever has it is this person.",
    )


@command.command(
    "list",
    cls=Command,
    answer="{file, people: [{name, display_name, role}]}",
    example="jupyter investigation people list",
)
@pass_output
def list_(output: Output) -> None:
    """Everybody who may log in."""
    from rich.table import Table

    people = _people()
    everybody = people.all()
    table = Table("name", "shown as", "role", box=None)
    for one in everybody.values():
        table.add_row(plain(one.name), plain(one.display_name), one.role)
    nobody = f"nobody; {people.path} " + ("is empty" if people.path.exists() else "is not there")
    found = [
        {"name": one.name, "display_name": one.display_name, "role": one.role}
        for one in everybody.values()
    ]
    output.show({"file": str(people.path), "people": found}, table if everybody else plain(nobody))


@command.command(
    cls=Command, answer="{name, role, file}", example="jupyter investigation people role ada viewer"
)
@click.argument("name")
@click.argument("role")
@pass_output
def role(output: Output, name: str, role: str) -> None:
    """Give somebody another role, at once: lead, responder or viewer."""
    from workspace_ext.access.roles import role_named

    people = _people()
    people.give(name, role_named(role))
    output.show({"name": name, "role": role, "file": str(people.path)}, f"{plain(name)}: {role}")


@command.command(
    cls=Command, answer="{removed, left, file}", example="jupyter investigation people remove ada"
)
@click.argument("name")
@pass_output
def remove(output: Output, name: str) -> None:
    """Take somebody's access away, at once: what they have open is closed."""
    people = _people()
    people.remove(name)
    left = len(people.all())
    lines = [f"{plain(name)} was removed; {left} may still log in."]
    if not left:
        lines.append(f"Without people nobody can; delete {plain(people.path)} to go back.")
    output.show({"removed": name, "left": left, "file": str(people.path)}, *lines)


def _people() -> People:
    from workspace_ext.access.people import People, people_file

    return People(click.get_current_context().meta.get("people") or people_file())
