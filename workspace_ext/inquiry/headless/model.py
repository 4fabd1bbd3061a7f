"""How a notebook is run, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Watch = Callable[[int, int], None]
"""Told after each cell how many have run, and of how many."""


@dataclass(frozen=True)
class RunOptions:
    """How to run.

    Attributes:
        kernel: Another kernel than the notebook names.
        timeout: Seconds that one cell may take; any time when None.
        allow_errors: Go on after a cell that failed.
        order: Which code cells to run, by their places in the notebook from 0; one may run more
            than once. All of them, from the first to the last, when None.
        launcher: Stands before the kernel's command and takes the network from it; see
            `offline.launcher`. Its broker must be reachable without.
    """

    kernel: str = ""
    timeout: float | None = None
    allow_errors: bool = False
    order: tuple[int, ...] | None = None
    launcher: tuple[str, ...] = ()


AS_IT_IS = RunOptions()
"""The notebook's kernel, no time limit, stop at the first error."""


@dataclass(frozen=True)
class Failure:
    """The cell that failed: its number among the code cells (from 1), and what it said."""

    cell: int
    name: str
    message: str


@dataclass
class RunReport:
    """What became of a run."""

    investigation: str
    cells: int
    ran: int = 0
    failures: list[Failure] = field(default_factory=list)
    interrupted: bool = False
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether every cell ran and none failed."""
        return not self.failures and not self.interrupted and self.ran == self.cells
