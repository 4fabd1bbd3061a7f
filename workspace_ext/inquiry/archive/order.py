"""In which order a replay runs the cells of a notebook. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from workspace_ext.foundation.canonical import digest_text
from workspace_ext.inquiry.archive.verdicts import FINISHED, last_steps
from workspace_ext.inquiry.metadata.notebook import uids_of
from workspace_ext.protocol.messages import InvestigationState, Step

Order = Literal["run", "document"]


@dataclass(frozen=True)
class Turn:
    """One run of the replay.

    Attributes:
        place: The cell's place in the notebook, from 0.
        step: The captured run that it repeats; None for a cell of which none was captured.
    """

    place: int
    step: Step | None


def turns(notebook: Any, state: InvestigationState, order: Order) -> tuple[Turn, ...]:
    """The runs of a replay, in order.

    In the order of the document each cell that holds code runs once. In the order in which they
    were run, the captured runs are repeated one by one, as far as a kernel's life mattered:

    - of the kernels' lives, those in which some cell ran for the last time;
    - of their runs, those that came to an end, of cells that are still there;
    - of a run whose code was edited since, the code of today, and only the first time: cells
      after it may need the names that it makes.

    Args:
        notebook: The notebook as it was frozen.
        state: The captured investigation.
        order: Which of the two.
    """
    places = {
        uid: place
        for place, (uid, cell) in enumerate(
            zip(uids_of(notebook.cells), notebook.cells, strict=True)
        )
        if cell.cell_type == "code" and cell.source.strip()
    }
    last = last_steps(state)
    if order == "document":
        return tuple(Turn(place, last.get(uid)) for uid, place in places.items())
    lives = {step["kernel"] for uid, step in last.items() if uid in places}
    steps = sorted(state["steps"].values(), key=lambda step: step["seq"])
    ran = [
        step
        for step in steps
        if step["status"] in FINISHED and step["cell"] in places and step["kernel"] in lives
    ]
    return tuple(_repeated(ran, notebook, places, last))


def _repeated(
    ran: list[Step], notebook: Any, places: dict[str, int], last: dict[str, Step]
) -> Iterator[Turn]:
    known: set[str] = set()
    for step in ran:
        uid, place = step["cell"], places[step["cell"]]
        as_it_was = digest_text(notebook.cells[place].source) == step["source_digest"]
        if as_it_was or uid not in known or step is last[uid]:
            yield Turn(place, step)
        known.add(uid)
