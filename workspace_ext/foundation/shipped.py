"""Where the files lie that come with the product: templates, notebooks, the sample incident."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def shipped(path: str) -> Path:
    """A file or folder under ``templates/``, whether it is there or not.

    The checkout's own wins over the installed copy, which an editable install would leave stale.
    """
    checkout = _PACKAGE.parent / "templates" / path
    return checkout if checkout.exists() else _PACKAGE / "templates" / path
