"""Lineage of an answer: result, the rows it rests on, their batches, their sources."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow as pa

from workspace_ext.foundation.errors import BadInput
from workspace_ext.inquiry.investigations.model import QueryRecord
from workspace_ext.inquiry.investigations.service import InvestigationService
from workspace_ext.inquiry.queries.reads import Reads
from workspace_ext.telemetry.catalog.lineage import Origins
from workspace_ext.telemetry.query.syntax import Node, Parser, nodes

_EXACT = "the batches of the result's own rows, by their batch_id"
_SCANNED = (
    "the batches of all rows in the scanned windows up to the pin: nothing else had an influence;"
    " which of them an output row rests on is not told"
)


class Lineage:
    """Walks back from recorded queries.

    Args:
        investigations: Keeps the queries and their results.
        reads: Tells what queries read.
        origins: Finds the batches.
    """

    def __init__(
        self,
        investigations: InvestigationService,
        reads: Reads,
        origins: Origins,
    ) -> None:
        self._investigations = investigations
        self._reads = reads
        self._origins = origins
        self._parser = Parser()

    def of(self, query: str) -> dict[str, Any]:
        """Where the answer to a query comes from.

        Returns:
            The query in short, what it read, and `Origins.of_scans`; ``exact`` and ``says`` tell
            how much that means.

        Raises:
            NotFound: There is no such query.
            BadInput: It failed, or its template is not the one it was asked with any more.
        """
        record = self._investigations.query(query)
        if not record.ok:
            raise BadInput(
                f"query {query} failed: {record.error}",
                hint="only an answer has a lineage",
                code="no_answer",
            )
        scans = self._reads.of(record)
        numbers = self._own_batches(record) if len(scans) == 1 else None
        if numbers is not None:
            found = self._origins.of_rows(numbers)
        else:
            found = self._origins.of_scans(scans, record.pin)
        return {
            "query": record.id,
            "title": record.title,
            "template": record.template,
            "at": record.at,
            "pin": record.pin,
            "rows": record.rows,
            "digest": record.digest,
            "reads": [scan.to_dict() for scan in scans],
            "exact": numbers is not None,
            "says": _SCANNED if numbers is None else _EXACT,
            **found,
        }

    def _own_batches(self, record: QueryRecord) -> dict[int, int] | None:
        """How many rows of the result each batch has, where each of them is one of a table."""
        kept = self._investigations.kept_result(record.id)
        if kept is None or not _gives_rows(self._parser.parse(record.statement).root):
            return None
        with pa.ipc.open_stream(kept) as reader:
            table = reader.read_all()
        place = table.schema.get_all_field_indices("batch_id")[0]  # ``*, batch_id`` gives two
        return dict(Counter(table.column(place).to_pylist()))


def _gives_rows(root: Node) -> bool:
    """Whether a query gives rows of one table as they are, each with its ``batch_id``."""
    if root["type"] != "SELECT_NODE" or root["from_table"]["type"] != "BASE_TABLE":
        return False
    together = root["group_expressions"] or root["having"] or root["cte_map"]["map"]
    apart = any(each["type"] == "DISTINCT_MODIFIER" for each in root["modifiers"])
    over = any(node.get("class") == "WINDOW" for node in nodes(root))
    named = any(_is_batch(column) for column in root["select_list"])
    return named and not (together or apart or over)


def _is_batch(column: Node) -> bool:
    if column["class"] == "STAR":
        return not (column["exclude_list"] or column["replace_list"] or column["expr"])
    own = column["class"] == "COLUMN_REF" and column["column_names"][-1] == "batch_id"
    return own and column["alias"] in ("", "batch_id")
