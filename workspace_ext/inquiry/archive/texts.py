"""The texts of templates and scripts in a replay: each run finds those that its captured run used.

A template may have been edited while people went on, under a new version or under the old one;
a cell that names no version gets the newest. So before each run only the texts that it used are
served, where the archive has more than one of a template. A script lies beside the notebook, as
it did; of one that was edited meanwhile, each run finds the text of its time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.inquiry.archive.container import (
    SCRIPT,
    TEXT,
    beside,
    script_path,
    template_path,
    text_path,
)
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.protocol.messages import Step, TemplateRef
from workspace_ext.storage.files import whole_file
from workspace_ext.storage.folder import StoreFolder


class Texts:
    """Gives each run the templates and scripts that its captured run used.

    Templates go into the store of the replay, scripts into the folder of its notebook.

    Args:
        archive: Holds the texts.
        queries: The captured queries, by id.
        store: The store of the replay; its library reads again what changed.
        steps: The captured runs, in order.
        folder: The notebook's folder; no script is written elsewhere.
    """

    def __init__(
        self,
        archive: Archive,
        queries: Mapping[str, QueryRecord],
        store: StoreFolder,
        steps: Iterable[Step],
        folder: Path,
    ) -> None:
        self._archive = archive
        self._queries = queries
        self._store = store
        self._several: dict[str, dict[str, TemplateRef]] = {}
        for record in queries.values():
            if record.template is not None:
                known = self._several.setdefault(record.template["id"], {})
                known[record.template["digest"]] = record.template
        self._several = {name: refs for name, refs in self._several.items() if len(refs) > 1}
        self._folder = folder
        ran = list(steps)
        self._scripts = held_scripts(archive, ran)
        self._written: dict[Path, bytes] = {}
        self._writes = 0
        for step in reversed(ran):  # a kernel that starts finds each as it was first
            self._put_beside(step)

    def before(self, step: Step) -> None:
        """Puts the texts in place that a captured run used; call it before the run is repeated."""
        asked = [self._queries[query] for query in step["queries"] if query in self._queries]
        used = [record.template for record in asked if record.template is not None]
        for name in {ref["id"] for ref in used} & self._several.keys():
            self._serve(name, {ref["version"]: ref for ref in used if ref["id"] == name})
        self._put_beside(step)

    def _serve(self, name: str, wanted: Mapping[int, TemplateRef]) -> None:
        for version in {ref["version"] for ref in self._several[name].values()}:
            place = template_path(name, version)
            if not TEXT.fullmatch(place):
                continue  # an archive may say anything; nothing is written elsewhere for it
            target = self._store.path / place
            if version not in wanted:
                target.unlink(missing_ok=True)
                continue
            path = text_path(self._archive.manifest.files, wanted[version])
            content = self._archive.read(path) if self._archive.has(path) else b""
            if digest_bytes(content) == wanted[version]["digest"]:
                _write(target, content)

    def _put_beside(self, step: Step) -> None:
        for file in step["files"]:
            place = beside(file["name"])
            if place is None:
                continue
            target, content = self._folder / place, self._scripts.get(file["digest"])
            if content is None:  # another text would be passed off as the one that was used
                if target.exists() and target.read_bytes() == self._written.get(place):
                    target.unlink()
            elif _write(target, content):
                self._written[place] = content
                # Python takes a compiled module for that of its source by size and second.
                self._writes += 1
                os.utime(target, (self._writes, self._writes))


def held_scripts(archive: Archive, steps: Iterable[Step]) -> dict[str, bytes]:
    """The texts of scripts that an archive holds, as they were used or redacted, by digest."""
    held: dict[str, bytes] = {}
    for digest in dict.fromkeys(
        file["digest"] for step in steps for file in step["files"] if file["name"].endswith(SCRIPT)
    ):
        path = script_path(digest)
        if not archive.has(path):
            continue
        content = archive.read(path)
        if digest_bytes(content) == digest or path in archive.manifest.redacted.scripts:
            held[digest] = content
    return held


def _write(target: Path, content: bytes) -> bool:
    """Writes a text where it is not yet; whether it was written."""
    if target.exists() and target.read_bytes() == content:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target, mode=0o644) as file:
        file.write(content)
    return True
