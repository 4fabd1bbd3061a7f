"""Requests become deliveries: many at once where their adapter can, else one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workspace_ext.foundation.canonical import digest_bytes
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.telemetry.ingest import registry
from workspace_ext.telemetry.ingest.live.delivery import REJECTS_KEPT, Delivery
from workspace_ext.telemetry.ingest.live.request import Request, undo
from workspace_ext.telemetry.ingest.model import Parsed


@dataclass(frozen=True)
class Decoded:
    """What came of a request.

    Attributes:
        parsed: For the answer.
        delivery: For the store.
    """

    parsed: Parsed
    delivery: Delivery


def decode(request: Request) -> Decoded:
    """A request by itself.

    Raises:
        BadInput: Nothing in it can be read.
    """
    body = undo(request.body, request.encoding)
    return _decoded(request, body, registry.decode(request.format, body, request.context))


def decode_together(requests: Sequence[Request]) -> list[Decoded | InvestigationError | None]:
    """Several requests at once; None for one that must be decoded by itself.

    An error is of its request only.
    """
    made: list[Decoded | InvestigationError | None] = [None] * len(requests)
    groups: dict[tuple[str, str], list[tuple[int, bytes]]] = {}
    for place, request in enumerate(requests):
        try:
            if registry.reads_together(request.format):
                body = undo(request.body, request.encoding)
                groups.setdefault((request.format, request.signal), []).append((place, body))
        except InvestigationError as error:
            made[place] = error
    for (name, signal), group in groups.items():
        found = registry.decode_together(name, signal, [body for _, body in group])
        for (place, body), parsed in zip(group, found, strict=True):
            if parsed is not None:
                made[place] = _decoded(requests[place], body, parsed)
    return made


def _decoded(request: Request, body: bytes, parsed: Parsed) -> Decoded:
    delivery = Delivery(
        adapter=request.format,
        version=registry.find(request.format).version,
        source=request.source,
        received_ns=request.received_ns,
        digest=digest_bytes(body),
        size=len(body),
        tables={name: table for name, table in parsed.tables.items() if table.num_rows},
        rejected=parsed.rejected,
        rejects=parsed.rejects[:REJECTS_KEPT],
        warnings=parsed.warnings,
    )
    return Decoded(parsed, delivery)
