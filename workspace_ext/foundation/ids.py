"""Ids: opaque, unique without a coordinator."""

from __future__ import annotations

import uuid


def new_id() -> str:
    """A new random id: 32 lower-case hexadecimal characters (UUID 4)."""
    return uuid.uuid4().hex
