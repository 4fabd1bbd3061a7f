"""Freezing: an investigation and its notebook become one file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from workspace_ext.access.model import Principal
from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.clock import Clock, now_ns, to_rfc3339
from workspace_ext.foundation.errors import BadInput, Conflict
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.archive.container import (
    ENVIRONMENT,
    LEDGER,
    NOTEBOOK,
    QUERIES,
    ArchiveWriter,
    Manifest,
    contents_digest,
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
from workspace_ext.telemetry.query.slices import SliceSource


@dataclass(frozen=True)
class Freezer:
    """Makes archives of a store's investigations.

    Args:
        investigations: Where they are kept.
        templates: Where their templates are.
        slices: Where the rows come from.
        clock: Tells the time of freezing.
    """

    investigations: InvestigationService
    templates: TemplateLibrary
    slices: SliceSource
    clock: Clock = now_ns

    def freeze(self, uid: str, notebook: Mapping[str, Any], actor: Actor, target: BinaryIO) -> None:
        """Writes an investigation's archive, and records that it was made.

        Args:
            uid: The investigation.
            notebook: Its notebook, as JSON.
            actor: Who freezes it.
            target: A new file.

        Raises:
            NotFound: There is no such investigation, or a template it used is gone.
            BadInput: The notebook belongs to another investigation.
            Conflict: A template was changed since it was used.
        """
        state = self.investigations.state(uid)
        if read_uid(notebook) != uid:
            raise BadInput(
                f"the notebook does not belong to investigation {uid}",
                hint="give the notebook that was worked in",
                code="other_notebook",
            )
        records = self.investigations.queries(uid)
        frozen_at = to_rfc3339(self.clock())
        writer = ArchiveWriter(target)
        writer.add_json(NOTEBOOK, notebook)
        writer.add_json(ENVIRONMENT, describe_environment())
        writer.add_json(QUERIES, [_described(record) for record in records])
        self._add_templates(writer, records)
        self._add_results(writer, records)
        self._add_slices(writer, cut(records), state["pin"])
        self._record(uid, contents_digest(writer.files), actor, frozen_at)
        entries = self.investigations.entries(uid)
        lines = [json.dumps(entry, sort_keys=True, ensure_ascii=False) for entry in entries]
        writer.add(LEDGER, ("\n".join(lines) + "\n").encode())
        head, seq = entries[-1]["hash"], entries[-1]["seq"]
        writer.finish(Manifest(uid, state["title"], state["pin"], frozen_at, head, seq))

    def _add_templates(self, writer: ArchiveWriter, records: Sequence[QueryRecord]) -> None:
        used = {record.template["id"]: record.template for record in records if record.template}
        for name, reference in sorted(used.items()):
            template = self.templates.get(name, reference["version"])
            if template.digest != reference["digest"]:
                raise Conflict(
                    f"template {name} v{reference['version']} was changed after it was used",
                    hint="put the file back as it was, or run the notebook again",
                    code="template_changed",
                )
            writer.add(template_path(name), template.path.read_bytes())

    def _add_results(self, writer: ArchiveWriter, records: Sequence[QueryRecord]) -> None:
        for record in records:
            kept = self.investigations.kept_result(record.id)
            if kept is not None:
                writer.add(result_path(record.id), kept)

    def _add_slices(self, writer: ArchiveWriter, slices: list[Slice], pin: int) -> None:
        with tempfile.TemporaryDirectory() as name:
            for wanted in slices:
                path = Path(name) / "slice.parquet"
                self.slices.write(
                    wanted.table, wanted.columns, wanted.windows, pin=pin, target=path
                )
                writer.add(slice_path(wanted.table), path)

    def _record(self, uid: str, digest: str, actor: Actor, at: str) -> None:
        self.investigations.report(
            uid,
            [
                {
                    "id": new_id(),
                    "type": "archive.created",
                    "subject": uid,
                    "time": at,
                    "data": {"digest": digest},
                    "actor": str(actor),
                }
            ],
            Principal(actor, "service"),
        )


def _described(record: QueryRecord) -> dict[str, Any]:
    described = asdict(record)
    del described["kept"]
    return described
