"""Who did something: a person, or a program that acted for one (W3C PROV's agents)."""

from __future__ import annotations

import getpass
from dataclasses import dataclass
from typing import Literal

from workspace_ext.foundation.errors import BadInput

ActorKind = Literal["user", "kernel", "service"]
_KINDS: tuple[ActorKind, ...] = ("user", "kernel", "service")


@dataclass(frozen=True)
class Actor:
    """An actor, written ``kind:name``, as in ``user:alice`` or ``kernel:3f2a…``."""

    kind: ActorKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Actor:
        """From ``kind:name``.

        Raises:
            BadInput: The kind is unknown or the name empty.
        """
        kind, _, name = text.partition(":")
        for known in _KINDS:
            if kind == known and name:
                return cls(known, name)
        raise BadInput(f"{text!r} is not an actor", hint="write it as user:NAME", code="bad_actor")


def system_user() -> Actor:
    """The operating system's user: the actor of everything run headless."""
    try:
        return Actor("user", getpass.getuser())
    except (KeyError, OSError):
        return Actor("user", "unknown")
