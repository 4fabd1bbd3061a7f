"""Controls without their kernel: where they left a picture, it is the picture that is shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_VIEW = "application/vnd.jupyter.widget-view+json"
_STATE = "application/vnd.jupyter.widget-state+json"


def leave_pictures(notebook: Any) -> None:
    """Forgets the state of controls beside which there is HTML of their own.

    With its state, nbconvert, nbviewer and the like draw such a control: it looks alive, and does
    nothing. Without it they take the HTML. Other widgets keep what they have.
    """
    held = notebook.metadata.get("widgets")
    if not held:
        return
    state = held[_STATE]["state"]
    shown = list(_shown(notebook))
    for model, has_picture in shown:
        if has_picture:
            state.pop(model, None)
    if all(has_picture for _, has_picture in shown):  # what is left are parts of those
        del notebook.metadata["widgets"]


def _shown(notebook: Any) -> Iterator[tuple[str, bool]]:
    """The models that outputs show, each with whether there is HTML beside it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = output.get("data") or {}
            if _VIEW in data:
                yield data[_VIEW]["model_id"], "text/html" in data
