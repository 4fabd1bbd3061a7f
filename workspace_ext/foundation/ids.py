"""Ids: opaque, unique without a coordinator; some follow from content."""

from __future__ import annotations

import hashlib
import uuid


def new_id() -> str:
    """A new random id: 32 lower-case hexadecimal characters (UUID 4)."""
    return uuid.uuid4().hex


def stable_id(*parts: str) -> str:
    """32 hexadecimal characters that depend on the parts and on nothing else."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def hypothesis_id(investigation: str, text: str) -> str:
    """The id of a claim in an investigation: wherever it is stated, it is the same one."""
    return stable_id(investigation, "hypothesis", " ".join(text.split()).casefold())
