"""The types of what is asked of an archive. See ``messages``."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class ArchiveWishes(TypedDict, total=False):
    """What is wanted of an archive.

    Slices larger than a default are refused; an explicit cap cuts them. ``redact`` is a policy
    beside the store's own.
    """

    max_slice_rows: int
    max_slice_mb: int
    redact: dict[str, Any]


class ArchiveRequest(TypedDict):
    """A notebook, to be frozen together with its investigation."""

    notebook: dict[str, Any]
    wishes: NotRequired[ArchiveWishes]
