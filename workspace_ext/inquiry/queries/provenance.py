"""All that stands behind the answer to one query, for the person who looks at it."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa

from workspace_ext.client.columns import values_of
from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.queries.lineage import Lineage
from workspace_ext.protocol.provenance import KeptRows, Origin, Provenance

SHOWN_ROWS = 50
SHOWN_BATCHES = 20
_TEXT_LENGTH = 200


class Provenances:
    """Puts it together. Safe to be called from several threads.

    Args:
        investigations: Keeps the queries and their results.
        lineage: Walks back from them.
    """

    def __init__(self, investigations: InvestigationService, lineage: Lineage) -> None:
        self._investigations = investigations
        self._lineage = lineage

    def of(self, uid: str, query: str) -> Provenance:
        """What was asked, what came back, what it warned of, and where it comes from.

        A query without an answer, or whose template was changed since, has no origin; then
        ``gap`` says why.

        Raises:
            NotFound: There is no such investigation, or it has no such query.
        """
        state = self._investigations.state(uid)
        record = self._investigations.query(query if query in state["queries"] else "")
        kept = self._investigations.kept_result(record.id)
        origin, gap = self._origin(record.id)
        return {
            "query": record.summary(),
            "statement": record.statement or record.sql or "",
            "warnings": list(record.verdict["warnings"]) if record.verdict else [],
            "elapsed_ms": record.elapsed_ms,
            "kept": None if kept is None else _first_rows(kept),
            "origin": origin,
            "gap": gap,
        }

    def _origin(self, query: str) -> tuple[Origin | None, str]:
        try:
            found = self._lineage.of(query)
        except BadInput as error:
            return None, f"{error.message} ({error.hint})"
        batches = ("batch_id", "name", "format", "received_at", "committed_at", "contributed")
        origin: dict[str, Any] = {name: found[name] for name in Origin.__annotations__}
        origin["batches"] = [
            {name: batch[name] for name in batches} for batch in found["batches"][:SHOWN_BATCHES]
        ]
        return Origin(**origin), ""  # type: ignore[typeddict-item] # its own names, from above


def _first_rows(kept: bytes) -> KeptRows:
    with pa.ipc.open_stream(kept) as reader:
        table = reader.read_all()
    rows = zip(*map(values_of, table.slice(0, SHOWN_ROWS).columns), strict=True)
    return {
        "columns": table.column_names,
        "rows": [[_plain(value) for value in row] for row in rows],
        "total": table.num_rows,
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    said = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return said if len(said) <= _TEXT_LENGTH else f"{said[: _TEXT_LENGTH - 1]}…"
