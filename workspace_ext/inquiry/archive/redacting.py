"""What an archive holds, without what is secret or personal."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from workspace_ext.foundation.canonical import digest_json
from workspace_ext.inquiry.archive.container import LEDGER, NOTEBOOK, QUERIES, result_path
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.metadata.notebook import uids_of
from workspace_ext.inquiry.redaction.redactor import Redactor
from workspace_ext.inquiry.redaction.tables import TableRedactor
from workspace_ext.protocol.messages import LedgerEntry

NAMES = frozenset(
    {
        *("id", "uid", "run", "cell", "kernel", "query", "hypothesis", "evidence", "record"),
        *("digest", "unordered_digest", "kept_digest", "source_digest", "template", "pin"),
        *("at", "time", "start", "end", "window", "baseline", "scan", "status", "state", "outcome"),
        *("aggregates", "mode", "cell_type", "output_type", "kernelspec"),
    }
)
"""Keys of the record whose values are its own names, times and states."""

_NEITHER = ("image/", "audio/", "video/", "application/pdf", "application/octet-stream")
"""Outputs that are not text; those of SVG are."""
_CHART = "application/vnd.vega"
"""A picture beside this shows what it tells in words."""
_PICTURE = "picture"
"""The rule by which a picture goes whose text was changed."""


@dataclass(frozen=True)
class Notebook:
    """A redacted notebook, and the cells whose code is not as it was."""

    content: dict[str, Any]
    cells: tuple[str, ...]


def redact_notebook(redactor: Redactor, notebook: Mapping[str, Any]) -> Notebook:
    """The notebook: source, outputs and metadata; of pictures only those whose text stays."""
    cells, changed = [], []
    held = notebook.get("cells") or []
    for uid, cell in zip(uids_of(held), held, strict=True):
        outputs = [_output(redactor, output) for output in cell.get("outputs") or []]
        if cell.get("attachments"):
            redactor.unseen[NOTEBOOK] += len(cell["attachments"])
        plain = {key: value for key, value in cell.items() if key not in ("outputs", "attachments")}
        redacted = redactor.tree(plain, NOTEBOOK, NAMES)
        if redacted.get("source") != plain.get("source"):
            changed.append(uid)
        kept = {key: cell[key] for key in ("attachments",) if key in cell}
        cells.append({**redacted, **kept, **({"outputs": outputs} if "outputs" in cell else {})})
    rest = {key: value for key, value in notebook.items() if key != "cells"}
    content = {**redactor.tree(rest, NOTEBOOK, NAMES), "cells": cells}
    return Notebook(content, tuple(changed))


def redact_entries(
    redactor: Redactor, entries: Iterable[LedgerEntry]
) -> tuple[list[LedgerEntry], dict[str, dict[str, Any]]]:
    """The ledger: payloads; of a header the rationale and the name of a file; digests stay.

    Returns:
        The entries, and what `Redacted.entries` says of those that were changed.
    """
    redacted: list[LedgerEntry] = []
    changed: dict[str, dict[str, Any]] = {}
    for entry in entries:
        header = redact_header(redactor, entry)
        data = redactor.tree(entry.get("data"), LEDGER, NAMES)
        left = cast("LedgerEntry", {**header, "data": data})
        if left != entry:
            of_header = header != entry
            changed[str(entry["seq"])] = {"digest": digest_json(left), "header": of_header}
        redacted.append(left)
    return redacted, changed


def redact_header(redactor: Redactor, entry: LedgerEntry) -> LedgerEntry:
    """An entry with what people wrote into its header redacted."""
    told: LedgerEntry = {**entry, "rationale": redactor.text(entry["rationale"], LEDGER)}
    if entry["type"] == "file.read":  # other subjects are ids
        told["subject"] = redactor.text(entry["subject"], LEDGER)
    return told


def redact_queries(
    redactor: Redactor, records: Sequence[QueryRecord]
) -> tuple[list[dict[str, Any]], set[str]]:
    """The recorded queries as JSON, and the ids of those that were changed."""
    described = []
    changed = set()
    for record in records:
        plain = record.to_dict()
        redacted = redactor.tree(plain, QUERIES, NAMES)
        if redacted != _as_lists(plain):
            changed.add(record.id)
        described.append(redacted)
    return described, changed


def _as_lists(plain: Any) -> Any:
    """The same as JSON gives it back: lists for tuples."""
    if isinstance(plain, dict):
        return {key: _as_lists(value) for key, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_as_lists(value) for value in plain]
    return plain


def redact_result(redactor: Redactor, query: str, content: bytes) -> tuple[bytes, bool]:
    """A kept result as an Arrow IPC stream, and whether it was changed: else the same bytes."""
    import pyarrow as pa

    with pa.ipc.open_stream(io.BytesIO(content)) as stream:
        table = stream.read_all()
    rows = TableRedactor(redactor, result_path(query))
    batches = [rows.batch(batch) for batch in table.combine_chunks().to_batches()]
    if not rows.changed:
        return content, False
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    return sink.getvalue(), True


def _output(redactor: Redactor, output: Mapping[str, Any]) -> dict[str, Any]:
    data = output.get("data")
    rest = {key: value for key, value in output.items() if key != "data"}
    redacted: dict[str, Any] = redactor.tree(rest, NOTEBOOK, NAMES)
    if not isinstance(data, Mapping):
        return redacted
    shown = {k: v if _is_picture(k) else redactor.tree(v, NOTEBOOK) for k, v in data.items()}
    pictures = [kind for kind in data if _is_picture(kind)]
    if pictures and shown != data:
        redactor.counts[NOTEBOOK][_PICTURE] += len(pictures)  # they show what the text has lost
        shown = {kind: value for kind, value in shown.items() if kind not in pictures}
    elif pictures and not any(kind.startswith(_CHART) for kind in data):
        redactor.unseen[NOTEBOOK] += len(pictures)
    return {**redacted, "data": shown}


def _is_picture(kind: str) -> bool:
    return kind.startswith(_NEITHER) and "svg" not in kind
