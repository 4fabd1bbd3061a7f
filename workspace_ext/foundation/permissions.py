"""What a user is told who may not use a file or a folder."""

from __future__ import annotations

from pathlib import Path

from workspace_ext.foundation.errors import Unavailable


def not_permitted(path: Path) -> Unavailable:
    """The error for a file or folder that this process may not use.

    Args:
        path: Which; of one that is not there yet, the folder above it is to blame.
    """
    try:
        while not path.exists() and path != path.parent:
            path = path.parent
        whose = f"it belongs to {path.owner()}"
    except (OSError, KeyError):  # in a folder that may not be entered, or of nobody known here
        whose = "it belongs to another user"
    return Unavailable(
        f"{path} may not be used by this user",
        hint=f"{whose}: run as that user, or let this one read and write the workspace folder"
        " and all in it",
        code="not_permitted",
    )
