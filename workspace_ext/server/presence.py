"""Who is shown as present in a shared document: the server's word, as everywhere.

Browsers tell each other by awareness messages who they are and where their cursor is
(y-protocols, ``awareness.js``: a count, then client id, clock and a JSON state for each). What a
message says of its sender is made true; what it says of somebody else is left out: browsers repeat
what they hear of each other, and everybody has it from themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary


class Presence:
    """Remembers, for each room, whose the client ids are: whoever used one first."""

    def __init__(self) -> None:
        self._owners: WeakKeyDictionary[Any, dict[int, str]] = WeakKeyDictionary()

    def stamp(
        self, room: Any, message: bytes, identity: Mapping[str, Any] | None, owner: str, role: str
    ) -> bytes | None:
        """A message with its sender's name and role in it; None when nothing is left of it.

        Args:
            room: Where it was sent to.
            message: Any message of a shared document; all but awareness stay as they are.
            identity: The sender, as the server shows users to browsers; None where people may
                call themselves something.
            owner: The sender's name on the server.
            role: Theirs.

        Raises:
            Exception: It is no message (of whatever kind pycrdt raises).
        """
        from pycrdt import Decoder, YMessageType, read_message  # not before there is a document

        if message[0] != YMessageType.AWARENESS:
            return message
        owners = self._owners.setdefault(room, {})
        decoder, kept = Decoder(read_message(message[1:])), []
        for _ in range(decoder.read_var_uint()):
            client, clock = decoder.read_var_uint(), decoder.read_var_uint()
            state = decoder.read_var_string()
            if owners.setdefault(client, owner) == owner:
                kept.append((client, clock, _true(state, identity, role)))
        return _awareness(kept) if kept else None


def _true(state: str, identity: Mapping[str, Any] | None, role: str) -> str:
    found = json.loads(state)
    if not isinstance(found, dict) or "user" not in found:
        return state
    claimed = found["user"] if isinstance(found["user"], dict) else {}
    shown = claimed if identity is None else identity
    colour = shown.get("color") or claimed.get("color")  # a browser chooses where we do not
    return json.dumps({**found, "user": {**shown, "color": colour, "role": role}})


def _awareness(entries: list[tuple[int, int, str]]) -> bytes:
    from pycrdt import Encoder, create_awareness_message

    inner = Encoder()
    inner.write_var_uint(len(entries))
    for client, clock, state in entries:
        inner.write_var_uint(client)
        inner.write_var_uint(clock)
        inner.write_var_string(state)
    return create_awareness_message(inner.to_bytes())
