"""The hash chain: pure functions over entries.

A stream is one chain; its name is bound into the first entry's ``prev``, so that a whole
stream cannot be passed off as another. An entry's hash covers its header (all fields but
``hash`` and ``data``); the header holds the payload's digest, so that a payload can be taken
away and the chain still verifies.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.canonical import PREFIX, canonical_json, digest_bytes, digest_text
from workspace_ext.foundation.errors import InvestigationError
from workspace_ext.protocol.messages import LedgerEntry

HEADER = (
    "seq",
    "id",
    "type",
    "source",
    "subject",
    "time",
    "recorded_time",
    "investigation",
    "actor",
    "on_behalf_of",
    "rationale",
    "payload_digest",
    "prev",
)
"""The fields that an entry's hash covers."""


@dataclass(frozen=True)
class Event:
    """Something that happened, before it has its place in a chain.

    ``source`` is the program that says so, ``actor`` who did it; ``on_behalf_of`` is the person
    when the actor is a program. Times are RFC 3339 in UTC; an empty one means now.
    """

    type: str
    data: Mapping[str, Any]
    actor: Actor
    id: str
    subject: str = ""
    time: str = ""
    source: str = "broker"
    investigation: str | None = None
    on_behalf_of: Actor | None = None
    rationale: str = ""


@dataclass(frozen=True)
class Problem:
    """What is wrong with a chain, and where."""

    stream: str
    seq: int
    what: str

    def to_dict(self) -> dict[str, Any]:
        """The form that travels."""
        return {"stream": self.stream, "seq": self.seq, "what": self.what}


@dataclass(frozen=True)
class VerifyReport:
    """The answer of a verification: how much was looked at, and what is wrong."""

    entries: int
    problems: tuple[Problem, ...] = ()
    redacted: int = 0
    heads: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """The form that travels."""
        return {
            "ok": self.ok,
            "entries": self.entries,
            "redacted": self.redacted,
            "problems": [problem.to_dict() for problem in self.problems],
            "heads": {
                stream: {"seq": seq, "hash": head} for stream, (seq, head) in self.heads.items()
            },
        }


def genesis(stream: str) -> str:
    """The ``prev`` of a stream's first entry."""
    return digest_text(f"investigation-ledger:1:{stream}")


def seal(event: Event, *, seq: int, prev: str, recorded_time: str) -> tuple[LedgerEntry, bytes]:
    """Gives an event its place in a chain.

    Returns:
        The entry, and the exact bytes of its payload.

    Raises:
        BadInput: The data is not representable as JSON.
    """
    payload = canonical_json(event.data)
    header: dict[str, Any] = {
        "seq": seq,
        "id": event.id,
        "type": event.type,
        "source": event.source,
        "subject": event.subject,
        "time": event.time or recorded_time,
        "recorded_time": recorded_time,
        "investigation": event.investigation,
        "actor": str(event.actor),
        "on_behalf_of": None if event.on_behalf_of is None else str(event.on_behalf_of),
        "rationale": event.rationale,
        "payload_digest": digest_bytes(payload),
        "prev": prev,
    }
    header["hash"] = _hash(header)
    # What is kept and what is told are the same: a tuple, say, reads back as a list.
    header["data"] = json.loads(payload)
    return cast(LedgerEntry, header), payload


def header_hash(entry: Mapping[str, Any]) -> str:
    """The hash that an entry's header must have."""
    return _hash(dict(zip(HEADER, map(entry.get, HEADER), strict=True)))


def _hash(header: Mapping[str, Any]) -> str:
    return PREFIX + hashlib.sha256(canonical_json(header, floats=False)).hexdigest()


def verify_entries(
    entries: Iterable[Mapping[str, Any]],
    *,
    stream: str,
    head: tuple[int, str] | None = None,
) -> VerifyReport:
    """Checks a whole chain, from its first entry on.

    Args:
        entries: The entries in the order kept, each with its ``data`` (None once redacted) or,
            instead, with ``payload``: the exact bytes as kept.
        stream: The stream's name.
        head: ``(seq, hash)`` of an entry that is known to have been in the chain, as a saved
            notebook or an archive tells it: without it a cut tail cannot be found.
    """
    problems: list[Problem] = []
    count = redacted = 0
    seq, prev = 0, genesis(stream)
    anchored: str | None = None
    for entry in entries:
        count += 1
        found = entry.get("seq")
        at = found if isinstance(found, int) else seq + 1
        wrong, gone = _check(entry, seq, prev)
        problems += [Problem(stream, at, what) for what in wrong]
        redacted += gone
        seq, prev = at, str(entry.get("hash"))
        if head is not None and at == head[0]:
            anchored = prev
    if head is not None:
        problems += _check_head(stream, head, anchored, seq)
    return VerifyReport(count, tuple(problems), redacted, {stream: (seq, prev)})


def _check(entry: Mapping[str, Any], seq: int, prev: str) -> tuple[list[str], bool]:
    wrong: list[str] = []
    found = entry.get("seq")
    if found != seq + 1:
        if isinstance(found, int) and found > seq + 1:
            last = found - 1
            gap = f"entry {last} is" if last == seq + 1 else f"entries {seq + 1} to {last} are"
            wrong.append(f"{gap} missing")
        else:
            wrong.append(f"out of order: entry {found} stands after entry {seq}")
    elif entry.get("prev") != prev:
        wrong.append(
            f"does not follow entry {seq}" if seq else "is not the first entry of this stream"
        )
    try:
        if header_hash(entry) != entry.get("hash"):
            wrong.append("the header was changed")
        payload = _payload(entry)
    except (InvestigationError, TypeError, ValueError) as error:
        return [*wrong, f"is not readable: {error}"], False
    if payload is not None and digest_bytes(payload) != entry.get("payload_digest"):
        wrong.append("the payload was changed")
    return wrong, payload is None


def _payload(entry: Mapping[str, Any]) -> bytes | None:
    if "payload" in entry:
        kept = entry["payload"]
        return None if kept is None else bytes(kept)
    data = entry.get("data")
    return None if data is None else canonical_json(data)


def _check_head(
    stream: str, head: tuple[int, str], anchored: str | None, last: int
) -> list[Problem]:
    seq, expected = head
    if seq == 0:
        return []
    if anchored is None:
        cut = f"the tail was cut: entries {last + 1} to {seq} are missing"
        return [Problem(stream, seq, cut if seq > last else f"entry {seq} is missing")]
    if anchored != expected:
        return [Problem(stream, seq, "is not the entry whose hash was noted outside the ledger")]
    return []
