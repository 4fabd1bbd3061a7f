"""What an earlier process left in the journal, decoded again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from workspace_ext.foundation.errors import Damaged, InvestigationError
from workspace_ext.telemetry.ingest.live.decoding import Decoded, decode, decode_together
from workspace_ext.telemetry.ingest.live.delivery import Delivery
from workspace_ext.telemetry.ingest.live.journal import scan
from workspace_ext.telemetry.ingest.live.request import Request, unpack

_log = logging.getLogger(__name__)

_TOGETHER = 16


def recover(path: Path) -> tuple[list[Delivery], bool]:
    """The deliveries of a file of the journal, and whether they are all that it holds.

    What cannot be decoded any more, because its adapter is gone for instance, stops no other.

    Raises:
        OSError: It cannot be read.
    """
    found = scan(path)
    requests = list(_requests(found.contents, path))
    made: list[Delivery] = []
    for start in range(0, len(requests), _TOGETHER):
        some = requests[start : start + _TOGETHER]
        for request, outcome in zip(some, decode_together(some), strict=True):
            try:
                made.append(_decoded(request, outcome).delivery)
            except Exception:
                _log.exception(
                    "a request from %s that was acknowledged cannot be decoded; it stays in %s",
                    request.source,
                    path.name,
                )
    return made, not found.lost and len(made) == len(found.contents)


def _decoded(request: Request, outcome: Decoded | InvestigationError | None) -> Decoded:
    if isinstance(outcome, InvestigationError):
        raise outcome
    return outcome or decode(request)


def _requests(contents: list[bytes], path: Path) -> Iterator[Request]:
    for content in contents:
        try:
            yield unpack(content)
        except Damaged as error:
            _log.error("%s: %s", path.name, error.message)
