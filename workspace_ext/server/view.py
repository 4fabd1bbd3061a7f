"""What the server must know of a notebook to record its runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workspace_ext.inquiry.metadata.notebook import cell_uids, is_newer, read_uid


@dataclass(frozen=True)
class View:
    """What is known of a notebook: its investigation, its kernelspec, the uids of its cells.

    ``newer`` says that a newer version of ours wrote its metadata, which then stay as they are.
    """

    uid: str | None
    kernelspec: str
    cells: Mapping[str, str]
    newer: bool = False

    @classmethod
    def of(cls, notebook: Mapping[str, Any]) -> View:
        """From a notebook's JSON."""
        metadata = notebook.get("metadata") or {}
        kernelspec = metadata.get("kernelspec") or {}
        return cls(
            uid=read_uid(notebook),
            kernelspec=str(kernelspec.get("name") or ""),
            cells=cell_uids(notebook.get("cells") or []),
            newer=is_newer(notebook),
        )
