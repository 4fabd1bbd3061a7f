"""What all groups of the broker's routes share: the line to it, and what comes back."""

from __future__ import annotations

from copy import copy
from typing import Any, Self
from urllib.parse import quote

from workspace_ext.client.transport import Transport


class Calls:
    """One broker. Safe to share between threads; errors are those the broker raised.

    Args:
        address: As in ``http://127.0.0.1:40123``.
        token: The service's or a kernel's.
        patience: See `Transport`.
    """

    def __init__(self, address: str, token: str, *, patience: float = 0.0) -> None:
        self._transport = Transport(address, token, patience=patience)

    @property
    def address(self) -> str:
        """Where the broker listens."""
        return self._transport.address

    def acting(self, role: str) -> Self:
        """The same broker, for a person of a role: held to what they may do, and recorded so."""
        theirs = copy(self)
        theirs._transport = self._transport.acting(role)  # noqa: SLF001 # a copy of itself
        return theirs

    def close(self) -> None:
        """Closes the idle connections."""
        self._transport.close()

    def _json(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        value = self._transport.json(method, path, **how)
        if not isinstance(value, dict):
            raise self._transport.broken(TypeError())
        return value

    def _list(self, method: str, path: str, **how: Any) -> list[dict[str, Any]]:
        value = self._transport.json(method, path, **how)
        if not isinstance(value, list):
            raise self._transport.broken(TypeError())
        return value


def part(text: str) -> str:
    """A text as one part of an address."""
    return quote(text, safe="")


def investigation(uid: str, rest: str = "") -> str:
    """The address of an investigation, or of something of it."""
    return f"/v1/investigations/{part(uid)}" + (f"/{rest}" if rest else "")
