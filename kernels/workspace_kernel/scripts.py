"""Scripts that cells use: Python files beside the notebook, imported or run, known by content.

What an installed distribution brings is known by its version, and the code of cells is captured
itself; between them lies what a team shares as files, and nobody could tell what it was. The text
of one in the notebook's folder is kept with the record, so that an archive can carry it.
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

from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.foundation.errors import InvestigationError
from workspace_kernel.connection import Connection
from workspace_kernel.events import Reporter

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
_LARGEST = 1_000_000
"""How many bytes of a script are kept; a larger one is known by its digest alone."""


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
        loaded = [path for path in self._look() if _beside(path)]
        named = self._named(getattr(result.info, "raw_cell", "") or "")
        used = dict.fromkeys([*self._ran, *loaded, *named])
        self._ran.clear()
        if not used or self._connection.here().ref is None:
            return
        for path in used:
            try:
                content = path.read_bytes()
                beside, digest = _beside(path), digest_bytes(content)
                name = beside or path.name
                data = {"name": name[-1000:], "size": len(content), "digest": digest}
                text = _text(content) if beside else None
                attached = {} if text is None else {digest: text}
                self._reporter.report("file.read", name[-256:], data, attached=attached)
            except (InvestigationError, OSError, ValueError):
                continue  # it is gone again, or the broker is: the cell has run all the same

    def _run_file(self, fname: Any, *where: Any, **options: Any) -> Any:
        self._ran.append(Path(os.path.realpath(fname)))
        return self._execfile(fname, *where, **options)

    def _look(self) -> list[Path]:
        """Which of the modules that are new are scripts, also those that a script imports."""
        new = sys.modules.keys() - self._known
        self._known |= new
        found = {name: _script(name, sys.modules.get(name)) for name in sorted(new)}
        scripts = {name: path for name, path in found.items() if path is not None}
        self._modules |= scripts
        return list(scripts.values())

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


def _beside(path: Path) -> str:
    """A file's name from the kernel's folder on; empty when it lies elsewhere."""
    try:
        name = Path(os.path.relpath(path)).as_posix()
    except (OSError, ValueError):  # that folder is gone, or on another drive
        return ""
    return "" if name.startswith("..") else name


def _text(content: bytes) -> str | None:
    """What can be kept of a script."""
    try:
        return content.decode() if len(content) <= _LARGEST else None
    except UnicodeDecodeError:
        return None


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
