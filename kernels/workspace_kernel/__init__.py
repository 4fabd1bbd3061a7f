"""The Python side of an investigation: the ``investigation`` object and its magics.

Owns: what an analyst types and sees in a kernel: templates in one call, free SQL, hypotheses with
tests, notes, decisions, the conclusion; completion, help, and errors of one line.
Promises: loads in milliseconds (pandas, pyarrow and altair come when they are needed); works in
the kernel *Investigation (Python)*, and in any Python kernel by ``%load_ext workspace_kernel``;
running a cell again repeats no hypothesis, note or decision.
Never: opens a store, imports a database or a web server, or asks who the user is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Puts ``investigation``, ``%%telemetry`` and completion into a shell."""
    from workspace_kernel.extension import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Takes out what `load_ipython_extension` put in."""
    from workspace_kernel.extension import unload

    unload(shell)
