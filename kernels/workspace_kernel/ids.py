"""Ids that follow from content, so that running a cell again makes nothing twice."""

from __future__ import annotations

import hashlib


def stable_id(*parts: str) -> str:
    """32 hexadecimal characters that depend on the parts and on nothing else."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
