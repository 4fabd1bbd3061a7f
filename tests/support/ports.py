"""Ports for programs that a test starts and that must be told theirs."""

from __future__ import annotations

import socket

_HELD: list[socket.socket] = []


def free_port() -> int:
    """A port of 127.0.0.1 for a server that is about to start, however long it takes.

    It is held for as long as the tests run, by a socket that does not listen: who asks the system
    for any port gets another one, and a server that sets SO_REUSEADDR, as they all do, gets this.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    _HELD.append(held)
    return int(held.getsockname()[1])
