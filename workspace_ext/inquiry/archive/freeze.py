"""Freezing: an investigation and its notebook become one file."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

from workspace_ext import __version__
from workspace_ext.access.model import Principal
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import PREFIX, digest_bytes
from workspace_ext.foundation.errors import BadInput, Conflict
from workspace_ext.inquiry.archive.container import (
    ABOUT,
    CRATE,
    ENVIRONMENT,
    LEDGER,
    LOCK,
    NOTEBOOK,
    PROVENANCE,
    QUERIES,
    REDACTION,
    ArchiveWriter,
    Manifest,
    Redacted,
    beside,
    result_path,
    script_path,
    slice_path,
    template_path,
)
from workspace_ext.inquiry.archive.crate import Told, describe
from workspace_ext.inquiry.archive.environment import environment_files
from workspace_ext.inquiry.archive.prov import provenance
from workspace_ext.inquiry.archive.redacting import (
    redact_entries,
    redact_header,
    redact_notebook,
    redact_queries,
    redact_result,
)
from workspace_ext.inquiry.archive.slices import Cap, cut, write_slice
from workspace_ext.inquiry.investigations.fold import fold
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.metadata.notebook import read_uid, uids_of
from workspace_ext.inquiry.queries.reads import Reads
from workspace_ext.inquiry.redaction.policy import FILE, make_policy, read_policy
from workspace_ext.inquiry.redaction.redactor import Redactor
from workspace_ext.inquiry.redaction.tables import TableRedactor
from workspace_ext.inquiry.templates.model import Template
from workspace_ext.protocol.events import event
from workspace_ext.protocol.messages import LedgerEntry, Step, TemplateRef
from workspace_ext.protocol.reviews import ScriptUse
from workspace_ext.storage.folder import StoreFolder
from workspace_ext.telemetry.catalog.lineage import Origins
from workspace_ext.telemetry.query.slices import Slice, SliceSource

_MADE = "archive.created"
_DIGITS = len(PREFIX) + 8


@dataclass(frozen=True)
class Wishes:
    """What somebody wants of an archive.

    Attributes:
        cap: How large its slices may be.
        redact: A policy beside the store's own; see `redaction.policy`.
    """

    cap: Cap = field(default_factory=Cap)
    redact: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Freezer:
    """Makes archives of a store's investigations.

    Args:
        folder: The store: its key and its policy for redaction.
        investigations: Where they are kept.
        reads: Tells which rows their queries read, with which templates.
        slices: Where the rows come from.
        origins: Tells where rows came from.
        scripts: Tells which scripts some runs used, and who looked them through.
    """

    folder: StoreFolder
    investigations: InvestigationService
    reads: Reads
    slices: SliceSource
    origins: Origins
    scripts: Callable[[Iterable[Step]], Sequence[ScriptUse]]

    def freeze(
        self,
        uid: str,
        notebook: Mapping[str, Any],
        actor: Actor,
        target: BinaryIO,
        wishes: Wishes | None = None,
    ) -> None:
        """Writes an investigation's archive, and records that it was made.

        The same state gives the same bytes: an archive that was made of it before is made again.
        A template that is gone, or was changed since it was used, cannot be put in, nor a script
        whose text was not kept; the archive says so.

        Args:
            uid: The investigation.
            notebook: Its notebook, as JSON.
            actor: Who freezes it.
            target: A new file.
            wishes: What is wanted of it.

        Raises:
            NotFound: There is no such investigation.
            BadInput: The notebook belongs to another investigation; the redaction policy is
                wrong; a slice is too large and nobody said what to do about it.
            Conflict: Somebody wrote a secret into the ledger meanwhile.
        """
        self.investigations.state(uid)
        if read_uid(notebook) != uid:
            raise BadInput(
                f"the notebook does not belong to investigation {uid}",
                hint="give the notebook that was worked in",
                code="other_notebook",
            )
        entries = list(self.investigations.entries(uid))
        while entries[-1]["type"] == _MADE:
            entries.pop()
        wishes = wishes or Wishes()
        with tempfile.TemporaryDirectory(dir=self.folder.spill) as name:
            redactor = self._redactor(entries, wishes.redact)
            work = _Work(self, uid, entries, redactor, ArchiveWriter(target, uid), Path(name))
            work.freeze(notebook, actor, wishes.cap)

    def _redactor(self, entries: Iterable[LedgerEntry], wish: Mapping[str, Any]) -> Redactor:
        path = self.folder.path / FILE
        own = read_policy(path) if path.exists() else {}
        actors = {str(who) for entry in entries for who in (entry["actor"], entry["on_behalf_of"])}
        keep = {part for who in actors for part in (who, who.partition(":")[2])}
        # The store's own policy has the last word on what is looked for.
        return Redactor(make_policy(wish, own), self.folder.redaction_key, keep)


class _Work:
    """One archive under way."""

    def __init__(
        self,
        freezer: Freezer,
        uid: str,
        entries: list[LedgerEntry],
        redactor: Redactor,
        writer: ArchiveWriter,
        folder: Path,
    ) -> None:
        self._freezer = freezer
        self._uid = uid
        self._entries = entries
        self._redactor = redactor
        self._writer = writer
        self._folder = folder
        self._columns: dict[str, tuple[str, ...]] = {}
        self._capped: dict[str, dict[str, Any]] = {}
        self._origins: dict[str, Mapping[str, Any]] = {}
        self._changed_scripts: list[str] = []

    def freeze(self, notebook: Mapping[str, Any], actor: Actor, cap: Cap) -> None:
        """Writes it. Data goes first: what is taken out of it is taken out of texts as well."""
        state = fold(self._entries)
        assert state is not None
        found = self._freezer.investigations.queries(self._uid)
        records = [self._scanned(record) for record in found if record.id in state["queries"]]
        for wanted in cut(records):
            self._add_slice(wanted, cap)
        changed = self._add_results(records)
        scripts = self._freezer.scripts(state["steps"].values())
        missing = self._add_templates(records) | self._add_scripts(scripts)
        unreviewed = self._unreviewed(scripts)
        queries, also = redact_queries(self._redactor, records)
        redacted = redact_notebook(self._redactor, notebook)
        entries, numbers = redact_entries(self._redactor, self._entries)
        environment, lock = environment_files(*self._freezer.investigations.environment(self._uid))
        self._writer.add_json(NOTEBOOK, redacted.content)
        self._writer.add_json(QUERIES, queries)
        self._writer.add_json(ENVIRONMENT, environment)
        self._writer.add(LOCK, lock.encode())
        self._writer.add_json(REDACTION, self._redactor.report())
        state = fold(entries)
        assert state is not None
        manifest = Manifest(
            self._uid,
            state["title"],
            state["pin"],
            missing,
            self._capped,
            Redacted(
                numbers,
                redacted.cells,
                tuple(sorted({*changed, *also})),
                dict(self._columns),
                tuple(self._changed_scripts),
            ),
            unreviewed,
            dict(self._writer.files),
        )
        self._writer.add(ABOUT, manifest.content())
        entries += self._made(manifest, actor)
        self._add_ledger(entries)
        told = Told(
            state,
            queries,
            redacted.content,
            {uid: place for place, uid in enumerate(uids_of(redacted.content["cells"]))},
            dict(self._writer.files),
            entries[-1],
            environment,
            __version__,
        )
        self._writer.add_json(PROVENANCE, provenance(told, entries, self._origins))
        told = replace(told, files=dict(self._writer.files))
        self._writer.add_json(CRATE, describe(told))
        self._finish(state["title"], entries[-1])

    def _finish(self, title: str, last: LedgerEntry) -> None:
        self._writer.finish(
            {
                "Bag-Software-Agent": f"investigation-workspace {__version__}",
                "Bagging-Date": last["time"][:10],
                "External-Description": title,
                "External-Identifier": self._uid,
                "Ledger-Head": last["hash"],
            }
        )

    def _scanned(self, record: QueryRecord) -> QueryRecord:
        """The record with what its query read; a template that is gone cannot tell."""
        if record.template is None or not record.ok or self._template(record.template) is None:
            return record
        scans = self._freezer.reads.of(record)
        return replace(record, scan={"tables": [scan.to_dict() for scan in scans]})

    def _template(self, used: TemplateRef) -> Template | None:
        try:
            return self._freezer.reads.template(used)
        except BadInput:
            return None

    def _add_templates(self, records: Sequence[QueryRecord]) -> dict[str, str]:
        missing: dict[str, str] = {}
        references = [record.template for record in records if record.template]
        for used in {found["digest"]: found for found in references}.values():
            path = template_path(used["id"], used["version"])
            if path in missing or path in self._writer.files:  # edited under its number
                path = template_path(used["id"], used["version"], used["digest"])
            template = self._template(used)
            content = template.path.read_bytes() if template is not None else b""
            text = content.decode(errors="surrogateescape")
            if digest_bytes(content) != used["digest"]:
                missing[path] = "gone, or changed, since it was used"
            elif self._redactor.text(text, path) != text:
                missing[path] = "left out: it holds what is redacted"
            else:
                self._writer.add(path, content)
        return missing

    def _add_scripts(self, scripts: Sequence[ScriptUse]) -> dict[str, str]:
        """Unlike a template's, a redacted text goes in: cells that use it are not compared."""
        missing: dict[str, str] = {}
        texts = self._freezer.investigations.attached(each["digest"] for each in scripts)
        for each in scripts:
            path, text = script_path(each["digest"]), texts.get(each["digest"])
            if path in self._writer.files:
                continue
            if beside(each["name"]) is None or text is None:
                name = self._redactor.text(each["name"], ABOUT)
                missing[path] = f"script {name}: its text was not kept when it was used"
                continue
            left = self._redactor.text(text, path)
            self._writer.add(path, left.encode())
            self._changed_scripts += [path] if left != text else []
        return missing

    def _unreviewed(self, scripts: Sequence[ScriptUse]) -> tuple[str, ...]:
        return tuple(
            f"script {self._redactor.text(each['name'], ABOUT)} is not reviewed"
            f" (digest {each['digest'][:_DIGITS]})"
            for each in scripts
            if each["by"] is None
        )

    def _add_results(self, records: Sequence[QueryRecord]) -> set[str]:
        changed = set()
        for record in records:
            kept = self._freezer.investigations.kept_result(record.id)
            if kept is not None:
                content, was_changed = redact_result(self._redactor, record.id, kept)
                self._writer.add(result_path(record.id), content)
                changed |= {record.id} if was_changed else set()
        return changed

    def _add_slice(self, wanted: Slice, cap: Cap) -> None:
        path, target = slice_path(wanted.table), self._folder / "slice.parquet"
        source = self._freezer.slices
        rows = TableRedactor(self._redactor, path, wanted.table)
        batches: Counter[int] = Counter()
        total = source.count(wanted)
        with source.rows(wanted) as found:
            written = write_slice(wanted.table, total, rows.reader(found, batches), cap, target)
        self._writer.add(path, target)
        capped = written.capped()
        if capped is not None:
            self._capped[path] = capped
        if rows.changed:
            self._columns[wanted.table] = tuple(sorted(rows.changed))
        found_origins = self._freezer.origins.of_rows(batches)
        self._origins[path] = self._redactor.tree(found_origins, PROVENANCE)

    def _made(self, manifest: Manifest, actor: Actor) -> list[LedgerEntry]:
        """The entries after the frozen ones, up to the first that tells of this very archive.

        That it was made is recorded each time, for who may ask where a copy went. Whatever else
        was recorded meanwhile is not part of it: of that, only the links of the chain are shown.
        """
        digest = digest_bytes(manifest.content())
        made = event(_MADE, self._uid, {"digest": digest}, actor=str(actor))
        self._freezer.investigations.report(self._uid, [made], Principal(actor, "service"))
        after: list[LedgerEntry] = []
        for entry in self._freezer.investigations.entries(
            self._uid, after=self._entries[-1]["seq"]
        ):
            told = entry.get("data") or {}
            if entry["type"] == _MADE:
                after.append(entry)
                if told.get("digest") == digest:
                    return after
                continue
            if redact_header(self._redactor, entry) != entry:
                raise Conflict(
                    "the investigation went on while it was frozen",
                    hint="archive it again",
                    code="went_on",
                )
            after.append({**entry, "data": None})
        raise AssertionError("what was just recorded is not in the ledger")

    def _add_ledger(self, entries: Iterable[LedgerEntry]) -> None:
        lines = [json.dumps(entry, sort_keys=True, ensure_ascii=False) for entry in entries]
        self._writer.add(LEDGER, ("\n".join(lines) + "\n").encode())
