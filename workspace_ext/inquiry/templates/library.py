"""The library: template files in some folders → templates by id and version."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from workspace_ext.foundation.entries import entry_points
from workspace_ext.foundation.errors import BadInput, NotFound
from workspace_ext.foundation.hints import did_you_mean
from workspace_ext.foundation.shipped import shipped
from workspace_ext.inquiry.templates.header import parse
from workspace_ext.inquiry.templates.kept import KeptTemplates
from workspace_ext.inquiry.templates.lint import lint
from workspace_ext.inquiry.templates.model import BadTemplate, Problem, Template, bare_name
from workspace_ext.protocol.messages import TemplateRef

_Stamp = tuple[int, int]
_Problems = list[Problem]


GROUP = "investigation_workspace.templates"
"""Entry points of packages that bring templates: the namespace, and the package they lie in."""


def default_paths(folder: Path | None = None) -> list[Path]:
    """Where templates are looked for: the product, installed packages, then the store folder.

    The first that has a version of a template has it for good; a later one may bring another.
    """
    own = [] if folder is None else [folder / "templates"]
    return [shipped("queries"), *_packages().values(), *own]


def _packages() -> dict[str, Path]:
    """The folders of templates in installed packages, by namespace."""
    found: dict[str, Path] = {}
    for namespace, point in sorted(entry_points(GROUP).items()):
        with suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(point.value)
            if spec is not None and spec.submodule_search_locations:
                found[namespace] = Path(next(iter(spec.submodule_search_locations)))
    return found


class TemplateLibrary:
    """All templates of some folders, first folder first.

    A file that changed is read again at the next call. A file with problems is left out and
    named by `problems`; the others are served. Safe to use from several threads.

    Args:
        paths: The folders.
        kept: Where copies of those that were used lie.
    """

    def __init__(self, paths: Sequence[Path], kept: KeptTemplates | None = None) -> None:
        self.paths = list(paths)
        self._kept = kept
        self._namespaces = {path: name for name, path in _packages().items()}
        self._lock = threading.Lock()
        self._stamps: dict[str, _Stamp] = {}
        self._areas: dict[str, dict[str, _Stamp]] = {}
        self._read: dict[str, Template | _Problems] = {}
        self._served: dict[str, dict[int, Template]] = {}
        self._clashes: list[Problem] = []

    def list(self) -> list[Template]:
        """The newest version of each template, by id."""
        return list(_newest(self._refresh()).values())

    def known(self) -> dict[str, Template]:
        """As `list`, by id, as of the last look: files that changed since are not read."""
        with self._lock:
            return _newest(self._served)

    def get(self, template_id: str, version: int | None = None) -> Template:
        """One template; the newest version when none is asked for.

        Raises:
            NotFound: There is no such template or version; the hint has close matches.
            BadTemplate: Its file has problems.
        """
        served = self._refresh(template_id.partition(".")[0])
        versions = served.get(template_id)
        if version is not None and version not in (versions or ()) and self._kept is not None:
            kept = self._kept.find(template_id, version)
            if kept is not None:
                return kept
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

    def keep(self, template: Template) -> None:
        """Keeps a copy of a template that is used."""
        if self._kept is not None:
            self._kept.keep(template)

    def used(self, ref: TemplateRef) -> Template:
        """The very text that was used, from its file or the copy that was kept.

        Raises:
            BadInput: It is gone, or was changed and no copy was kept.
        """
        template = self.find(ref["id"], ref["version"])
        if template is not None and template.digest == ref["digest"]:
            return template
        kept = self._kept.get(ref) if self._kept is not None else None
        if kept is not None:
            return kept
        self.get(ref["id"], ref["version"])  # says what is missing
        raise BadInput(
            f"{ref['id']} version {ref['version']} was changed after it was used",
            hint="put the file back as it was; a change needs a new version",
            code="template_changed",
        )

    def find(self, template_id: str, version: int) -> Template | None:
        """A version of a template; None when it is not served."""
        return self._refresh(template_id.partition(".")[0]).get(template_id, {}).get(version)

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
        for name, read in reads:
            path = Path(name)
            if isinstance(read, list) and [path.parent.name, bare_name(path)] == parts:
                raise BadTemplate(read)

    def _refresh(self, area: str = "") -> dict[str, dict[int, Template]]:
        """What is served; where an area is named, and is known, only its files are looked at."""
        with self._lock:
            if area in self._areas and self._scan(area) == self._areas[area]:
                return self._served
            stamps = self._scan()
            if stamps != self._stamps:
                kept = {p: r for p, r in self._read.items() if stamps.get(p) == self._stamps[p]}
                self._read = {path: kept.get(path) or _read(Path(path)) for path in stamps}
                self._stamps, self._areas = stamps, {}
                for path, stamp in stamps.items():
                    self._areas.setdefault(Path(path).parent.name, {})[path] = stamp
                self._arrange()
            return self._served

    def _scan(self, area: str = "") -> dict[str, _Stamp]:
        """Which files there are, of one area or of all, and as of when.

        Every question looks, so no `Path` is made of each: that takes ten times as long.
        """
        stamps: dict[str, _Stamp] = {}
        for folder in self.paths:
            if area:
                places = [str(folder / area)]
            else:
                places = [each.path for each in _listed(folder) if each.is_dir()]
            files = [each for place in places for each in _listed(place)]
            scripts = [each for each in files if each.name.endswith(".sql")]
            for file in sorted(scripts, key=lambda each: each.path):
                with suppress(FileNotFoundError):  # gone since the folder was listed
                    stat = file.stat()
                    stamps[file.path] = (stat.st_mtime_ns, stat.st_size)
        return stamps

    def _arrange(self) -> None:
        self._served, self._clashes = {}, []
        for name, read in self._read.items():
            if isinstance(read, Template):
                path = Path(name)
                namespace = self._namespaces.get(path.parents[1])
                area = read.id.partition(".")[0]
                if namespace is not None and area != namespace:
                    what = f"{read.id}: a package may only bring areas of its name, {namespace}"
                    if not area.startswith(f"{namespace}_"):
                        self._clashes.append(Problem(path, None, what))
                        continue
                versions = self._served.setdefault(read.id, {})
                first = versions.setdefault(read.version, read)
                if first is not read:
                    what = f"{read.id} version {read.version} is already in {first.path}"
                    self._clashes.append(Problem(path, None, what))


def _listed(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # not there, or not ours to read
        return []


def _newest(served: dict[str, dict[int, Template]]) -> dict[str, Template]:
    return {name: versions[max(versions)] for name, versions in sorted(served.items())}


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
