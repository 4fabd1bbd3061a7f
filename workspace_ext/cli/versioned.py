"""What the commands about versions share: a notebook's file, and its investigation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workspace_ext.foundation.errors import Conflict, NotFound, Unavailable

if TYPE_CHECKING:
    from workspace_ext.client.broker import BrokerClient

notebook_argument = click.argument("notebook", type=click.Path(dir_okay=False, path_type=Path))


def read_raw(path: Path) -> dict[str, Any] | None:
    """A notebook as it lies there; None when there is none, or it is cut or no notebook.

    Raises:
        Unavailable: It may not be read; nobody knows what is in it.
    """
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be read: {error.strerror}", hint="check its permissions"
        ) from error
    return content if isinstance(content, dict) and isinstance(content.get("cells"), list) else None


def investigation_of(client: BrokerClient, notebook: Path, store: Path) -> str:
    """The investigation of a notebook: as it says itself, else as its file is known here.

    Raises:
        NotFound: Nothing is known of it.
        Conflict: The file held several investigations, and does not say which.
    """
    from workspace_ext.inquiry.metadata.notebook import read_uid
    from workspace_ext.inquiry.versions.sending import placed

    uid = read_uid(read_raw(notebook) or {})
    if uid is not None:
        return uid
    path = placed(notebook, store)
    known = [found for found in client.notebooks() if found["path"] == path]
    uids = {str(found["investigation"]) for found in known}
    if not uids:
        there = "does not say its investigation" if notebook.exists() else "is not there"
        raise NotFound(
            f"{notebook} {there}, and no version of it is in {store}",
            hint="name the store it was made in with --store, or run it first:"
            f" jupyter investigation run {notebook}",
            code="no_history",
        )
    if len(uids) > 1:
        raise Conflict(
            f"{notebook} was the notebook of {len(uids)} investigations: {', '.join(sorted(uids))}",
            hint="put one of them back as metadata.investigation.uid",
            code="several_investigations",
        )
    return uids.pop()


def who(actors: Sequence[str]) -> str:
    """People as people read them."""
    return ", ".join(actor.removeprefix("user:") for actor in actors)


def when(time: str) -> str:
    """A time to the second."""
    return time[:19].replace("T", " ")
