"""Where code is running: which investigation, which cell, which run.

The Jupyter server stamps investigation, cell and user into each request; the headless runner
does the same. A front end without our server still names the cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workspace_ext.protocol.messages import METADATA_KEY, RunRef


@dataclass(frozen=True)
class Here:
    """What the request says that is being answered; empty text where it says nothing."""

    run: str = ""
    cell: str = ""
    investigation: str = ""
    user: str = ""

    @property
    def ref(self) -> RunRef | None:
        """The run as the record names it; None where nobody captures it."""
        captured = self.investigation and self.run and self.cell
        return {"id": self.run, "cell": self.cell} if captured else None


def here() -> Here:
    """Reads the request that is being answered; in a thread or task, the one that started it."""
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return Here() if kernel is None else read(kernel.get_parent("shell"))


def read(request: Mapping[str, Any]) -> Here:
    """What an ``execute_request`` says about where it comes from."""
    header, metadata = request.get("header") or {}, request.get("metadata") or {}
    stamp = metadata.get(METADATA_KEY)
    stamp = stamp if isinstance(stamp, Mapping) else {}
    return Here(
        run=str(header.get("msg_id") or ""),
        cell=str(stamp.get("cell") or metadata.get("cellId") or ""),
        investigation=str(stamp.get("uid") or ""),
        user=str(stamp.get("user") or header.get("username") or ""),
    )
