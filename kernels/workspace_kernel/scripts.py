"""Scripts that cells use: Python files beside the notebook, imported or run, known by content.

What an installed distribution brings is known by its version, and the code of cells is captured
itself; between them lies what a team shares as files, and nobody could tell what it was.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from workspace_ext.foundation.errors import InvestigationError
from workspace_kernel.connection import Connection
from workspace_kernel.events import Reporter
from workspace_kernel.files import digest_file

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_WORD = re.compile(r"[^\W\d]\w*")
_INSTALLED = tuple(
    {
        os.path.realpath(path) + os.sep
        for path in (*sysconfig.get_paths().values(), sys.prefix, sys.base_prefix)
    }
)
_OURS = ("workspace_ext", "workspace_kernel")


class Scripts:
    """Reports, after each captured cell, which scripts it loaded or took names from.

    Args:
        shell: Whose cells.
        connection: The line to the broker.
    """

    def __init__(self, shell: InteractiveShell, connection: Connection) -> None:
        self._shell: Any = shell
        self._connection = connection
        self._reporter = Reporter(connection)
        self._known = set(sys.modules)
        self._modules: dict[str, Path] = {}
        self._ran: list[Path] = []
        self._execfile: Callable[..., Any] = self._shell.safe_execfile

    def install(self) -> None:
        """From now on, until `uninstall`; ``%run`` goes by way of the shell's own function."""
        self._shell.safe_execfile = self._run_file
        self._shell.events.register("post_run_cell", self.after_cell)

    def uninstall(self) -> None:
        """Undoes it."""
        self._shell.safe_execfile = self._execfile
        self._shell.events.unregister("post_run_cell", self.after_cell)

    def after_cell(self, result: Any) -> None:
        """Called when a cell has run."""
        self._look()
        used = dict.fromkeys([*self._ran, *self._named(getattr(result.info, "raw_cell", "") or "")])
        self._ran.clear()
        if not used or self._connection.here().ref is None:
            return
        for path in used:
            try:
                size, digest = digest_file(path)
                name = os.path.relpath(path)
                name = path.name if name.startswith("..") else Path(name).as_posix()
                data = {"name": name[-1000:], "size": size, "digest": digest}
                self._reporter.report("file.read", name[-256:], data)
            except (InvestigationError, OSError, ValueError):
                continue  # it is gone again, or the broker is: the cell has run all the same

    def _run_file(self, fname: Any, *where: Any, **options: Any) -> Any:
        self._ran.append(Path(os.path.realpath(fname)))
        return self._execfile(fname, *where, **options)

    def _look(self) -> None:
        """Which of the modules that are new are scripts."""
        for name in sys.modules.keys() - self._known:
            path = _script(name, sys.modules.get(name))
            if path is not None:
                self._modules[name] = path
            self._known.add(name)

    def _named(self, source: str) -> Iterator[Path]:
        """The scripts that names in a cell's code lead to."""
        if not self._modules:
            return
        words = set(_WORD.findall(source))
        for word in words & self._shell.user_ns.keys():
            value = self._shell.user_ns[word]
            home = value.__name__ if isinstance(value, ModuleType) else _home(value)
            if home in self._modules:
                yield self._modules[home]


def _home(value: Any) -> str:
    """The module in which a function, a class, or the class of a value was written."""
    home = getattr(value, "__module__", None) or getattr(type(value), "__module__", None)
    return home if isinstance(home, str) else ""


def _script(name: str, module: Any) -> Path | None:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py") or name.partition(".")[0] in _OURS:
        return None
    path = os.path.realpath(file)
    return None if path.startswith(_INSTALLED) else Path(path)
