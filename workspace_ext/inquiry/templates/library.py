"""The library: template files in some folders → templates by id and version."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from workspace_ext.foundation.errors import NotFound
from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.foundation.shipped import shipped
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.lint import lint
from workspace_ext.inquiry.templates.model import BadTemplate, Problem, Template

_Stamp = tuple[int, int]
_Problems = list[Problem]


def default_paths(folder: Path | None = None) -> list[Path]:
    """Where templates are looked for: those of the product, then those of the store folder."""
    own = [] if folder is None else [folder / "templates"]
    return [shipped("queries"), *own]


class TemplateLibrary:
    """All templates of some folders, first folder first.

    A file that changed is read again at the next call. A file with problems is left out and
    named by `problems`; the others are served. Safe to use from several threads.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = list(paths)
        self._lock = threading.Lock()
        self._stamps: dict[Path, _Stamp] = {}
        self._read: dict[Path, Template | _Problems] = {}
        self._served: dict[str, dict[int, Template]] = {}
        self._clashes: list[Problem] = []

    def list(self) -> list[Template]:
        """The newest version of each template, by id."""
        served = self._refresh()
        return [versions[max(versions)] for _, versions in sorted(served.items())]

    def get(self, template_id: str, version: int | None = None) -> Template:
        """One template; the newest version when none is asked for.

        Raises:
            NotFound: There is no such template or version; the hint has close matches.
            BadTemplate: Its file has problems.
        """
        served = self._refresh()
        versions = served.get(template_id)
        if versions is None:
            self._refuse_broken(template_id)
            raise NotFound(
                f"there is no template {template_id!r}",
                hint=did_you_mean(template_id, served),
                code="unknown_template",
            )
        chosen = max(versions) if version is None else version
        if chosen not in versions:
            there = ", ".join(str(number) for number in sorted(versions))
            raise NotFound(
                f"there is no version {version} of template {template_id}",
                hint=f"there is version {there}",
                code="unknown_template_version",
            )
        return versions[chosen]

    def find(self, template_id: str, version: int) -> Template | None:
        """A version of a template; None when it is not served."""
        return self._refresh().get(template_id, {}).get(version)

    def problems(self) -> _Problems:
        """What is wrong in the files that are left out."""
        self._refresh()
        with self._lock:
            broken = [p for read in self._read.values() if isinstance(read, list) for p in read]
            return broken + self._clashes

    def _refuse_broken(self, template_id: str) -> None:
        parts = template_id.split(".")
        with self._lock:
            reads = list(self._read.items())
        for path, read in reads:
            if isinstance(read, list) and [path.parent.name, path.stem] == parts:
                raise BadTemplate(read)

    def _refresh(self) -> dict[str, dict[int, Template]]:
        with self._lock:
            stamps = self._scan()
            if stamps != self._stamps:
                kept = {p: r for p, r in self._read.items() if stamps.get(p) == self._stamps[p]}
                self._read = {path: kept.get(path) or _read(path) for path in stamps}
                self._stamps = stamps
                self._arrange()
            return self._served

    def _scan(self) -> dict[Path, _Stamp]:
        stamps: dict[Path, _Stamp] = {}
        for folder in self.paths:
            for path in sorted(folder.glob("*/*.sql")):
                with suppress(FileNotFoundError):  # gone since the folder was listed
                    stat = path.stat()
                    stamps[path] = (stat.st_mtime_ns, stat.st_size)
        return stamps

    def _arrange(self) -> None:
        self._served, self._clashes = {}, []
        for path, read in self._read.items():
            if isinstance(read, Template):
                versions = self._served.setdefault(read.id, {})
                first = versions.setdefault(read.version, read)
                if first is not read:
                    what = f"{read.id} version {read.version} is already in {first.path}"
                    self._clashes.append(Problem(path, None, what))


def _read(path: Path) -> Template | _Problems:
    try:
        template = parse(path.read_bytes(), path)
    except BadTemplate as error:
        return error.problems
    except OSError as error:
        return [Problem(path, None, f"cannot be read: {error.strerror}")]
    # What ships is checked with each change of it; linting all of it at each start takes a second.
    if path.is_relative_to(shipped("queries")):
        return template
    return lint(template) or template
