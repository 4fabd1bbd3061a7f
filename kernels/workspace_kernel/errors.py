"""How an error of ours looks in a cell: one line and a hint, and the cell still fails."""

from __future__ import annotations

import os

from workspace_ext.foundation.errors import InvestigationError

RED, BOLD, PLAIN = "\x1b[31m", "\x1b[1m", "\x1b[0m"
_HOOK = "_render_traceback_"  # IPython asks an exception for its own traceback by this name


def install() -> None:
    """Makes IPython show our errors without a traceback, unless ``$INVESTIGATION_DEBUG`` is set."""
    if not os.environ.get("INVESTIGATION_DEBUG"):
        setattr(InvestigationError, _HOOK, render)


def uninstall() -> None:
    """Back to tracebacks."""
    if hasattr(InvestigationError, _HOOK):
        delattr(InvestigationError, _HOOK)


def stopped(interrupt: KeyboardInterrupt) -> KeyboardInterrupt:
    """The interrupt of a question, shown in a line as well: nobody looks for a fault in it."""
    interrupt.args = ("the question was stopped",)
    if hasattr(InvestigationError, _HOOK):
        lines = [f"{RED}KeyboardInterrupt{PLAIN}: {interrupt}"]
        setattr(interrupt, _HOOK, lambda: lines)
    return interrupt


def render(error: InvestigationError) -> list[str]:
    """The lines that stand in the place of a traceback."""
    lines = [f"{RED}{type(error).__name__}{PLAIN}: {error.message}"]
    if error.hint:
        lines.append(f"{BOLD}Hint{PLAIN}: {error.hint}")
    return lines
