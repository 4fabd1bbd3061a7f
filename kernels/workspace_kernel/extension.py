"""What ``%load_ext workspace_kernel`` does to a shell, and how to undo it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from workspace_kernel import errors, figures
from workspace_kernel.asking import Asker
from workspace_kernel.catalogue import Catalogue
from workspace_kernel.completion import Completer, matcher
from workspace_kernel.connection import Connection
from workspace_kernel.environment import Described
from workspace_kernel.hypothesis import Hypothesis
from workspace_kernel.investigation import Investigation
from workspace_kernel.magics import TelemetryMagics
from workspace_kernel.scripts import Scripts

NAME = "investigation"
MAGICS = {"cell": ("telemetry",), "line": ("hypothesis", "finding", "decision")}


@dataclass(frozen=True)
class _Installed:
    investigation: Investigation
    match: Any
    described: Described
    scripts: Scripts


_installed: dict[int, _Installed] = {}


def load(shell: InteractiveShell) -> None:
    """Adds the object, magics, completion, one-line errors, figures' data; twice is as once."""
    if id(shell) in _installed:
        return
    connection = Connection()
    investigation = Investigation(connection)
    shell.user_ns[NAME] = investigation
    shell.user_ns_hidden[NAME] = investigation
    shell.register_magics(TelemetryMagics(shell, Asker(connection), investigation))
    match = matcher(Completer(Catalogue(connection), lambda name, _: _holds(shell, name)))
    shell.Completer.custom_matchers.append(match)
    errors.install()
    figures.install(shell)
    described = Described(connection)
    shell.events.register("post_run_cell", described.after_cell)
    scripts = Scripts(shell, connection)
    scripts.install()
    _installed[id(shell)] = _Installed(investigation, match, described, scripts)


def unload(shell: InteractiveShell) -> None:
    """Takes it all out again, but leaves a variable that the user has set anew."""
    installed = _installed.pop(id(shell), None)
    if installed is None:
        return
    if shell.user_ns.get(NAME) is installed.investigation:
        shell.user_ns.pop(NAME)
        shell.user_ns_hidden.pop(NAME, None)
    shell.Completer.custom_matchers.remove(installed.match)
    shell.events.unregister("post_run_cell", installed.described.after_cell)
    installed.scripts.uninstall()
    for kind, names in MAGICS.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    errors.uninstall()
    figures.uninstall(shell)


def _holds(shell: InteractiveShell, name: str) -> bool:
    return isinstance(shell.user_ns.get(name), (Investigation, Hypothesis))
