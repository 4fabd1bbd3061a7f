"""Freezing: an investigation and its notebook become one file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from workspace_ext.access.model import Principal
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.foundation.clock import now_ns, to_rfc3339
from workspace_ext.foundation.errors import BadInput
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.archive.container import (
    ENVIRONMENT,
    LEDGER,
    NOTEBOOK,
    QUERIES,
    ArchiveWriter,
    Manifest,
    result_path,
    slice_path,
    template_path,
)
from workspace_ext.inquiry.archive.environment import describe_environment
from workspace_ext.inquiry.archive.slices import Slice, cut
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.metadata.notebook import read_uid
from workspace_ext.inquiry.templates.library import TemplateLibrary
from workspace_ext.inquiry.templates.model import BindContext, Template
from workspace_ext.protocol.messages import EventIn, LedgerEntry, TemplateRef
from workspace_ext.telemetry.query.scan import PlanReader
from workspace_ext.telemetry.query.slices import SliceSource


@dataclass(frozen=True)
class Freezer:
    """Makes archives of a store's investigations.

    Args:
        investigations: Where they are kept.
        templates: Where their templates are.
        slices: Where the rows come from.
        plans: Tells which rows a template's query reads.
    """

    investigations: InvestigationService
    templates: TemplateLibrary
    slices: SliceSource
    plans: PlanReader

    def freeze(self, uid: str, notebook: Mapping[str, Any], actor: Actor, target: BinaryIO) -> None:
        """Writes an investigation's archive, and records that it was made.

        A template that is gone, or was changed since it was used, cannot be put in; the manifest
        says so.

        Args:
            uid: The investigation.
            notebook: Its notebook, as JSON.
            actor: Who freezes it.
            target: A new file.

        Raises:
            NotFound: There is no such investigation.
            BadInput: The notebook belongs to another investigation.
        """
        state = self.investigations.state(uid)
        if read_uid(notebook) != uid:
            raise BadInput(
                f"the notebook does not belong to investigation {uid}",
                hint="give the notebook that was worked in",
                code="other_notebook",
            )
        records = [self._scanned(record) for record in self.investigations.queries(uid)]
        writer = ArchiveWriter(target)
        writer.add_json(NOTEBOOK, notebook)
        writer.add_json(ENVIRONMENT, describe_environment())
        writer.add_json(QUERIES, [_described(record) for record in records])
        missing = self._add_templates(writer, records)
        self._add_results(writer, records)
        self._add_slices(writer, cut(records))
        frozen_at = to_rfc3339(now_ns())
        manifest = Manifest(
            uid, state["title"], state["pin"], frozen_at, missing, files=writer.files
        )
        entries = self._recorded(uid, manifest, actor)
        lines = [json.dumps(entry, sort_keys=True, ensure_ascii=False) for entry in entries]
        writer.add(LEDGER, ("\n".join(lines) + "\n").encode())
        writer.finish(replace(manifest, head=entries[-1]["hash"], seq=entries[-1]["seq"]))

    def _add_templates(
        self, writer: ArchiveWriter, records: Sequence[QueryRecord]
    ) -> dict[str, str]:
        missing: dict[str, str] = {}
        references = [record.template for record in records if record.template]
        for used in {found["digest"]: found for found in references}.values():
            path = template_path(used["id"], used["version"])
            template = self._template(used)
            content = template.path.read_bytes() if template is not None else b""
            if digest_bytes(content) == used["digest"]:
                writer.add(path, content)
            else:
                missing[path] = "gone, or changed, since it was used"
        return missing

    def _template(self, used: TemplateRef) -> Template | None:
        try:
            template = self.templates.get(used["id"], used["version"])
        except BadInput:
            return None
        return template if template.digest == used["digest"] else None

    def _scanned(self, record: QueryRecord) -> QueryRecord:
        """The record with what its query read; a template that is gone cannot tell."""
        template = self._template(record.template) if record.template and record.ok else None
        if template is None:
            return record
        bound = template.bind(record.params, BindContext())
        scans = self.plans.scan(template.sql, bound.values)
        return replace(record, scan={"tables": [scan.to_dict() for scan in scans]})

    def _add_results(self, writer: ArchiveWriter, records: Sequence[QueryRecord]) -> None:
        for record in records:
            kept = self.investigations.kept_result(record.id)
            if kept is not None:
                writer.add(result_path(record.id), kept)

    def _add_slices(self, writer: ArchiveWriter, slices: list[Slice]) -> None:
        with tempfile.TemporaryDirectory() as name:
            for wanted in slices:
                path = Path(name) / "slice.parquet"
                self.slices.write(
                    wanted.table, wanted.columns, wanted.windows, pin=wanted.pin, target=path
                )
                writer.add(slice_path(wanted.table), path)

    def _recorded(self, uid: str, manifest: Manifest, actor: Actor) -> list[LedgerEntry]:
        """The ledger up to the entry that says that this archive was made."""
        event: EventIn = {
            "id": new_id(),
            "type": "archive.created",
            "subject": uid,
            "time": manifest.frozen_at,
            "data": {"digest": manifest.digest()},
            "actor": str(actor),
        }
        self.investigations.report(uid, [event], Principal(actor, "service"))
        entries = list(self.investigations.entries(uid))
        while entries[-1]["id"] != event["id"]:
            entries.pop()
        return entries


def _described(record: QueryRecord) -> dict[str, Any]:
    described = asdict(record)
    del described["kept"]
    return described
