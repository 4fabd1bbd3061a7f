"""The texts of templates in a replay: each run finds those that its captured run used.

A template may have been edited while people went on, under a new version or under the old one;
a cell that names no version gets the newest. So before each run only the texts that it used are
served, where the archive has more than one of a template.
"""

from __future__ import annotations

from collections.abc import Mapping

from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.inquiry.archive.container import TEXT, template_path, text_path
from workspace_ext.inquiry.archive.reader import Archive
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.protocol.messages import Step, TemplateRef
from workspace_ext.storage.files import write_whole
from workspace_ext.storage.folder import StoreFolder


class Texts:
    """Puts them into the store of a replay.

    Args:
        archive: Where they are.
        queries: The captured queries, by id.
        store: The store of the replay; its library reads again what changed.
    """

    def __init__(
        self, archive: Archive, queries: Mapping[str, QueryRecord], store: StoreFolder
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

    def before(self, step: Step) -> None:
        """Serves those that a captured run used."""
        asked = [self._queries[query] for query in step["queries"] if query in self._queries]
        used = [record.template for record in asked if record.template is not None]
        for name in {ref["id"] for ref in used} & self._several.keys():
            self._serve(name, {ref["version"]: ref for ref in used if ref["id"] == name})

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
            if digest_bytes(content) == wanted[version]["digest"] and (
                not target.exists() or target.read_bytes() != content
            ):
                target.parent.mkdir(parents=True, exist_ok=True)
                write_whole(target, content.decode(), mode=0o644)
