"""What is told of a save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from workspace_ext.foundation.actor import Actor
from workspace_ext.foundation.clock import now_ns, to_rfc3339
from workspace_ext.foundation.ids import new_id
from workspace_ext.inquiry.versions.model import NOTHING, Content, Layout
from workspace_ext.protocol.messages import VersionIn

UNKNOWN = Actor("user", "unknown")
"""Who changed a notebook where nobody here saw it: another editor, a checkout."""

OUTSIDE = "found changed outside"
"""The reason of such a version."""


def version_in(
    content: Content,
    *,
    path: str,
    actors: Sequence[Actor],
    reason: str = "",
    known: Layout = NOTHING,
    by: Mapping[str, Sequence[Actor]] | None = None,
) -> VersionIn:
    """A saved notebook as the broker takes it.

    Args:
        content: The notebook.
        path: The file, as `placed` names it.
        actors: Who changed what is new in it.
        reason: Why.
        known: What the record has already, or will have when it gets to this: those parts stay
            here.
        by: Who changed single cells, by uid.
    """
    there = set(known.digests())
    return {
        "id": new_id(),
        "path": path,
        "time": to_rfc3339(now_ns()),
        "actors": [str(actor) for actor in actors],
        "reason": reason,
        "manifest": content.layout.to_dict(),
        "parts": {digest: text for digest, text in content.parts.items() if digest not in there},
        "by": {uid: [str(actor) for actor in who] for uid, who in (by or {}).items()},
    }


def placed(file: Path, store: Path) -> str:
    """What the record calls a file.

    Seen from the folder that the store lies in, so that a project can move; in full when the
    file lies elsewhere.
    """
    file, beside = file.resolve(), store.resolve().parent
    return (file.relative_to(beside) if file.is_relative_to(beside) else file).as_posix()
