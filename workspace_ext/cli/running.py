"""Jupyter servers that may have a notebook open: what they have open is changed through them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from workspace_ext.foundation.errors import Conflict, InvestigationError, from_dict

_ANSWER_SECONDS = 60.0
_KNOCK_SECONDS = 5.0


def restore_through_server(notebook: Path, wish: dict[str, Any]) -> bool:
    """Restores a notebook where it is open.

    Args:
        notebook: The file.
        wish: ``revision, cell, reason, uid`` as the server's route takes them.

    Returns:
        Whether a server did it; False when none has it open.

    Raises:
        Conflict: A server may have it open and does not let us ask.
        InvestigationError: What the server said.
    """
    notebook = notebook.resolve()
    for server in _servers_over(notebook):
        path = notebook.relative_to(Path(server["root_dir"]).resolve()).as_posix()
        is_open = _ask(server, "GET", f"investigation/open?path={quote(path)}", _KNOCK_SECONDS)
        if is_open is not None and is_open.get("open"):
            _ask(server, "POST", "investigation/restore", _ANSWER_SECONDS, {**wish, "path": path})
            return True
    return False


def _servers_over(notebook: Path) -> Iterator[dict[str, Any]]:
    """The running servers of this user whose folder the notebook lies in."""
    from jupyter_server.serverapp import list_running_servers

    for server in list_running_servers():
        root = server.get("root_dir")
        if root and notebook.is_relative_to(Path(root).resolve()):
            yield server


def _ask(
    server: dict[str, Any], method: str, route: str, seconds: float, body: object = None
) -> dict[str, Any] | None:
    """A server's answer; None when it has nothing to do with us, or is gone."""
    import urllib3

    headers = {"Authorization": f"token {server.get('token', '')}"}
    try:
        answer = urllib3.request(
            method,
            f"{server['url']}{route}",
            json=body,
            headers=headers,
            timeout=seconds,
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError:
        return None
    if answer.status == 404 and method == "GET":
        return None  # a server without our extension
    if answer.status in (301, 302, 401, 403):
        raise Conflict(
            f"the Jupyter server at {server['url']} serves this folder and does not tell this"
            " user whether the notebook is open there",
            hint="restore it from JupyterLab, or stop that server first",
            code="may_be_open",
        )
    try:
        content = json.loads(answer.data)
        if answer.status < 400:
            return dict(content)
        raise from_dict(content["error"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvestigationError(
            f"the Jupyter server at {server['url']} answered {answer.status}",
            hint="see its log",
        ) from error
