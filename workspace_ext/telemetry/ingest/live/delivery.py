"""One request's records, on their way: their form in memory and in the journal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

import pyarrow as pa

from workspace_ext.telemetry.ingest.model import Reject

REJECTS_KEPT = 100
"""So many rejects of one request are kept with their record; all are counted."""

_LENGTH_BYTES = 4
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass(frozen=True)
class Delivery:
    """What one request brought.

    Attributes:
        adapter: The name of the format it was decoded by.
        version: Of the adapter.
        source: Where it came from, as a user should read it.
        received_ns: When its last byte was there.
        digest: Of its body.
        size: Of its body, in bytes.
        tables: Its records by signal; the columns are those of `columns.arrow_schema`.
        rejected: How many records could not be read.
        rejects: The first of them.
        warnings: What the user should know.
    """

    adapter: str
    version: int
    source: str
    received_ns: int
    digest: str
    size: int
    tables: Mapping[str, pa.Table]
    rejected: int = 0
    rejects: tuple[Reject, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())

    @property
    def rows(self) -> int:
        """How many records it has."""
        rows: int = sum(table.num_rows for table in self.tables.values())
        return rows

    @property
    def held_bytes(self) -> int:
        """About how much memory it takes."""
        records: int = sum(table.nbytes for table in self.tables.values())
        return records + sum(len(reject.record) for reject in self.rejects) + 1024


def encode(delivery: Delivery) -> bytes:
    """The form that the journal keeps; needs nothing but Arrow to be read again."""
    parts: list[tuple[str, pa.Buffer]] = []
    for signal, table in delivery.tables.items():
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
            writer.write_table(table)
        parts.append((signal, sink.getvalue()))
    head = json.dumps(
        {
            "adapter": delivery.adapter,
            "version": delivery.version,
            "source": delivery.source,
            "received_ns": delivery.received_ns,
            "digest": delivery.digest,
            "size": delivery.size,
            "rejected": delivery.rejected,
            "rejects": [asdict(reject) for reject in delivery.rejects],
            "parts": [(signal, part.size) for signal, part in parts],
        }
    ).encode()
    return b"".join(
        (len(head).to_bytes(_LENGTH_BYTES, "little"), head, *(bytes(part) for _, part in parts))
    )


def decode(content: bytes) -> Delivery:
    """What `encode` made."""
    start = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    head = json.loads(content[_LENGTH_BYTES:start])
    whole = pa.py_buffer(content)
    tables = {}
    for signal, size in head.pop("parts"):
        with pa.ipc.open_stream(whole.slice(start, size)) as reader:
            tables[signal] = reader.read_all()
        start += size
    rejects = tuple(Reject(**reject) for reject in head.pop("rejects"))
    return Delivery(**head, tables=tables, rejects=rejects)
